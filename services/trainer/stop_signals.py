"""SIGINT and SIGTERM: Ctrl-C, or a supervisor, tells the trainer to stop."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class StopSignals:
    """End the program with `exit_code` at a signal: at once, or after a block that asks to be told instead."""

    def __init__(self, exit_code: int):
        self._exit_code = exit_code
        self._asked = self._patient = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle)

    def _handle(self, *_: object) -> None:
        self._asked = True
        if not self._patient:
            sys.exit(self._exit_code)

    @contextmanager
    def patiently(self) -> Iterator[Callable[[], bool]]:
        """Only note signals until the block ends. The block gets a function that says whether one has come."""
        self._patient = True
        try:
            yield lambda: self._asked
        finally:
            self._patient = False
        if self._asked:
            sys.exit(self._exit_code)
