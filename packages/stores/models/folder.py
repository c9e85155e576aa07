"""The model store in a folder, on a disk that all its users share. The first `publish` creates the folder.

One process publishes, and any number read. Versions and aliases change by atomic rename. If two processes change an alias at the
same time, the later one wins, and the history may lack the other's line. A stack has one publisher, its trainer; s3.py is for
several.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from digitnet.checkpoint import FILES, SNAPSHOTS_FILE, Card, read_file, write_atomically

from stores.models.base import MOST_NOTE_BYTES, ModelStore, StoreError, check_version, is_version, validated_copy

UNFINISHED = ".publishing-"  # prefix of a version that a publisher is writing, or was writing when it was killed


class FolderModels(ModelStore):
    def __init__(self, folder: Path):
        self.folder: Path = folder
        self._versions = folder / "versions"

    def __str__(self) -> str:
        return str(self.folder)

    def publish(self, folder: Path) -> Card:
        with _errors_explained(f"the model store {self} cannot be written"):
            self._versions.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(dir=self._versions, prefix=UNFINISHED) as workshop:
                unfinished = Path(workshop, "model")
                card = validated_copy(folder, unfinished)
                self._place(unfinished, self._files(card["version"]))
        return card

    def versions(self) -> list[str]:
        with _errors_explained(f"{self._versions} cannot be read"):
            try:
                found = [(path.stat().st_mtime_ns, path.name) for path in self._versions.iterdir() if is_version(path.name)]
            except FileNotFoundError:
                return []
        return [version for _, version in sorted(found)]

    def published_at(self, version: str) -> float:
        folder = self._files(version)
        with _errors_explained(f"{folder} cannot be read"):
            return folder.stat().st_mtime

    def size(self, version: str) -> int:
        return sum(file.st_size for file in self._status(version))

    def state(self, version: str) -> tuple[object, ...]:
        return (version, *((file.st_ino, file.st_size, file.st_mtime_ns) for file in self._status(version)))

    def _note(self, name: str) -> tuple[str | None, None]:
        path = self.folder / name
        with _errors_explained(f"{path} cannot be read"):
            try:
                return read_file(path, MOST_NOTE_BYTES).decode("ascii", "replace"), None
            except FileNotFoundError:
                return None, None

    def _put_note(self, name: str, lines: list[str] | None, seen: str | None) -> None:
        with _errors_explained(f"the model store {self} cannot be written"):
            if lines is None:
                (self.folder / name).unlink(missing_ok=True)
            else:
                write_atomically(self.folder / name, "".join(f"{line}\n" for line in lines).encode())

    def _line(self, version: str) -> str:
        return version

    def _files(self, version: str) -> Path:
        check_version(version)
        return self._versions / version

    def _status(self, version: str) -> list[os.stat_result]:
        folder = self._files(version)
        with _errors_explained(f"{folder} cannot be read"):
            return [(folder / name).stat() for name in FILES if name != SNAPSHOTS_FILE or (folder / name).exists()]

    def _place(self, unfinished: Path, folder: Path) -> None:
        """Rename a finished copy; where the version exists, replace its files one by one.

        Both have the same weights, so a reader may see old and new files side by side. This also mends a damaged version.
        """
        if folder.exists():
            for name in FILES:
                if (unfinished / name).exists():
                    os.replace(unfinished / name, folder / name)
        else:
            os.rename(unfinished, folder)


@contextmanager
def _errors_explained(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{what}: {error.strerror or error}") from error
