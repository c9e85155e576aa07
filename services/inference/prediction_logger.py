"""Write predictions to the prediction log in the background: no request waits for it, and none fails without it."""

import asyncio
import logging
from collections import deque
from itertools import islice
from time import perf_counter
from typing import NamedTuple, Self

from stores.prediction_log import Prediction, PredictionLog, PredictionLogError

from inference.metrics import Metrics

log = logging.getLogger(__name__)

MAX_QUEUE = 20_000  # predictions, some 25 MB, and two minutes of a busy replica; beyond that the oldest are dropped
BATCH = 256
GATHER_SECONDS = 0.01  # so that under load one write to disk serves many
RETRY_SECONDS = 0.5
FLUSH_SECONDS = 3.0  # for the queue that is left at the end


class _Queued(NamedTuple):
    prediction: Prediction
    since: float


class PredictionLogger:
    """`async with logger:` writes all logged predictions, in order, each once, and the rest of the queue at the end."""

    def __init__(self, prediction_log: PredictionLog, metrics: Metrics):
        self._prediction_log, self._metrics = prediction_log, metrics
        self._queue: deque[_Queued] = deque()
        self._arrived = asyncio.Event()
        self._is_down = False
        metrics.pending_records.set_function(lambda: len(self._queue))

    def log(self, prediction: Prediction) -> None:
        """Queue a prediction. Call it on the event loop."""
        if len(self._queue) == MAX_QUEUE:
            self._queue.popleft()
            self._metrics.logged.labels("dropped").inc()
        self._queue.append(_Queued(prediction, perf_counter()))
        self._arrived.set()

    def queued(self, prediction_id: str) -> Prediction | None:
        """Return the prediction with this id if it is still to be written. Call it on the event loop."""
        return next((each.prediction for each in self._queue if each.prediction.prediction_id == prediction_id), None)

    async def __aenter__(self) -> Self:
        self._writing = asyncio.create_task(self._write_forever())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writing.cancel()
        await asyncio.wait([self._writing])
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                while self._queue:
                    await self._write()
        except (PredictionLogError, TimeoutError) as error:
            log.error("event=journal_not_flushed lost=%d reason=%r", len(self._queue), str(error))
        await asyncio.to_thread(self._prediction_log.close)

    async def _write_forever(self) -> None:
        while True:
            await self._arrived.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._arrived.clear()
            while self._queue:
                try:
                    await self._write()
                except PredictionLogError as error:
                    if not self._is_down:
                        log.error("event=journal_down reason=%r", str(error))
                    self._is_down = True
                    await asyncio.sleep(RETRY_SECONDS)

    async def _write(self) -> None:
        """Write one batch. After a PredictionLogError it stays queued: the log takes each id once."""
        batch = list(islice(self._queue, BATCH))
        outcome = "dropped"
        try:
            await asyncio.to_thread(self._prediction_log.add_predictions, [each.prediction for each in batch])
            outcome = "written"
        except PredictionLogError:
            raise
        except Exception:  # a bug of ours: these records would fail again and again, and hold up all others
            log.exception("event=journal_write_failed")
        self._dequeue(batch, outcome)
        if self._is_down:
            self._is_down = False
            log.info("event=journal_up waiting=%d", len(self._queue))

    def _dequeue(self, batch: list[_Queued], outcome: str) -> None:
        """Remove a batch from the queue, which may have dropped some of it at its old end meanwhile."""
        done = set(map(id, batch))
        while self._queue and id(self._queue[0]) in done:
            queued = self._queue.popleft()
            self._metrics.logged.labels(outcome).inc()
            if outcome == "written":
                self._metrics.phase_seconds.labels("journal").observe(perf_counter() - queued.since)
