"""The journal in one SQLite file, for where there is no Redis; any number of processes read and write it at the same time.

The first write makes the file, all at once, so that there is none or a whole one; who reads before that finds nothing. A file
that is deleted under a running service takes its records with it: the next write makes a new one, and no record is
acknowledged that went into the old one.
"""

import fcntl
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import fields
from pathlib import Path

from stores.journal import Durability, Feedback, Journal, JournalError, Prediction, Summary, is_name

BUSY_SECONDS = 5.0  # how long to wait for another process that is writing
APPLICATION, VERSION = 0x446F6F64, 2  # in the file's header: whose it is ("Dood"), and of which form
TRIMMED_AT_ONCE = 100  # entries beyond the cap, in one write: where the cap was lowered, none takes long

# A total is the largest number that AUTOINCREMENT ever gave, which sqlite_sequence keeps when rows go. WAL stays with the file.
SCHEMA = f"""
BEGIN;
CREATE TABLE predictions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    prediction_id TEXT NOT NULL UNIQUE,
    time REAL NOT NULL,
    form TEXT NOT NULL,
    digit INTEGER NOT NULL,
    is_digit INTEGER NOT NULL,
    confidence REAL NOT NULL,
    model_version TEXT NOT NULL,
    picture BLOB NOT NULL
);
CREATE TABLE feedback (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    feedback_id TEXT NOT NULL UNIQUE,
    time REAL NOT NULL,
    prediction_id TEXT,
    predicted_digit INTEGER,
    actual_digit INTEGER,
    model_version TEXT,
    picture BLOB NOT NULL,
    source TEXT
);
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
COMMIT;
PRAGMA journal_mode = WAL;
"""


# All SQL stands here as it is. What somebody sends is never a part of it, only a parameter; columns are in the order of the
# records' fields. An insertion does nothing where the id is there; INSERT OR IGNORE would use up a number even then.
ADD_PREDICTION = """
INSERT INTO predictions (prediction_id, time, form, digit, is_digit, confidence, model_version, picture)
SELECT :prediction_id, :time, :form, :digit, :is_digit, :confidence, :model_version, :picture
WHERE NOT EXISTS (SELECT 1 FROM predictions WHERE prediction_id = :prediction_id)
"""
ADD_FEEDBACK = """
INSERT INTO feedback (feedback_id, time, prediction_id, predicted_digit, actual_digit, model_version, picture, source)
SELECT :feedback_id, :time, :prediction_id, :predicted_digit, :actual_digit, :model_version, :picture, :source
WHERE NOT EXISTS (SELECT 1 FROM feedback WHERE feedback_id = :feedback_id)
"""
ONE_PREDICTION = """
SELECT prediction_id, time, form, digit, is_digit, confidence, model_version, picture FROM predictions WHERE prediction_id = ?
"""
NEWEST_PREDICTIONS = """
SELECT prediction_id, time, form, digit, is_digit, confidence, model_version, picture FROM predictions ORDER BY number DESC
"""
LATER_FEEDBACK = """
SELECT feedback_id, time, prediction_id, predicted_digit, actual_digit, model_version, picture, source FROM feedback
WHERE number > ? ORDER BY number
"""
TRIM = """
DELETE FROM predictions WHERE number IN (
    SELECT number FROM predictions WHERE number <= (SELECT max(number) FROM predictions) - ? ORDER BY number LIMIT ?
)
"""
SUMMARY = """
SELECT
    (SELECT seq FROM sqlite_sequence WHERE name = 'predictions'),
    (SELECT count(*) FROM predictions),
    (SELECT seq FROM sqlite_sequence WHERE name = 'feedback')
"""

DAMAGED = "is damaged or no journal: move it away, and the next write makes a new one"
UNUSABLE = "cannot be used: let the journal's URL name a file that this user can write"
ADVICE = {  # by the kind of error
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_BUSY: "is locked by another process: end what holds it",
    sqlite3.SQLITE_FULL: "cannot grow, the disk is full: make room",
    sqlite3.SQLITE_IOERR: "cannot be read or written: is the disk sound?",
    sqlite3.SQLITE_CANTOPEN: UNUSABLE,
    sqlite3.SQLITE_READONLY: UNUSABLE,
}


