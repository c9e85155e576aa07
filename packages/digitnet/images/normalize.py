"""Normalization as in MNIST (LeCun et al., 1998): scale the ink into 20 x 20 pixels, and center its mass in 28 x 28.

An image is float32 (28, 28) in [0, 1], 1 = ink, in steps of 1/255. A blank drawing or a single dot becomes all zeros.
"""

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import IMAGE_SIDE as IMAGE_SIDE
from digitnet.arrays import Bytes, Floats

BOX_SIDE = 20  # the ink's longer side
PLACES = np.arange(BOX_SIDE, dtype=np.float64)  # rows or columns of the box: 0, 1, …
CENTER = 14  # the row and column of the center of mass, as in MNIST


class DrawingError(ValueError):
    """The input is not a drawing; the message says why."""


def in_unit_range(pixels: Bytes) -> NDArray[np.float32]:
    """Turn bytes into float32 in [0, 1], of the same shape."""
    return pixels.astype(np.float32) / np.float32(255.0)


def in_bytes(images: Floats) -> Bytes:
    """Turn float32 in [0, 1] into bytes, of the same shape. It is exact for multiples of 1/255, as images are."""
    return np.asarray(np.rint(images * np.float32(255.0)), np.uint8)


def resampling(length: int, new_length: int) -> NDArray[np.float32]:
    """Return the matrix (new_length, length) that resamples a row of pixels. Each new pixel has triangular weights."""
    ratio = length / new_length
    centers = (np.arange(new_length) + 0.5) * ratio
    distances = np.abs(np.arange(length) + 0.5 - centers[:, None])
    weights: Floats = np.maximum(0.0, 1.0 - distances / max(ratio, 1.0))
    weights /= weights.sum(axis=1, keepdims=True)
    return weights.astype(np.float32)


def place(box: Floats) -> NDArray[np.float32]:
    """Place ink (height, width) of at most 20 x 20 in an image, shifted by whole pixels to center its mass."""
    image = blank()
    levels = np.rint(box * 255.0) / 255.0
    total = levels.sum()
    slices = []
    for side, sums in zip(box.shape, (levels.sum(axis=1), levels.sum(axis=0))):
        center_of_mass = float(sums @ PLACES[:side]) / total
        start = min(max(int(np.floor(CENTER - center_of_mass + 0.5)), 0), IMAGE_SIDE - side)
        slices.append(slice(start, start + side))
    image[tuple(slices)] = levels
    return image


def blank() -> NDArray[np.float32]:
    """Return an image without ink."""
    return np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.float32)
