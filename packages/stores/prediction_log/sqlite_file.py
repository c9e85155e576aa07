"""The file of a prediction log in SQLite: which one is there, made all at once, opened, and brought to this version's form."""

import fcntl
import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from stores.prediction_log import sqlite_statements as sql
from stores.prediction_log.base import PredictionLogError

BUSY_SECONDS = 5.0  # how long to wait for another process that is writing


def identity(path: Path) -> tuple[int, int] | None:
    """Return which file is there. None for none and for an empty one, which holds nothing and may be replaced."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return (status.st_dev, status.st_ino) if status.st_size else None


def create(path: Path) -> None:
    """Put a new, empty log in its place all at once. Other processes that do so at the same moment wait, and find it there."""
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if identity(path) is not None:
            return
        for suffix in ("-wal", "-shm"):  # of a file that was deleted: SQLite would take them for the new one's
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=f".{path.name}-") as workshop:
            made = Path(workshop, "journal")
            with closing(sqlite3.connect(made, isolation_level=None)) as connection:
                connection.executescript(sql.SCHEMA)
            os.replace(made, path)
        os.fsync(handle)
    finally:
        os.close(handle)


def connect(path: Path | None) -> sqlite3.Connection:
    """Open the file; without one, an empty log in memory. PredictionLogError for a file of another program or version."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw" if path else ":memory:",  # rw: never makes a file
        uri=path is not None,
        timeout=BUSY_SECONDS,
        isolation_level=None,  # transactions begin where we say so
        check_same_thread=False,  # its user has a lock
    )
    # Text that is no UTF-8 becomes what no record accepts, so that the row is left out instead of ending the reading.
    connection.text_factory = lambda text: text.decode(errors="surrogateescape")
    try:
        if path:
            _check(connection, path)
            connection.execute("PRAGMA synchronous = FULL")  # each commit is on the disk before it returns,
            connection.execute("PRAGMA fullfsync = ON")  # on a Mac too
            connection.execute("PRAGMA secure_delete = ON")  # zeros overwrite what is deleted
        else:
            connection.executescript(sql.SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection, path):
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != sql.APPLICATION:
        raise PredictionLogError(f"{path} is another program's database: let the journal's URL name another file")
    if _version(connection) in sql.UPGRADES:
        _upgrade(connection)
    if (version := _version(connection)) != sql.VERSION:
        raise PredictionLogError(
            f"{path} was written by another version of Doodle (its form is {version}, this one knows {sql.VERSION}): "
            "use that version, or move the file away"
        )


def _upgrade(connection):
    """From an older version. Other processes that do so at the same moment wait, and find it done."""
    connection.execute("BEGIN IMMEDIATE")
    while (version := _version(connection)) in sql.UPGRADES:
        for statement in sql.UPGRADES[version]:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version + 1}")
    connection.execute("COMMIT")


def _version(connection):
    return connection.execute("PRAGMA user_version").fetchone()[0]
