"""The prediction log in SQLite: read before it is written, killed while it is written, deleted while it is open."""

import fcntl
import os
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from journal_records import make_feedback, make_prediction
from stores.journal import JournalError, Summary


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "journal.sqlite"


@pytest.fixture
def open_it(path, open_at):
    """open_it(): another log in the same file."""
    return lambda: open_at(f"sqlite:///{path}")


@pytest.fixture
def journal(open_it):
    return open_it()


def found_from_scratch(path):
    """The ids of the predictions that somebody finds who opens the file from scratch, after SQLite has found it sound."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [id_ for (id_,) in connection.execute("SELECT prediction_id FROM predictions ORDER BY number")]


class TestNotThereYet:
    def test_an_empty_file_is_as_good_as_none(self, journal, path):
        path.parent.mkdir()
        path.touch()
        assert journal.summary() == Summary(0, 0, 0, None)
        journal.add_predictions([make_prediction()])
        assert journal.summary().predictions_total == 1
        journal.close()
        assert list(path.parent.iterdir()) == [path]

    def test_waits_while_another_makes_the_file_and_uses_that_one(self, journal, path, tmp_path, open_at):
        theirs, ours = make_prediction(), make_prediction()
        other = open_at(f"sqlite:///{tmp_path}/other.sqlite")
        other.add_predictions([theirs])
        other.close()
        path.parent.mkdir()
        folder = os.open(path.parent, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)  # as one holds it who makes the file
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(journal.add_predictions, [ours])
            time.sleep(0.1)
            assert not path.exists()
            (tmp_path / "other.sqlite").rename(path)
            os.close(folder)
            waiting.result()
        assert found_from_scratch(path) == [theirs.prediction_id, ours.prediction_id]

    def test_a_path_is_relative_to_where_the_log_was_opened(self, tmp_path, open_at, monkeypatch):
        monkeypatch.chdir(tmp_path)
        journal = open_at("sqlite:///here 100%/journal?.sqlite")
        monkeypatch.chdir("/")
        journal.add_predictions([make_prediction()])
        assert len(found_from_scratch(tmp_path / "here 100%" / "journal?.sqlite")) == 1


WRITE_FOR_EVER = """
import itertools, sys
from stores.journal import Feedback, Prediction, open_journal
journal, name = open_journal(sys.argv[1]), sys.argv[2]
for number in itertools.count():
    ids = [f"{name}-{number}-{place}" for place in range(3)]
    journal.add_predictions([Prediction(id_, float(number), "strokes", 3, True, 0.5, "v", bytes(784)) for id_ in ids])
    journal.add_feedback(Feedback(ids[0], float(number), None, 3, 5, None, bytes(784)))
    print(ids[0], flush=True)
"""


@pytest.mark.parametrize("rounds", [2, pytest.param(12, marks=pytest.mark.slow)])
def test_a_writer_killed_at_any_moment_loses_nothing_acknowledged_and_leaves_no_part_of_a_batch(path, journal, rounds):
    """Others read all the while."""
    acknowledged, totals = [], []
    for round_ in range(rounds):
        command = [sys.executable, "-c", WRITE_FOR_EVER, f"sqlite:///{path}", f"round {round_}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            for _ in range(10 + 3 * round_):
                acknowledged.append(writer.stdout.readline().strip())
                totals.append(journal.summary().predictions_total)
            writer.kill()
            acknowledged += writer.stdout.read().split("\n")[:-1]
        assert {feedback.feedback_id for feedback in journal.feedback(10_000)} >= set(acknowledged)
    found = found_from_scratch(path)
    assert len(found) % 3 == 0
    assert set(acknowledged) <= set(found[::3])
    assert totals == sorted(totals)
    assert totals[0] >= 3, "what was acknowledged is not there to read"
    assert all(total % 3 == 0 for total in totals), "a part of a batch was there to read"


class TestDeleted:
    """Under a running service, by somebody who cleans up."""

    @pytest.fixture(params=["*", "journal.sqlite"])
    def delete(self, request, path):
        return lambda: [file.unlink() for file in path.parent.glob(request.param)]

    def test_all_that_had_it_open_find_nothing_and_go_over_to_the_new_one(self, journal, open_it, path, delete):
        others = [open_it(), open_it()]
        for user in (journal, *others):
            user.add_predictions([make_prediction()])
        delete()
        assert journal.summary() == Summary(0, 0, 0, None)
        kept = []
        for user in (journal, *others, journal):
            kept.append(make_prediction())
            user.add_predictions([kept[-1]])
            assert user.recent_predictions(10) == kept
            assert found_from_scratch(path) == [prediction.prediction_id for prediction in kept]

    def test_does_not_acknowledge_a_record_that_went_into_the_deleted_file(self, journal, path, delete):
        class DeletesWhenRead(list):
            def __iter__(self):
                delete()
                return super().__iter__()

        prediction = make_prediction()
        journal.add_predictions([make_prediction()])
        with pytest.raises(JournalError, match="was deleted or replaced while it was written: try again"):
            journal.add_predictions(DeletesWhenRead([prediction]))
        journal.add_predictions([prediction])
        assert found_from_scratch(path) == [prediction.prediction_id]

    def test_a_file_that_is_moved_away_takes_all_its_records_along(self, journal, path, tmp_path):
        old, new = make_prediction(), make_prediction()
        journal.add_predictions([old])
        path.rename(tmp_path / "kept.sqlite")
        journal.add_predictions([new])
        assert found_from_scratch(tmp_path / "kept.sqlite") == [old.prediction_id]
        assert found_from_scratch(path) == [new.prediction_id]


def test_each_commit_is_on_the_disk(journal):
    journal.add_feedback(make_feedback())
    found = [journal._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert found == ["wal", 2]  # 2: FULL


def test_the_bytes_of_an_erased_drawing_are_in_no_file(journal, path):
    picture = bytes(range(7, 203)) * 4
    prediction = make_prediction(picture=picture)
    journal.add_predictions([make_prediction(), prediction, make_prediction()])
    journal.add_feedback(make_feedback(prediction_id=prediction.prediction_id, picture=picture))

    def files_with_it():
        return [file.name for file in path.parent.iterdir() if picture[:100] in file.read_bytes()]

    assert files_with_it()
    journal.erase([prediction.prediction_id])
    assert files_with_it() == []


REMOVED = (
    "DROP INDEX feedback_by_prediction; DROP TABLE erased_predictions; DROP TABLE erased_feedback; DROP TABLE feedback_counts;"
)


@pytest.mark.parametrize(
    "downgrade",
    [
        f"{REMOVED} ALTER TABLE feedback DROP COLUMN source; PRAGMA user_version = 1",  # feedback had no source
        f"{REMOVED} PRAGMA user_version = 2",  # nothing could be erased
    ],
)
def test_a_file_of_an_older_version_is_upgraded_once_and_loses_nothing(open_it, path, journal, downgrade):
    prediction, feedback, newer = make_prediction(), make_feedback(source=None), make_feedback()
    journal.add_predictions([prediction])
    journal.add_feedback(feedback)
    journal.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(downgrade)
    journals, barrier = [open_it() for _ in range(8)], threading.Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda each: (barrier.wait(), each.recent_predictions(5), each.feedback(5)), journals)
        assert [tuple(records) for _, *records in found] == [([prediction], [feedback])] * 8
    journal.add_feedback(newer)
    assert open_it().feedback(5) == [feedback, newer]
    assert journal.erase([feedback.prediction_id]) == {feedback.prediction_id}
    assert open_it().feedback(5) == [newer]
