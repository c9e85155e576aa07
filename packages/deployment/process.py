"""The log and the signals of a service: one line of key=value pairs for each event, and an orderly end."""

import logging
import signal
import sys


def log_to_stdout(level: str = "info") -> None:
    """Log to stdout; `level` is a LogLevel of deployment.settings."""
    logging.basicConfig(
        level=level.upper(), format="time=%(asctime)s level=%(levelname)s logger=%(name)s %(message)s", stream=sys.stdout
    )


def end_when_told_to(exit_code: int = 0) -> None:
    """End the process on SIGINT and SIGTERM. A service exits with 0, because a requested stop is no failure.

    Process 1 of a container ignores these signals without a handler.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(exit_code))
