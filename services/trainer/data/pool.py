"""Share a stage's work among processes."""

import signal
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

PROCESSES = 2
Result = TypeVar("Result")


def map_in_processes(function: Callable[..., Result], *arguments: Iterable[object]) -> list[Result]:
    """Return list(map(function, *arguments)), computed by processes."""
    # Spawned, because a fork would lack this process's threads. Ctrl-C reaches all of them; this process alone handles it.
    ignore_ctrl_c = signal.signal, (signal.SIGINT, signal.SIG_IGN)
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), *ignore_ctrl_c) as pool:
        try:
            return list(pool.map(function, *arguments))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
