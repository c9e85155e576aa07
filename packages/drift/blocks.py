"""Blocks: windows that do not overlap, so that each drawing is tested once. Tests of overlapping windows would multiply the false
alarms."""

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

SIZE = 500  # drawings; docs/advanced/drift.md compares sizes

Record = TypeVar("Record")


class Blocks(Generic[Record]):
    """Cut a stream of records into consecutive blocks of one size. Each call of `add` sees only the newest records."""

    def __init__(self, size: int = SIZE):
        self.size = size
        self._last: Hashable | None = None
        self._waiting: list[Record] = []

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def add(self, ids: Sequence[Hashable], records: Sequence[Record]) -> list[list[Record]]:
        """Add the newest records with their ids, oldest first, and return the blocks that are now full.

        Records after the last known id are new; if that id is missing, all records are.
        """
        known = next((place for place in range(len(ids) - 1, -1, -1) if ids[place] == self._last), -1)
        self._waiting.extend(records[known + 1 :])
        if ids:
            self._last = ids[-1]
        full = len(self._waiting) // self.size * self.size
        blocks = [self._waiting[start : start + self.size] for start in range(0, full, self.size)]
        del self._waiting[:full]
        return blocks
