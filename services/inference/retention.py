"""Retention: old records leave the prediction log by themselves."""

import asyncio
import logging
from time import time

from stores.prediction_log import PredictionLog, PredictionLogError

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 3600.0
PAUSE_SECONDS = 0.1  # between two batches, so that predictions are written in between


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
        await asyncio.sleep(INTERVAL_SECONDS)
