"""A file that is damaged, foreign, held or cannot be written is a JournalError that names it; senseless rows are left out."""

import os
import sqlite3
from contextlib import closing

import pytest
from stores import sqlite_file
from stores.journal import JournalError, Summary
from stores.sqlite_statements import VERSION


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "journal.sqlite"


@pytest.fixture
def journal(path, open_journal_at):
    return open_journal_at(f"sqlite:///{path}")


class TestUnusable:
    @pytest.fixture
    def calls(self, journal, make_prediction, make_feedback):
        return [
            lambda: journal.add_predictions([make_prediction()]),
            lambda: journal.add_feedback(make_feedback()),
            lambda: journal.prediction("any"),
            lambda: journal.recent_predictions(10),
            lambda: journal.feedback(10),
            lambda: journal.summary(),
        ]

    @pytest.fixture
    def filled(self, path, open_journal_at, make_prediction):
        """A sound journal, all of it in the one file."""
        filled = open_journal_at(f"sqlite:///{path}")
        filled.add_predictions([make_prediction() for _ in range(50)])
        filled.close()
        return path

    DAMAGE = "is damaged or no journal: move it away"

    @pytest.mark.parametrize("content", [b"not a database\n" * 100, b"\0" * 5000, b"SQLite format 3\0" + b"\xff" * 5000])
    def test_a_file_that_is_no_database_is_named_and_left_alone(self, path, calls, content):
        path.parent.mkdir()
        path.write_bytes(content)
        for call in calls:
            with pytest.raises(JournalError, match=f"^{path} {self.DAMAGE}"):
                call()
        assert path.read_bytes() == content

    def test_a_file_damaged_inside_is_named(self, filled, journal):
        content = filled.read_bytes()
        filled.write_bytes(content[:4096] + bytes(8192) + content[12288:])
        with pytest.raises(JournalError, match=f"^{filled} {self.DAMAGE}"):
            journal.recent_predictions(50)

    def test_a_file_cut_short_is_named(self, filled, journal):
        os.truncate(filled, 10_000)
        with pytest.raises(JournalError, match=f"^{filled} {self.DAMAGE}"):
            journal.recent_predictions(50)

    def test_once_the_damaged_file_is_moved_away_all_is_well_again(self, path, journal, make_prediction):
        path.parent.mkdir()
        path.write_bytes(b"damage" * 1000)
        with pytest.raises(JournalError):
            journal.add_predictions([make_prediction()])
        path.rename(path.with_suffix(".damaged"))
        prediction = make_prediction()
        journal.add_predictions([prediction])
        assert journal.recent_predictions(10) == [prediction]

    def test_another_program_s_database_is_refused_and_left_alone(self, path, calls):
        path.parent.mkdir()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE predictions (weather TEXT)")
        content = path.read_bytes()
        for call in calls:
            with pytest.raises(JournalError, match=f"^{path} is another program's database"):
                call()
        assert path.read_bytes() == content

    def test_the_journal_of_another_version_is_refused(self, filled, calls):
        with closing(sqlite3.connect(filled)) as connection:
            connection.execute(f"PRAGMA user_version = {VERSION + 1}")
        for call in calls:
            with pytest.raises(JournalError, match="written by another version of Doodle"):
                call()

    def test_a_journal_without_its_tables_is_damaged(self, filled, calls):
        with closing(sqlite3.connect(filled)) as connection:
            connection.executescript("DROP TABLE predictions; DROP TABLE feedback")
        for call in calls:
            with pytest.raises(JournalError, match=self.DAMAGE):
                call()

    @pytest.mark.parametrize("in_the_way", ["a file where the folder should be", "a folder where the file should be"])
    def test_a_place_that_cannot_be_is_named(self, path, calls, in_the_way):
        if in_the_way == "a folder where the file should be":
            path.mkdir(parents=True)
        else:
            path.parent.write_text("in the way")
        for call in calls:
            with pytest.raises(JournalError, match=f"^{path} cannot be used: let the journal's URL name a file"):
                call()

    def test_a_file_that_another_process_holds_is_an_error_until_it_lets_go(self, filled, journal, make_prediction, monkeypatch):
        monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.1)
        with closing(sqlite3.connect(filled, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            with pytest.raises(JournalError, match="is locked by another process"):
                journal.add_predictions([make_prediction()])
            assert journal.summary().predictions_kept == 50  # who only reads need not wait
        journal.add_predictions([make_prediction()])
        assert journal.summary().predictions_kept == 51

    def test_a_disk_that_is_full_is_an_error_until_there_is_room(self, filled, journal, make_prediction):
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
        [
            "digit = 12",
            "digit = 'seven'",
            "is_digit = 3",
            "confidence = 9e999",
            "model_version = ''",
            "model_version = CAST(x'fffe' AS TEXT)",
            "picture = x'00'",
            "picture = 'text'",
            "form = 'svg'",
            "time = 'yesterday'",
        ],
    )
    def test_a_prediction_that_makes_no_sense_is_left_out(self, journal, path, make_prediction, change):
        before, damaged, after = (make_prediction() for _ in range(3))
        journal.add_predictions([before, damaged, after])
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute(f"UPDATE predictions SET {change} WHERE prediction_id = ?", (damaged.prediction_id,))
        assert journal.recent_predictions(2) == [before, after]
        assert journal.prediction(damaged.prediction_id) is None
        assert journal.summary() == Summary(3, 3, 0, after.time)

    def test_columns_of_a_later_version_are_ignored(self, journal, path, make_prediction):
        first, second = make_prediction(), make_prediction()
        journal.add_predictions([first])
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("ALTER TABLE predictions ADD COLUMN mood TEXT DEFAULT 'good'")
        journal.add_predictions([second])
        assert journal.recent_predictions(2) == [first, second]

    def test_rows_deleted_by_hand_are_still_counted_as_added(self, journal, path, make_prediction, make_feedback):
        journal.add_predictions([make_prediction() for _ in range(5)])
        journal.add_feedback(make_feedback())
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.executescript("DELETE FROM predictions; DELETE FROM feedback")
        assert journal.summary() == Summary(5, 0, 1, None)
