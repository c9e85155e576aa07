"""Teaching: gradient descent on one image, step by step, with what backpropagation finds on its way laid open.

    loss = L(logits, label)                     how wrong it is
    dL/d(outputs), from the last layer back     who is to blame
    w <- w - learning_rate * dL/dw              a step downhill

This is what training does with a batch of images; one image alone is learnt in a few steps, at the cost of others. The pupil
is a copy: the network that it is made from stays as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

import numpy as np

from digitnet.losses import softmax_cross_entropy
from digitnet.network import Network


class TrainingStep(NamedTuple):
    label: int  # 0 to 9, or to 10 where there is a class for no digit
    learning_rate: float  # above 0


class LayerStep(NamedTuple):
    """What the last lesson did to a layer. Norms are Euclidean, over weights and biases; 0 where there are none."""

    gradient: np.ndarray  # dL/d(outputs), in the shape of the layer's output
    parameters_norm: float  # before the update
    gradient_norm: float
    update_norm: float


@dataclass
class TrainingResult:
    """How a pupil fared."""

    pupil: Network  # as it is after the last update
    losses: list[float] = field(default_factory=list)  # one for each lesson, before its update; in natural units
    layers: list[LayerStep] = field(default_factory=list)  # of the last lesson
    logits: np.ndarray | None = None  # (classes,), after the last update; None where it diverged
    diverged: bool = False  # numbers grew beyond all bounds, and the lessons that were left were not given


def train_on_image(network: Network, image: np.ndarray, lessons: Sequence[TrainingStep]) -> TrainingResult:
    """Image (28, 28) in [0, 1]: give these lessons on it to a copy of the network, one after the other."""
    pupil = Network(network.specification, network.dtype, network.parameters.copy())
    images, taught = np.asarray(image, network.dtype)[None], TrainingResult(pupil)
    with np.errstate(all="ignore"):  # too large a learning rate is worth seeing
        for label, learning_rate in lessons:
            logits = pupil.forward(images)
            loss, grad_logits = softmax_cross_entropy(logits, np.array([label]))
            if not np.isfinite(loss):
                break
            taught.losses.append(loss)
            gradients = _backward(pupil, grad_logits)
            taught.layers = _steps(pupil, gradients, learning_rate)
            pupil.parameters -= network.dtype.type(learning_rate) * pupil.gradients
        logits = pupil.predict_logits(images)[0]
    taught.diverged = len(taught.losses) < len(lessons) or not np.isfinite(logits).all()
    taught.logits = None if taught.diverged else logits
    return taught


def _backward(network, grad_logits):
    """Fill the network's gradients, and return dL/d(outputs) of each layer, first to last."""
    flowing = chain([grad_logits], network.backward_through_layers(grad_logits))
    *gradients, _ = [None if grad is None else grad[..., 0].copy() for grad in flowing]
    return gradients[::-1]


def _steps(pupil, gradients, learning_rate):
    """What the update that comes next does to each layer."""
    layer_norms = zip(pupil.layer_norms(pupil.parameters).tolist(), pupil.layer_norms(pupil.gradients).tolist())
    return [
        LayerStep(gradient, of_parameters, of_gradients, learning_rate * of_gradients)
        if layer.parameter_count
        else LayerStep(gradient, 0.0, 0.0, 0.0)
        for layer, gradient, (of_parameters, of_gradients) in zip(pupil.layers, gradients, layer_norms)
    ]
