"""Spread a stage's work over processes."""

import signal
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

PROCESSES = 2
Result = TypeVar("Result")


def map_in_processes(function: Callable[..., Result], *arguments: Iterable[object]) -> list[Result]:
    """Return list(map(function, *arguments)), computed by PROCESSES processes."""
    # A fork is unsafe in a process with threads. Ctrl-C reaches all processes, but only the parent may handle it.
    ignore_ctrl_c = signal.signal, (signal.SIGINT, signal.SIG_IGN)
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), *ignore_ctrl_c) as pool:
        try:
            return list(pool.map(function, *arguments))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
