"""Shadow mode: while there is a candidate, it reads what the live model answers too. Nobody gets its answers; where the two
disagree is counted and listed, so that one sees on real drawings what a promotion would change."""

import logging
from collections import deque
from time import time

import numpy as np

from inference.metrics import Metrics
from inference.predictor import ModelSource, NoModelError, Reading

log = logging.getLogger(__name__)

KEPT = 100  # disagreements, the newest


class Shadow:
    """Holds the candidate's readings against the live model's."""

    def __init__(self, candidate: ModelSource, metrics: Metrics):
        self._candidate, self._metrics = candidate, metrics
        self._kept: deque[dict] = deque(maxlen=KEPT)

    @property
    def is_on(self) -> bool:
        """Whether there is a candidate."""
        return self._candidate.is_loaded

    def compare(self, prediction_id: str, image: np.ndarray, live_version: str, live: Reading) -> None:
        """Let the candidate, where there is one, read an image that was answered. Call it once the answer is on its way."""
        try:
            model = self._candidate.model
        except NoModelError:
            return
        if model.version == live_version:
            return
        reading = model.read(image)
        agrees = _word(reading) == _word(live)
        self._metrics.shadow.labels("agree" if agrees else "disagree").inc()
        if agrees:
            return
        self._kept.append(
            {
                "prediction_id": prediction_id,
                "time": time(),
                "live": {"model_version": live_version, **live.answer()},
                "candidate": {"model_version": model.version, **reading.answer()},
            }
        )
        log.info(
            "event=shadow_disagrees id=%s live=%s candidate=%s live_version=%s candidate_version=%s",
            *(prediction_id, _word(live), _word(reading), live_version, model.version),
        )

    def disagreements(self) -> list[dict]:
        """The newest that this process has seen, oldest first."""
        return list(self._kept)


def _word(reading):
    return str(reading.likeliest) if reading.is_digit else "none"
