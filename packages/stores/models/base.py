"""The interface of the model store: every published model, and two aliases, live and candidate.

    `state/models`, `file:///models`   A folder, on a disk that all its users share (folder.py).
    `s3://bucket/prefix`               An object store, for machines that share no disk (s3.py).

    `versions/<version>/`              A model's files, written once, under the hash of their content.
    `live`, `candidate`                The aliases: the version that is served, and the version under test.
    `history`                          A line for each earlier live version, oldest first.

Both backends behave alike, and one set of tests covers both. Readers need no locks: a version and an alias's new value appear
atomically, and `load` validates a network before it returns it.
"""

import re
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from digitnet.checkpoint import Card, CheckpointError, ReadableFolder, copy, load, load_card, load_golden, load_snapshots
from digitnet.inspect.snapshots import Snapshots
from digitnet.network import Network
from numpy.typing import NDArray

LIVE, CANDIDATE = ALIASES = ("live", "candidate")
HISTORY, HISTORY_LENGTH = "history", 100
MOST_NOTE_BYTES = 2**16  # of an alias or the history, which needs less than 5 KiB
MAX_ATTEMPTS, PAUSE_SECONDS = 10, 0.05  # while other processes change the same alias; each pause may be longer than the last


class StoreError(ValueError):
    """The store, or a model in it, cannot be used; the message names the file and the fault."""


class UnreachableError(StoreError):
    """The store cannot be reached now; its content may be sound."""


class OvertakenError(StoreError):
    """Another process changed the same object at the same time. Its change stays."""


