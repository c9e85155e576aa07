"""Snapshots: a network at some moments of its training, and what was measured then, to see afterwards how it learnt.

Most is learnt at the beginning, so the moments stand ever further apart: after 10 steps, 20, 40, and so on to the last one.
"""

from dataclasses import dataclass, fields

import numpy as np

from digitnet.inspect.pca import Plane
from digitnet.inspect.quantization import unpack
from digitnet.network import Network

FIRST_STEPS, MOMENTS = 10, 11  # the first moment after the start, and how many there are, start and end included


def moments(steps: int) -> list[int]:
    """After how many of a training's steps there is a snapshot: 0, then about as many times more each time, then `steps`."""
    between = np.geomspace(min(FIRST_STEPS, steps), steps, MOMENTS - 1)
    return sorted({0, *np.rint(between).astype(int).tolist()})


@dataclass(frozen=True)
class Snapshots:
    """One row for each moment. NaN where there is nothing to measure: before the first step, or in a layer without parameters."""

    step: np.ndarray  # int64 (n,), increasing
    learning_rate: np.ndarray  # float32 (n,), of the step just taken
    train_loss: np.ndarray  # float32 (n,), the mean over the steps since the moment before
    validation_loss: np.ndarray  # float32 (n,)
    validation_accuracy: np.ndarray  # float32 (n,) in [0, 1]
    gradient_norm: np.ndarray  # float32 (n, layers), Euclidean, over a layer's weights and biases: of the step just taken
    update_ratio: np.ndarray  # float32 (n, layers), the norm of that step's update to the norm of what it changed
    dead_units: np.ndarray  # float32 (n, layers) in [0, 1], the share of a ReLU's channels or units that no image wakes
    packed: (
        np.ndarray
    )  # the parameters of all moments but the last, whose are the trained network's own, packed by quantization.py:
    widths: np.ndarray  # uint8 (bytes,), and float32 (n - 1, layers with parameters)
    mapped: np.ndarray  # uint8 (m,), the labels of some images, and where they are on each moment's map (pca.py):
    map_points: np.ndarray  # float32 (n, m, 2)
    map_origin: np.ndarray  # float32 (n, features)
    map_axes: np.ndarray  # float32 (n, features, 2)
    parameters: np.ndarray  # float32 (n - 1, count), unpacked

    def __len__(self):
        return len(self.step)

    def network(self, moment: int, trained: Network) -> Network:
        """The network as it was at a moment, 0 to n - 1, to read with; `trained` is what became of it."""
        if moment == len(self) - 1:
            return trained
        return Network(trained.specification, trained.dtype, self.parameters[moment].astype(trained.dtype, copy=False))

    def plane(self, moment: int) -> Plane:
        """Of that moment's map."""
        return Plane(self.map_origin[moment], self.map_axes[moment])

    def arrays(self) -> dict[str, np.ndarray]:
        """As they are kept in an .npz."""
        return {name: getattr(self, name) for name in KEPT}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], network: Network) -> "Snapshots":
        """ValueError if they are not the snapshots of a training of this network."""
        if set(arrays) != set(KEPT):
            raise ValueError(f"snapshots have {', '.join(sorted(KEPT))}, but these have {', '.join(sorted(arrays))}")
        count, layers, (features,), mapped = arrays["step"].size, len(network.layers), network.shapes[-2], arrays["mapped"].size
        if not 1 <= count <= MOMENTS:
            raise ValueError(f"there should be 1 to {MOMENTS} snapshots, but there are {count}")
        shapes = dict.fromkeys(KEPT, (count,)) | dict.fromkeys(("gradient_norm", "update_ratio", "dead_units"), (count, layers))
        shapes |= {
            "packed": (arrays["packed"].size,),
            "widths": (count - 1, sum(layer.parameter_count > 0 for layer in network.layers)),
        }
        shapes |= {"mapped": (mapped,), "map_points": (count, mapped, 2)}
        shapes |= {"map_origin": (count, features), "map_axes": (count, features, 2)}
        for name, shape in shapes.items():
            if arrays[name].shape != shape:
                raise ValueError(f"the snapshots' {name} should be {shape}, but is {arrays[name].shape}")
        for name in ("widths", "map_points", "map_origin", "map_axes"):
            if not np.isfinite(arrays[name]).all():
                raise ValueError(f"the snapshots hold {name} that are not finite numbers")
        return cls(**arrays, parameters=unpack(network, arrays["packed"], arrays["widths"]))


KEPT = tuple(field.name for field in fields(Snapshots) if field.name != "parameters")


def dead_units(network: Network, images: np.ndarray, batch_size: int = 128) -> np.ndarray:
    """Images (n, 28, 28) in [0, 1] -> the share of each ReLU's channels, or units, that are zero for all of them, float64
    (layers,); NaN for the other layers.

    No gradient flows through such a unit: what never wakes never learns.
    """
    awake = {index: False for index, layer in enumerate(network.specification) if layer == "relu"}
    for start in range(0, len(images), batch_size):
        for index, outputs in enumerate(network.outputs(images[start : start + batch_size])):
            if index in awake:
                awake[index] |= (outputs > 0.0).any(axis=tuple(range(1, outputs.ndim)))
    return np.array([1.0 - np.mean(awake[index]) if index in awake else np.nan for index in range(len(network.layers))])
