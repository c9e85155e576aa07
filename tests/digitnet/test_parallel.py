"""A batch on several processes, simulated by threads. A group only has to sum."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from digitnet.network import Network
from digitnet.parallel import SINGLE_PROCESS, DataParallel, part

LAYERS = ["flatten", {"dense": {"units": 12}}, "relu", {"dropout": {"rate": 0.3}}, {"dense": {"units": 10}}]


class Member:
    """A group member that runs in a thread."""

    def __init__(self, rank, given, barrier):
        self.rank, self.size = rank, len(given)
        self._given, self._barrier = given, barrier

    def sum_(self, array, *numbers):
        self._given[self.rank] = (array.copy(), numbers)
        self._barrier.wait(10)
        array[:] = sum(each for each, _ in self._given)
        sums = tuple(map(sum, zip(*(each for _, each in self._given))))
        self._barrier.wait(10)  # before anyone gives the next arrays
        return sums


def in_a_group(size, work):
    """Return the result of `work` for each member."""
    given, barrier = [None] * size, threading.Barrier(size)
    with ThreadPoolExecutor(size) as threads:
        return list(threads.map(lambda rank: work(Member(rank, given, barrier)), range(size)))


@pytest.fixture
def batch(generator):
    return generator.random((23, 28, 28), np.float32), generator.integers(0, 10, 23)


def gradients(batch, shards, group=SINGLE_PROCESS):
    """Return (loss, correct, gradients) of two steps. A member receives only its own rows; the others are NaN."""
    network = Network(LAYERS)
    network.initialize(np.random.default_rng(1))
    found = []
    with DataParallel(network, shards, group) as parallel:
        images, labels = batch
        own = np.full_like(images, np.nan)
        own[parallel.rows(len(labels))] = images[parallel.rows(len(labels))]
        for seed in (5, 6):
            loss, correct = parallel.loss_and_gradients(own, labels, np.random.default_rng(seed))
            found.append((loss, correct, network.gradients.copy()))
    return found


@pytest.mark.parametrize(("shards", "size", "count"), [(2, 2, 23), (5, 3, 23), (30, 4, 23), (3, 3, 2), (2, 3, 23)])
def test_every_process_gets_the_gradients_of_the_whole_batch(batch, shards, size, count):
    """Dropout depends on the shard, not on the process. Some shards, or a process, may have no example."""
    batch = tuple(each[:count] for each in batch)
    expected = gradients(batch, shards)
    for found in in_a_group(size, lambda group: gradients(batch, shards, group)):
        for (loss, correct, vector), (whole_loss, whole_correct, whole) in zip(found, expected, strict=True):
            assert (loss, correct) == (pytest.approx(whole_loss), whole_correct)
            np.testing.assert_allclose(vector, whole, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("count", [0, 1, 64, 163])
@pytest.mark.parametrize("size", [1, 3, 7])
def test_parts_are_contiguous_and_even(count, size):
    parts = in_a_group(size, lambda group: part(count, group))
    assert [index for each in parts for index in range(count)[each]] == list(range(count))
    lengths = [each.stop - each.start for each in parts]
    assert max(lengths) - min(lengths) <= 1
