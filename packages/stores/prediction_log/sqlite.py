"""The prediction log in one SQLite file, for any number of processes at the same time.

The first write creates the file atomically; earlier reads find nothing. If the file is deleted under a running service, its
records are lost. The next write creates a new file, and no write to the deleted file is acknowledged.
"""

import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from stores.prediction_log import sqlite_statements as sql
from stores.prediction_log.base import (
    DAY_SECONDS,
    ERASED_FEEDBACK_KEPT,
    Durability,
    Feedback,
    FeedbackLimits,
    Prediction,
    PredictionLog,
    PredictionLogError,
    Record,
    Refusal,
    RefusedError,
    is_name,
    stored,
)
from stores.prediction_log.sqlite_file import connect, create, identity

TRIMMED_AT_ONCE = 100  # entries beyond the cap in one write, so that no write takes long after the cap was lowered

DAMAGED = "is damaged or not a prediction log: move it away, and the next write creates a new one"
BUSY = "is locked by another process: end that process"
UNUSABLE = "cannot be used: set the prediction log's URL to a file that this user can write, on a sound disk with free space"
ADVICE = {  # by the kind of error; other kinds mean damage
    sqlite3.SQLITE_BUSY: BUSY,
    **dict.fromkeys((sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY), UNUSABLE),
}