class SqliteJournal(Journal):
    """One connection, taken in turns by the threads that use it. After a fork the child must open a journal of its own."""

    def __init__(self, url: str, cap: int):
        path = url.removeprefix("sqlite:///")
        if path in ("", url) or path.endswith("/"):
            raise ValueError("a journal's URL in SQLite looks like sqlite:///relative/file or sqlite:////absolute/file")
        self._path, self._cap = Path(path).absolute(), cap
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple | None = None  # which file that is a connection to; None: to nothing

    def add_predictions(self, predictions: Sequence[Prediction]) -> None:
        if not predictions:
            return
        with self._writing() as connection:
            connection.executemany(ADD_PREDICTION, map(vars, predictions))
            connection.execute(TRIM, (self._cap, len(predictions) + TRIMMED_AT_ONCE))

    def prediction(self, prediction_id: str) -> Prediction | None:
        if not is_name(prediction_id):
            return None
        with self._reading() as connection:
            return next(_records(Prediction, connection.execute(ONE_PREDICTION, (prediction_id,))), None)

    def recent_predictions(self, count: int) -> list[Prediction]:
        with self._reading() as connection:
            return _first(count, _records(Prediction, connection.execute(NEWEST_PREDICTIONS)))[::-1]

    def add_feedback(self, feedback: Feedback) -> None:
        with self._writing() as connection:
            connection.execute(ADD_FEEDBACK, vars(feedback))

    def feedback(self, count: int, after: str | None = None) -> list[Feedback]:
        with self._reading() as connection:
            number = 0
            if after is not None:
                found = connection.execute("SELECT number FROM feedback WHERE feedback_id = ?", (after,)).fetchone()
                if found is None:
                    raise ValueError(f"there is no feedback {after!r} in the journal")
                (number,) = found
            return _first(count, _records(Feedback, connection.execute(LATER_FEEDBACK, (number,))))

    def summary(self) -> Summary:
        with self._reading() as connection:
            predictions_total, predictions_kept, feedback_total = connection.execute(SUMMARY).fetchone()
        newest = self.recent_predictions(1)
        return Summary(
            predictions_total=predictions_total or 0,
            predictions_kept=predictions_kept,
            feedback_total=feedback_total or 0,
            last_prediction_time=newest[0].time if newest else None,
        )

    def durability(self) -> Durability:
        """Each commit is on the disk before it returns, so none is ever late. Size: of the file and its write-ahead log."""
        with self._reading():
            files = (self._path, self._path.with_name(f"{self._path.name}-wal"))
            return Durability(True, sum(file.stat().st_size for file in files if file.exists()), 0)

    def close(self) -> None:
        with self._lock:
            self._disconnect()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """What was there at one moment; nothing, where there is no file."""
        with self._lock, self._errors_explained():
            connection = self._connect()
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """All that is done with the connection, or nothing; on the disk once this is left."""
        with self._lock, self._errors_explained():
            if _identity(self._path) is None:
                self._create()
            connection = self._connect()
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
            if self._opened is None or self._opened != _identity(self._path):
                raise JournalError(f"{self._path} was deleted or replaced while it was written: try again")

    @contextmanager
    def _errors_explained(self):
        """After any error the connection is dropped, and with it what was not committed: the next call begins afresh."""
        try:
            yield
        except BaseException as error:
            self._disconnect()
            # The second is of the module sqlite3, where a damaged file makes SQLite say something that is no UTF-8.
            if isinstance(error, sqlite3.Error | UnicodeDecodeError):
                advice = ADVICE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, DAMAGED)  # the low byte is the kind
                raise JournalError(f"{self._path} {advice} ({error})") from error
            if isinstance(error, OSError):
                raise JournalError(f"{self._path} {UNUSABLE} ({error.strerror})") from error
            raise

    def _connect(self) -> sqlite3.Connection:
        """The connection to the file that is there now, or to an empty journal in memory where there is none."""
        identity = _identity(self._path)  # before it is opened: one that comes later is noticed by the next call
        if self._connection is None or identity != self._opened:
            if self._opened is not None:
                with suppress(sqlite3.Error):  # a file that was moved away takes along what is still beside its old place
                    self._connection.execute("PRAGMA wal_checkpoint")
            self._disconnect()
            self._connection, self._opened = self._open(":memory:" if identity is None else self._path), identity
        return self._connection

    def _open(self, path: str | Path) -> sqlite3.Connection:
        is_file = isinstance(path, Path)
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode=rw" if is_file else path,  # rw: never makes a file
            uri=is_file,
            timeout=BUSY_SECONDS,
            isolation_level=None,  # transactions begin where we say so
            check_same_thread=False,  # self._lock sees to it
        )
        # Text that is no UTF-8 becomes what no record accepts, so that the row is left out instead of ending the reading.
        connection.text_factory = lambda text: text.decode(errors="surrogateescape")
        try:
            if is_file:
                self._check(connection)
                connection.execute("PRAGMA synchronous = FULL")  # each commit is on the disk before it returns,
                connection.execute("PRAGMA fullfsync = ON")  # on a Mac too
            else:
                connection.executescript(SCHEMA)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, connection):
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        if application != APPLICATION:
            raise JournalError(f"{self._path} is another program's database: let the journal's URL name another file")
        if _version(connection) == 1:
            self._upgrade(connection)
        if (version := _version(connection)) != VERSION:
            raise JournalError(
                f"{self._path} was written by another version of Doodle (its form is {version}, this one knows {VERSION}): "
                "use that version, or move the file away"
            )

    def _upgrade(self, connection):
        """From version 1, where feedback had no source. Who does so at the same moment waits, and finds it done."""
        connection.execute("BEGIN IMMEDIATE")
        if _version(connection) == 1:
            connection.execute("ALTER TABLE feedback ADD COLUMN source TEXT")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")

    def _create(self):
        """A new, empty journal, put in its place all at once. Who does so at the same moment waits, and finds it there."""
        folder = self._path.parent
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if _identity(self._path) is not None:
                return
            for suffix in ("-wal", "-shm"):  # of a file that was deleted: SQLite would take them for the new one's
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
            with tempfile.TemporaryDirectory(dir=folder, prefix=f".{self._path.name}-") as workshop:
                made = Path(workshop, "journal")
                with closing(sqlite3.connect(made, isolation_level=None)) as connection:
                    connection.executescript(SCHEMA)
                os.replace(made, self._path)
            os.fsync(handle)
        finally:
            os.close(handle)

    def _disconnect(self):
        """Where the file is gone, SQLite notices and touches nothing that has taken its place."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._opened = None


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file is there. None for none and for an empty one, which holds nothing and may be replaced."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return (status.st_dev, status.st_ino) if status.st_size else None


def _version(connection: sqlite3.Connection) -> int:
    return connection.execute("PRAGMA user_version").fetchone()[0]


def _records(kind: type, rows: Iterable[tuple]) -> Iterator:
    """The rows that are sound records of this kind."""
    for row in rows:
        values = dict(zip((field.name for field in fields(kind)), row))
        if values.get("is_digit") in (0, 1):
            values["is_digit"] = bool(values["is_digit"])  # SQLite knows no truth values
        try:
            yield kind(**values)
        except ValueError:
            continue


def _first(count: int, records: Iterator) -> list:
    return [record for _, record in zip(range(count), records)]
