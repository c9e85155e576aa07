"""Predict many images at once on several threads, each with its own InferencePlan."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from digitnet.inference_plan import InferencePlan
from digitnet.network import Network


class PlanThreads(ThreadPoolExecutor):
    def __init__(self, network: Network, threads: int = 2, batch: int = 32):
        super().__init__(threads)
        self._plans = [InferencePlan(network, batch) for _ in range(threads)]

    def predict_logits(self, images: np.ndarray) -> np.ndarray:
        """Return the logits (n, classes) of images (n, 28, 28) in [0, 1], like Network.predict_logits."""
        parts = np.array_split(images, len(self._plans))
        return np.concatenate(list(self.map(InferencePlan.predict_logits, self._plans, parts)))
