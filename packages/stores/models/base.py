"""The model store: every published model, and two aliases that say which is served. Where it is kept, a URL says.

    state/models, file:///models     folder_models.py: a folder, on the disk of those who use it
    s3://bucket/prefix               s3_models.py: an object store, for those who share no disk

    versions/<version>/              a model's files, written once, under the hash of what they are
    live, candidate                  a version: what is served, and what may be served next
    history                          a line for each version that was live before, oldest first

Both behave alike, and one set of tests holds them to it. Any number read while others publish, without locks: a version appears
all at once, so does an alias's new value, and nobody gets a network that digitnet.checkpoint has not found whole.
"""

import re
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from digitnet.checkpoint import CheckpointError, copy, load, load_card, load_golden, load_snapshots
from digitnet.inspect.snapshots import Snapshots
from digitnet.network import Network

LIVE, CANDIDATE = ALIASES = ("live", "candidate")
HISTORY, HISTORY_LENGTH = "history", 100
MOST_NOTE_BYTES = 2**16  # of an alias or the history, which has under 5 KiB
TRIES, PAUSE_SECONDS = 10, 0.05  # where others move an alias at the same time; each try waits longer than the one before


class StoreError(ValueError):
    """The store, or a model in it, cannot be used; the message names the file and says what is wrong."""


class UnreachableError(StoreError):
    """The store itself cannot be asked just now: that says nothing of what is in it."""


class OvertakenError(StoreError):
    """Somebody else changed the same at the same time. Nothing of theirs is undone."""


