"""Callbacks of the training: measure each epoch, take snapshots, and report progress."""

import json
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
from digitnet.arrays import Array, Arrays
from digitnet.checkpoint import write_atomically
from digitnet.images.normalize import in_unit_range
from digitnet.inspect.pca import aligned_planes
from digitnet.inspect.quantization import pack, unpack
from digitnet.inspect.snapshots import Snapshots, dead_units, snapshot_steps
from digitnet.network import Network
from digitnet.parallel import SINGLE_PROCESS, Group, part
from digitnet.training import Callback, Progress
from tqdm import tqdm

from trainer.data.digits import Answers, Split
from trainer.training.ranks import OnAllRanksError

log = logging.getLogger(__name__)

MEASURE_BATCH = 128  # Images.
Measure = Callable[[Network], tuple[float, float]]  # Returns (validation loss, validation accuracy).
PROBED = 500  # Images. A unit that is zero for all of them counts as dead.
MAPPED = 300  # Digits on a map. More would hide each other.
REPORT_SECONDS = 2.0  # Shorter than Prometheus's scrape interval of five seconds.


class DivergedError(OnAllRanksError, ValueError):
    """The loss is infinite or NaN."""


class HistoryCallback(Callback):
    """Measure `network` after each epoch, and append a row of history.csv to `rows`, with the next step's learning rate."""

    def __init__(self, network: Network, measure: Measure, learning_rate: Callable[[int, int], float]):
        self._network, self._measure, self._learning_rate = network, measure, learning_rate
        self.rows: list[dict[str, float]] = []
        self._loss_sum, self._correct = 0.0, 0  # Of the epoch so far.
        self._seconds, self._began = 0.0, time.perf_counter()  # Seconds before the last stop, and the start of this process.

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
        return self._seconds + time.perf_counter() - self._began

    def state(self) -> dict[str, Any]:
        return {"rows": self.rows, "loss_sum": self._loss_sum, "correct": self._correct, "seconds": self.elapsed()}

    def restore(self, state: dict[str, Any]) -> None:
        self.rows, self._seconds = state["rows"], state["seconds"]
        self._loss_sum, self._correct = state["loss_sum"], state["correct"]


def measure(network: Network, split: Split, group: Group = SINGLE_PROCESS) -> tuple[float, float]:
    """Return the mean loss and the accuracy on a split. Each process of a group predicts some batches; all get the result."""
    features = np.zeros((len(split), math.prod(network.shapes[-2])), network.dtype)
    own = part(math.ceil(len(split) / MEASURE_BATCH), group)
    rows = slice(own.start * MEASURE_BATCH, own.stop * MEASURE_BATCH)
    features[rows] = network.predict_features(in_unit_range(split.images[rows]), MEASURE_BATCH)
    group.sum_(features)
    measured = Answers(split, features, network.logits_of(features))
    return measured.loss, float(np.mean(measured.right))


