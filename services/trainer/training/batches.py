"""The batches of a training: MNIST's digits, each once an epoch, with synthetic digits and non-digits beside them.

Every random choice of a step follows from (seed, epoch, batch), so a batch is the same whenever it is made.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
from digitnet.network import DIGITS, NO_DIGIT
from digitnet.prefetching import prefetched
from digitnet.training import Batch

from trainer.data.digits import Split, Synthetic, joined
from trainer.settings import TrainSettings

DROPOUT = 1  # separates the random numbers of dropout from those that make the batch


class TrainingBatches:
    """Batches for a network with so many classes; one without a class for non-digits sees none. ValueError for too few images."""

    def __init__(self, settings: TrainSettings, classes: int, training: Split, synthetic: Synthetic):
        self.settings = settings
        is_digit = training.labels != NO_DIGIT  # users may have drawn non-digits too
        self.digits = training.only(is_digit)
        self.synthetic_digits = synthetic.digits("training")
        self.non_digits = joined(synthetic.non_digits("training"), training.only(~is_digit))
        self.beside = [(self.synthetic_digits, settings.synthetic_digits)]  # in each batch, so many of each split
        if classes > DIGITS:
            self.beside.append((self.non_digits, settings.non_digits))
        if any(count and not len(split) for split, count in self.beside):
            raise ValueError("params.yaml: train asks for synthetic images, but synthesize made none of that sort")
        if len(self) == 0:
            raise ValueError(f"batch_size {settings.batch_size} is more than the {len(self.digits)} training images")
        self.rows = settings.batch_size + sum(count for _, count in self.beside)
        self._step, self._own_rows = 0, slice(None)
        self._order = (-1, np.empty(0, np.int64))  # an epoch and the order of its digits

    def __len__(self) -> int:
        """Return the number of batches in an epoch; the few digits left over come up in another epoch's order."""
        return len(self.digits) // self.settings.batch_size

    def start(self, step: int, own_rows: slice) -> None:
        """Begin with this step, and make only these rows of each batch's images."""
        self._step, self._own_rows = step, own_rows

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of the next epoch, or the rest of the epoch that a stopped training is in."""
        first, self._step = self._step, (self._step // len(self) + 1) * len(self)
        return prefetched(partial(self.make, rows=self._own_rows), range(first, self._step))

    def make(self, step: int, rows: slice = slice(None)) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
        """Return the step's images, float32 (rows, 28, 28), labels, int64 (rows,), and the generator for dropout.

        Images of other rows than these may stay blank.
        """
        settings = self.settings
        epoch, batch = divmod(step, len(self))
        if self._order[0] != epoch:
            self._order = epoch, np.random.default_rng([settings.seed, epoch + 1]).permutation(len(self.digits))
        # Counted from 1: NumPy takes [seed, epoch, 0] for [seed, epoch], and that for the seed where the epoch is 0.
        generator, dropout = (np.random.default_rng([settings.seed, epoch + 1, batch + 1, *more]) for more in ((), (DROPOUT,)))
        chosen = self._order[1][batch * settings.batch_size : (batch + 1) * settings.batch_size]
        parts = [self.digits.only(chosen)]
        parts += [split.only(generator.integers(0, len(split), count)) for split, count in self.beside if count]
        order = generator.permutation(self.rows)  # so that each shard of the batch has some of all
        images = np.concatenate([part.images for part in parts])[order]
        labels = np.concatenate([part.labels for part in parts])[order]
        return settings.augmentation.augmented(images, generator, rows), labels, dropout
