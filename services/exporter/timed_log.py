"""The prediction log with one deadline for all collectors, so that a hung log does not delay a scrape beyond its timeout."""

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from stores.prediction_log import Feedback, Prediction, PredictionLogError
from stores.prediction_log.base import Durability, Summary

Read = TypeVar("Read")

LOG_SECONDS = 2.5  # with a last read of 2 s, less than the scrape's timeout of 5 s


class ReadableLog(Protocol):
    """What collectors read. A PredictionLog is one."""

    def summary(self) -> Summary: ...

    def durability(self) -> Durability: ...

    def recent_predictions(self, count: int) -> list[Prediction]: ...

    def feedback(self, count: int, after: str | None = None) -> list[Feedback]: ...


class TimedLog:
    """Fails all reads of a scrape after its first failure, or after LOG_SECONDS."""

    def __init__(self, log: ReadableLog, now: Callable[[], float] = time.monotonic):
        self._log, self._now = log, now
        self.start_scrape()

    def start_scrape(self) -> None:
        self._deadline = self._now() + LOG_SECONDS
        self._error: PredictionLogError | None = None

    def summary(self) -> Summary:
        return self._read(self._log.summary)

    def durability(self) -> Durability:
        return self._read(self._log.durability)

    def recent_predictions(self, count: int) -> list[Prediction]:
        return self._read(lambda: self._log.recent_predictions(count))

    def feedback(self, count: int, after: str | None = None) -> list[Feedback]:
        return self._read(lambda: self._log.feedback(count, after))

    def _read(self, read: Callable[[], Read]) -> Read:
        if self._error is None and self._now() > self._deadline:
            self._error = PredictionLogError(f"the prediction log needs more than {LOG_SECONDS} s for a scrape: check its load")
        if self._error is not None:
            raise self._error
        try:
            return read()
        except PredictionLogError as error:
            self._error = error
            raise
