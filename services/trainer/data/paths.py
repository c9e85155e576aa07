"""What a hand does to a path, whatever it draws: a path is a pen's way, (n, 2), and lengths are in its unit."""

import numpy as np
from digitnet.images.strokes import path_lengths

PATH_STEP = 0.02  # between the points of a path while it is written
DEVIATIONS = 2.2  # how many standard deviations noise goes at most: no hand strays further


def smoothed(path, deviation):
    """Convolved with a Gaussian, its ends staying where they are."""
    deviation = deviation / PATH_STEP
    reach = min(int(3.0 * deviation), len(path) - 1)
    if reach < 1:
        return path
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    kernel /= kernel.sum()
    before, after = 2.0 * path[0] - path[reach:0:-1], 2.0 * path[-1] - path[-2 : -2 - reach : -1]
    padded = np.concatenate([before, path, after])
    return np.stack([np.convolve(padded[:, axis], kernel, "valid") for axis in (0, 1)], axis=1)


def evenly(path):
    """Points PATH_STEP apart or a little less along the path, its ends among them; a single point stays one."""
    if len(path) == 1:
        return path
    lengths = path_lengths(path)
    steps = max(1, int(np.ceil(lengths[-1] / PATH_STEP)))
    return interpolated(path, lengths, np.arange(steps + 1) * (lengths[-1] / steps))


def interpolated(path, known, wanted):
    """The path's points where `wanted` says, (m, 2), straight between those where `known` says."""
    points = np.empty((len(wanted), 2))
    for axis in (0, 1):
        points[:, axis] = np.interp(wanted, known, path[:, axis])
    return points


def rotation(angle):
    """(2, 2): rotation(angle) @ point turns it by so many radians, clockwise as y is down."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def noise(generator, deviation, size=None):
    """Normal, and never more than DEVIATIONS from zero."""
    return deviation * np.minimum(np.maximum(generator.normal(size=size), -DEVIATIONS), DEVIATIONS)
