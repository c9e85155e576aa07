"""The prediction log in SQLite survives kills and deleted files, and errors name an unusable file."""

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from log_records import make_feedback, make_prediction
from stores.prediction_log import PredictionLogError, Summary, sqlite_file
from stores.prediction_log.sqlite_file import VERSION

DAMAGED = "is damaged or not a prediction log: move it away"
UNUSABLE = "cannot be used: set the prediction log's URL to a file"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "journal.sqlite"


@pytest.fixture
def open_it(path, open_at):
    """open_it(): open another log on the same file."""
    return lambda: open_at(f"sqlite:///{path}")


@pytest.fixture
def log(open_it):
    return open_it()


def execute(path, script):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(script)


def found_from_scratch(path):
    """Check the file's integrity and return its prediction ids, over a new connection."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [id_ for (id_,) in connection.execute("SELECT prediction_id FROM predictions ORDER BY number")]


class TestNotThereYet:
    def test_accepts_an_empty_file(self, log, path):
        path.parent.mkdir()
        path.touch()
        assert log.summary() == Summary(0, 0, 0, None)
        log.add_predictions([make_prediction()])
        assert log.summary().predictions_total == 1
        log.close()
        assert list(path.parent.iterdir()) == [path]

    def test_waits_while_another_process_creates_the_file(self, log, path, tmp_path, open_at):
        theirs, ours = make_prediction(), make_prediction()
        other = open_at(f"sqlite:///{tmp_path}/other.sqlite")
        other.add_predictions([theirs])
        other.close()
        path.parent.mkdir()
        folder = os.open(path.parent, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)  # the lock of the creating process
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(log.add_predictions, [ours])
            time.sleep(0.1)
            assert not path.exists()
            (tmp_path / "other.sqlite").rename(path)
            os.close(folder)
            waiting.result()
        assert found_from_scratch(path) == [theirs.prediction_id, ours.prediction_id]

    def test_a_path_is_relative_to_the_first_working_folder(self, tmp_path, open_at, monkeypatch):
        monkeypatch.chdir(tmp_path)
        log = open_at("sqlite:///here 100%/journal?.sqlite")
        monkeypatch.chdir("/")
        log.add_predictions([make_prediction()])
        assert len(found_from_scratch(tmp_path / "here 100%" / "journal?.sqlite")) == 1


WRITE_FOR_EVER = """
import itertools, sys
from stores.prediction_log import Feedback, Prediction
from stores.prediction_log import open_prediction_log
log, name = open_prediction_log(sys.argv[1]), sys.argv[2]
for number in itertools.count():
    ids = [f"{name}-{number}-{place}" for place in range(3)]
    log.add_predictions([Prediction(id_, float(number), "strokes", 3, True, 0.5, "v", bytes(784)) for id_ in ids])
    log.add_feedback(Feedback(ids[0], float(number), None, 3, 5, None, bytes(784)))
    print(ids[0], flush=True)
