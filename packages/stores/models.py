"""The model store: every published model, and two pointers that say which is served.

    versions/<version>/                           a model's files, written once, under the hash of what they are
    live, candidate                               one line each, a version: what is served, and what may be served next
    history                                       a line for each version that was live before, oldest first

One publishes, any number read, at the same time and without locks: a version appears all at once, a pointer changes by
atomic rename, and nobody gets a network that digitnet.checkpoint has not found whole.
"""

import os
import re
import secrets
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
from digitnet.checkpoint import (
    CARD_FILE,
    FILES,
    SNAPSHOTS_FILE,
    CheckpointError,
    copy,
    load,
    load_card,
    load_golden,
    load_snapshots,
    write_atomically,
)
from digitnet.network import Network
from digitnet.snapshots import Snapshots

LIVE, CANDIDATE = POINTERS = ("live", "candidate")
UNFINISHED = ".publishing-"  # what a publisher is still writing
HISTORY, HISTORY_LENGTH = "history", 100
ABANDONED_SECONDS = 3600.0  # after that nobody writes it any more: its publisher was killed


class StoreError(ValueError):
    """The store, or a model in it, cannot be used; the message names the file and says what is wrong."""


def open_models(url: str) -> "ModelStore":
    """The store at a URL: a path, or file:///path. Nothing is read or made before it is asked for."""
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path:
        return ModelStore(Path(unquote(parts.path)))
    if url and not parts.scheme:
        return ModelStore(Path(url))
    raise StoreError(f"{url!r} names no model store: give a folder, as in state/models or file:///models")


