"""A service as its supervisor sees it: one line of key=value pairs for each thing to say, and an end when it is told to."""

import logging
import signal
import sys


def log_to_stdout(level: str = "info") -> None:
    """`level` as in LOG_LEVELS."""
    logging.basicConfig(
        level=level.upper(), format="time=%(asctime)s level=%(levelname)s logger=%(name)s %(message)s", stream=sys.stdout
    )


def end_when_told_to(exit_code: int = 0) -> None:
    """SIGINT and SIGTERM end the process, with 0 for a service: being asked to stop is no failure.

    As process 1 of a container it would not hear of them otherwise.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(exit_code))
