"""Record the snapshots of a training, at the steps that digitnet.inspect.snapshots names. Training does not change."""

from collections.abc import Callable

import numpy as np
from digitnet.images.normalize import in_unit_range
from digitnet.inspect.pca import aligned_planes
from digitnet.inspect.quantization import pack, unpack
from digitnet.inspect.snapshots import Snapshots, dead_units, snapshot_steps
from digitnet.network import Network

from trainer.data.digits import Split

PROBED = 500  # images that a unit may wake for
MAPPED = 300  # digits on a map: as many as one can tell apart


class Recorder:
    """Takes the snapshots of a training of `network` in so many steps.

    `averaged` is what would be kept of it, if the step just taken were the last; `measure` gives a network's validation loss and
    accuracy.
    """

    def __init__(
        self,
        steps: int,
        network: Network,
        averaged: Network,
        validation: Split,
        measure: Callable[[Network], tuple[float, float]],
    ):
        self._network, self._averaged, self._measure = network, averaged, measure
        self._probe = in_unit_range(validation.images[:PROBED])
        self._mapped = validation.only(slice(MAPPED))
        self._moments = snapshot_steps(steps)
        self._taken: list[dict] = []  # a row of Snapshots each
        self._losses: list[float] = []  # since the moment before
        self._before: np.ndarray | None = None

    def before_update(self, step: int, loss: float) -> None:
        """So many steps were taken, and the gradient of the next one, with this loss, is there."""
        if step == 0:
            nothing = np.full(len(self._network.layers), np.nan)
            self._take(self._network, step, learning_rate=np.nan, train_loss=np.nan, gradient_norm=nothing, update_ratio=nothing)
        self._losses.append(loss)
        self._before = self._network.parameters.copy() if step + 1 in self._moments else None

    def after_update(self, step: int, learning_rate: float) -> None:
        """So many steps were taken by now, the last one with this learning rate."""
        if self._before is None:
            return
        network = self._network
        self._take(
            self._averaged,
            step,
            learning_rate=learning_rate,
            train_loss=np.mean(self._losses),
            gradient_norm=network.layer_norms(network.gradients),
            update_ratio=network.layer_norms(network.parameters - self._before) / network.layer_norms(self._before),
        )
        self._losses.clear()

    def snapshots(self) -> Snapshots:
        """At the end."""
        columns = self._columns()
        network, images = self._averaged, in_unit_range(self._mapped.images)
        packed, widths = pack(network, columns.pop("parameters")[:-1])
        # From here on as they are kept, so that whoever reads them finds the same.
        kept = unpack(network, packed, widths)
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

    def state(self) -> dict[str, np.ndarray]:
        """What a training that goes on later needs to have."""
        return {**self._columns(), "losses": np.array(self._losses)} if self._taken else {}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        if state:
            self._losses = state["losses"].tolist()
            columns = {name: values for name, values in state.items() if name != "losses"}
            self._taken = [dict(zip(columns, row)) for row in zip(*columns.values(), strict=True)]

    def _columns(self):
        return {name: np.array([row[name] for row in self._taken]) for name in self._taken[0]}

    def _take(self, network, step, **measured):
        loss, accuracy = self._measure(network)
        measured |= {"validation_loss": loss, "validation_accuracy": accuracy, "dead_units": dead_units(network, self._probe)}
        row = {name: np.asarray(value, np.float32) for name, value in measured.items()}
        self._taken.append({"step": np.int64(step), **row, "parameters": network.parameters.astype(np.float16)})
