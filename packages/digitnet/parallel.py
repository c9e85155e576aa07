"""Data parallelism: threads and processes each compute the gradients of a shard of the batch, then sum them.

The gradient of a mean over a batch is the weighted mean of its shards' gradients. NumPy releases the interpreter lock in loops
and products, so threads run in parallel. Limit BLAS to one thread: its threads would compete with these.

Processes, on one machine or several, each have a copy of the network. Each takes the same step with the sum of all gradients, so
the copies stay equal. A Group computes the sum; the program that starts the processes provides it.
"""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Self

import numpy as np

from digitnet.arrays import Array, Floats, Integers
from digitnet.network import Network
from digitnet.training import loss_and_gradients


class Group:
    """Processes that run the same program on different data. This process is number `rank` of `size`, counted from 0.

    This base class is a single process.
    """

    rank, size = 0, 1

    def sum_(self, array: Array, *numbers: float) -> tuple[float, ...]:
        """Sum the array over all processes, in place; return the sums of the numbers, in the array's dtype.

        All processes must call it, and all get the same bits.
        """
        return numbers


SINGLE_PROCESS = Group()


def part(count: int, group: Group) -> slice:
    """Return this process's slice of `count` items."""
    return slice(count * group.rank // group.size, count * (group.rank + 1) // group.size)


class DataParallel:
    """Compute a network's gradients in `shards`, each on its own thread. Each process of a group takes some of the shards.

    The shards fix the order of additions, and so the last bits of the sums. The same number of shards gives the same weights on
    any number of cores; a group of processes adds in another order. A process beyond the number of shards is idle. The threads
    end with the `with` statement.
    """

    def __init__(self, network: Network, shards: int, group: Group = SINGLE_PROCESS):
        self.network, self.shards, self._group = network, shards, group
        self._replicas = [network.replica() for _ in range(math.ceil(shards / group.size))]
        self._threads = ThreadPoolExecutor(len(self._replicas), thread_name_prefix="shard")

    def rows(self, count: int) -> slice:
        """Return this process's slice of a batch of `count` examples."""
        own = self._bounds(count)[self._own(count)]
        return slice(own[0].start, own[-1].stop) if own else slice(0, 0)

    def loss_and_gradients(
        self, images: Floats, labels: Integers, generator: np.random.Generator | None = None
    ) -> tuple[float, int]:
        """Compute training.loss_and_gradients of the whole batch; all processes get the same results.

        A process reads only the images in its `rows`. Each shard has its own child of the generator, so dropout depends neither
        on the order of the threads nor on the process.
        """
        shards, own = self._bounds(len(labels)), self._own(len(labels))
        generators: Sequence[np.random.Generator | None] = generator.spawn(len(shards)) if generator else [None] * len(shards)
        if self.shards == 1:  # no thread, and nothing to sum
            return loss_and_gradients(self.network, images, labels, generators[0])

        def of_shard(replica: Network, shard: slice, own_generator: np.random.Generator | None) -> tuple[float, int]:
            return loss_and_gradients(replica, images[shard], labels[shard], own_generator)

        results = list(self._threads.map(of_shard, self._replicas, shards[own], generators[own]))
        self.network.gradients[:] = 0.0
        loss = 0.0
        for replica, shard, (shard_loss, _) in zip(self._replicas, shards[own], results):
            weight = (shard.stop - shard.start) / len(labels)
            self.network.gradients += weight * replica.gradients
            loss += weight * shard_loss
        loss, correct = self._group.sum_(self.network.gradients, loss, sum(correct for _, correct in results))
        return loss, int(correct)

    def _bounds(self, count: int) -> list[slice]:
        """Return the slices of the shards that are not empty."""
        bounds = np.linspace(0, count, self.shards + 1).astype(int).tolist()
        return [slice(start, end) for start, end in pairwise(bounds) if end > start]

    def _own(self, count: int) -> slice:
        """Return this process's slice of the shards."""
        return part(min(count, self.shards), self._group)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown()
