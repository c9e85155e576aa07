"""The log and the signals of a service: one line of key=value pairs for each event, and an orderly end."""

import logging
import signal
import sys

from deployment.request_id import REQUEST_ID


def log_to_stdout(level: str = "info") -> None:
    """Log to stdout, with the id of the current request; `level` is a LogLevel of deployment.settings."""
    form = "time=%(asctime)s level=%(levelname)s logger=%(name)s %(message)s%(request)s"
    logging.basicConfig(level=level.upper(), format=form, stream=sys.stdout)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_add_request)


def _add_request(record: logging.LogRecord) -> bool:
    request_id = REQUEST_ID.get()
    record.request = f" request={request_id}" if request_id else ""
    return True


def end_when_told_to(exit_code: int = 0) -> None:
    """End the process on SIGINT and SIGTERM. A service exits with 0, because a requested stop is no failure.

    Process 1 of a container ignores these signals without a handler.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(exit_code))