"""


@pytest.mark.parametrize("rounds", [2, pytest.param(12, marks=pytest.mark.slow)])
def test_a_killed_writer_loses_no_acknowledged_record_and_splits_no_batch(path, log, rounds):
    """Another connection reads at the same time."""
    acknowledged, totals = [], []
    for round_ in range(rounds):
        command = [sys.executable, "-c", WRITE_FOR_EVER, f"sqlite:///{path}", f"round {round_}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            for _ in range(10 + 3 * round_):
                acknowledged.append(writer.stdout.readline().strip())
                totals.append(log.summary().predictions_total)
            writer.kill()
            acknowledged += writer.stdout.read().split("\n")[:-1]
        assert {feedback.feedback_id for feedback in log.feedback(10_000)} >= set(acknowledged)
    found = found_from_scratch(path)
    assert len(found) % 3 == 0
    assert set(acknowledged) <= set(found[::3])
    assert totals == sorted(totals)
    assert totals[0] >= 3, "acknowledged records are not readable"
    assert all(total % 3 == 0 for total in totals), "a partial batch was readable"


class TestDeleted:
    """The file is deleted under a running service."""

    @pytest.fixture(params=["*", "journal.sqlite"])
    def delete(self, request, path):
        return lambda: [file.unlink() for file in path.parent.glob(request.param)]

    def test_all_connections_switch_to_the_new_file(self, log, open_it, path, delete):
        others = [open_it(), open_it()]
        for user in (log, *others):
            user.add_predictions([make_prediction()])
        delete()
        assert log.summary() == Summary(0, 0, 0, None)
        kept = []
        for user in (log, *others, log):
            kept.append(make_prediction())
            user.add_predictions([kept[-1]])
            assert user.recent_predictions(10) == kept
            assert found_from_scratch(path) == [prediction.prediction_id for prediction in kept]

    def test_does_not_acknowledge_a_write_to_the_deleted_file(self, log, path, delete):
        class DeletesWhenRead(list):
            def __iter__(self):
                delete()
                return super().__iter__()

        prediction = make_prediction()
        log.add_predictions([make_prediction()])
        with pytest.raises(PredictionLogError, match="was deleted or replaced while it was written: try again"):
            log.add_predictions(DeletesWhenRead([prediction]))
        log.add_predictions([prediction])
        assert found_from_scratch(path) == [prediction.prediction_id]

    def test_a_moved_file_keeps_its_records(self, log, path, tmp_path):
        old, new = make_prediction(), make_prediction()
        log.add_predictions([old])
        path.rename(tmp_path / "kept.sqlite")
        log.add_predictions([new])
        assert found_from_scratch(tmp_path / "kept.sqlite") == [old.prediction_id]
        assert found_from_scratch(path) == [new.prediction_id]


def test_each_commit_is_durable(log):
    log.add_feedback(make_feedback())
    found = [log._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert found == ["wal", 2]  # 2: FULL


def test_erased_bytes_remain_in_no_file(log, path):
    picture = bytes(range(7, 203)) * 4
    prediction = make_prediction(picture=picture)
    log.add_predictions([make_prediction(), prediction, make_prediction()])
    log.add_feedback(make_feedback(prediction_id=prediction.prediction_id, picture=picture))

    def files_with_it():
        return [file.name for file in path.parent.iterdir() if picture[:100] in file.read_bytes()]

    assert files_with_it()
    log.erase([prediction.prediction_id])
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
def test_upgrades_an_older_file_once(open_it, path, log, downgrade):
    prediction, feedback, newer = make_prediction(), make_feedback(source=None), make_feedback()
    log.add_predictions([prediction])
    log.add_feedback(feedback)
    log.close()
    execute(path, downgrade)
    logs, barrier = [open_it() for _ in range(8)], threading.Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda each: (barrier.wait(), each.recent_predictions(5), each.feedback(5)), logs)
        assert [tuple(records) for _, *records in found] == [([prediction], [feedback])] * 8
    log.add_feedback(newer)
    assert open_it().feedback(5) == [feedback, newer]
    assert log.erase([feedback.prediction_id]) == {feedback.prediction_id}
    assert open_it().feedback(5) == [newer]


class TestUnusable:
    @pytest.fixture
    def filled(self, path, open_at):
        """Make a valid log in one file."""
        filled = open_at(f"sqlite:///{path}")
        filled.add_predictions([make_prediction() for _ in range(50)])
        filled.close()
        return path

    @pytest.mark.parametrize(
        ("script", "message"),
        [
            (None, DAMAGED),
            ("DROP TABLE predictions; DROP TABLE feedback", DAMAGED),
            (f"PRAGMA user_version = {VERSION + 1}", "was written by another version of Doodle"),
            ("PRAGMA application_id = 0", "is another program's database"),
            ("a folder", UNUSABLE),
            ("no folder", UNUSABLE),
        ],
    )
    def test_error_names_the_file_and_leaves_it_unchanged(self, filled, log, script, message):
        if message == UNUSABLE:
            filled.unlink()
            filled.mkdir()
            if script == "no folder":
                shutil.rmtree(filled.parent)
                filled.parent.write_text("in the way")
        elif script is None:
            filled.write_bytes(b"not a database\n" * 100)
        else:
            execute(filled, script)
        in_the_way = filled if filled.exists() else filled.parent
        content = in_the_way.read_bytes() if in_the_way.is_file() else None
        for call in (
            lambda: log.add_predictions([make_prediction()]),
            lambda: log.add_feedback(make_feedback()),
            lambda: log.prediction("any"),
            lambda: log.recent_predictions(10),
            lambda: log.feedback(10),
            lambda: log.summary(),
        ):
            with pytest.raises(PredictionLogError, match=f"^{filled} {message}"):
                call()
        assert content is None or in_the_way.read_bytes() == content
        in_the_way.rename(in_the_way.with_suffix(".damaged"))
        prediction = make_prediction()
        log.add_predictions([prediction])
        assert log.recent_predictions(10) == [prediction]

    def test_error_names_a_damaged_file(self, filled, log):
        content = filled.read_bytes()
        for damaged in (content[:4096] + bytes(8192) + content[12288:], content[:10_000]):
            filled.write_bytes(damaged)
            with pytest.raises(PredictionLogError, match=f"^{filled} {DAMAGED}"):
                log.recent_predictions(50)

    def test_a_locked_file_is_an_error(self, filled, log, monkeypatch):
        monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.1)
        with closing(sqlite3.connect(filled, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            with pytest.raises(PredictionLogError, match="is locked by another process"):
                log.add_predictions([make_prediction()])
            assert log.summary().predictions_kept == 50  # reading does not wait
        log.add_predictions([make_prediction()])
        assert log.summary().predictions_kept == 51

    def test_a_full_disk_is_an_error_until_there_is_room(self, filled, log):
        log.summary()  # opens the connection
        log._connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(PredictionLogError, match=r"on a sound disk with free space \(database or disk is full\)"):
            log.add_predictions([make_prediction() for _ in range(100)])
        assert log.summary().predictions_kept == 50
        log.add_predictions([make_prediction()])
        assert log.summary().predictions_kept == 51


class TestForeignRows:
    """Rows changed by hand."""

    @pytest.mark.parametrize(
        "change",
        ["digit = 12", "is_digit = 3", "model_version = CAST(x'fffe' AS TEXT)", "picture = 'text'"],
    )
    def test_skips_an_invalid_prediction(self, log, path, change):
        before, damaged, after = (make_prediction() for _ in range(3))
        log.add_predictions([before, damaged, after])
        execute(path, f"UPDATE predictions SET {change} WHERE prediction_id = '{damaged.prediction_id}'")
        assert log.recent_predictions(2) == [before, after]
        assert log.prediction(damaged.prediction_id) is None
        assert log.summary() == Summary(3, 3, 0, after.time)

    def test_ignores_columns_of_a_later_version(self, log, path):
        first, second = make_prediction(), make_prediction()
        log.add_predictions([first])
        execute(path, "ALTER TABLE predictions ADD COLUMN mood TEXT DEFAULT 'good'")
        log.add_predictions([second])
        assert log.recent_predictions(2) == [first, second]

    def test_counts_rows_deleted_by_hand(self, log, path):
        log.add_predictions([make_prediction() for _ in range(5)])
        log.add_feedback(make_feedback())
        execute(path, "DELETE FROM predictions; DELETE FROM feedback")
        assert log.summary() == Summary(5, 0, 1, None)
