"""The batches of a training: each MNIST digit once an epoch, mixed with random synthetic digits and non-digits.

(seed, epoch, batch) seeds every random choice, so a resumed training makes the same batches.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
from digitnet.network import DIGITS, NO_DIGIT
from digitnet.prefetching import prefetched
from digitnet.training import Batch

from trainer.data.digits import Split, Synthetic, joined
from trainer.settings import TrainSettings

DROPOUT = 1  # gives dropout its own random numbers, apart from the batch's


class TrainingBatches:
    """Batches for a network with `classes` outputs, with non-digits only if it has 11. ValueError for too few images."""

    def __init__(self, settings: TrainSettings, classes: int, training: Split, synthetic: Synthetic):
        self.settings = settings
        is_digit = training.labels != NO_DIGIT  # accepted drawings may be non-digits
        self.digits = training.only(is_digit)
        self.synthetic_digits = synthetic.digits("training")
        self.non_digits = joined(synthetic.non_digits("training"), training.only(~is_digit))
        self.added = [(self.synthetic_digits, settings.synthetic_digits)]  # (split, number of its images in each batch)
        if classes > DIGITS:
            self.added.append((self.non_digits, settings.non_digits))
        if any(count and not len(split) for split, count in self.added):
            raise ValueError("params.yaml: train needs synthetic images, but synthesize made none of that kind")
        if len(self) == 0:
            raise ValueError(f"params.yaml: batch_size {settings.batch_size} exceeds the {len(self.digits)} training images")
        self.rows = settings.batch_size + sum(count for _, count in self.added)
        self._step, self._own_rows = 0, slice(None)
        self._order = (-1, np.empty(0, np.int64))  # an epoch and the order of its digits

    def __len__(self) -> int:
        """Return the number of whole batches in an epoch. Each epoch's order leaves other digits out."""
        return len(self.digits) // self.settings.batch_size

    def start(self, step: int, own_rows: slice) -> None:
        """Begin with this step, and compute only these rows of each batch."""
        self._step, self._own_rows = step, own_rows

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of the next epoch, or the rest of the current epoch of a resumed training."""
        first, self._step = self._step, (self._step // len(self) + 1) * len(self)
        return prefetched(partial(self.make, rows=self._own_rows), range(first, self._step))

    def make(self, step: int, rows: slice = slice(None)) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
        """Return the step's images, float32 (n, 28, 28), labels, int64 (n,), and the generator for dropout.

        Images outside `rows` stay blank.
        """
        settings = self.settings
        epoch, batch = divmod(step, len(self))
        if self._order[0] != epoch:
            self._order = epoch, np.random.default_rng([settings.seed, epoch + 1]).permutation(len(self.digits))
        # Epoch and batch count from 1, because NumPy treats [seed, epoch, 0] like [seed, epoch].
        generator, dropout = (np.random.default_rng([settings.seed, epoch + 1, batch + 1, *more]) for more in ((), (DROPOUT,)))
        chosen = self._order[1][batch * settings.batch_size : (batch + 1) * settings.batch_size]
        parts = [self.digits.only(chosen)]
        parts += [split.only(generator.integers(0, len(split), count)) for split, count in self.added if count]
        order = generator.permutation(self.rows)  # mixes the kinds, so that each shard has all of them
        images = np.concatenate([part.images for part in parts])[order]
        labels = np.concatenate([part.labels for part in parts])[order]
        return settings.augmentation.augmented(images, generator, rows), labels, dropout
