"""Prefetching: one thread makes the next batches while the network learns from the present one."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Key = TypeVar("Key")
Made = TypeVar("Made")

AHEAD = 2  # batches


def prefetched(make: Callable[[Key], Made], keys: Iterable[Key]) -> Iterator[Made]:
    """Yield make(key) for each key, in their order; a thread makes up to AHEAD of them before they are asked for.

    An exception of `make` is raised where its batch is asked for. To be repeatable, make(key) should depend on its key alone.
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
