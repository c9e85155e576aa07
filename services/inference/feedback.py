"""Feedback: what a user says that a drawing really was, kept for good before anyone is thanked for it."""

import asyncio
import hashlib
import ipaddress
import logging
import re
import uuid
from collections.abc import Awaitable, Callable
from time import time

import numpy as np
from digitnet.images.normalize import in_bytes
from fastapi import HTTPException
from stores.prediction_log import FEEDBACK_LIMITS, Feedback, Prediction, PredictionLog, PredictionLogError, Refusal, RefusedError
from stores.prediction_log.base import DAY_SECONDS

from inference.metrics import Metrics
from inference.recorder import Recorder
from inference.schemas import FeedbackRequest

Pause = Callable[[float], Awaitable[object]]

log = logging.getLogger(__name__)

# Another replica may have answered a moment ago and be just about to write its prediction down.
LOOK_AGAIN_SECONDS = (0.1, 0.4)
OURS = re.compile("[0-9a-f]{32}")  # as every prediction_id: of another there is none to wait for

UNKNOWN = (
    "there is no prediction with this prediction_id: only the newest are kept; draw it again, or send its image_vector instead"
)
TOO_MUCH = {
    Refusal.SOURCE: f"your address gave feedback {FEEDBACK_LIMITS.per_source} times today, which is the limit: send it tomorrow",
    Refusal.DAY: f"people gave feedback {FEEDBACK_LIMITS.per_day} times today, which is the limit: send it tomorrow",
}
NOT_KEPT = "the feedback could not be kept: the journal is out of reach. Please send it again in a moment"


class FeedbackDesk:
    """Takes feedback and writes it into the journal."""

    def __init__(self, prediction_log: PredictionLog, recorder: Recorder, metrics: Metrics):
        self._prediction_log, self._recorder, self._metrics = prediction_log, recorder, metrics

    async def receive(
        self, request: FeedbackRequest, image: np.ndarray | None, address: str = "", pause: Pause = asyncio.sleep
    ) -> None:
        """Returns once it is on the disk. `pause` takes seconds, and waits for that long.

        `image`, float32 (28, 28): what the network reads, where the request brought its own; `address`: of who sent it.

        HTTPException: 404 for a prediction that is not known (any more), 429 beyond a day's limits, 503 without a prediction log.
        """
        try:
            feedback = await self._feedback(request, image, _source(address), pause)
            await asyncio.to_thread(self._prediction_log.add_feedback, feedback)
        except PredictionLogError as error:
            log.error("event=feedback_not_kept reason=%r", str(error))
            raise HTTPException(503, NOT_KEPT, headers={"Retry-After": "5"}) from error
        except RefusedError as refused:
            raise _refused(refused.reason, feedback.time) from refused
        verdict = "right" if feedback.actual_digit == feedback.predicted_digit else "wrong"
        self._metrics.feedback.labels("no_digit" if feedback.actual_digit is None else verdict).inc()
        log.info(
            "event=feedback id=%s prediction=%s predicted=%s actual=%s",
            *(feedback.feedback_id, feedback.prediction_id, feedback.predicted_digit, feedback.actual_digit),
        )

    async def _feedback(self, request, image, source, pause):
        own = {"feedback_id": uuid.uuid4().hex, "time": time(), "actual_digit": request.actual_digit, "source": source}
        if request.prediction_id is None:
            return Feedback(
                prediction_id=None,
                predicted_digit=request.predicted_digit,
                model_version=None,
                picture=in_bytes(image).tobytes(),
                **own,
            )
        prediction = await self._prediction(request.prediction_id, pause)
        if prediction is None:
            raise HTTPException(404, UNKNOWN)
        return Feedback(
            prediction_id=prediction.prediction_id,
            predicted_digit=prediction.digit,
            model_version=prediction.model_version,
            picture=prediction.picture,
            **own,
        )

    async def _prediction(self, prediction_id: str, pause: Pause) -> Prediction | None:
        if not OURS.fullmatch(prediction_id):
            return None
        for seconds in (0.0, *LOOK_AGAIN_SECONDS):
            await pause(seconds)
            found = self._recorder.waiting(prediction_id) or await asyncio.to_thread(
                self._prediction_log.prediction, prediction_id
            )
            if found:
                return found
        return None


def _refused(reason, now):
    if reason == Refusal.ERASED:
        return HTTPException(404, UNKNOWN)
    tomorrow = DAY_SECONDS - int(now % DAY_SECONDS)
    return HTTPException(429, TOO_MUCH[reason], headers={"Retry-After": str(tomorrow)})


def _source(address):
    """Return what the log keeps of an address: the same for each request of a sender, so that floods are seen.

    It is a courtesy, not a secret: a program that reads the log can try all addresses.
    """
    return hashlib.sha256(f"doodle feedback {_sender(address)}".encode()).hexdigest()[:12] if address else None


def _sender(address):
    """Of IPv6 the first 64 bits, because a single client has all addresses of such a network."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return ipaddress.ip_network((parsed, 64), strict=False) if parsed.version == 6 else address
