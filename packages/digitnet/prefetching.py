"""Prefetching: a thread makes the next batches while the network trains on the current one."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Key = TypeVar("Key")
Made = TypeVar("Made")

AHEAD = 2  # batches


def prefetched(make: Callable[[Key], Made], keys: Iterable[Key]) -> Iterator[Made]:
    """Yield make(key) for each key, in order. A thread runs up to AHEAD calls in advance.

    An exception of make(key) is raised in place of its result. For a repeatable training, make(key) must depend only on key.
    """
    remaining = iter(keys)
    thread = ThreadPoolExecutor(1, thread_name_prefix="prefetch")
    try:
        waiting = deque(thread.submit(make, key) for key in islice(remaining, AHEAD))
        while waiting:
            made = waiting.popleft().result()
            waiting.extend(thread.submit(make, key) for key in islice(remaining, 1))
            yield made
    finally:
        thread.shutdown(cancel_futures=True)
