"""Erasure: a prediction leaves the prediction log on request, and old records leave it by themselves."""

import asyncio
import logging
from time import time

from stores.prediction_log import PredictionLog, PredictionLogError

from inference import feedback
from inference.errors import NotFoundError, UnavailableError
from inference.prediction_logger import PredictionLogger

log = logging.getLogger(__name__)

UNKNOWN = "there is no prediction with this prediction_id: it was never made, or has left the prediction log"
NOT_ERASED = "the drawing could not be erased: the prediction log is out of reach. Please try again in a moment"
EXPIRED_EVERY_SECONDS = 3600.0
PAUSE_SECONDS = 0.1  # between two batches, so that predictions are written in between
ERASURES_AT_ONCE = 4  # so that they leave threads to feedback and predictions


class Eraser:
    """Erases predictions, with all feedback on them, from the log."""

    def __init__(self, prediction_log: PredictionLog, logger: PredictionLogger):
        self._prediction_log, self._logger = prediction_log, logger
        self._places = asyncio.Semaphore(ERASURES_AT_ONCE)

    async def erase(self, prediction_id: str, pause: feedback.Pause = asyncio.sleep) -> None:
        """Return once the erasure is on the disk. `pause` waits for some seconds.

        Raises NotFoundError for an unknown id, UnavailableError without a prediction log.
        """
        try:
            is_erased = await self._erase(prediction_id, pause)
        except PredictionLogError as error:
            log.error("event=not_erased reason=%r", str(error))
            raise UnavailableError(NOT_ERASED) from error
        if not is_erased:
            raise NotFoundError(UNKNOWN)
        log.info("event=erased prediction=%s", prediction_id)

    async def _erase(self, prediction_id: str, pause: feedback.Pause) -> bool:
        if not feedback.PREDICTION_ID.fullmatch(prediction_id):
            return False
        for seconds in (0.0, *feedback.LOOK_AGAIN_SECONDS):
            await pause(seconds)
            async with self._places:
                # The log never takes a prediction that was erased while it was still queued.
                is_expected = self._logger.queued(prediction_id) is not None
                if await asyncio.to_thread(self._prediction_log.erase, [prediction_id], is_expected=is_expected):
                    return True
        return False


async def drop_expired(prediction_log: PredictionLog, days: int) -> None:
    """Keep the log to its retention, for as long as this runs. Each replica does so; the batches of several do no harm."""
    while True:
        dropped = 0
        try:
            while batch := await asyncio.to_thread(prediction_log.drop_expired, days, time()):
                dropped += batch
                await asyncio.sleep(PAUSE_SECONDS)
        except PredictionLogError as error:
            log.warning("event=expired_not_dropped reason=%r", str(error))
        if dropped:
            log.info("event=expired_dropped records=%d", dropped)
        await asyncio.sleep(EXPIRED_EVERY_SECONDS)
