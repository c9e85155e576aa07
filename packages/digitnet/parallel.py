"""One batch on several threads: each takes a share of the examples, and their gradients are added up.

The gradient of a mean over a batch is the mean of the gradients of its parts, so shares may be computed apart. NumPy lets
go of the interpreter lock inside its loops and products, so threads really run side by side; hold BLAS to one thread then,
or its threads and these get in each other's way (the trainer does).
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from digitnet.network import Network
from digitnet.prepared import Prepared


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
    """Computes a network's gradients on `shares` threads.

    The split decides in which order floats are added, and with it their last bits, so `shares` is part of the recipe: the
    same number gives the same weights on a machine of any size.
    """

    def __init__(self, network: Network, shares: int):
        super().__init__(shares, "shares")
        self.network = network
        self._replicas = [network.replica() for _ in range(shares)]

    def loss_and_gradients(
        self, pictures: np.ndarray, labels: np.ndarray, generator: np.random.Generator | None = None
    ) -> tuple[float, int]:
        """As Network.loss_and_gradients: the mean loss, how many were right; the network's `gradients` are filled.

        Each share draws from a child of the generator, so what it draws does not depend on which thread is first.
        """
        bounds = np.linspace(0, len(labels), len(self._replicas) + 1).astype(int)
        shares = [slice(start, end) for start, end in pairwise(bounds) if end > start]
        generators = [None] * len(shares) if generator is None else generator.spawn(len(shares))
        if len(self._replicas) == 1:  # nobody to share with: no thread, and nothing to add up
            return self.network.loss_and_gradients(pictures, labels, *generators)

        def of_share(replica, share, own_generator):
            return replica.loss_and_gradients(pictures[share], labels[share], own_generator)

        results = list(self._threads.map(of_share, self._replicas, shares, generators))
        self.network.gradients[:] = 0.0
        loss = 0.0
        for replica, share, (share_loss, _) in zip(self._replicas, shares, results):
            weight = (share.stop - share.start) / len(labels)
            self.network.gradients += weight * replica.gradients
            loss += weight * share_loss
        return loss, sum(correct for _, correct in results)


class ParallelPrepared(_Threads):
    """The forward pass of many pictures at once, a share on each thread: of a network as it is now, as Prepared has it."""

    def __init__(self, network: Network, threads: int = 2, batch: int = 32):
        super().__init__(threads, "threads")
        self._prepared = [Prepared(network, batch) for _ in range(threads)]

    def predict_logits(self, pictures: np.ndarray) -> np.ndarray:
        """Pictures (n, 28, 28) in [0, 1] -> logits (n, classes), as Network.predict_logits."""
        shares = np.array_split(pictures, len(self._prepared))
        return np.concatenate(list(self._threads.map(Prepared.predict_logits, self._prepared, shares)))
