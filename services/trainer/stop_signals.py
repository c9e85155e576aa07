"""Let a training end itself when Ctrl-C or a supervisor tells the trainer to stop."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def signals_noted() -> Iterator[Callable[[], bool]]:
    """Only note signals until the block ends. The block gets a function that says whether one has come."""
    noted: list[int] = []
    handlers = [signal.signal(number, lambda number, _: noted.append(number)) for number in SIGNALS]
    try:
        yield lambda: bool(noted)
    finally:
        for number, handler in zip(SIGNALS, handlers):
            signal.signal(number, handler)
    if noted:
        signal.raise_signal(noted[0])
