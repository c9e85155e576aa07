"""The history of a training: its loss and accuracy, epoch by epoch, on training and validation images."""

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from digitnet.images.normalize import in_unit_range
from digitnet.network import Network
from digitnet.parallel import SINGLE_PROCESS, Group, part
from digitnet.training import Callback, Progress

from trainer.data.digits import Answers, Split
from trainer.training.ranks import OnAllRanksError

READ_AT_ONCE = 128  # images, when a network is measured
Measure = Callable[[Network], tuple[float, float]]  # -> the validation loss and accuracy


class DivergedError(OnAllRanksError, ValueError):
    """The loss is not a finite number any more."""


class HistoryCallback(Callback):
    """Measure `network` after each epoch; `rows` gets a row of history.csv, in which the learning rate is the next step's."""

    def __init__(self, network: Network, measure: Measure, learning_rate: Callable[[int, int], float]):
        self._network, self._measure, self._learning_rate = network, measure, learning_rate
        self.rows: list[dict[str, float]] = []
        self._loss_sum, self._correct = 0.0, 0  # of the epoch so far
        self._seconds, self._began = 0.0, time.perf_counter()  # spent before a stop, and the start of this run of the program

    def after_update(self, progress: Progress) -> None:
        self._loss_sum += progress.loss
        self._correct += progress.correct

    def after_epoch(self, progress: Progress) -> None:
        steps = progress.steps // progress.epochs
        validation_loss, validation_accuracy = self._measure(self._network)
        row = {
            "epoch": len(self.rows) + 1,
            "learning_rate": self._learning_rate(progress.step, progress.steps),
            "train_loss": self._loss_sum / steps,
            "train_accuracy": self._correct / (steps * progress.examples),
            "validation_loss": validation_loss,
            "validation_accuracy": validation_accuracy,
            "seconds": round(self.elapsed(), 2),
        }
        if not math.isfinite(row["train_loss"]):
            raise DivergedError(f"training diverged in epoch {row['epoch']}: lower train.learning_rate in params.yaml")
        self.rows.append(row)
        self._loss_sum, self._correct = 0.0, 0

    def elapsed(self) -> float:
        """Return the seconds of training, those before a stop included."""
        return self._seconds + time.perf_counter() - self._began

    def state(self) -> dict[str, Any]:
        """Return what a training that goes on later needs, JSON-ready."""
        return {"rows": self.rows, "loss_sum": self._loss_sum, "correct": self._correct, "seconds": self.elapsed()}

    def restore(self, state: dict[str, Any]) -> None:
        self.rows, self._seconds = state["rows"], state["seconds"]
        self._loss_sum, self._correct = state["loss_sum"], state["correct"]


def measure(network: Network, split: Split, group: Group = SINGLE_PROCESS) -> tuple[float, float]:
    """Return the mean loss and the accuracy of the network on a split; each process of a group reads its part, and has both.

    The parts are of whole batches, so their features are, to the last bit, what one process finds.
    """
    features = np.zeros((len(split), math.prod(network.shapes[-2])), network.dtype)
    own = part(math.ceil(len(split) / READ_AT_ONCE), group)
    rows = slice(own.start * READ_AT_ONCE, own.stop * READ_AT_ONCE)
    features[rows] = network.predict_features(in_unit_range(split.images[rows]), READ_AT_ONCE)
    group.sum_(features)
    measured = Answers(split, features, network.logits_of(features))
    return measured.loss, float(np.mean(measured.right))
