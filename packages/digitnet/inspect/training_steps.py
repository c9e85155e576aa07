"""Training steps on one image, with the intermediate results of backpropagation:

    loss = L(logits, label)
    dL/d(outputs) of each layer, from the last to the first
    w <- w - learning_rate * dL/dw

Training does the same with a batch of images. A network learns one image in a few steps, but then misreads others, so these
steps train a copy.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from digitnet.arrays import Floats
from digitnet.losses import softmax_cross_entropy
from digitnet.network import Network


class TrainingStep(NamedTuple):
    label: int  # 0 to 9, or 10 (no digit) for a network with 11 classes.
    learning_rate: float  # Above 0.


class LayerStep(NamedTuple):
    """The last step's effect on a layer. Norms are Euclidean, over weights and biases; 0 for a layer without parameters."""

    gradient: Floats  # dL/d(outputs), in the shape of the layer's output.
    parameters_norm: float  # Before the update.
    gradient_norm: float
    update_norm: float


@dataclass
class TrainingResult:
    network: Network  # The copy, after the last update.
    losses: list[float] = field(default_factory=list)  # Of each step, before its update.
    layers: list[LayerStep] = field(default_factory=list)  # Of the last step.
    logits: Floats | None = None  # (classes,), after the last update. None if training diverged.
    diverged: bool = False  # Numbers overflowed, and training stopped.


def train_on_image(network: Network, image: Floats, steps: Sequence[TrainingStep]) -> TrainingResult:
    """Train a copy of the network on an image (28, 28) in [0, 1], with these steps in order."""
    copy = network.copy()
    images, result = np.asarray(image, network.dtype)[None], TrainingResult(copy)
    with np.errstate(all="ignore"):  # A user may choose a learning rate that diverges.
        for label, learning_rate in steps:
            logits = copy.forward(images)
            loss, grad_logits = softmax_cross_entropy(logits, np.array([label]))
            if not np.isfinite(loss):
                break
            result.losses.append(loss)
            passed = [grad.copy() for grad in copy.backward_through_layers(grad_logits) if grad is not None]
            gradients = [grad_logits, *passed][: len(copy.layers)]
            result.layers = _layer_steps(copy, gradients[::-1], learning_rate)
            copy.parameters -= network.dtype.type(learning_rate) * copy.gradients
        logits = copy.predict_logits(images)[0]
    result.diverged = len(result.losses) < len(steps) or not np.isfinite(logits).all()
    result.logits = None if result.diverged else logits
    return result


def _layer_steps(network: Network, gradients: list[Floats], learning_rate: float) -> list[LayerStep]:
    """Return the next update's effect on each layer, from dL/d(outputs) of each layer, batch last."""
    norms = np.nan_to_num(np.stack([network.layer_norms(network.parameters), network.layer_norms(network.gradients)]))
    return [
        LayerStep(gradient[..., 0], of_parameters, of_gradients, learning_rate * of_gradients)
        for gradient, (of_parameters, of_gradients) in zip(gradients, norms.T.tolist())
    ]
