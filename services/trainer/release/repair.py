"""Repair of a damaged live model, so that a restarted replica finds a sound one."""

import json
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from digitnet.checkpoint import CheckpointError, load
from stores.models import LIVE, ModelStore, StoreError, UnreachableError

log = logging.getLogger(__name__)


class LiveCheck:
    """Validates the live model when its state changes and each minute, and repairs it if it stays damaged."""

    def __init__(self, store: ModelStore, folders: Sequence[Path], attempts: int = 5, recheck_seconds: float = 60.0):
        """Repair after this many failed checks in a row, because a read can fail once. `folders` may have sound copies."""
        self._store, self._folders, self._attempts, self._recheck_seconds = store, folders, attempts, recheck_seconds
        self._sound: object = None  # the state of the last sound model
        self._sound_at, self._failures = 0.0, 0

    def check(self) -> None:
        """Raise StoreError while the live model is damaged."""
        try:
            version = self._store.alias(LIVE)
            if version is None:
                return
            state = self._store.state(version)
            if state != self._sound or time.monotonic() > self._sound_at + self._recheck_seconds:
                self._store.check(version)
                self._sound, self._sound_at = state, time.monotonic()
            self._failures = 0
        except UnreachableError:
            raise
        except StoreError as error:
            if self._failures == 0:
                log.error("event=live_damaged reason=%s", json.dumps(str(error)))
            self._failures += 1
            if self._failures % self._attempts == 0 and not repair(self._store, self._folders):
                log.error("event=live_not_repaired store=%s", self._store)
            raise


def repair(store: ModelStore, folders: Sequence[Path]) -> bool:
    """Replace the live version's files by a sound copy, else make another sound model live. Return whether one was found."""
    try:
        live = store.alias(LIVE)
    except UnreachableError:
        raise
    except StoreError:  # a damaged alias
        live = None
    sound = {}
    for folder in folders:
        with suppress(CheckpointError):
            sound[load(folder)[1]["version"]] = folder
    if live in sound:
        with suppress(StoreError):  # damaged snapshots
            store.publish(sound[live])
            log.warning("event=live_repaired version=%s from=%s", live, sound[live])
            return True
    version = store.fallback()
    if version is None and sound:
        version = store.publish(next(iter(sound.values())))["version"]
    if version is not None:
        store.promote(version)
        log.warning("event=live_replaced damaged=%s version=%s", live, version)
    return version is not None
