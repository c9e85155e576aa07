"""Feedback and erasure: store the true digit of a drawing, or erase the drawing. Both return once the record is on disk."""

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

RETRY_SECONDS = (0.1, 0.4)  # Another replica may not have written the prediction to the log yet.
PREDICTION_ID = re.compile("[0-9a-f]{32}")  # Other ids cannot exist, so they are not retried.
MAX_ERASURES = 4  # At once, to leave threads for feedback and predictions.

UNKNOWN = (
    "there is no prediction with this prediction_id: only the newest are kept; draw it again, or send its image_vector instead"
)
NOTHING_TO_ERASE = "there is no prediction with this prediction_id: it was never made, or has left the prediction log"


class FeedbackService:
    """Write feedback to the prediction log, and erase predictions with their feedback.

    Raise PredictionLogError if the log cannot be reached, and RefusedError if its daily limit is reached or the prediction was
    erased.
    """

    def __init__(self, prediction_log: PredictionLog, logger: PredictionLogger, metrics: Metrics):
        self._prediction_log, self._logger, self._metrics = prediction_log, logger, metrics
        self._erasures = asyncio.Semaphore(MAX_ERASURES)

    async def receive(self, request: FeedbackRequest, image: Image | None, address: str = "", key: str | None = None) -> None:
        """Write feedback. `image`: from the request, if it has one; `address`: of the sender.

        Two equal requests with the same idempotency key are written once.
        """
        id_ = uuid.uuid4().hex if key is None else hashlib.sha256(f"{key}\0{request.model_dump_json()}".encode()).hexdigest()[:32]
        if image is None:
            await self._write(await self._on(request.prediction_id or "", request.actual_digit, address, id_))
        else:
            pixels, source = in_bytes(image).tobytes(), _source(address)
            await self._write(Feedback(id_, time(), None, request.predicted_digit, request.actual_digit, None, pixels, source))

    async def replace(self, prediction_id: str, actual_digit: int | None, address: str = "") -> None:
        """Write the only feedback on a prediction. Earlier feedback is erased; equal feedback stays."""
        await self._write(await self._on(prediction_id, actual_digit, address, uuid.uuid4().hex), replaces=True)

    async def _on(self, prediction_id: str, actual_digit: int | None, address: str, id_: str) -> Feedback:
        found = await self._prediction(prediction_id)
        return Feedback(
            id_, time(), prediction_id, found.digit, actual_digit, found.model_version, found.picture, _source(address)
        )

    async def _write(self, feedback: Feedback, replaces: bool = False) -> None:
        if not await asyncio.to_thread(self._prediction_log.add_feedback, feedback, replaces):
            return
        actual, predicted = feedback.actual_digit, feedback.predicted_digit
        verdict = "right" if actual == predicted else "wrong"
        self._metrics.feedback.labels("no_digit" if actual is None else verdict).inc()
        event = "event=feedback id=%s prediction=%s predicted=%s actual=%s"
        log.info(event, feedback.feedback_id, feedback.prediction_id, predicted, actual)

    async def _prediction(self, prediction_id: str) -> Prediction:
        async for queued in self._attempts(prediction_id):
            if found := queued or await asyncio.to_thread(self._prediction_log.prediction, prediction_id):
                return found
        raise not_found(UNKNOWN)

    async def erase(self, prediction_id: str) -> None:
        """Erase a prediction with all feedback on it."""
        async for queued in self._attempts(prediction_id):
            async with self._erasures:
                # If the prediction is still queued, the log rejects it later.
                is_expected = queued is not None
                if await asyncio.to_thread(self._prediction_log.erase, [prediction_id], is_expected=is_expected):
                    log.info("event=erased prediction=%s", prediction_id)
                    return
        raise not_found(NOTHING_TO_ERASE)

    async def _attempts(self, prediction_id: str) -> AsyncIterator[Prediction | None]:
        """Yield at each attempt to find a prediction in the log: the prediction if it is still queued here, else None."""
        for seconds in (0.0, *RETRY_SECONDS) if PREDICTION_ID.fullmatch(prediction_id) else ():
            await asyncio.sleep(seconds)
            yield self._logger.queued(prediction_id)


def _source(address: str) -> str | None:
    """Return a hash of an address, for the daily limit of a sender.

    It does not protect the address: a program that reads the log can try all addresses.
    """
    with suppress(ValueError):
        if (parsed := ip_address(address)).version == 6:  # A client usually has a whole /64 network.
            address = str(ip_network((parsed, 64), strict=False))
    return hashlib.sha256(f"doodle feedback {address}".encode()).hexdigest()[:12] if address else None
