"""Write predictions to the log and drop old records, in the background: requests neither wait for the log nor need it."""

import asyncio
import logging
from collections import deque
from contextlib import suppress
from time import perf_counter, time
from typing import Self

from stores.prediction_log import Prediction, PredictionLog, PredictionLogError

from inference.metrics import Metrics

log = logging.getLogger(__name__)

MAX_QUEUE = 20_000  # Predictions: about 25 MB, or two minutes of a busy replica. Beyond it, the oldest are dropped.
BATCH = 256
GATHER_SECONDS = 0.01  # So that one write to disk takes many predictions under load.
RETRY_SECONDS = 0.5
EXPIRY_SECONDS = 3600.0  # Between two searches for old records.
PAUSE_SECONDS = 0.1  # Between two batches of old records, to let predictions through.
FLUSH_SECONDS = 10.0  # To write the rest of the queue at the end. A release restarts Redis too, which takes time.


class PredictionLogger:
    """Write logged predictions in order, each once, inside `async with logger:`; at its end, write the rest of the queue."""

    def __init__(self, prediction_log: PredictionLog, metrics: Metrics):
        self._prediction_log, self._metrics = prediction_log, metrics
        self._queue: deque[tuple[Prediction, float]] = deque(maxlen=MAX_QUEUE)  # With the time of arrival.
        self._batch: list[tuple[Prediction, float]] = []  # On its way to the log.
        self._arrived = asyncio.Event()
        self._is_down = False
        metrics.pending_records.set_function(lambda: len(self._batch) + len(self._queue))

    def log(self, prediction: Prediction) -> None:
        """Queue a prediction. Call it on the event loop."""
        if len(self._queue) == MAX_QUEUE:
            self._metrics.logged.labels("dropped").inc()
        self._queue.append((prediction, perf_counter()))
        self._arrived.set()

    def queued(self, prediction_id: str) -> Prediction | None:
        """Return the prediction with this id if it is not written yet. Call it on the event loop."""
        return next((each for each, _ in (*self._batch, *self._queue) if each.prediction_id == prediction_id), None)

    async def __aenter__(self) -> Self:
        self._writing = asyncio.create_task(self._write_forever())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writing.cancel()
        await asyncio.wait([self._writing])
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                while self._batch or self._queue:
                    await self._write_or_wait()
        if self._batch or self._queue:
            log.error("event=prediction_log_not_flushed lost=%d", len(self._batch) + len(self._queue))
        await asyncio.to_thread(self._prediction_log.close)

    async def _write_forever(self) -> None:
        while True:
            await self._arrived.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._arrived.clear()
            await self._write_or_wait()
            if self._batch or self._queue:
                self._arrived.set()

    async def _write_or_wait(self) -> None:
        """Write one batch. If the log is down, wait for the time of the next attempt."""
        try:
            await self._write()
        except PredictionLogError as error:
            if not self._is_down:
                log.error("event=prediction_log_down reason=%r", str(error))
            self._is_down = True
            await asyncio.sleep(RETRY_SECONDS)

    async def _write(self) -> None:
        """Write one batch. After a PredictionLogError the next call repeats it; the log accepts each id once."""
        while self._queue and len(self._batch) < BATCH:
            self._batch.append(self._queue.popleft())
        try:
            await asyncio.to_thread(self._prediction_log.add_predictions, [prediction for prediction, _ in self._batch])
        except PredictionLogError:
            raise
        except Exception:  # A bug: these records would fail at each attempt, and block all others.
            log.exception("event=prediction_log_write_failed")
            self._metrics.logged.labels("dropped").inc(len(self._batch))
        else:
            self._metrics.logged.labels("written").inc(len(self._batch))
            for _, since in self._batch:
                self._metrics.phase_seconds.labels("journal").observe(perf_counter() - since)
        self._batch = []
        if self._is_down:
            self._is_down = False
            log.info("event=prediction_log_up waiting=%d", len(self._queue))


async def drop_expired(prediction_log: PredictionLog, days: int) -> None:
    """Drop records older than `days`, forever. Several replicas may do it at once."""
    while True:
        try:
            while await asyncio.to_thread(prediction_log.drop_expired, days, time()):
                await asyncio.sleep(PAUSE_SECONDS)
        except PredictionLogError as error:
            log.warning("event=expired_not_dropped reason=%r", str(error))
        await asyncio.sleep(EXPIRY_SECONDS)
