"""Follow a training: measure it after each epoch, take snapshots of it, and show how far it is."""

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

READ_AT_ONCE = 128  # images, when a network is measured
Measure = Callable[[Network], tuple[float, float]]  # -> the validation loss and accuracy
PROBED = 500  # images that a unit may wake for
MAPPED = 300  # digits on a map: as many as one can tell apart
REPORT_SECONDS = 2.0  # a scrape comes every five


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
        return self._seconds + time.perf_counter() - self._began

    def state(self) -> dict[str, Any]:
        return {"rows": self.rows, "loss_sum": self._loss_sum, "correct": self._correct, "seconds": self.elapsed()}

    def restore(self, state: dict[str, Any]) -> None:
        self.rows, self._seconds = state["rows"], state["seconds"]
        self._loss_sum, self._correct = state["loss_sum"], state["correct"]


def measure(network: Network, split: Split, group: Group = SINGLE_PROCESS) -> tuple[float, float]:
    """Return the mean loss and the accuracy on a split. Each process of a group reads a part, in whole batches, and has both."""
    features = np.zeros((len(split), math.prod(network.shapes[-2])), network.dtype)
    own = part(math.ceil(len(split) / READ_AT_ONCE), group)
    rows = slice(own.start * READ_AT_ONCE, own.stop * READ_AT_ONCE)
    features[rows] = network.predict_features(in_unit_range(split.images[rows]), READ_AT_ONCE)
    group.sum_(features)
    measured = Answers(split, features, network.logits_of(features))
    return measured.loss, float(np.mean(measured.right))


class SnapshotCallback(Callback):
    """Take snapshots of a training. `averaged` is the network that would be kept after the step just taken."""

    def __init__(self, steps: int, network: Network, averaged: Network, validation: Split, measure: Measure):
        self._network, self._averaged, self._measure = network, averaged, measure
        self._probe = in_unit_range(validation.images[:PROBED])
        self._mapped = validation.only(slice(MAPPED))
        self._steps = snapshot_steps(steps)
        self._taken: list[Arrays] = []  # a row of Snapshots each
        self._losses: list[float] = []  # since the snapshot before
        self._before: Array | None = None  # the parameters, where the next update ends with a snapshot

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
        """Return the snapshots, at the end of the training."""
        columns, network, images = self._columns(), self._averaged, in_unit_range(self._mapped.images)
        packed, widths = pack(network, columns.pop("parameters")[:-1])
        kept = unpack(network, packed, widths)  # as a reader will find them
        then = [Network(network.specification, parameters=parameters) for parameters in kept]
        features = [each.predict_features(images) for each in [*then, network]]
        planes = aligned_planes(features)
        return Snapshots(
            **columns,
            packed=packed,
            widths=widths,
            mapped=self._mapped.labels.astype(np.uint8),
            map_points=np.array([plane.place(each) for plane, each in zip(planes, features)], np.float32),
            map_origin=np.array([plane.origin for plane in planes], np.float32),
            map_axes=np.array([plane.axes for plane in planes], np.float32),
            parameters=kept,
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
    """Show how far training is: in a file, as a bar on a terminal, and a line an epoch. Without a file nothing is shown."""

    def __init__(self, file: Path | None, history: HistoryCallback, first_step: int, steps: int):
        self._file, self._history = file, history
        self._reported, self._step = -REPORT_SECONDS, 0
        disable = True if file is None else None  # None: unless this is a terminal
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
            "pictures_per_second": images / (now - self._reported) if self._step else 0.0,  # not known at first
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
