"""Training: gradient descent, one batch after the other.

For each epoch, for each batch: forward, loss, backward, update. Callbacks do the rest: report, average, save, stop.
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
Batch = tuple[Floats, Integers] | tuple[Floats, Integers, np.random.Generator]  # the generator is for dropout


class Batches(Sized, Iterable[Batch], Protocol):
    """The batches of one epoch, such as a list. A class that shuffles yields the next epoch in each iteration."""


@dataclass
class Progress:
    """The progress of a training. The last four fields describe the latest batch."""

    epochs: int
    steps: int  # updates in all epochs
    step: int  # updates so far
    loss: float = 0.0  # the mean over the batch
    correct: int = 0  # examples predicted correctly
    examples: int = 0
    learning_rate: float = 0.0


class Callback:
    """Called by `train` at each step. Override the methods that you need; raise an exception to stop the training."""

    def before_update(self, progress: Progress) -> None:
        """Called between backward and update: the gradients are new, the weights are those of the step before."""

    def after_update(self, progress: Progress) -> None:
        """Called after each step."""

    def after_epoch(self, progress: Progress) -> None:
        """Called after the last step of each epoch."""


def loss_and_gradients(
    network: Network, images: Floats, labels: Integers, generator: np.random.Generator | None = None
) -> tuple[float, int]:
    """Set network.gradients to dL/dparameters; return the mean loss and the number of correct predictions.

    images (batch, 28, 28) in [0, 1]; labels int (batch,) in 0..9, or 0..10 for a network with 11 classes. Dropout draws from
    `generator`; without one, it drops nothing.
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
    """Train the network in place.

    The schedule gives each step's learning rate, with `learning_rate` as its peak. `gradients` replaces loss_and_gradients, for
    example with DataParallel's. To resume a stopped training, pass its `first_step`, and `batches` that yield the rest of that
    epoch first.
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
