"""A file that is damaged, foreign, held or cannot be written is a JournalError that names it; senseless rows are left out."""

import shutil
import sqlite3
from contextlib import closing

import pytest
from journal_records import make_feedback, make_prediction
from stores import sqlite_file
from stores.journal import JournalError, Summary
from stores.sqlite_statements import VERSION

DAMAGED = "is damaged or no journal: move it away"
UNUSABLE = "cannot be used: let the journal's URL name a file"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "journal.sqlite"


@pytest.fixture
def journal(path, open_at):
    return open_at(f"sqlite:///{path}")


def execute(path, script):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(script)


class TestUnusable:
    @pytest.fixture
    def filled(self, path, open_at):
        """A sound log, all of it in the one file."""
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
    def test_is_named_and_left_alone_and_all_is_well_once_it_is_moved_away(self, filled, journal, script, message):
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
            lambda: journal.add_predictions([make_prediction()]),
            lambda: journal.add_feedback(make_feedback()),
            lambda: journal.prediction("any"),
            lambda: journal.recent_predictions(10),
            lambda: journal.feedback(10),
            lambda: journal.summary(),
        ):
            with pytest.raises(JournalError, match=f"^{filled} {message}"):
                call()
        assert content is None or in_the_way.read_bytes() == content
        in_the_way.rename(in_the_way.with_suffix(".damaged"))
        prediction = make_prediction()
        journal.add_predictions([prediction])
        assert journal.recent_predictions(10) == [prediction]

    def test_a_file_damaged_inside_or_cut_short_is_named(self, filled, journal):
        content = filled.read_bytes()
        for damaged in (content[:4096] + bytes(8192) + content[12288:], content[:10_000]):
            filled.write_bytes(damaged)
            with pytest.raises(JournalError, match=f"^{filled} {DAMAGED}"):
                journal.recent_predictions(50)

    def test_a_file_that_another_process_holds_is_an_error_until_it_lets_go(self, filled, journal, monkeypatch):
        monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.1)
        with closing(sqlite3.connect(filled, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            with pytest.raises(JournalError, match="is locked by another process"):
                journal.add_predictions([make_prediction()])
            assert journal.summary().predictions_kept == 50  # who only reads need not wait
        journal.add_predictions([make_prediction()])
        assert journal.summary().predictions_kept == 51

    def test_a_disk_that_is_full_is_an_error_until_there_is_room(self, filled, journal):
        journal.summary()  # so that there is a connection, whose file may grow no more:
        journal._connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(JournalError, match="cannot grow, the disk is full: make room"):
            journal.add_predictions([make_prediction() for _ in range(100)])
        assert journal.summary().predictions_kept == 50
        journal.add_predictions([make_prediction()])
        assert journal.summary().predictions_kept == 51


class TestForeignRows:
    """Somebody may have changed rows by hand."""

    @pytest.mark.parametrize(
        "change",
        ["digit = 12", "is_digit = 3", "model_version = CAST(x'fffe' AS TEXT)", "picture = 'text'"],
    )
    def test_leaves_out_a_prediction_that_makes_no_sense(self, journal, path, change):
        before, damaged, after = (make_prediction() for _ in range(3))
        journal.add_predictions([before, damaged, after])
        execute(path, f"UPDATE predictions SET {change} WHERE prediction_id = '{damaged.prediction_id}'")
        assert journal.recent_predictions(2) == [before, after]
        assert journal.prediction(damaged.prediction_id) is None
        assert journal.summary() == Summary(3, 3, 0, after.time)

    def test_ignores_columns_of_a_later_version(self, journal, path):
        first, second = make_prediction(), make_prediction()
        journal.add_predictions([first])
        execute(path, "ALTER TABLE predictions ADD COLUMN mood TEXT DEFAULT 'good'")
        journal.add_predictions([second])
        assert journal.recent_predictions(2) == [first, second]

    def test_counts_rows_deleted_by_hand_as_added(self, journal, path):
        journal.add_predictions([make_prediction() for _ in range(5)])
        journal.add_feedback(make_feedback())
        execute(path, "DELETE FROM predictions; DELETE FROM feedback")
        assert journal.summary() == Summary(5, 0, 1, None)
