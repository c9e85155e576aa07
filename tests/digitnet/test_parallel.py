"""A batch on several processes, which are threads here: what a group must do is a sum."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from digitnet.network import Network
from digitnet.parallel import SINGLE_PROCESS, DataParallel, part

LAYERS = ["flatten", {"dense": {"units": 12}}, "relu", {"dropout": {"rate": 0.3}}, {"dense": {"units": 10}}]


class Member:
    """One of a group whose members are threads of this program."""

    def __init__(self, rank, given, barrier):
        self.rank, self.size = rank, len(given)
        self._given, self._barrier = given, barrier

    def sum_(self, array, *numbers):
        self._given[self.rank] = (array.copy(), numbers)
        self._barrier.wait(10)
        array[:] = sum(each for each, _ in self._given)
        sums = tuple(map(sum, zip(*(each for _, each in self._given))))
        self._barrier.wait(10)  # before anybody gives what comes next
        return sums


def in_a_group(size, work):
    """What `work` gives for each member."""
    given, barrier = [None] * size, threading.Barrier(size)
    with ThreadPoolExecutor(size) as threads:
        return list(threads.map(lambda rank: work(Member(rank, given, barrier)), range(size)))


@pytest.fixture
def batch(generator):
    return generator.random((23, 28, 28), np.float32), generator.integers(0, 10, 23)


def gradients(batch, shards, group=SINGLE_PROCESS):
    """Of two batches in a row, with the losses and the counts of right ones; only what belongs to the group's member is given."""
    network = Network(LAYERS)
    network.initialize(np.random.default_rng(1))
    found = []
    with DataParallel(network, shards, group) as parallel:
        pictures, labels = batch
        own = np.full_like(pictures, np.nan)
        own[parallel.rows(len(labels))] = pictures[parallel.rows(len(labels))]
        for seed in (5, 6):
            loss, correct = parallel.loss_and_gradients(own, labels, np.random.default_rng(seed))
            found.append((loss, correct, network.gradients.copy()))
    return found


@pytest.mark.parametrize(("shards", "size", "count"), [(2, 2, 23), (5, 3, 23), (30, 4, 23), (3, 3, 2), (2, 3, 23)])
def test_every_process_has_the_gradients_of_the_whole_batch(batch, shards, size, count):
    """With dropout: a shard drops the same wherever it is computed. Some shards, or a process, may have no example."""
    batch = tuple(each[:count] for each in batch)
    expected = gradients(batch, shards)
    for found in in_a_group(size, lambda group: gradients(batch, shards, group)):
        for (loss, correct, vector), (whole_loss, whole_correct, whole) in zip(found, expected, strict=True):
            assert (loss, correct) == (pytest.approx(whole_loss), whole_correct)
            np.testing.assert_allclose(vector, whole, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("count", [0, 1, 64, 163])
@pytest.mark.parametrize("size", [1, 3, 7])
def test_parts_are_a_row_without_gaps_and_as_even_as_can_be(count, size):
    parts = in_a_group(size, lambda group: part(count, group))
    assert [index for each in parts for index in range(count)[each]] == list(range(count))
    lengths = [each.stop - each.start for each in parts]
    assert max(lengths) - min(lengths) <= 1
