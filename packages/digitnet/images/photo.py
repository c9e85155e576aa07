"""Ink on an uneven background: photos, tight crops, and images with a frame.

background.py estimates the background, threshold.py separates ink from paper, as Gatos et al. (2006) do for old documents, and
components.py keeps the marks of a digit, or of a text.
"""

from collections.abc import Callable

import numpy as np

from digitnet.arrays import Array, Bools, Floats
from digitnet.images.background import cells_of, ink_above_background
from digitnet.images.components import border_cells, center_weights, digit_cells, label_text, side_cells, with_neighbors
from digitnet.images.cropping import FAINTEST_INK, NOTHING, Ink, cropped, extent
from digitnet.images.normalize import in_bytes
from digitnet.images.threshold import otsu_threshold

MAPPED_CELLS = 128  # Marks are found on a map with at most this many cells in a row or column.
TEXT_CELLS = 512  # The same for numbers, whose digits may be small.
NO_INK = 0.02  # Contrast. Weaker differences on the map do not affect the threshold.
ROUGHEST_PAPER = 0.32  # Of the ink. Paper whose differences have a larger root mean square is a scene.
TIGHT_CROP = 0.5  # Of height and width.
MOST_INK = 0.6  # Of the map. Bold digits in tight crops cover half of it.


def digit_in_photo(pixels: Array) -> Ink:
    """Return the digit's ink in a photo, a tight crop, or an image with a frame.

    A mark along a whole side is the desk beside the sheet. If there is no other ink, it may be a digit in a tight crop, which
    covers the height and the width.
    """
    strength = ink_above_background(pixels if pixels.dtype == np.uint8 else in_bytes(pixels))
    mapped, side = cells_of(strength, MAPPED_CELLS)
    weights = center_weights(mapped.shape)
    edges, threshold = _edges(mapped, weights, side_cells)
    ink = _digit_ink(strength, mapped, side, edges, threshold)
    if not ink.strength.size and min(edges.any(axis=0).mean(), edges.any(axis=1).mean()) > TIGHT_CROP:
        edges = np.zeros(mapped.shape, bool)
        ink = _digit_ink(strength, mapped, side, edges, _ink_threshold(mapped, weights, edges))
    return ink


def text_in_photo(pixels: Array) -> Ink:
    """Return the ink of all marks in a photo of a number. A mark's faint parts belong to it (hysteresis; Canny, 1986)."""
    strength = ink_above_background(pixels if pixels.dtype == np.uint8 else in_bytes(pixels))
    mapped, side = cells_of(strength, TEXT_CELLS)
    edges, threshold = _edges(mapped, np.ones(mapped.shape), border_cells)
    strong = (mapped > threshold) & ~edges
    if not 0.0 < strong.mean() < MOST_INK:
        return NOTHING
    labels, count = label_text((mapped > threshold / 2) & ~edges, strong)
    if not count:
        return NOTHING
    return _ink_in(with_neighbors(labels > 0) & ~edges, strength, side, threshold)


def _digit_ink(strength: Floats, mapped: Floats, side: int, edges: Bools, threshold: float) -> Ink:
    """Return the digit's ink in the cells outside `edges`."""
    mask = (mapped > threshold) & ~edges
    if not 0.0 < mask.mean() < MOST_INK:
        return NOTHING
    paper, full = mapped[~with_neighbors(mask) & ~edges], mapped[mask].mean()
    if paper.size and np.sqrt((paper * paper).mean()) > ROUGHEST_PAPER * full:
        return NOTHING
    digit, dropped = digit_cells(mask)
    if not digit.any():
        return NOTHING
    return _ink_in(with_neighbors(digit) & ~dropped & ~edges, strength, side, threshold)


def _edges(mapped: Floats, weights: Floats, marks_at_edge: Callable[[Bools], Bools]) -> tuple[Bools, float]:
    """Return the marks at the edge, such as a dark desk beside the sheet, (height, width), and the threshold of other ink.

    Dark edges raise the threshold so far that thin digits vanish. So the threshold is chosen again without them.
    """
    edges = np.zeros(mapped.shape, bool)
    for _ in range(2):
        threshold = _ink_threshold(mapped, weights, edges)
        edges |= with_neighbors(marks_at_edge((mapped > threshold / 2) & ~edges))
    return edges, threshold


def _ink_threshold(mapped: Floats, weights: Floats, edges: Bools) -> float:
    is_ink = (mapped > NO_INK) & ~edges
    return otsu_threshold(mapped[is_ink], weights[is_ink])


def _ink_in(near: Bools, strength: Floats, side: int, threshold: float) -> Ink:
    """Return the ink (height, width) in the cells of a map, whose cells have `side` pixels a side. They include its soft edge."""
    rows, columns = extent(np.any(near, axis=1)), extent(np.any(near, axis=0))
    top, left = rows.start * side, columns.start * side
    strength = strength[top : rows.stop * side, left : columns.stop * side]
    height, width = strength.shape
    strength = strength * np.kron(near[rows, columns], np.ones((side, side), bool))[:height, :width]
    full = strength[strength > threshold].mean()
    if full < FAINTEST_INK:
        return NOTHING
    # Half the threshold is paper, and the mean of the ink is full ink: the pen's grain disappears, its soft edges stay.
    paper_level = threshold / 2.0
    return cropped(np.clip((strength - paper_level) / (full - paper_level), 0.0, 1.0), top, left)
