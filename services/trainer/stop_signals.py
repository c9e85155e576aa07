"""What happens when the trainer is told to stop: by Ctrl-C, or by whoever runs it as a service."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class StopSignals:
    """SIGINT and SIGTERM end the program with `exit_code`, at once, except where something asks to be told instead."""

    def __init__(self, exit_code: int):
        self._exit_code = exit_code
        self._asked = self._patient = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle)

    def _handle(self, *_):
        self._asked = True
        if not self._patient:
            sys.exit(self._exit_code)

    @contextmanager
    def patiently(self) -> Iterator[Callable[[], bool]]:
        """Until the block ends a signal is only noted: the function that the block gets says whether one has come."""
        self._patient = True
        try:
            yield lambda: self._asked
        finally:
            self._patient = False
        if self._asked:
            sys.exit(self._exit_code)
