"""Choose the threshold between two classes of values, by their histogram (Otsu, 1979)."""

import numpy as np

from digitnet.arrays import Floats

BINS = 128
SMALLEST_CLASS = 1e-4  # Of the total weight. A smaller class is a rounding error.


def otsu_threshold(values: Floats, weights: Floats) -> float:
    """Return the threshold with the largest variance between the classes, for values > 0 and weights, (n,) each.

    Without values, return infinity.
    """
    if not values.size:
        return float("inf")
    width = float(values.max()) / BINS
    histogram = np.bincount(np.minimum((values / width).astype(np.intp), BINS - 1), weights, minlength=BINS)
    below = np.cumsum(histogram) / histogram.sum()  # the lower class's share, for each threshold
    sums = np.cumsum(histogram * (np.arange(BINS) + 0.5)) / histogram.sum()
    both_exist = (below > SMALLEST_CLASS) & (below < 1.0 - SMALLEST_CLASS)
    shares = np.where(both_exist, below * (1.0 - below), 1.0)
    between = np.where(both_exist, (sums[-1] * below - sums) ** 2 / shares, 0.0)
    return (int(between.argmax()) + 1) * width
