"""Redis's file, cut off where a crash ended within a batch: none of that batch is there, now or later, and all before it is."""

import numpy as np
import pytest
from journal_records import make_feedback, make_prediction


@pytest.mark.parametrize("cuts", [1, pytest.param(24, marks=pytest.mark.slow)])
def test_a_batch_that_a_crash_cut_off_is_there_once_when_it_is_sent_again(own_redis, open_at, cuts):
    own_redis.start()
    journal, feedback = open_at(own_redis.url), make_feedback()
    first, batch = [make_prediction() for _ in range(3)], [make_prediction() for _ in range(4)]
    journal.add_predictions(first)
    journal.add_feedback(feedback)
    (file,) = own_redis.folder.glob("appendonlydir/*.incr.aof")
    length = file.stat().st_size
    journal.add_predictions(batch)
    own_redis.kill()
    content = file.read_bytes()
    in_its_last_command = content.rindex(b"EXEC") - 3  # within a line, which Redis's own check takes for another fault
    places = np.random.default_rng(0).choice(np.arange(length + 1, len(content)), cuts, replace=False).tolist()
    for place in (*places, in_its_last_command, len(content) - 1):
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
    # What comes after a damaged place is not cut off: somebody must look, and may have a copy.
    damaged = content[:length] + bytes([content[length] ^ 0xFF]) + content[length + 1 :]
    file.write_bytes(damaged)
    with pytest.raises(AssertionError, match="Bad file format reading the append only file"):
        own_redis.start()
    assert file.read_bytes() == damaged
