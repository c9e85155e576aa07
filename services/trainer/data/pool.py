"""Share a stage's work among processes."""

import signal
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Result = TypeVar("Result")


def map_in_processes(function: Callable[..., Result], *arguments: Iterable[object], processes: int) -> list[Result]:
    """Return list(map(function, *arguments)), computed by `processes` processes; 1 is this one alone."""
    if processes == 1:
        return list(map(function, *arguments))
    # Spawned, because a fork would lack this process's threads. Ctrl-C reaches all of them; this process alone handles it.
    ignore_ctrl_c = signal.signal, (signal.SIGINT, signal.SIG_IGN)
    with ProcessPoolExecutor(processes, get_context("spawn"), *ignore_ctrl_c) as pool:
        try:
            return list(pool.map(function, *arguments))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
