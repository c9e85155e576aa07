"""Snapshots are spaced exponentially, measured correctly and stored without loss."""

from dataclasses import replace

import numpy as np
import pytest
from digitnet.checkpoint import CheckpointError, load, load_snapshots, save
from digitnet.inspect.quantization import pack, unpack
from digitnet.inspect.snapshots import Snapshots, dead_units, snapshot_steps
from digitnet.network import Network


@pytest.fixture
def network():
    network = Network(["flatten", {"dense": {"units": 3}}, "relu", {"dense": {"units": 10}}])
    network.initialize(np.random.default_rng(5))
    return network


@pytest.fixture
def snapshots(generator, network):
    packed, widths = pack(network, generator.normal(size=(2, network.parameters.size)))

    def of(*shape):
        return generator.random(shape, np.float32)

    measured = ("learning_rate", "train_loss", "validation_loss", "validation_accuracy")
    return Snapshots(
        step=np.array([0, 10, 20]),
        **{name: of(3) for name in measured},
        **{name: of(3, 4) for name in ("gradient_norm", "update_ratio", "dead_units")},
        packed=packed,
        widths=widths,
        parameters=unpack(network, packed, widths),
        mapped=np.array([5, 0, 4], np.uint8),
        map_points=of(3, 3, 2),
        map_origin=of(3, 3),
        map_axes=of(3, 3, 2),
    )


class TestSteps:
    def test_steps_grow_exponentially(self):
        assert snapshot_steps(10 * 2**9) == [0, *(10 * 2**power for power in range(10))]

    @pytest.mark.parametrize("steps", [1, 2, 11, 3437])
    def test_steps_run_from_start_to_end_without_repeats(self, steps):
        found = snapshot_steps(steps)
        assert (found[0], found[-1]) == (0, steps)
        assert found == sorted(set(found))
        assert len(found) <= 11


class TestMeasures:
    def test_norms_are_per_layer(self, network):
        layer_norms = network.layer_norms(network.parameters)
        assert np.isnan(layer_norms).tolist() == [True, False, True, False]
        for layer, norm in ((network.layers[1], layer_norms[1]), (network.layers[3], layer_norms[3])):
            assert norm == pytest.approx(np.sqrt(np.sum(layer.weights**2) + np.sum(layer.bias**2)), rel=1e-6)

    def test_a_unit_without_activation_is_dead(self, network, generator):
        dense = network.layers[1]
        dense.weights[:] = 0.0
        dense.bias[:] = [-1.0, 0.0, -0.5]
        dense.weights[2, 5] = 1.0
        images = np.zeros((300, 28, 28), np.float32)
        assert dead_units(network, images)[2] == 1.0
        images[299, 0, 5] = 0.6  # in the last batch
        dead = dead_units(network, images)
        assert dead[2] == pytest.approx(2 / 3)
        assert np.isnan(dead[[0, 1, 3]]).all()

    def test_a_channel_with_one_activation_is_alive(self):
        network = Network([{"conv2d": {"filters": 2, "kernel_size": 5}}, "relu", "flatten", {"dense": {"units": 10}}])
        network.layers[0].weights[0, 0] = 1.0
        images = np.zeros((2, 28, 28), np.float32)
        images[1, 20, 20] = 0.1
        assert dead_units(network, images)[1] == 0.5


class TestStored:
    def test_restores_the_network_of_each_snapshot(self, network, snapshots):
        for index in range(2):
            then = snapshots.network(index, network)
            np.testing.assert_array_equal(then.parameters, snapshots.parameters[index])
            assert then.specification == network.specification
            np.testing.assert_array_equal(snapshots.plane(index).axes, snapshots.map_axes[index])
        assert snapshots.network(2, network) is network

    def test_stores_snapshots_with_the_network(self, tmp_path, network, snapshots, generator):
        golden = generator.integers(0, 256, (3, 28, 28), dtype=np.uint8)
        card = save(tmp_path / "with", network, golden, {}, snapshots)
        loaded = load_snapshots(tmp_path / "with", *load(tmp_path / "with"))
        for name, values in snapshots.arrays().items():
            np.testing.assert_array_equal(getattr(loaded, name), values)
        # Snapshots do not change the version, and a new card does not promise them.
        without = save(tmp_path / "without", network, golden, card)
        assert without["version"] == card["version"]
        assert load_snapshots(tmp_path / "without", *load(tmp_path / "without")) is None

    @pytest.mark.parametrize("damage", [b"damage", None])
    def test_error_names_damage_and_the_network_still_loads(self, tmp_path, network, snapshots, generator, damage):
        save(tmp_path, network, generator.integers(0, 256, (3, 28, 28), dtype=np.uint8), {}, snapshots)
        file = tmp_path / "snapshots.npz"
        file.unlink() if damage is None else file.write_bytes(damage)
        network, card = load(tmp_path)
        with pytest.raises(CheckpointError, match=f"{file} (is damaged|cannot be read)"):
            load_snapshots(tmp_path, network, card)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"train_loss": np.zeros(2, np.float32)}, r"train_loss should be \(3,\), but is \(2,\)"),
            ({"dead_units": np.zeros((3, 5), np.float32)}, r"dead_units should be \(3, 4\)"),
            ({"widths": np.zeros((2, 3), np.float32)}, r"widths should be \(2, 2\)"),
            ({"widths": np.full((2, 2), np.inf, np.float32)}, "widths must be finite numbers"),
            ({"packed": np.full(9, 7, np.uint8)}, "packed weights are damaged"),
            ({"mapped": np.zeros(4, np.uint8)}, r"map_points should be \(3, 4, 2\)"),
            ({"map_axes": np.zeros((3, 4, 2), np.float32)}, r"map_axes should be \(3, 3, 2\)"),
            ({"map_origin": np.full((3, 3), np.nan, np.float32)}, "map_origin must be finite numbers"),
            ({"step": np.zeros(0, np.int64)}, "there should be 1 to 11 snapshots, but there are 0"),
            ({"step": np.arange(12)}, "there should be 1 to 11 snapshots, but there are 12"),
        ],
    )
    def test_rejects_snapshots_of_another_network(self, network, snapshots, change, message):
        with pytest.raises(ValueError, match=message):
            Snapshots.from_arrays(replace(snapshots, **change).arrays(), network)

    def test_rejects_incomplete_snapshots(self, network, snapshots):
        arrays = snapshots.arrays()
        del arrays["step"]
        with pytest.raises(ValueError, match="but these have dead_units, "):
            Snapshots.from_arrays(arrays, network)
