"""Feedback and erasure: a user says what a drawing really is, or takes it back. Both return once that is on the disk."""

import asyncio
import hashlib
import logging
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from ipaddress import ip_address, ip_network
from time import time

from digitnet.images.normalize import in_bytes
from stores.prediction_log import Feedback, Prediction, PredictionLog

from inference.errors import not_found
from inference.metrics import Metrics
from inference.prediction_logger import PredictionLogger
from inference.predictor import Image
from inference.schemas.requests import FeedbackRequest

log = logging.getLogger(__name__)

# Another replica may have answered a moment ago and be just about to write its prediction to the log.
LOOK_AGAIN_SECONDS = (0.1, 0.4)
PREDICTION_ID = re.compile("[0-9a-f]{32}")  # no wait for any other id
ERASURES_AT_ONCE = 4  # so that they leave threads to feedback and predictions

UNKNOWN = (
    "there is no prediction with this prediction_id: only the newest are kept; draw it again, or send its image_vector instead"
)
NOTHING_TO_ERASE = "there is no prediction with this prediction_id: it was never made, or has left the prediction log"


class FeedbackService:
    """Writes feedback into the prediction log, and erases predictions with their feedback.

    PredictionLogError: the log is out of reach. RefusedError: it takes no more feedback today, or the prediction was erased.
    """

    def __init__(self, prediction_log: PredictionLog, logger: PredictionLogger, metrics: Metrics):
        self._prediction_log, self._logger, self._metrics = prediction_log, logger, metrics
        self._places = asyncio.Semaphore(ERASURES_AT_ONCE)

    async def receive(self, request: FeedbackRequest, image: Image | None, address: str = "") -> None:
        """Write feedback. `image`: the request's own, where it brings one; `address`: the sender's."""
        id_, now, actual, source = uuid.uuid4().hex, time(), request.actual_digit, _source(address)
        if image is None:
            found = await self._prediction(request.prediction_id or "")
            feedback = Feedback(id_, now, found.prediction_id, found.digit, actual, found.model_version, found.picture, source)
        else:
            feedback = Feedback(id_, now, None, request.predicted_digit, actual, None, in_bytes(image).tobytes(), source)
        await asyncio.to_thread(self._prediction_log.add_feedback, feedback)
        verdict = "right" if actual == feedback.predicted_digit else "wrong"
        self._metrics.feedback.labels("no_digit" if actual is None else verdict).inc()
        event = "event=feedback id=%s prediction=%s predicted=%s actual=%s"
        log.info(event, id_, feedback.prediction_id, feedback.predicted_digit, actual)

    async def _prediction(self, prediction_id: str) -> Prediction:
        async for queued in self._looks(prediction_id):
            if found := queued or await asyncio.to_thread(self._prediction_log.prediction, prediction_id):
                return found
        raise not_found(UNKNOWN)

    async def erase(self, prediction_id: str) -> None:
        """Erase a prediction with all feedback on it."""
        async for queued in self._looks(prediction_id):
            async with self._places:
                # The log never takes a prediction that was erased while it was still queued.
                is_expected = queued is not None
                if await asyncio.to_thread(self._prediction_log.erase, [prediction_id], is_expected=is_expected):
                    log.info("event=erased prediction=%s", prediction_id)
                    return
        raise not_found(NOTHING_TO_ERASE)

    async def _looks(self, prediction_id: str) -> AsyncIterator[Prediction | None]:
        """Take the time for several looks into the log; yield at each the prediction if it is still queued here."""
        for seconds in (0.0, *LOOK_AGAIN_SECONDS) if PREDICTION_ID.fullmatch(prediction_id) else ():
            await asyncio.sleep(seconds)
            yield self._logger.queued(prediction_id)


def _source(address: str) -> str | None:
    """Return what the log keeps of an address: the same for each request of a sender, so that floods are seen.

    It is a courtesy, not a secret: a program that reads the log can try all addresses.
    """
    with suppress(ValueError):
        if (parsed := ip_address(address)).version == 6:  # a single client has all addresses of such a network
            address = str(ip_network((parsed, 64), strict=False))
    return hashlib.sha256(f"doodle feedback {address}".encode()).hexdigest()[:12] if address else None
