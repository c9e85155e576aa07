"""The ink of an image, without its margins."""

from typing import NamedTuple

import numpy as np

from digitnet.arrays import Bools, Floats

FAINTEST_INK = 0.1  # An image with less contrast counts as blank.


class Ink(NamedTuple):
    """Ink, (height, width) in [0, 1], its strongest 1, and the place of its upper left pixel. Without ink it is empty."""

    strength: Floats
    top: int = 0
    left: int = 0


NOTHING = Ink(np.zeros((0, 0), np.float32))


def cropped(ink: Floats, top: int = 0, left: int = 0) -> Ink:
    """Cut margins off (height, width) and scale the strongest ink to 1. Ink fainter than FAINTEST_INK is nothing."""
    strongest = ink.max(initial=0.0)
    if strongest < FAINTEST_INK:
        return NOTHING
    rows, columns = extent(np.any(ink, axis=1)), extent(np.any(ink, axis=0))
    return Ink(ink[rows, columns] / strongest, top + rows.start, left + columns.start)


def extent(chosen: Bools) -> slice:
    """Return the slice from the first true of (n,) to the last, an empty slice without any."""
    at = chosen.nonzero()[0]
    return slice(at[0], at[-1] + 1) if at.size else slice(0, 0)
