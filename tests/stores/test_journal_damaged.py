"""A journal's SQLite file with any of its bytes changed or cut off: a JournalError that names it, or records that are sound."""

import sqlite3
from collections import Counter

import numpy as np
import pytest
from stores.journal import Feedback, JournalError, Prediction, Summary, open_journal

HEADER, PLACES, LENGTHS = 100, 200, 40
REFUSED, READ = "refused", "read"


@pytest.fixture
def filled(tmp_path, make_prediction, make_feedback):
    """The file of a journal, all of it in one, as its bytes; and the feedback in it."""
    path, feedback = tmp_path / "sound.sqlite", [make_feedback() for _ in range(6)]
    journal = open_journal(f"sqlite:///{path}")
    journal.add_predictions([make_prediction() for _ in range(6)])
    for each in feedback:
        journal.add_feedback(each)
    journal.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path.read_bytes(), feedback


def read(path, content: bytes) -> tuple[str, list[Feedback]]:
    """All that there is; REFUSED where one of the calls is. The calls after it must still be answered in one of the two ways."""
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(content)
    journal, outcome, feedback = open_journal(f"sqlite:///{path}"), READ, []
    for ask in (lambda: journal.feedback(10), lambda: journal.recent_predictions(10), journal.summary, journal.durability):
        found, reason = None, None
        try:
            found = ask()
        except JournalError as error:
            outcome, reason = REFUSED, str(error)
        assert reason is None or str(path) in reason
        if isinstance(found, list):
            assert all(isinstance(each, Feedback | Prediction) for each in found)
            feedback += [each for each in found if isinstance(each, Feedback)]
        if isinstance(found, Summary):
            assert all(isinstance(each, int) for each in (found.predictions_total, found.predictions_kept, found.feedback_total))
    journal.close()
    return outcome, feedback


def test_a_sound_file_is_read(filled, tmp_path):
    content, feedback = filled
    assert read(tmp_path / "a.sqlite", content) == (READ, feedback)


def test_any_byte_changed_or_cut_off_is_an_error_that_names_the_file_or_sound_records(filled, tmp_path, documented):
    content, _ = filled
    places = [*range(HEADER), *np.random.default_rng(0).integers(HEADER, len(content), PLACES).tolist()]
    damaged = [content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :] for place in places]
    damaged += [content[:length] for length in np.linspace(1, len(content) - 1, LENGTHS).astype(int)]
    counted = Counter(read(tmp_path / "a.sqlite", each)[0] for each in damaged)
    assert counted[REFUSED] > HEADER // 4
    documented(
        "bad-files",
        "the journal's SQLite file: every byte of its header, 200 anywhere, cut at 40 places",
        f"{counted.total()} times",
        "a sentence that names the file and says to move it away; or what is still sound is read, and the rest left out",
    )
