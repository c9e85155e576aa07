"""Delta quantization is compact, has errors in proportion to each step, and detects damage."""

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
    """Return parameters (6, count) whose steps grow by half; the last layer moves ten times as far as the first."""
    scale = np.where(np.arange(network.parameters.size) < FIRST.stop, 0.01, 0.1)
    moves = [scale * 1.5**index * generator.normal(size=scale.size) for index in range(6)]
    return np.cumsum([10 * moves[0], *moves[1:]], axis=0)


def test_unpacks_close_weights_from_few_bits_each(network, trajectory):
    packed, widths = pack(network, trajectory)
    assert 8 * packed.nbytes / trajectory.size < 3.0
    unpacked = unpack(network, packed, widths)
    assert unpacked.dtype == np.float32
    moved = [trajectory[0], *np.diff(trajectory, axis=0)]
    for index in range(6):
        for part in (FIRST, slice(FIRST.stop, None)):
            error, move = (unpacked[index] - trajectory[index])[part], moved[index][part]
            assert error.std() < 0.5 * move.std()  # errors do not add up, and each layer has its own scale


def test_unchanged_weights_cost_nothing(network):
    packed, widths = pack(network, np.zeros((6, network.parameters.size)))
    np.testing.assert_array_equal(unpack(network, packed, widths), 0.0)
    assert packed.nbytes < 300


def asking_for_much_memory(packed):
    header = bytearray(lzma.compress(lzma.decompress(packed), format=lzma.FORMAT_ALONE))
    header[1:5] = (2**31).to_bytes(4, "little")  # dictionary size
    return np.frombuffer(header, np.uint8)


@pytest.mark.parametrize("damage", [lambda packed: packed[:-20], np.invert, asking_for_much_memory])
def test_rejects_damaged_bytes(network, damage):
    packed, widths = pack(network, np.zeros((2, network.parameters.size)))
    with within(), pytest.raises(ValueError, match=r"packed weights (are damaged|do not fit)"):
        unpack(network, damage(packed), widths)


def test_rejects_weights_of_another_network(network):
    packed, widths = pack(network, np.zeros((2, network.parameters.size)))
    with pytest.raises(ValueError, match="do not fit 2 snapshots"):
        unpack(Network(["flatten", {"dense": {"units": 9}}, "relu", {"dense": {"units": 10}}]), packed, widths)
