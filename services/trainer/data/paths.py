"""Smooth, resample, turn and jitter the path of a pen. A path is points, float (n, 2)."""

from typing import overload

import numpy as np
from digitnet.arrays import Floats
from digitnet.images.strokes import path_lengths

CANVAS_SIDE = 280  # pixels of the page's canvas
PATH_STEP = 0.02  # the distance between the points of a path, in heights of the form
DEVIATIONS = 2.2  # noise is clipped at this many standard deviations


def smoothed(path: Floats, deviation: float) -> Floats:
    """Convolve the path with a Gaussian of this standard deviation. Its ends do not move."""
    deviation = deviation / PATH_STEP
    reach = min(int(3.0 * deviation), len(path) - 1)
    if reach < 1:
        return path
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    kernel /= kernel.sum()
    before, after = 2.0 * path[0] - path[reach:0:-1], 2.0 * path[-1] - path[-2 : -2 - reach : -1]
    padded = np.concatenate([before, path, after])
    return np.stack([np.convolve(padded[:, axis], kernel, "valid") for axis in (0, 1)], axis=1)


def evenly(path: Floats) -> Floats:
    """Return equidistant points along the path, at most PATH_STEP apart, both ends included. A single point stays single."""
    if len(path) == 1:
        return path
    lengths = path_lengths(path)
    steps = max(1, int(np.ceil(lengths[-1] / PATH_STEP)))
    return interpolated(path, lengths, np.arange(steps + 1) * (lengths[-1] / steps))


def interpolated(path: Floats, known: Floats, wanted: Floats) -> Floats:
    """Interpolate the path, whose points are at `known` (n,), at `wanted` (m,): (m, 2)."""
    return np.stack([np.interp(wanted, known, path[:, axis]) for axis in (0, 1)], axis=1)


def rotation(angle: float) -> Floats:
    """Return the matrix (2, 2) that rotates a point by `angle` radians, clockwise because y is down."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


@overload
def noise(generator: np.random.Generator, deviation: float) -> float: ...
@overload
def noise(generator: np.random.Generator, deviation: float, size: int | tuple[int, ...]) -> Floats: ...
def noise(generator: np.random.Generator, deviation: float, size: int | tuple[int, ...] | None = None) -> float | Floats:
    """Draw normal noise with this standard deviation, clipped at DEVIATIONS of them."""
    return deviation * np.minimum(np.maximum(generator.normal(size=size), -DEVIATIONS), DEVIATIONS)
