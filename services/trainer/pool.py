"""Processes that share a stage's work."""

import signal
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context


def map_in_processes(function: Callable, *arguments: Iterable, processes: int) -> list:
    """list(map(function, *arguments)), by so many processes; whatever is passed must be picklable. 1: by this one alone."""
    if processes == 1:
        return list(map(function, *arguments))
    # Ctrl-C in a terminal reaches all of them: it is this process that sees to it. Spawned, not forked: whoever calls this may
    # have threads, which would be missing in a fork.
    ignoring = {"initializer": signal.signal, "initargs": (signal.SIGINT, signal.SIG_IGN)}
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), **ignoring) as pool:
        try:
            return list(pool.map(function, *arguments))
        except BaseException:
            # Do not begin the other jobs. And wait for the pool's thread: once the pool is garbage, that thread cancels none.
            pool.shutdown(cancel_futures=True)
            raise
