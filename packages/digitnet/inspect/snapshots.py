"""Snapshots: a network at some steps of its training, with the measurements of that step, to see later how it learned.

A network learns most at the beginning, so the steps stand ever further apart: 10, 20, 40, and so on to the last one.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import Arrays, Bytes, Floats
from digitnet.inspect.pca import Plane
from digitnet.inspect.quantization import unpack
from digitnet.network import Network

FIRST_STEP, MOST_SNAPSHOTS = 10, 11  # the first snapshot after the start, and their number with start and end


def snapshot_steps(steps: int) -> list[int]:
    """Return the steps of a training that have a snapshot: 0, then ever further apart, up to `steps`."""
    between = np.geomspace(min(FIRST_STEP, steps), steps, MOST_SNAPSHOTS - 1)
    return sorted({0, *np.rint(between).astype(int).tolist()})


@dataclass(frozen=True)
class Snapshots:
    """One row for each snapshot. NaN marks what cannot be measured: before the first step, or in a layer without parameters."""

    step: NDArray[np.int64]  # (n,), increasing
    learning_rate: Floats  # (n,), of the step just taken
    train_loss: Floats  # (n,), the mean over the steps since the snapshot before
    validation_loss: Floats  # (n,)
    validation_accuracy: Floats  # (n,) in [0, 1]
    gradient_norm: Floats  # (n, layers), Euclidean, over a layer's weights and biases: of the step just taken
    update_ratio: Floats  # (n, layers), the norm of that step's update over the norm of the weights before it
    dead_units: Floats  # (n, layers) in [0, 1], the share of a ReLU's channels or units that are zero for all images
    packed: Bytes  # the parameters of all snapshots but the last, packed by quantization.py;
    widths: Floats  # (n - 1, layers with parameters). The last snapshot is the trained network
    mapped: Bytes  # (m,), the labels of some images, whose places on each snapshot's map (pca.py) are
    map_points: Floats  # (n, m, 2)
    map_origin: Floats  # (n, features)
    map_axes: Floats  # (n, features, 2)
    parameters: Floats  # (n - 1, count), unpacked

    def __len__(self) -> int:
        return len(self.step)

    def network(self, index: int, trained: Network) -> Network:
        """Return the network at a snapshot, 0 to n - 1, to read with; the last one is `trained`."""
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
        """Return the snapshots of an .npz file. ValueError unless they are of a training of this network."""
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
                raise ValueError(f"the snapshots hold {name} that are not finite numbers")
        return cls(**arrays, parameters=unpack(network, arrays["packed"], arrays["widths"]))


STORED = tuple(field.name for field in fields(Snapshots) if field.name != "parameters")


def dead_units(network: Network, images: Floats, batch_size: int = 128) -> NDArray[np.float64]:
    """Return the share of each ReLU's channels or units that are zero for all images (n, 28, 28) in [0, 1], (layers,).

    NaN for other layers. No gradient passes through a dead unit, so it never learns.
    """
    alive = {index: np.zeros(1, bool) for index, layer in enumerate(network.specification) if layer == "relu"}
    for start in range(0, len(images), batch_size):
        for index, outputs in enumerate(network.outputs(images[start : start + batch_size])):
            if index in alive:
                alive[index] = alive[index] | (outputs > 0.0).any(axis=tuple(range(1, outputs.ndim)))
    return np.array([1.0 - np.mean(alive[index]) if index in alive else np.nan for index in range(len(network.layers))])