class ModelStore:
    """A model store in a folder. The folder is made by the first `publish`."""

    def __init__(self, folder: Path):
        self.folder = folder

    def publish(self, folder: Path) -> dict:
        """Validate the model in `folder`, copy it in and return its card. No pointer moves.

        The same network again (after a new measurement, say) replaces the card; StoreError leaves the store as it was.
        """
        with _writing(self.folder):
            self._sweep()
            unfinished = self._versions / f"{UNFINISHED}{secrets.token_hex(8)}"
            try:
                # The copy is what is validated: the original may be replaced under our hands.
                with _damage_named(unfinished, folder):
                    copy(folder, unfinished)
                    network, card = load(unfinished)
                    load_snapshots(unfinished, network, card)
                self._place(unfinished, self._folder_of(card["version"]))
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
        return card

    def point(self, pointer: str, version: str) -> None:
        """Let "live" or "candidate" name this version from now on."""
        _check_pointer(pointer)
        if not (self._folder_of(version) / CARD_FILE).is_file():
            raise StoreError(f"{self.folder} has no version {version}: publish it first")
        with _writing(self.folder):
            write_atomically(self.folder / pointer, f"{version}\n".encode())

    def clear(self, pointer: str) -> None:
        """Let "live" or "candidate" name nothing."""
        _check_pointer(pointer)
        with _writing(self.folder):
            (self.folder / pointer).unlink(missing_ok=True)

    def promote(self, version: str) -> None:
        """Make this version live, if it is sound; it is no candidate any more then. `rollback` takes it back."""
        self.load(version)
        live = self._named(LIVE)
        if live != version:
            # First the history: whoever is killed in between leaves one that only repeats what is live.
            if live is not None:
                self._write_history([*self.history(), live])
            self.point(LIVE, version)
        if self._named(CANDIDATE) == version:
            self.clear(CANDIDATE)

    def rollback(self) -> str:
        """Make live what was live before, and return it; once more goes back one further.

        What is no longer there, or damaged, is passed over. StoreError if nothing is left.
        """
        live, before = self._named(LIVE), self.history()
        while before:
            version = before.pop()
            if version != live and self._is_sound(version):
                self.point(LIVE, version)
                self._write_history(before)
                return version
        raise StoreError(f"{self.folder} has no sound version that was live before {live or 'any other'}")

    def history(self) -> list[str]:
        """What was live before, oldest first."""
        path = self.folder / HISTORY
        try:
            lines = path.read_text(encoding="ascii", errors="replace").split()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {error.strerror}") from error
        return [version for version in lines if _is_version(version)]

    def pointer(self, pointer: str) -> str | None:
        """The version that "live" or "candidate" names, None where it names none."""
        _check_pointer(pointer)
        path = self.folder / pointer
        try:
            version = path.read_bytes().decode("ascii", "replace").strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {error.strerror}") from error
        if not _is_version(version):
            raise StoreError(f"{path} names no version: it holds {version[:40]!r}")
        return version

    def pointer_time(self, pointer: str) -> float | None:
        """When "live" or "candidate" was last pointed at something, in Unix seconds; None where it names none."""
        _check_pointer(pointer)
        try:
            return (self.folder / pointer).stat().st_mtime
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"{self.folder / pointer} cannot be read: {error.strerror}") from error

    def versions(self) -> list[str]:
        """What has been published, oldest first."""
        try:
            found = [(path.stat().st_mtime_ns, path.name) for path in self._versions.iterdir() if _is_version(path.name)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f"{self._versions} cannot be read: {error.strerror}") from error
        return [version for _, version in sorted(found)]

    def published_at(self, version: str) -> float:
        """When it was last published, in Unix seconds."""
        try:
            return self._folder_of(version).stat().st_mtime
        except OSError as error:
            raise StoreError(f"{self._folder_of(version)} cannot be read: {error.strerror}") from error

    def card(self, version: str) -> dict:
        """A version's model card, its weights unread."""
        with _damage_named(self._folder_of(version)):
            return load_card(self._folder_of(version))

    def load(self, version: str) -> tuple[Network, dict]:
        """A version's network and card, validated."""
        folder = self._folder_of(version)
        with _damage_named(folder):
            network, card = load(folder)
        if card["version"] != version:
            raise StoreError(f"{folder} holds another version, {card['version']}")
        return network, card

    def snapshots(self, version: str) -> Snapshots | None:
        """How a version learnt; None where nobody kept that. StoreError if that, or the version, is damaged."""
        network, card = self.load(version)
        with _damage_named(self._folder_of(version)):
            return load_snapshots(self._folder_of(version), network, card)

    def golden_pictures(self, version: str) -> np.ndarray:
        """The pictures that a version carries, uint8 (n, 28, 28)."""
        with _damage_named(self._folder_of(version)):
            return load_golden(self._folder_of(version))

    def size(self, version: str) -> int:
        """Bytes on disk."""
        return sum(file.st_size for file in self._files_of(version))

    def state(self, version: str) -> tuple:
        """Something that differs when `load` may give something else than it gave before: cheap to ask again and again."""
        return (version, *((file.st_ino, file.st_size, file.st_mtime_ns) for file in self._files_of(version)))

    def _named(self, pointer):
        """None for a damaged pointer too: another version may take its place."""
        try:
            return self.pointer(pointer)
        except StoreError:
            return None

    def _is_sound(self, version):
        try:
            self.load(version)
        except StoreError:
            return False
        return True

    def _write_history(self, versions):
        with _writing(self.folder):
            write_atomically(self.folder / HISTORY, "".join(f"{version}\n" for version in versions[-HISTORY_LENGTH:]).encode())

    @property
    def _versions(self):
        return self.folder / "versions"

    def _folder_of(self, version):
        if not _is_version(version):
            raise StoreError(f"{version!r} is no version: versions are 12 digits from 0 to f")
        return self._versions / version

    def _files_of(self, version):
        folder = self._folder_of(version)
        try:
            return [(folder / name).stat() for name in FILES if name != SNAPSHOTS_FILE or (folder / name).exists()]
        except OSError as error:
            raise StoreError(f"{folder} cannot be read: {error.strerror}") from error

    def _place(self, unfinished, folder):
        """Give a finished copy its name; where the version is there already, its files are replaced one by one.

        Both have the same weights, so a reader in between is served as well by the old file as by the new one. A damaged
        version is mended in this way.
        """
        if folder.exists():
            for name in FILES:
                if (unfinished / name).exists():
                    os.replace(unfinished / name, folder / name)
        else:
            os.rename(unfinished, folder)

    def _sweep(self):
        for path in self._versions.glob(f"{UNFINISHED}*"):
            if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _writing(folder):
    """What goes wrong (a full disk, no permission) as a StoreError that names the store."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"the model store {folder} cannot be written: {error.strerror or error}") from error


@contextmanager
def _damage_named(folder, named=None):
    """What is wrong with a model as a StoreError, and in the name of another folder where that one is meant."""
    try:
        yield
    except CheckpointError as error:
        raise StoreError(str(error).replace(str(folder), str(named or folder))) from error


def _check_pointer(pointer):
    if pointer not in POINTERS:
        raise StoreError(f"{pointer!r} is no pointer: there are {' and '.join(POINTERS)}")


def _is_version(name):
    return re.fullmatch("[0-9a-f]{12}", name) is not None
