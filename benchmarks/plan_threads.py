"""Read many images at once: a part of them on each thread, with an InferencePlan of its own."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from digitnet.inference_plan import InferencePlan
from digitnet.network import Network


class PlanThreads(ThreadPoolExecutor):
    def __init__(self, network: Network, threads: int = 2, batch: int = 32):
        super().__init__(threads)
        self._plans = [InferencePlan(network, batch) for _ in range(threads)]

    def predict_logits(self, images: np.ndarray) -> np.ndarray:
        """Images (n, 28, 28) in [0, 1] -> logits (n, classes), as Network.predict_logits."""
        parts = np.array_split(images, len(self._plans))
        return np.concatenate(list(self.map(InferencePlan.predict_logits, self._plans, parts)))
