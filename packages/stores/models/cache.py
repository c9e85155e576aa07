"""What was read of an object store, kept in a folder under its checksum, so that it is fetched once however often it is read.

Processes of one machine may share the folder: a file appears by atomic rename, one fetches what several wait for, and what does
not have the checksum that is its name counts as not there. Where the folder cannot be used (a full disk, no permission) that is
logged, and everything is fetched each time: a service that can serve its model should.
"""

import fcntl
import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from digitnet.checkpoint import MOST_BYTES, read_file, write_atomically

log = logging.getLogger(__name__)

KEPT = 8  # files, those that were used last: a version has two, and a service reads two versions
ABANDONED_SECONDS = 3600.0  # after that nobody writes it any more


class Cache:
    def __init__(self, folder: Path):
        self._folder = folder
        self._complaint = ""

    def read(self, checksum: object, fetch: Callable[[], bytes]) -> bytes:
        """The file with this SHA-256 or, if there is none, what is fetched; whether that is the right one others find out."""
        if not (isinstance(checksum, str) and re.fullmatch("[0-9a-f]{64}", checksum)):
            return fetch()  # of a damaged card
        content = self._kept(checksum)
        if content is None:
            with self._alone():
                content = self._kept(checksum)  # another has fetched it meanwhile
                if content is None:
                    content = fetch()
                    if _sha256(content) == checksum:
                        self._keep(checksum, content)
        return content

    def _kept(self, checksum):
        path = self._folder / checksum
        try:
            content = read_file(path, max(MOST_BYTES.values()))
        except OSError:
            return None
        if _sha256(content) != checksum:
            return None
        with suppress(OSError):  # in a folder of somebody else's
            os.utime(path)
        return content

    def _keep(self, checksum, content):
        try:
            write_atomically(self._folder / checksum, content)
            self._sweep()
        except OSError as error:
            self._complain(error)

    def _sweep(self):
        files = sorted(((path.stat().st_mtime, path) for path in self._folder.iterdir() if path.is_file()), reverse=True)
        kept = [path for _, path in files if not path.name.startswith(".")]
        unfinished = [path for time_, path in files if path.name.startswith(".") and time.time() - time_ > ABANDONED_SECONDS]
        for path in kept[KEPT:] + unfinished:
            path.unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        handle = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._folder, os.O_RDONLY)
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as error:
            self._complain(error)
        try:
            yield
        finally:
            if handle is not None:
                os.close(handle)

    def _complain(self, error):
        reason = error.strerror or str(error)
        if reason != self._complaint:
            self._complaint = reason
            log.warning("event=models_cache_unusable folder=%s reason=%s", self._folder, json.dumps(reason))


def _sha256(content):
    return hashlib.sha256(content).hexdigest()
