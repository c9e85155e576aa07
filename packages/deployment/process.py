"""A service as its supervisor sees it: one line of key=value pairs for each log event, and an orderly end."""

import logging
import signal
import sys


def log_to_stdout(level: str = "info") -> None:
    """Log to stdout; `level` is a LogLevel of deployment.settings."""
    logging.basicConfig(
        level=level.upper(), format="time=%(asctime)s level=%(levelname)s logger=%(name)s %(message)s", stream=sys.stdout
    )


def end_when_told_to() -> None:
    """Exit with code 0 on SIGINT and SIGTERM. Without a handler, process 1 of a container would ignore them."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
