"""Prefetching: the next batches are made on a thread of their own while the network learns from the present one."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Key = TypeVar("Key")
Batch = TypeVar("Batch")


class Prefetcher:
    """Yields make(key) for each key, in their order; up to `ahead` of them are made before they are asked for.

    One thread calls `make`, so it runs for one key at a time. What it raises is raised where its batch was asked for. To be
    repeatable, make(key) should depend on its key alone. The thread ends with `close()` or the with statement, after
    the batch that it is making.
    """

    def __init__(self, make: Callable[[Key], Batch], keys: Iterable[Key], ahead: int = 2):
        if ahead < 1:
            raise ValueError(f"ahead must be at least 1, not {ahead}")
        self._make, self._keys = make, iter(keys)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="prefetch")
        self._waiting = deque(self._thread.submit(make, key) for key in islice(self._keys, ahead))

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        if not self._waiting:
            raise StopIteration
        batch = self._waiting.popleft().result()
        self._waiting.extend(self._thread.submit(self._make, key) for key in islice(self._keys, 1))
        return batch

    def close(self) -> None:
        """Forget the batches that nobody asked for; there are no more after this."""
        self._waiting.clear()
        self._thread.shutdown(cancel_futures=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
