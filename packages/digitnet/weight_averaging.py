"""Weight averaging: the mean of the weights over the last steps gives a better network than the last step alone.

Each step follows a different batch and overshoots a little; in the mean, these errors cancel (Polyak and Juditsky,
"Acceleration of stochastic approximation by averaging", 1992). It costs one more vector of parameters.
"""

import numpy as np
from numpy.typing import DTypeLike

from digitnet.arrays import Array, Arrays
from digitnet.network import Network
from digitnet.training import Callback, Progress


class WeightAverage:
    """A running mean of parameters, (size,), over about the last `steps` steps:

    average <- average + (w - average) / min(t, steps)      t = 1, 2, 3, …

    Up to step number `steps` it is the plain mean. Later, each step has 1 - 1 / steps of the weight of the next one. With
    steps = 1 it is the current parameters.
    """

    def __init__(self, size: int, steps: int, dtype: DTypeLike = np.float32):
        self.steps = steps
        self.state: Arrays = {"average": np.zeros(size, dtype), "seen": np.zeros(1, np.int64)}

    @property
    def average(self) -> Array:
        return self.state["average"]

    def update(self, parameters: Array) -> None:
        """Add the parameters (size,) after a step of the optimizer."""
        self.state["seen"] += 1
        share = 1.0 / min(int(self.state["seen"][0]), self.steps)
        average = self.average
        average *= 1.0 - share
        average += share * parameters


class AveragingCallback(Callback):
    """Average a network's weights while it trains. `averaged` is a network with the averaged weights."""

    def __init__(self, network: Network, steps: int):
        self.network, self.average = network, WeightAverage(network.parameters.size, steps, network.dtype)
        self.averaged = Network(network.specification, network.dtype, self.average.average)

    def after_update(self, progress: Progress) -> None:
        self.average.update(self.network.parameters)
