"""Feedback: what a user says a drawing really is. The answer comes once the prediction log has it."""

import asyncio
import hashlib
import ipaddress
import logging
import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from time import time

from digitnet.images.normalize import in_bytes
from stores.prediction_log import FEEDBACK_LIMITS, Feedback, Prediction, PredictionLog, PredictionLogError, Refusal, RefusedError
from stores.prediction_log.base import DAY_SECONDS

from inference.errors import NotFoundError, ServiceError, TooManyRequestsError, UnavailableError
from inference.metrics import Metrics
from inference.prediction_logger import PredictionLogger
from inference.predictor import Image
from inference.schemas.requests import FeedbackRequest

Pause = Callable[[float], Awaitable[object]]

log = logging.getLogger(__name__)

# Another replica may have answered a moment ago and be just about to write its prediction to the log.
LOOK_AGAIN_SECONDS = (0.1, 0.4)
PREDICTION_ID = re.compile("[0-9a-f]{32}")  # no wait for any other id

UNKNOWN = (
    "there is no prediction with this prediction_id: only the newest are kept; draw it again, or send its image_vector instead"
)
TOO_MUCH = {
    Refusal.SOURCE: f"your address gave feedback {FEEDBACK_LIMITS.per_source} times today, which is the limit: send it tomorrow",
    Refusal.DAY: f"people gave feedback {FEEDBACK_LIMITS.per_day} times today, which is the limit: send it tomorrow",
}
NOT_KEPT = "the feedback could not be kept: the journal is out of reach. Please send it again in a moment"


class FeedbackService:
    """Writes feedback into the prediction log."""

    def __init__(self, prediction_log: PredictionLog, logger: PredictionLogger, metrics: Metrics):
        self._prediction_log, self._logger, self._metrics = prediction_log, logger, metrics

    async def receive(
        self, request: FeedbackRequest, image: Image | None, address: str = "", pause: Pause = asyncio.sleep
    ) -> None:
        """Return once the feedback is on the disk. `pause` waits for some seconds.

        `image`: the request's own, where it brings one; `address`: the sender's. Raises NotFoundError for an unknown prediction,
        TooManyRequestsError beyond a day's limits, UnavailableError without a prediction log.
        """
        try:
            feedback = await self._feedback(request, image, pause)
            await asyncio.to_thread(self._prediction_log.add_feedback, replace(feedback, source=_source(address)))
        except PredictionLogError as error:
            log.error("event=feedback_not_kept reason=%r", str(error))
            raise UnavailableError(NOT_KEPT) from error
        except RefusedError as refused:
            raise _refusal(refused.reason, feedback.time) from refused
        verdict = "right" if feedback.actual_digit == feedback.predicted_digit else "wrong"
        self._metrics.feedback.labels("no_digit" if feedback.actual_digit is None else verdict).inc()
        log.info(
            "event=feedback id=%s prediction=%s predicted=%s actual=%s",
            *(feedback.feedback_id, feedback.prediction_id, feedback.predicted_digit, feedback.actual_digit),
        )

    async def _feedback(self, request: FeedbackRequest, image: Image | None, pause: Pause) -> Feedback:
        id_, now, actual = uuid.uuid4().hex, time(), request.actual_digit
        if image is not None:
            return Feedback(id_, now, None, request.predicted_digit, actual, None, in_bytes(image).tobytes())
        found = await self._prediction(request.prediction_id or "", pause)
        return Feedback(id_, now, found.prediction_id, found.digit, actual, found.model_version, found.picture)

    async def _prediction(self, prediction_id: str, pause: Pause) -> Prediction:
        waits = (0.0, *LOOK_AGAIN_SECONDS) if PREDICTION_ID.fullmatch(prediction_id) else ()
        for seconds in waits:
            await pause(seconds)
            found = self._logger.queued(prediction_id) or await asyncio.to_thread(self._prediction_log.prediction, prediction_id)
            if found:
                return found
        raise NotFoundError(UNKNOWN)


def _refusal(reason: Refusal, now: float) -> ServiceError:
    if reason == Refusal.ERASED:
        return NotFoundError(UNKNOWN)
    tomorrow = DAY_SECONDS - int(now % DAY_SECONDS)
    return TooManyRequestsError(TOO_MUCH[reason], headers={"Retry-After": str(tomorrow)})


def _source(address: str) -> str | None:
    """Return what the log keeps of an address: the same for each request of a sender, so that floods are seen.

    It is a courtesy, not a secret: a program that reads the log can try all addresses.
    """
    return hashlib.sha256(f"doodle feedback {_sender(address)}".encode()).hexdigest()[:12] if address else None


def _sender(address: str) -> object:
    """Return the first 64 bits of an IPv6 address, because a single client has all addresses of such a network."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return ipaddress.ip_network((parsed, 64), strict=False) if parsed.version == 6 else address