class SnapshotCallback(Callback):
    """Take snapshots of a training. `averaged` is the network with the averaged weights, which training saves."""

    def __init__(self, steps: int, network: Network, averaged: Network, validation: Split, measure: Measure):
        self._network, self._averaged, self._measure = network, averaged, measure
        self._probe = in_unit_range(validation.images[:PROBED])
        self._mapped = validation.only(slice(MAPPED))
        self._steps = snapshot_steps(steps)
        self._taken: list[Arrays] = []  # Rows of Snapshots.
        self._losses: list[float] = []  # Since the last snapshot.
        self._before: Array | None = None  # The parameters before an update that ends with a snapshot.

    def before_update(self, progress: Progress) -> None:
        if not self._taken:
            nothing = np.full(len(self._network.layers), np.nan)
            self._take(self._network, 0, learning_rate=np.nan, train_loss=np.nan, gradient_norm=nothing, update_ratio=nothing)
        self._before = self._network.parameters.copy() if progress.step + 1 in self._steps else None

    def after_update(self, progress: Progress) -> None:
        self._losses.append(progress.loss)
        if self._before is None:
            return
        network = self._network
        self._take(
            self._averaged,
            progress.step,
            learning_rate=progress.learning_rate,
            train_loss=np.mean(self._losses),
            gradient_norm=network.layer_norms(network.gradients),
            update_ratio=network.layer_norms(network.parameters - self._before) / network.layer_norms(self._before),
        )
        self._losses.clear()

    def snapshots(self) -> Snapshots:
        """Return all snapshots. Call it after the training."""
        columns, network, images = self._columns(), self._averaged, in_unit_range(self._mapped.images)
        packed, widths = pack(network, columns.pop("parameters")[:-1])
        unpacked = unpack(network, packed, widths)  # Measure what a reader of the file gets.
        earlier = [Network(network.specification, parameters=parameters) for parameters in unpacked]
        features = [each.predict_features(images) for each in [*earlier, network]]
        planes = aligned_planes(features)
        return Snapshots(
            **columns,
            packed=packed,
            widths=widths,
            mapped=self._mapped.labels.astype(np.uint8),
            map_points=np.array([plane.place(each) for plane, each in zip(planes, features)], np.float32),
            map_origin=np.array([plane.origin for plane in planes], np.float32),
            map_axes=np.array([plane.axes for plane in planes], np.float32),
            parameters=unpacked,
        )

    def state(self) -> Arrays:
        return {**self._columns(), "losses": np.array(self._losses)} if self._taken else {}

    def restore(self, state: Arrays) -> None:
        if state:
            columns = dict(state)
            self._losses = columns.pop("losses").tolist()
            self._taken = [dict(zip(columns, row)) for row in zip(*columns.values(), strict=True)]

    def _columns(self) -> Arrays:
        return {name: np.array([row[name] for row in self._taken]) for name in self._taken[0]}

    def _take(self, network: Network, step: int, **measured: Any) -> None:
        loss, accuracy = self._measure(network)
        measured |= {"validation_loss": loss, "validation_accuracy": accuracy, "dead_units": dead_units(network, self._probe)}
        row = {name: np.asarray(value, np.float32) for name, value in measured.items()}
        self._taken.append({"step": np.asarray(step, np.int64), **row, "parameters": network.parameters.astype(np.float16)})


class ProgressCallback(Callback):
    """Report progress in a file, as a bar on a terminal, and as a line for each epoch. Without a file, report nothing."""

    def __init__(self, file: Path | None, history: HistoryCallback, first_step: int, steps: int):
        self._file, self._history = file, history
        self._reported, self._step = -REPORT_SECONDS, 0
        disable = True if file is None else None  # None shows the bar on a terminal only.
        self._bar = tqdm(desc="training", total=steps, initial=first_step, unit="batch", disable=disable, dynamic_ncols=True)

    def after_update(self, progress: Progress) -> None:
        accuracy = progress.correct / progress.examples
        self._bar.set_postfix_str(f"loss {progress.loss:.3f}, accuracy {accuracy:6.1%}", refresh=False)
        self._bar.update()
        now = time.monotonic()
        if self._file is None or now - self._reported < REPORT_SECONDS:
            return
        images = (progress.step - self._step) * progress.examples
        written = {
            "step": progress.step,
            "steps": progress.steps,
            "epoch": progress.step * progress.epochs / progress.steps,
            "epochs": progress.epochs,
            "loss": progress.loss,
            "accuracy": accuracy,
            "pictures_per_second": images / (now - self._reported) if self._step else 0.0,  # Unknown in the first report.
        }
        write_atomically(self._file, json.dumps(written).encode())
        self._reported, self._step = now, progress.step

    def after_epoch(self, progress: Progress) -> None:
        row, seconds = self._history.rows[-1], self._history.elapsed()
        left = seconds / progress.step * (progress.steps - progress.step)
        line = (
            f"epoch {row['epoch']}/{progress.epochs}  loss {row['train_loss']:.4f}  accuracy {row['train_accuracy']:.2%}  "
            f"validation {row['validation_accuracy']:.2%}  {seconds:.0f} s, {left:.0f} s left"
        )
        if self._bar.disable:
            log.info(line)
        else:
            self._bar.write(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
        if self._file is not None:
            self._file.unlink(missing_ok=True)
