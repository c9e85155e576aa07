"""Blocks: each drawing in one window, once. A reader of the newest drawings sees most of them several times; tests of overlapping
windows would multiply the false alarms."""

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

SIZE = 500  # drawings; docs/drift.md compares sizes

Record = TypeVar("Record")


class Blocks(Generic[Record]):
    """Cuts a stream of records, seen through its newest ones, into consecutive blocks of one size."""

    def __init__(self, size: int = SIZE):
        self.size = size
        self._last: Hashable | None = None
        self._waiting: list[Record] = []

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def add(self, ids: Sequence[Hashable], records: Sequence[Record]) -> list[list[Record]]:
        """Add the newest records with their ids, oldest first, and return the blocks that are now full.

        Only records after the last known one are new; if that one is no longer among them, all are.
        """
        known = next((place for place in range(len(ids) - 1, -1, -1) if ids[place] == self._last), -1)
        self._waiting.extend(records[known + 1 :])
        if ids:
            self._last = ids[-1]
        full = len(self._waiting) // self.size * self.size
        blocks = [self._waiting[start : start + self.size] for start in range(0, full, self.size)]
        del self._waiting[:full]
        return blocks
