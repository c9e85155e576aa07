"""One batch on several threads, and on several processes: each takes a shard of the examples, and their gradients are summed.

The gradient of a mean over a batch is the weighted mean of the gradients of its shards. NumPy releases the interpreter lock in
its loops and products, so threads really run side by side. Limit BLAS to one thread then: its threads and these would compete.

Processes, of one machine or of many, each have a copy of the network. Each takes the same step with the sum of all gradients, so
the copies stay equal. A Group does the sum; whoever starts the processes provides it.
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
    """Processes that do the same at the same time, each with another part of the data: this one is number `rank` of `size`.

    This base class is a single process.
    """

    rank, size = 0, 1

    def sum_(self, array: Array, *numbers: float) -> tuple[float, ...]:
        """Sum the array over all processes, in place; return the sums of the numbers beside it.

        All processes must call it, and all get the same bits. The numbers are summed in the array's dtype.
        """
        return numbers


SINGLE_PROCESS = Group()


def part(count: int, group: Group) -> slice:
    """Return which of so many things in a row are this process's."""
    return slice(count * group.rank // group.size, count * (group.rank + 1) // group.size)


class DataParallel:
    """Compute a network's gradients in `shards`, each on a thread; of a group each process takes its part of the shards.

    Shards decide in which order floats are added, and with it their last bits. So `shards` is part of the recipe: the same
    number gives the same weights on a machine of any size. A group of processes rounds in other places, and only there.
    The threads end with the with statement. A process beyond the number of shards has nothing to do.
    """

    def __init__(self, network: Network, shards: int, group: Group = SINGLE_PROCESS):
        self.network, self.shards, self._group = network, shards, group
        self._replicas = [network.replica() for _ in range(math.ceil(shards / group.size))]
        self._threads = ThreadPoolExecutor(len(self._replicas), thread_name_prefix="shard")

    def rows(self, count: int) -> slice:
        """Return which of so many examples this process takes."""
        own = self._bounds(count)[self._own(count)]
        return slice(own[0].start, own[-1].stop) if own else slice(0, 0)

    def loss_and_gradients(
        self, images: Floats, labels: Integers, generator: np.random.Generator | None = None
    ) -> tuple[float, int]:
        """Do what digitnet.training.loss_and_gradients does: the results are of the whole batch, on every process.

        A process reads only the images in its `rows`. Each shard draws from a child of the generator, so what it drops depends
        neither on the order of the threads nor on the process.
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
        """Return the shards, in a row; none is empty."""
        bounds = np.linspace(0, count, self.shards + 1).astype(int).tolist()
        return [slice(start, end) for start, end in pairwise(bounds) if end > start]

    def _own(self, count: int) -> slice:
        """Return which of these are this process's."""
        return part(min(count, self.shards), self._group)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown()
