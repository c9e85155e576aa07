"""Shadow mode: the candidate also predicts each live drawing. Count its disagreements, and keep the newest."""

from collections import deque
from time import time
from typing import Any

from inference.metrics import Metrics
from inference.predictor import Image, ModelSource, Prediction

KEPT = 100  # disagreements


class Shadow:
    """Compare the candidate's predictions with the live model's."""

    def __init__(self, candidate: ModelSource, metrics: Metrics):
        self._candidate, self._metrics = candidate, metrics
        self._disagreements: deque[dict[str, Any]] = deque(maxlen=KEPT)

    async def compare(self, prediction_id: str, image: Image, live_version: str, live: Prediction) -> None:
        """Compare with the candidate's prediction for an image, if there is a candidate. Call it after the response."""
        model = self._candidate.loaded
        if model is None or model.version == live_version:
            return
        answers = {
            "live": {"model_version": live_version, **live.answer()},
            "candidate": {"model_version": model.version, **model.predict(image).answer()},
        }
        agrees = answers["live"]["digit"] == answers["candidate"]["digit"]
        self._metrics.shadow.labels("agree" if agrees else "disagree").inc()
        if not agrees:
            self._disagreements.append({"prediction_id": prediction_id, "time": time(), **answers})

    def disagreements(self) -> list[dict[str, Any]]:
        """Return the newest disagreements of this process, oldest first."""
        return list(self._disagreements)
