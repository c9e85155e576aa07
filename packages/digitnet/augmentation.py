"""Augmentation: small changes that leave a digit the same digit, so that no two epochs see quite the same pictures."""

import numpy as np


def shifted(pictures: np.ndarray, generator: np.random.Generator, max_shift: int) -> np.ndarray:
    """Each picture (batch, 28, 28) moved by its own whole number of pixels, at most max_shift each way; zeros come in.

    Returns a new array of the same shape and dtype.
    """
    batch, height, width = pictures.shape
    padded = np.zeros((batch, height + 2 * max_shift, width + 2 * max_shift), pictures.dtype)
    padded[:, max_shift : max_shift + height, max_shift : max_shift + width] = pictures
    moved = np.empty_like(pictures)
    for example, (top, left) in enumerate(generator.integers(0, 2 * max_shift + 1, (batch, 2))):
        moved[example] = padded[example, top : top + height, left : left + width]
    return moved
