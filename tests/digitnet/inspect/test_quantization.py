"""Delta quantization: unpacked weights are near the packed ones, and nearer if less moved; few bytes; damage is found."""

import lzma

import numpy as np
import pytest
from bounds import within
from digitnet.inspect.quantization import pack, unpack
from digitnet.network import Network

FIRST = slice(0, 784 * 8 + 8)  # the parameters of the first layer


@pytest.fixture
def network():
    return Network(["flatten", {"dense": {"units": 8}}, "relu", {"dense": {"units": 10}}])


@pytest.fixture
def trajectory(network, generator):
    """Parameters at six snapshots: each time they move by half as much again, the last layer ten times as far as the first."""
    scale = np.where(np.arange(network.parameters.size) < FIRST.stop, 0.01, 0.1)
    moves = [scale * 1.5**index * generator.normal(size=scale.size) for index in range(6)]
    return np.cumsum([10 * moves[0], *moves[1:]], axis=0)


def test_unpacks_nearly_what_was_packed_in_few_bits_a_weight(network, trajectory):
    packed, widths = pack(network, trajectory)
    assert 8 * packed.nbytes / trajectory.size < 3.0
    unpacked = unpack(network, packed, widths)
    assert unpacked.dtype == np.float32
    moved = [trajectory[0], *np.diff(trajectory, axis=0)]
    for index in range(6):
        for part in (FIRST, slice(FIRST.stop, None)):
            error, move = (unpacked[index] - trajectory[index])[part], moved[index][part]
            assert error.std() < 0.5 * move.std()  # at each snapshot: they do not add up; and in each layer by its own measure


def test_what_does_not_move_costs_nothing(network):
    packed, widths = pack(network, np.zeros((6, network.parameters.size)))
    np.testing.assert_array_equal(unpack(network, packed, widths), 0.0)
    assert packed.nbytes < 300


def asking_for_much_memory(packed):
    header = bytearray(lzma.compress(lzma.decompress(packed), format=lzma.FORMAT_ALONE))
    header[1:5] = (2**31).to_bytes(4, "little")  # the size of its dictionary
    return np.frombuffer(header, np.uint8)


@pytest.mark.parametrize("damage", [lambda packed: packed[:-20], np.invert, asking_for_much_memory])
def test_rejects_damaged_bytes(network, damage):
    packed, widths = pack(network, np.zeros((2, network.parameters.size)))
    with within(), pytest.raises(ValueError, match=r"packed weights (are damaged|do not fit)"):
        unpack(network, damage(packed), widths)


def test_rejects_those_of_another_network(network):
    packed, widths = pack(network, np.zeros((2, network.parameters.size)))
    with pytest.raises(ValueError, match="do not fit 2 snapshots"):
        unpack(Network(["flatten", {"dense": {"units": 9}}, "relu", {"dense": {"units": 10}}]), packed, widths)
