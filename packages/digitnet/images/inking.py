"""Changes of the ink, as pens, paper and cameras make them: width, blots and blur.

All images are float32 (batch, 28, 28) in [0, 1]. Strengths are (batch, 1, 1), one for each image, or (batch, 28, 28).
"""

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import Floats
from digitnet.images.normalize import CENTER, IMAGE_SIDE

_DOWN, _RIGHT = np.indices((IMAGE_SIDE, IMAGE_SIDE), np.float32) - CENTER


def with_pen_width(images: Floats, change: Floats) -> Floats:
    """Return images with strokes wider by `change` pixels on each side, or narrower where it is negative.

    To grow by one pixel, each pixel takes the most ink of itself and its four neighbors; to shrink, the least. Fractions mix
    both images. Strokes shrink by at most one pixel, because few are wider than three.
    """
    wider = images
    for step in range(int(np.ceil(change.max(initial=0.0)))):
        grown = _extreme_of_neighbors(wider, np.maximum)
        wider = wider + np.clip(change - step, 0.0, 1.0) * (grown - wider)
    if change.min(initial=0.0) < 0.0:
        shrunk = _extreme_of_neighbors(images, np.minimum)
        wider = wider + np.clip(-change, 0.0, 1.0) * (shrunk - images)
    return wider


def with_blots(images: Floats, radius: Floats, down: Floats, right: Floats) -> Floats:
    """Return images with a disk of ink, whose center is (down, right) from the image's. A radius below -0.5 adds nothing."""
    distance = np.sqrt((_DOWN - down) ** 2 + (_RIGHT - right) ** 2)
    inked: Floats = np.maximum(images, np.clip(0.5 + radius - distance, 0.0, 1.0))
    return inked


def with_softness(images: Floats, strength: Floats) -> Floats:
    """Return images whose edges are blurred with [1 2 1] / 4 along each axis for a strength of 1, and sharpened for -1."""
    return images + strength * (_blurred(images) - images)


def _extreme_of_neighbors(images: Floats, extreme: np.ufunc) -> Floats:
    """Return the most (np.maximum) or least (np.minimum) ink of each pixel and its four neighbors."""
    result = images.copy()
    extreme(result[:, 1:], images[:, :-1], out=result[:, 1:])
    extreme(result[:, :-1], images[:, 1:], out=result[:, :-1])
    extreme(result[:, :, 1:], images[:, :, :-1], out=result[:, :, 1:])
    extreme(result[:, :, :-1], images[:, :, 1:], out=result[:, :, :-1])
    return result


def _blurred(images: Floats) -> NDArray[np.float32]:
    """Blur with [1 2 1] / 4 along each axis. There is no ink beyond the edge."""
    padded = np.zeros((len(images), IMAGE_SIDE + 2, IMAGE_SIDE + 2), np.float32)
    padded[:, 1:-1, 1:-1] = images
    rows = padded[:, :-2] + 2.0 * padded[:, 1:-1] + padded[:, 2:]
    return (rows[:, :, :-2] + 2.0 * rows[:, :, 1:-1] + rows[:, :, 2:]) / 16.0
