"""One batch on several threads, and on several processes: each takes a share of the examples, and their gradients are added up.

The gradient of a mean over a batch is the mean of the gradients of its parts, so shares may be computed apart. NumPy lets
go of the interpreter lock inside its loops and products, so threads really run side by side; hold BLAS to one thread then,
or its threads and these get in each other's way (the trainer does).

Processes, of one machine or of many, each have a copy of the network. Once the sum of all gradients is everywhere, each takes the
same step, and the copies stay equal. How the sum gets there is not known here: whoever starts the processes brings a Group.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Protocol

import numpy as np

from digitnet.inference_plan import InferencePlan
from digitnet.network import Network


class Group(Protocol):
    """Processes that do the same at the same time, each with another part of the data: this one is number `rank` of `size`."""

    rank: int
    size: int

    def sum_(self, array: np.ndarray, *numbers: float) -> tuple[float, ...]:
        """Add up over all processes, in place, what each has in the array; return the sums of the numbers beside it.

        All must call it, and all have the same bits then. The numbers are added up in the array's type.
        """


class SingleProcess:
    """The group of a process that has no others: a sum is what it is."""

    rank, size = 0, 1

    def sum_(self, array: np.ndarray, *numbers: float) -> tuple[float, ...]:
        return numbers


SINGLE_PROCESS = SingleProcess()


def part(count: int, group: Group) -> slice:
    """Which of so many things in a row are this process's."""
    return slice(count * group.rank // group.size, count * (group.rank + 1) // group.size)


class _Threads:
    """As many threads as there are shares. They end with `close()` or the with statement."""

    def __init__(self, count: int, name: str):
        if count < 1:
            raise ValueError(f"{name} must be at least 1, not {count}")
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="share")

    def close(self) -> None:
        self._threads.shutdown()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class DataParallel(_Threads):
    """Computes a network's gradients in `shares` shares: of a group of processes each takes its part of them, one on a thread.

    The split decides in which order floats are added, and with it their last bits, so `shares` is part of the recipe: the
    same number gives the same weights on a machine of any size. In a group of processes the sum is rounded in other places, and
    they are the same but for that.
    """

    def __init__(self, network: Network, shares: int, group: Group = SINGLE_PROCESS):
        most = -(-shares // group.size)  # of them on one process
        super().__init__(most, "shares")
        if group.size > shares:
            raise ValueError(f"{shares} shares are too few for {group.size} processes: each takes at least one")
        self.network, self.shares, self._group = network, shares, group
        self._replicas = [network.replica() for _ in range(most)]

    def rows(self, count: int) -> slice:
        """Which of so many examples this process takes."""
        own = self._bounds(count)[self._own(count)]
        return slice(own[0].start, own[-1].stop) if own else slice(0, 0)

    def loss_and_gradients(
        self, images: np.ndarray, labels: np.ndarray, generator: np.random.Generator | None = None
    ) -> tuple[float, int]:
        """As Network.loss_and_gradients: the mean loss, how many were right; the network's `gradients` are filled.

        All three are of the whole batch, on every process; only the images in this process's `rows` are looked at. Each share
        draws from a child of the generator, so what it draws does not depend on which thread is first, or on which process it is.
        """
        shares, own = self._bounds(len(labels)), self._own(len(labels))
        generators = [None] * len(shares) if generator is None else generator.spawn(len(shares))
        if self.shares == 1:  # nobody to share with: no thread, and nothing to add up
            return self.network.loss_and_gradients(images, labels, *generators)

        def of_share(replica, share, own_generator):
            return replica.loss_and_gradients(images[share], labels[share], own_generator)

        results = list(self._threads.map(of_share, self._replicas, shares[own], generators[own]))
        self.network.gradients[:] = 0.0
        loss = 0.0
        for replica, share, (share_loss, _) in zip(self._replicas, shares[own], results):
            weight = (share.stop - share.start) / len(labels)
            self.network.gradients += weight * replica.gradients
            loss += weight * share_loss
        loss, correct = self._group.sum_(self.network.gradients, loss, sum(correct for _, correct in results))
        return loss, int(correct)

    def _bounds(self, count):
        """The shares, in a row; none is empty."""
        bounds = np.linspace(0, count, self.shares + 1).astype(int)
        return [slice(start, end) for start, end in pairwise(bounds) if end > start]

    def _own(self, count):
        """Which of these are this process's."""
        return part(min(count, self.shares), self._group)


class ParallelInferencePlan(_Threads):
    """The forward pass of many images at once, a share on each thread: of a network as it is now, as Prepared has it."""

    def __init__(self, network: Network, threads: int = 2, batch: int = 32):
        super().__init__(threads, "threads")
        self._prepared = [InferencePlan(network, batch) for _ in range(threads)]

    def predict_logits(self, images: np.ndarray) -> np.ndarray:
        """Images (n, 28, 28) in [0, 1] -> logits (n, classes), as Network.predict_logits."""
        shares = np.array_split(images, len(self._prepared))
        return np.concatenate(list(self._threads.map(InferencePlan.predict_logits, self._prepared, shares)))
