"""The last step to an image: the ink, scaled into 20 x 20 pixels, is placed as MNIST places its digits (LeCun et al., 1998).

An image is float32 (28, 28) in [0, 1], 1 = ink, in steps of 1/255. A blank drawing and a single dot give all zeros."""

import numpy as np

IMAGE_SIDE = 28
BOX_SIDE = 20  # the ink's longer side
PLACES = np.arange(BOX_SIDE, dtype=np.float64)  # in the box: row or column 0, 1, …
CENTRE = 14  # the centre of mass falls on this pixel, in MNIST as here


class DrawingError(ValueError):
    """What came in cannot be a drawing; the message says why."""


def in_unit_range(pixels: np.ndarray) -> np.ndarray:
    """uint8 in 0..255 -> float32 in [0, 1], of the same shape."""
    return pixels.astype(np.float32) / np.float32(255.0)


def in_bytes(images: np.ndarray) -> np.ndarray:
    """float32 in [0, 1] -> uint8 in 0..255, of the same shape: the other way, and exact for images made here."""
    return np.rint(images * np.float32(255.0)).astype(np.uint8)


def resampling(length, new_length):
    """(new_length, length): each row the weights of the old pixels in a new one, a triangle as wide as what it covers."""
    ratio = length / new_length
    centres = (np.arange(new_length) + 0.5) * ratio
    distances = np.abs(np.arange(length) + 0.5 - centres[:, None])
    weights = np.maximum(0.0, 1.0 - distances / max(ratio, 1.0))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def place(box):
    """Ink of at most 20 x 20 -> image: moved by whole pixels so that its centre of mass is in the middle."""
    image = blank()
    levels = np.rint(box * 255.0) / 255.0
    total = levels.sum()
    slices = []
    for side, sums in zip(box.shape, (levels.sum(axis=1), levels.sum(axis=0))):
        centre_of_mass = float(sums @ PLACES[:side]) / total
        start = min(max(int(np.floor(CENTRE - centre_of_mass + 0.5)), 0), IMAGE_SIDE - side)
        slices.append(slice(start, start + side))
    image[tuple(slices)] = levels
    return image


def blank():
    return np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.float32)