class SqlitePredictionLog(PredictionLog):
    """The log in a SQLite file. All threads take turns on one connection. After a fork, the child must open its own log."""

    def __init__(self, url: str, cap: int, limits: FeedbackLimits):
        path = url.removeprefix("sqlite:///")
        if path in ("", url) or path.endswith("/"):
            raise ValueError(
                "a prediction log's URL in SQLite must look like sqlite:///relative/file or sqlite:////absolute/file"
            )
        self._path, self._cap, self._limits = Path(path).absolute(), cap, limits
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None  # the identity of its file

    def add_predictions(self, predictions: Sequence[Prediction]) -> None:
        if not predictions:
            return
        with self._writing() as connection:
            connection.executemany(sql.ADD_PREDICTION, map(vars, predictions))
            connection.execute(sql.TRIM, (self._cap, len(predictions) + TRIMMED_AT_ONCE))

    def prediction(self, prediction_id: str) -> Prediction | None:
        if not is_name(prediction_id):
            return None
        with self._reading() as connection:
            found = _records(Prediction, connection.execute(sql.ONE_PREDICTION, (prediction_id,)))
            return found[0] if found else None

    def recent_predictions(self, count: int) -> list[Prediction]:
        with self._reading() as connection:
            return _records(Prediction, connection.execute(sql.NEWEST_PREDICTIONS), count)[::-1]

    def add_feedback(self, feedback: Feedback, replaces: bool = False) -> bool:
        with self._writing() as connection:
            if _is(connection, sql.IS_FEEDBACK, (feedback.feedback_id,)):
                return False
            earlier = connection.execute(sql.FEEDBACK_ON, vars(feedback)).fetchall() if replaces else []
            if [row["actual_digit"] for row in earlier] == [feedback.actual_digit]:
                return False
            reason = self._count(connection, feedback)
            if reason is None:
                for row in earlier:
                    for statement in sql.ERASE_FEEDBACK:
                        connection.execute(statement, {"id": row["feedback_id"]})
                connection.execute(sql.ADD_FEEDBACK, vars(feedback))
        if reason is not None:
            raise RefusedError(reason)
        return True

    def _count(self, connection: sqlite3.Connection, feedback: Feedback) -> Refusal | None:
        """Count the feedback for its day, or return the reason to reject it."""
        if _is(connection, sql.IS_ERASED, vars(feedback)):
            return Refusal.ERASED
        day, limits = int(feedback.time // DAY_SECONDS), {"": (self._limits.per_day, Refusal.DAY)}
        if feedback.source is not None:
            limits = {feedback.source: (self._limits.per_source, Refusal.SOURCE)} | limits
        for source, (limit, reason) in limits.items():
            if connection.execute(sql.COUNT_OF_DAY, (day, source)).fetchone()[0] >= limit:
                return reason
        connection.executemany(sql.COUNT_ONE_MORE, [(day, source) for source in limits])
        connection.execute(sql.FORGET_COUNTS, (day - 1,))
        return None

    def feedback(self, count: int, after: str | None = None) -> list[Feedback]:
        with self._reading() as connection:
            number = 0
            if after is not None:
                found = connection.execute(sql.PLACE_OF_FEEDBACK, {"id": after}).fetchone()
                if found is None:
                    raise ValueError(f"the prediction log has no feedback {after!r}")
                (number,) = found
            return _records(Feedback, connection.execute(sql.LATER_FEEDBACK, (number,)), count)

    def erase(
        self, prediction_ids: Collection[str] = (), feedback_ids: Collection[str] = (), is_expected: bool = False
    ) -> set[str]:
        wanted = [(id_, sql.IS_KNOWN_PREDICTION, sql.ERASE_PREDICTION) for id_ in prediction_ids if is_name(id_)]
        wanted += [(id_, sql.IS_KNOWN_FEEDBACK, sql.ERASE_FEEDBACK) for id_ in feedback_ids if is_name(id_)]
        found = set()
        with self._writing() as connection:
            for id_, question, statements in wanted:
                if is_expected or _is(connection, question, {"id": id_}):
                    found.add(id_)
                    for statement in statements:
                        connection.execute(statement, {"id": id_})
            for statement in sql.FORGET_ERASED:
                connection.execute(statement, {"predictions": self._cap, "feedback": ERASED_FEEDBACK_KEPT})
        with self._lock, self._errors_explained():  # the write-ahead log still has the erased bytes
            self._connect().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return found

    def erased(self, feedback_ids: Collection[str]) -> set[str]:
        with self._reading() as connection:
            return {id_ for id_ in feedback_ids if is_name(id_) and _is(connection, sql.WAS_ERASED, (id_,))}

    def drop_older(self, time: float, count: int) -> int:
        with self._writing() as connection:
            return sum(connection.execute(each, {"time": time, "count": count}).rowcount for each in sql.DROP_OLDER)

    def _totals(self) -> tuple[int, int, int]:
        with self._reading() as connection:
            predictions_total, predictions_kept, feedback_total = connection.execute(sql.SUMMARY).fetchone()
        return predictions_total, predictions_kept, feedback_total

    def durability(self) -> Durability:
        """Each commit waits for the disk, so no sync is delayed. The size includes the write-ahead log."""
        with self._reading():
            files = (self._path, self._path.with_name(f"{self._path.name}-wal"))
            return Durability(True, sum(file.stat().st_size for file in files if file.exists()), 0)

    def close(self) -> None:
        with self._lock:
            self._disconnect()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Begin a consistent read. Without a file, it finds nothing."""
        with self._lock, self._errors_explained():
            connection = self._connect()
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Begin a write, which commits all or nothing, on the disk."""
        with self._lock, self._errors_explained():
            if identity(self._path) is None:
                create(self._path)
            connection = self._connect()
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
            if self._opened is None or self._opened != identity(self._path):
                raise PredictionLogError(f"{self._path} was deleted or replaced while it was written: try again")

    @contextmanager
    def _errors_explained(self) -> Iterator[None]:
        """After any error, drop the connection and its uncommitted changes. The next call opens a new one."""
        try:
            yield
        except BaseException as error:
            self._disconnect()
            # sqlite3 raises UnicodeDecodeError if SQLite's message about a damaged file is not UTF-8.
            if isinstance(error, sqlite3.Error | UnicodeDecodeError):
                advice = ADVICE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, DAMAGED)  # the low byte is the kind
                raise PredictionLogError(f"{self._path} {advice} ({error})") from error
            if isinstance(error, OSError):
                raise PredictionLogError(f"{self._path} {UNUSABLE} ({error.strerror})") from error
            raise

    def _connect(self) -> sqlite3.Connection:
        """Return the connection to the current file; without a file, to an empty log in memory."""
        found = identity(self._path)  # before opening, so that the next call notices a later file
        if self._connection is not None and found == self._opened:
            return self._connection
        if self._connection is not None and self._opened is not None:
            with suppress(sqlite3.Error):  # completes a file that was moved away without its write-ahead log
                self._connection.execute("PRAGMA wal_checkpoint")
        self._disconnect()
        self._connection, self._opened = connect(self._path if found else None), found
        return self._connection

    def _disconnect(self) -> None:
        """Close the connection. SQLite notices a replaced file and does not touch the new one."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._opened = None


def _is(connection: sqlite3.Connection, question: str, parameters: tuple[object, ...] | Mapping[str, object]) -> bool:
    return bool(connection.execute(question, parameters).fetchone()[0])


def _records(kind: type[Record], rows: Iterable[sqlite3.Row], count: int = 1) -> list[Record]:
    """Return the first `count` sound records of this kind, and skip damaged rows."""
    records = (stored(kind, dict(row)) for row in rows)
    return list(islice((record for record in records if record is not None), max(count, 0)))
