"""Limit memory and time in this process, so that a successful attack fails the test and not the machine."""

import contextlib
import resource
import signal
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def within(gibibytes: int = 1, seconds: int = 10) -> Iterator[None]:
    """Raise MemoryError beyond `gibibytes` of additional memory, AssertionError after `seconds`. Call it on the main thread."""

    def too_late(*_):
        raise AssertionError(f"not done within {seconds} s")

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limits, handler = resource.getrlimit(resource.RLIMIT_AS), signal.signal(signal.SIGALRM, too_late)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + gibibytes * 2**30, limits[1]))
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)
        resource.setrlimit(resource.RLIMIT_AS, limits)
