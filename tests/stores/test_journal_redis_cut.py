"""Redis's file, cut off where a crash ended within a batch: none of that batch is there, now or later, and all before it is."""

import numpy as np
import pytest

CUTS = 24


@pytest.fixture
def filled(own_redis, open_journal_at, make_prediction, make_feedback):
    """(the journal, what it has in its order, a batch that was added last, the file, its length before the batch)"""
    own_redis.start()
    journal = open_journal_at(own_redis.url)
    first, feedback, batch = [make_prediction() for _ in range(3)], make_feedback(), [make_prediction() for _ in range(4)]
    journal.add_predictions(first)
    journal.add_feedback(feedback)
    (file,) = own_redis.folder.glob("appendonlydir/*.incr.aof")
    length = file.stat().st_size
    journal.add_predictions(batch)
    return journal, (first, feedback), batch, file, length


def test_a_batch_that_a_crash_cut_off_is_there_once_when_it_is_sent_again(filled, own_redis):
    journal, (first, feedback), batch, file, length = filled
    own_redis.kill()
    content = file.read_bytes()
    in_its_last_command = content.rindex(b"EXEC") - 3  # within a line, which Redis's own check takes for another fault
    places = np.random.default_rng(0).choice(np.arange(length + 1, len(content)), CUTS, replace=False)
    for place in (*places.tolist(), in_its_last_command, len(content) - 1):
        file.write_bytes(content[:place])
        own_redis.start()
        assert journal.recent_predictions(100) == first
        journal.add_predictions(batch)
        for _ in range(2):
            own_redis.kill()
            own_redis.start()
            assert journal.recent_predictions(100) == first + batch
            assert journal.summary().predictions_total == len(first + batch)
            assert journal.feedback(100) == [feedback]
        own_redis.kill()


def test_what_comes_after_a_damaged_place_is_not_cut_off(filled, own_redis):
    """Redis says what is wrong, and does not start: somebody must look, and may have a copy."""
    _, _, _, file, length = filled
    own_redis.kill()
    content = bytearray(file.read_bytes())
    content[length] ^= 0xFF  # of the batch's first command
    file.write_bytes(content)
    with pytest.raises(AssertionError, match="Bad file format reading the append only file"):
        own_redis.start()
    assert file.read_bytes() == content
