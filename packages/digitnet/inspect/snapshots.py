"""Snapshots: the network at some steps of its training, with measurements, to show how it learned.

A network learns most at the beginning, so the steps follow a geometric series, from 0 and 10 to the last step.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import Arrays, Bytes, Floats
from digitnet.inspect.pca import Plane
from digitnet.inspect.quantization import unpack
from digitnet.network import Network

FIRST_STEP, MOST_SNAPSHOTS = 10, 11  # The step of the second snapshot, and the number of snapshots.


def snapshot_steps(steps: int) -> list[int]:
    """Return the steps of the snapshots: 0, then a geometric series up to `steps`."""
    between = np.geomspace(min(FIRST_STEP, steps), steps, MOST_SNAPSHOTS - 1)
    return sorted({0, *np.rint(between).astype(int).tolist()})


@dataclass(frozen=True)
class Snapshots:
    """One row for each snapshot. NaN marks missing measurements: before the first step, and in layers without parameters."""

    step: NDArray[np.int64]  # (n,), increasing.
    learning_rate: Floats  # (n,), of the last step before the snapshot.
    train_loss: Floats  # (n,), the mean over the steps since the last snapshot.
    validation_loss: Floats  # (n,)
    validation_accuracy: Floats  # (n,) in [0, 1].
    gradient_norm: Floats  # (n, layers), of the last step: Euclidean, over weights and biases.
    update_ratio: Floats  # (n, layers), the norm of the last update over the norm of the parameters before it.
    dead_units: Floats  # (n, layers) in [0, 1], the share of a ReLU's channels or units that are zero for all images.
    packed: Bytes  # The parameters of all snapshots but the last, packed by quantization.py.
    widths: Floats  # (n - 1, layers with parameters), for quantization.py.
    mapped: Bytes  # (m,), the labels of the images on the maps (pca.py).
    map_points: Floats  # (n, m, 2), the places of these images on each map.
    map_origin: Floats  # (n, features)
    map_axes: Floats  # (n, features, 2)
    parameters: Floats  # (n - 1, count), unpacked. The last snapshot is the trained network.

    def __len__(self) -> int:
        return len(self.step)

    def network(self, index: int, trained: Network) -> Network:
        """Return the network at a snapshot, 0 to n - 1, for predictions. The last one is `trained`."""
        if index == len(self) - 1:
            return trained
        return Network(trained.specification, trained.dtype, self.parameters[index].astype(trained.dtype, copy=False))

    def plane(self, index: int) -> Plane:
        """Return the plane of a snapshot's map."""
        return Plane(self.map_origin[index], self.map_axes[index])

    def arrays(self) -> Arrays:
        """Return the arrays of an .npz file."""
        return {name: getattr(self, name) for name in STORED}

    @classmethod
    def from_arrays(cls, arrays: Arrays, network: Network) -> "Snapshots":
        """Return the snapshots of an .npz file. ValueError unless they fit this network."""
        if set(arrays) != set(STORED):
            raise ValueError(f"snapshots have {', '.join(sorted(STORED))}, but these have {', '.join(sorted(arrays))}")
        count, layers, (features,), mapped = arrays["step"].size, len(network.layers), network.shapes[-2], arrays["mapped"].size
        if not 1 <= count <= MOST_SNAPSHOTS:
            raise ValueError(f"there should be 1 to {MOST_SNAPSHOTS} snapshots, but there are {count}")
        shapes = dict.fromkeys(STORED, (count,)) | {
            **dict.fromkeys(("gradient_norm", "update_ratio", "dead_units"), (count, layers)),
            "packed": (arrays["packed"].size,),
            "widths": (count - 1, sum(layer.parameter_count > 0 for layer in network.layers)),
            "mapped": (mapped,),
            "map_points": (count, mapped, 2),
            "map_origin": (count, features),
            "map_axes": (count, features, 2),
        }
        for name, shape in shapes.items():
            if arrays[name].shape != shape:
                raise ValueError(f"the snapshots' {name} should be {shape}, but is {arrays[name].shape}")
        for name in ("widths", "map_points", "map_origin", "map_axes"):
            if not np.isfinite(arrays[name]).all():
                raise ValueError(f"the snapshots' {name} must be finite numbers")
        return cls(**arrays, parameters=unpack(network, arrays["packed"], arrays["widths"]))


STORED = tuple(field.name for field in fields(Snapshots) if field.name != "parameters")


def dead_units(network: Network, images: Floats, batch_size: int = 128) -> NDArray[np.float64]:
    """Return the share of each ReLU's channels or units that are zero for all images (n, 28, 28) in [0, 1], (layers,).

    NaN for other layers. No gradient passes through a dead unit, so its weights stop changing.
    """
    alive = {index: np.zeros(1, bool) for index, layer in enumerate(network.specification) if layer == "relu"}
    for start in range(0, len(images), batch_size):
        for index, outputs in enumerate(network.outputs(images[start : start + batch_size])):
            if index in alive:
                alive[index] = alive[index] | (outputs > 0.0).any(axis=tuple(range(1, outputs.ndim)))
    return np.array([1.0 - np.mean(alive[index]) if index in alive else np.nan for index in range(len(network.layers))])
