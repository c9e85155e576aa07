"""Training: gradient descent, one batch after the other.

For each epoch, for each batch: forward, loss, backward, update. Callbacks do all the rest: show progress, average, save, stop.
"""

from collections.abc import Callable, Iterable, Sequence, Sized
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from digitnet.arrays import Floats, Integers
from digitnet.losses import softmax_cross_entropy
from digitnet.network import Network
from digitnet.optimizers import SGD, Adam
from digitnet.schedules import constant

Optimizer = SGD | Adam
Batch = tuple[Floats, Integers] | tuple[Floats, Integers, np.random.Generator]  # the generator is what dropout draws from


class Batches(Sized, Iterable[Batch], Protocol):
    """One epoch, such as a list of batches. What shuffles gives the batches of the next epoch each time it is iterated."""


@dataclass
class Progress:
    """How far a training is; loss, correct, examples and learning_rate are of the latest batch."""

    epochs: int
    steps: int  # updates in all epochs
    step: int  # updates so far
    loss: float = 0.0  # the mean over the batch
    correct: int = 0  # images read right, of so many examples
    examples: int = 0
    learning_rate: float = 0.0


class Callback:
    """Follow a training; override what you need. A callback stops the training by raising an exception."""

    def before_update(self, progress: Progress) -> None:
        """The gradients of this step are there; the weights are still those of the step before."""

    def after_update(self, progress: Progress) -> None: ...

    def after_epoch(self, progress: Progress) -> None: ...


def loss_and_gradients(
    network: Network, images: Floats, labels: Integers, generator: np.random.Generator | None = None
) -> tuple[float, int]:
    """Fill network.gradients with dL/dparameters; return the mean loss and how many images were read right.

    images (batch, 28, 28) in [0, 1]; labels int (batch,) in 0..9, or to 10 where there is a class for no digit.
    Dropout draws from `generator`; without one nothing is dropped.
    """
    for layer in network.layers:
        layer.generator = generator
    logits = network.forward(images)
    loss, grad_logits = softmax_cross_entropy(logits, labels)
    network.backward(grad_logits)
    return loss, int(np.count_nonzero(logits.argmax(axis=0) == labels))


def train(
    network: Network,
    optimizer: Optimizer,
    batches: Batches,
    epochs: int,
    learning_rate: float,
    schedule: Callable[[int, int, float], float] = constant,
    callbacks: Sequence[Callback] = (),
    gradients: Callable[..., tuple[float, int]] | None = None,
    first_step: int = 0,
) -> None:
    """Train the network, in place.

    The schedule gives each step's learning rate, with `learning_rate` as its peak. `gradients` computes the gradients of a batch
    in another way, such as DataParallel's. A training that was stopped goes on at first_step; then `batches` first gives the rest
    of that epoch.
    """
    gradients = gradients or partial(loss_and_gradients, network)
    progress = Progress(epochs, steps=epochs * len(batches), step=first_step)
    for _ in range(first_step // len(batches), epochs):
        for batch in batches:
            progress.loss, progress.correct = gradients(*batch)
            progress.examples = len(batch[1])
            progress.learning_rate = schedule(progress.step, progress.steps, learning_rate)
            for callback in callbacks:
                callback.before_update(progress)
            optimizer.update(network.parameters, network.gradients, progress.learning_rate)
            progress.step += 1
            for callback in callbacks:
                callback.after_update(progress)
        for callback in callbacks:
            callback.after_epoch(progress)
