"""The epoch of all sides of a race: MNIST's training images, shuffled, in batches of 128, without augmentation."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from digitnet.images.normalize import in_unit_range

SIZE = 128


def read(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the images, float32 (60000, 28, 28) in [0, 1], and labels, int64 (60000,)."""
    return in_unit_range(np.load(folder / "pictures.npy")), np.load(folder / "labels.npy").astype(np.int64)


def epoch(generator: np.random.Generator, count: int) -> Iterator[np.ndarray]:
    """Yield the indices of each whole batch."""
    order = generator.permutation(count)
    for start in range(0, count - SIZE + 1, SIZE):
        yield order[start : start + SIZE]
