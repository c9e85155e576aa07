"""Save small models in the trainer's format."""

from pathlib import Path

import numpy as np
import pytest
from digitnet import checkpoint
from digitnet.inspect.quantization import pack, unpack
from digitnet.inspect.snapshots import Snapshots
from digitnet.network import Network

SMALL_NETWORK = ["flatten", {"dense": {"units": 10}}]


def some_snapshots(network):
    """Return three snapshots: zero weights, negated weights, and the network itself."""
    rising = np.arange(3, dtype=np.float32)
    by_layer = np.where([layer.parameter_count > 0 for layer in network.layers], rising[:, None], np.float32("nan"))
    by_layer[0] = np.nan
    packed, widths = pack(network, np.stack([0.0 * network.parameters, -network.parameters]))
    return Snapshots(
        step=np.array([0, 10, 20]),
        learning_rate=np.array([np.nan, 0.1, 0.01], np.float32),
        train_loss=np.array([np.nan, 2.0, 1.0], np.float32),
        validation_loss=3.0 - rising,
        validation_accuracy=rising / 2.0,
        gradient_norm=by_layer,
        update_ratio=by_layer / 100.0,
        dead_units=np.full_like(by_layer, np.nan),
        packed=packed,
        widths=widths,
        parameters=unpack(network, packed, widths),
        mapped=np.array([7, 3, 0, 9], np.uint8),
        map_points=rising[:, None, None] * np.array([[0, 1], [1, 0], [0, -1], [-1, 0]], np.float32),
        map_origin=np.ones((3, *network.shapes[-2]), np.float32) * rising[:, None],
        map_axes=np.linspace(-1, 1, 3 * network.shapes[-2][0] * 2, dtype=np.float32).reshape(3, -1, 2),
    )


@pytest.fixture(scope="session")
def save_model():
    """save_model(folder, seed): save a small random network and return its card."""

    def save_model(folder: Path, seed: int = 0, about: dict | None = None, layers=SMALL_NETWORK, snapshots: bool = False) -> dict:
        network, generator = Network(layers), np.random.default_rng(seed)
        network.initialize(generator)
        golden_images = generator.integers(0, 256, (4, 28, 28), dtype=np.uint8)
        about = {"test": {"accuracy": 0.5}} if about is None else about
        return checkpoint.save(folder, network, golden_images, about, some_snapshots(network) if snapshots else None)

    return save_model
