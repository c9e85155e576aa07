"""Packing: what comes out is near what went in, closer where less moved; it is small; and damage is found."""

import lzma

import numpy as np
import pytest
from bounds import within
from digitnet.network import Network
from digitnet.packing import pack, unpack

LAYERS = ["flatten", {"dense": {"units": 30}}, "relu", {"dense": {"units": 10}}]


@pytest.fixture
def network():
    return Network(LAYERS)


@pytest.fixture
def course(network, generator):
    """Parameters at six moments: each time they move by half as much again, the last layer ten times as far as the first."""
    scale = np.where(np.arange(network.parameters.size) < 784 * 30 + 30, 0.01, 0.1)
    moves = [scale * 1.5**moment * generator.normal(size=scale.size) for moment in range(6)]
    return np.cumsum([10 * moves[0], *moves[1:]], axis=0)


def test_what_comes_out_is_near_what_went_in(network, course):
    unpacked = unpack(network, *pack(network, course))
    assert unpacked.dtype == np.float32
    first = slice(0, 784 * 30 + 30)
    moved = [course[0], *np.diff(course, axis=0)]
    for moment in range(6):
        for part in (first, slice(first.stop, None)):
            error, move = (unpacked[moment] - course[moment])[part], moved[moment][part]
            assert error.std() < 0.5 * move.std()  # at each moment: they do not add up; and in each layer by its own measure


def test_it_is_small(network, course):
    packed, _ = pack(network, course)
    assert 8 * packed.nbytes / course.size < 3.0  # bits a weight


def test_what_does_not_move_comes_out_alike_and_costs_nothing(network, course):
    still = np.repeat(course[:1], 6, axis=0)
    packed, widths = pack(network, np.zeros_like(still))
    np.testing.assert_array_equal(unpack(network, packed, widths), 0.0)
    assert packed.nbytes < 300


def test_twice_gives_the_same_bytes(network, course):
    for first, second in zip(pack(network, course), pack(network, course)):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("damage", [lambda packed: packed[:-20], lambda packed: packed ^ 1, lambda packed: packed[:0]])
def test_damage_is_found(network, course, damage):
    packed, widths = pack(network, course)
    with pytest.raises(ValueError, match="packed weights"):
        unpack(network, damage(packed), widths)


def test_bytes_that_ask_for_two_gigabytes_to_unpack_get_none(network, course):
    packed, widths = pack(network, course)
    header = bytearray(lzma.compress(lzma.decompress(packed), format=lzma.FORMAT_ALONE))
    header[1:5] = (2**31).to_bytes(4, "little")  # the size of its dictionary
    with within(), pytest.raises(ValueError, match="packed weights are damaged"):
        unpack(network, np.frombuffer(header, np.uint8), widths)


def test_those_of_another_network_are_refused(network, course):
    packed, widths = pack(network, course)
    with pytest.raises(ValueError, match="grids"):
        unpack(Network(["flatten", {"dense": {"units": 10}}]), packed, widths)
    with pytest.raises(ValueError, match="should be of 6 moments"):
        unpack(Network(["flatten", {"dense": {"units": 31}}, "relu", {"dense": {"units": 10}}]), packed, widths)
    with pytest.raises(ValueError, match="grids"):
        unpack(network, packed, np.full_like(widths, np.nan))