class ModelStore(ABC):
    """Any call may raise StoreError. str(store) is its URL or folder, for messages."""

    folder: Path | None = None  # the store's folder, if it is on a local disk

    @abstractmethod
    def publish(self, folder: Path) -> Card:
        """Validate the model in `folder`, copy it into the store and return its card. No alias changes.

        To publish the same network again, for example with new measurements, replaces its card. After StoreError, the store is
        unchanged.
        """

    def point(self, alias: str, version: str) -> None:
        """Set "live" or "candidate" to this version."""
        check_alias(alias)
        if version not in self.versions():
            raise StoreError(f"{self} has no version {version}: publish it first")
        self._set(alias, version, self._note(alias)[1])

    def clear(self, alias: str) -> None:
        """Remove "live" or "candidate"."""
        check_alias(alias)
        self._set(alias, None, self._note(alias)[1])

    def promote(self, version: str) -> None:
        """Validate this version, make it live, and remove it as candidate. `rollback` undoes this.

        Simultaneous promotions happen one after the other, and the history keeps each version that was live in between.
        """
        self.check(version)
        self._persistently(lambda: self._make_live(version), f"{version} is not live: other processes keep changing {self}/live")
        candidate, seen = self._named(CANDIDATE)
        if candidate == version:
            with suppress(OvertakenError):  # another process has set a new candidate
                self._set(CANDIDATE, None, seen)

    def _make_live(self, version: str) -> None:
        """Write the history first: a kill in between, or another promotion, then only duplicates a line."""
        before, history_seen = self._history()
        live, live_seen = self._named(LIVE)
        if live == version:
            return
        if live is not None:
            self._put_note(HISTORY, [*before, self._line(live)][-HISTORY_LENGTH:], history_seen)
        self._set(LIVE, version, live_seen)

    def rollback(self) -> str:
        """Make the previous live version live and return it. A second call goes back one more.

        It skips missing and damaged versions. StoreError if no version is left, or if another version became live meanwhile.
        """
        live, live_seen = self._named(LIVE)
        before, history_seen = self._history()
        while before:
            version = _version_in(before.pop())
            if version and version != live and self._is_sound(version):
                self._set(LIVE, version, live_seen)
                with suppress(OvertakenError):  # by a promotion; the extra line does no harm
                    self._put_note(HISTORY, before, history_seen)
                return version
        raise StoreError(f"{self} has no sound version that was live before {live or 'any other'}")

    def fallback(self) -> str | None:
        """Return the newest sound version to use instead of a damaged live one. None without a sound version.

        Earlier live versions come first, because only they were released.
        """
        live = self._named(LIVE)[0]
        before = [_version_in(line) for line in self._history()[0]]
        for version in dict.fromkeys([*reversed(before), *reversed(self.versions())]):
            if version and version != live and self._is_sound(version):
                return version
        return None

    def alias(self, alias: str) -> str | None:
        """Return the version of "live" or "candidate", None if the alias does not exist. StoreError if it is damaged."""
        check_alias(alias)
        text = self._note(alias)[0]
        version = _version_in(text)
        if text is not None and version is None:
            raise StoreError(f"{self}/{alias} is damaged: it has {text.strip()[:40]!r} instead of a version")
        return version

    @abstractmethod
    def versions(self) -> list[str]:
        """Return the published versions, oldest first."""

    @abstractmethod
    def published_at(self, version: str) -> float:
        """Return when this version was last published, in Unix seconds."""

    def card(self, version: str) -> Card:
        """Return a version's model card, without reading its weights."""
        with _damage_as_store_error():
            return load_card(self._files(version))

    def load(self, version: str) -> tuple[Network, Card]:
        """Return a version's network and card, validated."""
        files = self._files(version)
        with _damage_as_store_error():
            network, card = load(files)
        if card["version"] != version:
            raise StoreError(f"{files} has another version, {card['version']}")
        return network, card

    def check(self, version: str) -> Card:
        """Validate a version and return its card."""
        return self.load(version)[1]

    def snapshots(self, version: str) -> Snapshots | None:
        """Return the snapshots of a version's training, None if it has none. StoreError if they or the version are damaged."""
        network, card = self.load(version)
        with _damage_as_store_error():
            return load_snapshots(self._files(version), network, card)

    def golden_images(self, version: str) -> NDArray[np.uint8]:
        """Return the golden images of a version, uint8 (n, 28, 28)."""
        with _damage_as_store_error():
            return load_golden(self._files(version)).images

    @abstractmethod
    def size(self, version: str) -> int:
        """Return the size of a version in bytes."""

    @abstractmethod
    def state(self, version: str) -> tuple[object, ...]:
        """Return a value that changes whenever the result of `load` may change. It is cheap to poll."""

    @abstractmethod
    def __str__(self) -> str: ...

    # For the backends. A note is live, candidate or history; `seen` identifies the value that was read.

    @abstractmethod
    def _note(self, name: str) -> tuple[str | None, str | None]:
        """Return a note's content, None if it does not exist, and `seen`."""

    @abstractmethod
    def _put_note(self, name: str, lines: list[str] | None, seen: str | None) -> None:
        """Replace a note atomically, or remove it. OvertakenError if it is no longer `seen`, where the backend can tell."""

    @abstractmethod
    def _line(self, version: str) -> str:
        """Return a note's line for a version, which is its first word."""

    @abstractmethod
    def _files(self, version: str) -> ReadableFolder:
        """Return the folder of a version's files. StoreError for an impossible version."""

    def _set(self, alias: str, version: str | None, seen: str | None) -> None:
        """Set the alias to a version, or remove it, if it is still `seen`."""
        try:
            self._put_note(alias, None if version is None else [self._line(version)], seen)
        except OvertakenError:
            if self._named(alias)[0] != version:  # else our write succeeded without an answer, or another process wrote it
                raise

    def _persistently(self, attempt: Callable[[], None], failure: str) -> None:
        """Repeat the attempt until no other process overtakes it. Each attempt reads the store again."""
        for number in range(MAX_ATTEMPTS):
            with suppress(OvertakenError):
                return attempt()
            time.sleep(secrets.SystemRandom().uniform(0, PAUSE_SECONDS * (1 + number)))
        raise OvertakenError(f"{failure}. Check the current state, then try again")

    def _named(self, alias: str) -> tuple[str | None, str | None]:
        """Return an alias's version, or None if the alias is damaged, and `seen`."""
        content, seen = self._note(alias)
        return _version_in(content), seen

    def _history(self) -> tuple[list[str], str | None]:
        """Return the history's sound lines, oldest first, and `seen`."""
        content, seen = self._note(HISTORY)
        return [line for line in (content or "").splitlines() if _version_in(line)], seen

    def _is_sound(self, version: str) -> bool:
        try:
            self.check(version)
        except UnreachableError:
            raise
        except StoreError:
            return False
        return True


def validated_copy(folder: Path, private: Path) -> Card:
    """Copy a model, validate the copy, because the original may change, and return its card. Errors name the original."""
    try:
        copy(folder, private)
        network, card = load(private)
        load_snapshots(private, network, card)
    except CheckpointError as error:
        raise StoreError(str(error).replace(str(private), str(folder))) from error
    return card


@contextmanager
def _damage_as_store_error() -> Iterator[None]:
    try:
        yield
    except CheckpointError as error:
        raise StoreError(str(error)) from error


def check_alias(alias: str) -> None:
    if alias not in ALIASES:
        raise StoreError(f"{alias!r} is not an alias: use {' or '.join(ALIASES)}")


def check_version(version: str) -> None:
    """Raise StoreError for any other name, to keep it out of paths."""
    if not is_version(version):
        raise StoreError(f"{version!r} is not a version: a version has 12 hexadecimal digits")


def is_version(name: str) -> bool:
    return re.fullmatch("[0-9a-f]{12}", name) is not None


def _version_in(line: str | None) -> str | None:
    """Return the version at the beginning of a note's line, None if the line is damaged."""
    words = (line or "").split(maxsplit=1)
    return words[0] if words and is_version(words[0]) else None
