"""Optimizers: from the gradient to new parameters.

All parameters are one flat vector, and so is the gradient. So an optimizer is a few lines of arithmetic on two vectors, in
place. schedules.py gives the learning rate of each step.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike

from digitnet.arrays import Arrays, Floats


class SGD:
    """Stochastic gradient descent with momentum (Polyak, 1964): the velocity is a decaying sum of past gradients.

    v <- momentum * v + grad;  w <- w - learning_rate * v
    """

    def __init__(self, size: int, dtype: DTypeLike = np.float32, momentum: float = 0.9) -> None:
        self.momentum = _fraction("momentum", momentum)
        self.state: Arrays = {"velocity": np.zeros(size, dtype)}

    def update(self, parameters: Floats, gradients: Floats, learning_rate: float) -> None:
        """Take one step: change parameters (size,) in place by gradients (size,)."""
        velocity = self.state["velocity"]
        velocity *= self.momentum
        velocity += gradients
        parameters -= learning_rate * velocity


class Adam:
    """Adam (Kingma and Ba, ICLR 2015): divide each parameter's step by the typical size of its gradients.

    m <- beta1 * m + (1 - beta1) * grad         a running mean of the gradient
    v <- beta2 * v + (1 - beta2) * grad^2       a running mean of its square
    w <- w - learning_rate * (m' / (sqrt(v') + epsilon) + weight_decay * w)

    m and v start at zero, so m' and v' correct this bias: m and v, divided by 1 - beta^t after t steps. Weight decay pulls every
    parameter toward zero (Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019).
    """

    def __init__(
        self,
        size: int,
        dtype: DTypeLike = np.float32,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        self.beta1, self.beta2, self.epsilon = _fraction("beta1", beta1), _fraction("beta2", beta2), epsilon
        if not 0.0 <= weight_decay < math.inf:
            raise ValueError(f"weight_decay must be 0 or more, not {weight_decay!r}")
        self.weight_decay = weight_decay
        self.state: Arrays = {
            "mean": np.zeros(size, dtype),
            "square": np.zeros(size, dtype),
            "steps": np.zeros(1, np.int64),
        }

    def update(self, parameters: Floats, gradients: Floats, learning_rate: float) -> None:
        """Take one step: change parameters (size,) in place by gradients (size,)."""
        mean, square, steps = self.state["mean"], self.state["square"], self.state["steps"]
        steps += 1
        mean += (1.0 - self.beta1) * (gradients - mean)
        square += (1.0 - self.beta2) * (gradients * gradients - square)
        mean_correction = 1.0 - self.beta1 ** int(steps[0])
        square_correction = 1.0 - self.beta2 ** int(steps[0])
        parameters *= 1.0 - learning_rate * self.weight_decay
        parameters -= (learning_rate / mean_correction) * mean / (np.sqrt(square / square_correction) + self.epsilon)


OPTIMIZERS: dict[str, Callable[..., SGD | Adam]] = {"sgd": SGD, "adam": Adam}


def _fraction(name: str, value: float) -> float:
    if not 0.0 <= value < 1.0:
        raise ValueError(f"{name} must be at least 0 and less than 1, not {value!r}")
    return value
