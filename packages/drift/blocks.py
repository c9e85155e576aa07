"""Blocks: each drawing in one window, once. Whoever looks at the newest drawings every few seconds sees most of them again and
again; tests of overlapping windows are many tests, and raise as many false alarms."""

from collections.abc import Hashable, Sequence

SIZE = 500  # drawings; docs/drift.md compares sizes


class Blocks:
    """Cuts a stream of records, seen through its newest ones, into blocks of so many that follow each other."""

    def __init__(self, size: int = SIZE):
        if size < 1:
            raise ValueError(f"a block has at least 1 record, not {size}")
        self.size = size
        self._last: Hashable | None = None
        self._waiting: list = []

    @property
    def waiting(self) -> int:
        """How many records wait for their block to be full."""
        return len(self._waiting)

    def add(self, ids: Sequence[Hashable], records: Sequence) -> list[list]:
        """The newest records with their ids, oldest first, of which some may have been given before -> the blocks now full.

        What follows the last one that is known is new; all is, if that one is no more among them.
        """
        if len(ids) != len(records):
            raise ValueError("there must be an id for each record")
        known = next((place for place in range(len(ids) - 1, -1, -1) if ids[place] == self._last), -1)
        self._waiting.extend(records[known + 1 :])
        if len(ids):
            self._last = ids[-1]
        full = len(self._waiting) // self.size * self.size
        blocks = [self._waiting[start : start + self.size] for start in range(0, full, self.size)]
        del self._waiting[:full]
        return blocks
