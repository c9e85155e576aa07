"""Write predictions to the prediction log in the background: no request waits for it, and none fails without it."""

import asyncio
import logging
from collections import deque
from itertools import islice
from time import perf_counter
from typing import NamedTuple

from stores.prediction_log import Prediction, PredictionLog, PredictionLogError

from inference.metrics import Metrics

log = logging.getLogger(__name__)

WAITING_AT_MOST = 20_000  # predictions, some 25 MB, and two minutes of a busy replica; beyond that the oldest are dropped
BATCH = 256
GATHER_SECONDS = 0.01  # so that under load one write to disk serves many
RETRY_SECONDS = 0.5
FLUSH_SECONDS = 3.0  # at the end, for what is still waiting


class _Waiting(NamedTuple):
    prediction: Prediction
    since: float


class Recorder:
    """`async with recorder:` writes what `record` was given, in order, each once, and what is left at the end."""

    def __init__(self, prediction_log: PredictionLog, metrics: Metrics):
        self._prediction_log, self._metrics = prediction_log, metrics
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._is_down = False
        metrics.pending_records.set_function(lambda: len(self._waiting))

    def record(self, prediction: Prediction) -> None:
        """Take one prediction, at once. Call it on the event loop."""
        if len(self._waiting) == WAITING_AT_MOST:
            self._waiting.popleft()
            self._metrics.recorded.labels("dropped").inc()
        self._waiting.append(_Waiting(prediction, perf_counter()))
        self._arrived.set()

    def waiting(self, prediction_id: str) -> Prediction | None:
        """The prediction of that id if it is still to be written. Call it on the event loop."""
        return next((each.prediction for each in self._waiting if each.prediction.prediction_id == prediction_id), None)

    async def __aenter__(self) -> "Recorder":
        self._writing = asyncio.create_task(self._write_for_ever())
        return self

    async def __aexit__(self, *_) -> None:
        self._writing.cancel()
        await asyncio.wait([self._writing])
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                while self._waiting:
                    await self._write()
        except (PredictionLogError, TimeoutError) as error:
            log.error("event=journal_not_flushed lost=%d reason=%r", len(self._waiting), str(error))
        await asyncio.to_thread(self._prediction_log.close)

    async def _write_for_ever(self):
        while True:
            await self._arrived.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._arrived.clear()
            while self._waiting:
                try:
                    await self._write()
                except PredictionLogError as error:
                    if not self._is_down:
                        log.error("event=journal_down reason=%r", str(error))
                    self._is_down = True
                    await asyncio.sleep(RETRY_SECONDS)

    async def _write(self):
        """One batch. What a prediction log that is down did not take stays waiting: each record has its id, so twice is once."""
        batch = list(islice(self._waiting, BATCH))
        outcome = "dropped"
        try:
            await asyncio.to_thread(self._prediction_log.add_predictions, [each.prediction for each in batch])
            outcome = "written"
        except PredictionLogError:
            raise
        except Exception:  # a fault of ours: these records would fail again and again, and hold up all others
            log.exception("event=journal_write_failed")
        self._done_with(batch, outcome)
        if self._is_down:
            self._is_down = False
            log.info("event=journal_up waiting=%d", len(self._waiting))

    def _done_with(self, batch, outcome):
        """No more waiting for these. A full queue may have dropped some of them at its old end meanwhile."""
        done = set(map(id, batch))
        while self._waiting and id(self._waiting[0]) in done:
            waited = self._waiting.popleft()
            self._metrics.recorded.labels(outcome).inc()
            if outcome == "written":
                self._metrics.phase_seconds.labels("journal").observe(perf_counter() - waited.since)