class ModelStore(ABC):
    """Any call may raise StoreError. In messages a store is its URL or folder: str(store)."""

    folder: Path | None = None  # the folder that it is; None for one that is on no disk of ours

    @abstractmethod
    def publish(self, folder: Path) -> dict:
        """Validate the model in `folder`, copy it in and return its card. No alias moves.

        The same network again (after a new measurement, say) replaces the card; StoreError leaves the store as it was.
        """

    def point(self, alias: str, version: str) -> None:
        """Let "live" or "candidate" name this version from now on."""
        check_alias(alias)
        if not self._has(version):
            raise StoreError(f"{self} has no version {version}: publish it first")
        self._set(alias, version, self._note(alias)[1])

    def clear(self, alias: str) -> None:
        """Let "live" or "candidate" name nothing."""
        check_alias(alias)
        self._set(alias, None, self._note(alias)[1])

    def promote(self, version: str) -> None:
        """Make this version live, if it is sound; it is no candidate any more then. `rollback` takes it back.

        Who promotes at the same moment does so before or after: what was live in between is in the history.
        """
        self.check(version)
        self._persistently(lambda: self._make_live(version), f"{version} is not live: others keep moving {self}/{LIVE}")
        candidate, seen = self._named(CANDIDATE)
        if candidate == version:
            with suppress(OvertakenError):  # somebody has put up another
                self._set(CANDIDATE, None, seen)

    def _make_live(self, version):
        """The history is read first and written first: whoever is killed in between leaves one that only repeats what is live,
        and whoever is overtaken has added nothing that was not live when it was added."""
        before, history_seen = self._history()
        live, live_seen = self._named(LIVE)
        if live == version:
            return
        if live is not None:
            if before and _version_in(before[-1]) == live:  # of one who was killed there, or is just there too
                before.pop()
            self._put_note(HISTORY, [*before, self._line(live)][-HISTORY_LENGTH:], history_seen)
        self._set(LIVE, version, live_seen)

    def rollback(self) -> str:
        """Make live what was live before, and return it; once more goes back one further.

        What is no longer there, or damaged, is passed over. StoreError if nothing is left, or if another version became live
        meanwhile: that is not the one that was to be taken back.
        """
        live, live_seen = self._named(LIVE)
        before, history_seen = self._history()
        while before:
            version = _version_in(before.pop())
            if version != live and self._is_sound(version):
                try:
                    self._set(LIVE, version, live_seen)
                except OvertakenError as error:
                    raise OvertakenError(
                        f"nothing is rolled back: {live or 'nothing'} was live in {self}, and somebody else has just moved that. "
                        "Look what is live now, and roll back once more if you still want to"
                    ) from error
                with suppress(OvertakenError):  # somebody promotes already: a line too many is passed over
                    self._put_note(HISTORY, before, history_seen)
                return version
        raise StoreError(f"{self} has no sound version that was live before {live or 'any other'}")

    def history(self) -> list[str]:
        """What was live before, oldest first."""
        return [_version_in(line) for line in self._history()[0]]

    def alias(self, alias: str) -> str | None:
        """The version that "live" or "candidate" names, None where it names none."""
        check_alias(alias)
        return self._aliased(alias, self._note(alias)[0])

    @abstractmethod
    def alias_time(self, alias: str) -> float | None:
        """When "live" or "candidate" was last pointed at something, in Unix seconds of this machine's clock; None where it names
        none."""

    @abstractmethod
    def versions(self) -> list[str]:
        """What has been published, oldest first."""

    @abstractmethod
    def published_at(self, version: str) -> float:
        """When it was last published, in Unix seconds."""

    def card(self, version: str) -> dict:
        """A version's model card, its weights unread."""
        with _damage_as_store_error():
            return load_card(self._files(version))

    def load(self, version: str) -> tuple[Network, dict]:
        """A version's network and card, validated."""
        return self._load(self._files(version), version)

    def check(self, version: str) -> dict:
        """A version's card, if what the store has of it is sound: for those who decide on it for others. What a reader may have
        kept of it does not count."""
        return self._load(self._files(version, fresh=True), version)[1]

    def snapshots(self, version: str) -> Snapshots | None:
        """How a version learnt; None where nobody kept that. StoreError if that, or the version, is damaged."""
        files = self._files(version)
        network, card = self._load(files, version)
        with _damage_as_store_error():
            return load_snapshots(files, network, card)

    def golden_images(self, version: str) -> np.ndarray:
        """The images that a version carries, uint8 (n, 28, 28)."""
        with _damage_as_store_error():
            return load_golden(self._files(version)).images

    @abstractmethod
    def size(self, version: str) -> int:
        """Bytes that it takes in the store."""

    @abstractmethod
    def state(self, version: str) -> tuple:
        """Something that differs when `load` may give something else than it gave before: cheap to ask again and again."""

    @abstractmethod
    def __str__(self) -> str: ...

    # What a backend has of its own. A note is one of live, candidate and history, and `seen` is what tells its values apart.

    @abstractmethod
    def _note(self, name) -> tuple[bytes | None, object]:
        """What a note says, None where there is none; and `seen`."""

    @abstractmethod
    def _put_note(self, name, lines: list[str] | None, seen) -> None:
        """Replace a note all at once, or remove it. OvertakenError if it is no longer what was seen, if the backend can tell."""

    @abstractmethod
    def _line(self, version) -> str:
        """How a note names a version: its first word."""

    @abstractmethod
    def _has(self, version) -> bool:
        """Has it been published?"""

    @abstractmethod
    def _files(self, version, fresh=False):
        """A folder with a version's files, or what digitnet.checkpoint can read like one: files / name has read_bytes(). Fresh:
        from the store itself, in any case."""

    def _set(self, alias, version, seen):
        """Point it at a version, or None, if it still is what was seen."""
        try:
            self._put_note(alias, None if version is None else [self._line(version)], seen)
        except OvertakenError:
            if self._named(alias)[0] != version:  # what is wanted already: by us, where only the answer got lost, or another
                raise

    def _persistently(self, attempt, otherwise):
        """Until nobody overtakes us: each attempt reads what there is by then, and decides anew."""
        for number in range(TRIES):
            with suppress(OvertakenError):
                return attempt()
            time.sleep(secrets.SystemRandom().uniform(0, PAUSE_SECONDS * (1 + number)))
        raise OvertakenError(f"{otherwise}. Look what is there now, then try again")

    def _load(self, files, version):
        with _damage_as_store_error():
            network, card = load(files)
        if card["version"] != version:
            raise StoreError(f"{files} holds another version, {card['version']}")
        return network, card

    def _aliased(self, alias, content):
        if content is None:
            return None
        said = content.decode("ascii", "replace").strip()
        version = _version_in(said)
        if not is_version(version):
            raise StoreError(f"{self}/{alias} names no version: it holds {said[:40]!r}")
        return version

    def _named(self, alias):
        """Its version, None for a damaged alias too: another version may take its place; and `seen`."""
        content, seen = self._note(alias)
        try:
            return self._aliased(alias, content), seen
        except StoreError:
            return None, seen

    def _history(self):
        """Its sound lines, oldest first, and `seen`."""
        content, seen = self._note(HISTORY)
        lines = (content or b"").decode("ascii", "replace").splitlines()
        return [line for line in lines if is_version(_version_in(line))], seen

    def _is_sound(self, version):
        try:
            self.check(version)
        except UnreachableError:
            raise
        except StoreError:
            return False
        return True


def validated_copy(folder: Path, private: Path) -> dict:
    """Copy a model and return its card, if it is sound. The copy is what is validated: the original may be replaced meanwhile.

    StoreError in the original's name.
    """
    try:
        copy(folder, private)
        network, card = load(private)
        load_snapshots(private, network, card)
    except CheckpointError as error:
        raise StoreError(str(error).replace(str(private), str(folder))) from error
    return card


@contextmanager
def _damage_as_store_error() -> Iterator[None]:
    """What is wrong with a model."""
    try:
        yield
    except CheckpointError as error:
        raise StoreError(str(error)) from error


def check_alias(alias: str) -> None:
    if alias not in ALIASES:
        raise StoreError(f"{alias!r} is no pointer: there are {' and '.join(ALIASES)}")


def check_version(version: str) -> None:
    """So that no other name becomes part of a path."""
    if not is_version(version):
        raise StoreError(f"{version!r} is no version: versions are 12 digits from 0 to f")


def is_version(name: str) -> bool:
    return re.fullmatch("[0-9a-f]{12}", name) is not None


def _version_in(line):
    """A note's line begins with it; what follows is the backend's own."""
    return line.split(maxsplit=1)[0] if line.strip() else ""
