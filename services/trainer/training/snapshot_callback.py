"""Record snapshots of a training, at the steps that digitnet.inspect.snapshots names. Training does not change."""

from typing import Any

import numpy as np
from digitnet.arrays import Array, Arrays
from digitnet.images.normalize import in_unit_range
from digitnet.inspect.pca import aligned_planes
from digitnet.inspect.quantization import pack, unpack
from digitnet.inspect.snapshots import Snapshots, dead_units, snapshot_steps
from digitnet.network import Network
from digitnet.training import Callback, Progress

from trainer.data.digits import Split
from trainer.training.history import Measure

PROBED = 500  # images that a unit may wake for
MAPPED = 300  # digits on a map: as many as one can tell apart


class SnapshotCallback(Callback):
    """Take snapshots of a training of `network` in so many steps.

    `averaged` is the network that would be kept after the step just taken.
    """

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
        """Return what a training that goes on later needs."""
        return {**self._columns(), "losses": np.array(self._losses)} if self._taken else {}

    def restore(self, state: Arrays) -> None:
        if state:
            self._losses = state["losses"].tolist()
            columns = {name: values for name, values in state.items() if name != "losses"}
            self._taken = [dict(zip(columns, row)) for row in zip(*columns.values(), strict=True)]

    def _columns(self) -> Arrays:
        return {name: np.array([row[name] for row in self._taken]) for name in self._taken[0]}

    def _take(self, network: Network, step: int, **measured: Any) -> None:
        loss, accuracy = self._measure(network)
        measured |= {"validation_loss": loss, "validation_accuracy": accuracy, "dead_units": dead_units(network, self._probe)}
        row = {name: np.asarray(value, np.float32) for name, value in measured.items()}
        self._taken.append({"step": np.asarray(step, np.int64), **row, "parameters": network.parameters.astype(np.float16)})
