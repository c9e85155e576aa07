"""Averaging: the mean of the weights over the last steps, which is a better network than the one that each step leaves.

Every step is taken on another batch and overshoots a little for its sake; in the mean those detours cancel (Polyak and
Juditsky, "Acceleration of stochastic approximation by averaging", 1992). It costs one more vector, and the network stays one.
"""

import numpy as np


class WeightAverage:
    """The mean of all parameters that it was shown, and once there were `steps` of them, of about the last `steps`:

    average <- average + (w - average) / min(t, steps)      t = 1, 2, 3, …

    From then on each older step counts for 1 - 1 / steps of the one after it. `average` is (size,); 1 step is no average.
    """

    def __init__(self, size: int, steps: int, dtype=np.float32):
        if steps < 1:
            raise ValueError(f"an average must be over at least 1 step, not {steps}")
        self.steps = steps
        self.state = {"average": np.zeros(size, dtype), "seen": np.zeros(1, np.int64)}

    @property
    def average(self) -> np.ndarray:
        return self.state["average"]

    def update(self, parameters: np.ndarray) -> None:
        """After each step of the optimizer; parameters are (size,)."""
        self.state["seen"] += 1
        share = 1.0 / min(int(self.state["seen"][0]), self.steps)
        average = self.state["average"]
        average *= 1.0 - share
        average += share * parameters
