"""The file of a prediction log in SQLite: its atomic creation, its upgrade, and connections to it."""

import fcntl
import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from stores.prediction_log.base import PredictionLogError

BUSY_SECONDS = 5.0  # the longest wait for another process that is writing
APPLICATION = 0x446F6F64  # "Dood", in the file's header
SCHEMA = Path(__file__).parent / "schema"  # <version>.sql upgrades from the version before
VERSION = len(list(SCHEMA.glob("*.sql")))


def identity(path: Path) -> tuple[int, int] | None:
    """Return the device and inode of the file; None for a missing file, and for an empty one, which may be replaced."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return (status.st_dev, status.st_ino) if status.st_size else None


def create(path: Path) -> None:
    """Create an empty log atomically. Other processes that try at the same time wait, then find it."""
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if identity(path) is not None:
            return
        for suffix in ("-wal", "-shm"):  # left by a deleted file: SQLite would read them with the new file
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=f".{path.name}-") as workshop:
            made = Path(workshop, "made")
            with closing(sqlite3.connect(made, isolation_level=None)) as connection:
                _upgrade(connection)
                connection.execute("PRAGMA journal_mode = WAL")  # the file stores this mode
            os.replace(made, path)
        os.fsync(handle)
    finally:
        os.close(handle)


def connect(path: Path | None) -> sqlite3.Connection:
    """Open the file, or an empty log in memory for None. PredictionLogError for a file of another program or version."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw" if path else ":memory:",  # rw: never create a file
        uri=path is not None,
        timeout=BUSY_SECONDS,
        isolation_level=None,  # sqlite.py begins transactions
        check_same_thread=False,  # sqlite.py has a lock
    )
    connection.row_factory = sqlite3.Row
    # Invalid UTF-8 becomes text that no record accepts, so that a read skips the row.
    connection.text_factory = lambda text: text.decode(errors="surrogateescape")
    try:
        if path:
            _check(connection, path)
        _upgrade(connection)
        connection.execute("PRAGMA synchronous = FULL")  # each commit waits for the disk,
        connection.execute("PRAGMA fullfsync = ON")  # on macOS too
        connection.execute("PRAGMA secure_delete = ON")  # zeros overwrite deleted records
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if _pragma(connection, "application_id") != APPLICATION:
        raise PredictionLogError(f"{path} is another program's database: use another file in the prediction log's URL")
    version = _pragma(connection, "user_version")
    if not 0 < version <= VERSION:
        raise PredictionLogError(
            f"{path} was written by another version of Doodle (schema {version}; this version reads up to {VERSION}): "
            "use that version, or move the file away"
        )


def _upgrade(connection: sqlite3.Connection) -> None:
    """Upgrade an older file. Other processes that try at the same time wait, then find it upgraded."""
    if _pragma(connection, "user_version") < VERSION:
        connection.execute("BEGIN IMMEDIATE")
        for version in range(_pragma(connection, "user_version") + 1, VERSION + 1):
            for statement in (SCHEMA / f"{version}.sql").read_text(encoding="utf-8").split(";\n"):
                connection.execute(statement)  # executescript() would commit first
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
