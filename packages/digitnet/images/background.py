"""Estimate a sheet's background under uneven light, on a coarse copy of a photo.

A quadratic surface follows gradients and vignettes. A morphological closing (Serra, 1982) follows shadows. It fills dark places
that are narrower than its window, as ink is, and keeps the edges of wider ones.
"""

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import Array, Floats
from digitnet.images.normalize import resampling

CELLS = 64  # The coarse copy's most cells in a row or column.
WINDOW = 25  # Cells. Wider than any stroke, narrower than most shadows. In tiny images it spans nearly everything.
FIT_ROUNDS = 5  # The quadratic surface changes little after them.
OUTLIER = 0.7  # Times the root mean square of the residuals. Darker cells may be ink.
BORDER_WEIGHT = 0.45  # The border's weight against the skewness. 0.3 misjudges tight crops, 0.6 dark frames.


def ink_above_background(pixels: Array) -> NDArray[np.float32]:
    """Return how far each pixel is from the background toward the ink, (height, width) in [0, 1], for uint8 (…, channels).

    It uses the channel with the most contrast.
    """
    channels = [cells_of(pixels[:, :, channel], CELLS)[0] for channel in range(pixels.shape[2])]
    details = [coarse - _local_means(coarse) for coarse in channels]
    channel = int(np.argmax([detail.var() for detail in details]))
    sign = np.float32(-1.0 if _ink_is_lighter(details[channel]) else 1.0)
    background = sign * _upper_envelope(sign * channels[channel])
    height, width = pixels.shape[:2]
    if background.shape != (height, width):
        background = resampling(background.shape[0], height) @ background @ resampling(background.shape[1], width).T
    difference: NDArray[np.float32] = (background - pixels[:, :, channel]) * (sign / np.float32(255.0))
    return np.clip(difference, 0.0, 1.0, out=difference)


def cells_of(values: Array, most: int) -> tuple[NDArray[np.float32], int]:
    """Average (height, width) over square cells, at most `most` in a row or column. Return the cells and their side."""
    side = -(-max(values.shape) // most)
    return averages(values, side), side


def averages(values: Array, side: int) -> NDArray[np.float32]:
    """Average (height, width) over square cells with this side. The last row and column of values fill incomplete cells."""
    if side == 1:
        return values.astype(np.float32)
    values = np.pad(values, [(0, -length % side) for length in values.shape], mode="edge")
    width = values.shape[1]
    rows = values.reshape(-1, side, width).sum(axis=1, dtype=np.float32)
    cells: NDArray[np.float32] = rows.reshape(-1, width // side, side).sum(axis=2) / np.float32(side * side)
    return cells


def _ink_is_lighter(detail: Floats) -> bool:
    """Tell light ink on dark paper from dark ink on light paper, for a coarse copy without its local means.

    Ink is rarer than paper, so the distribution's long tail is ink. The border is mostly paper, even in a tight crop.
    """
    deviation = max(float(detail.std()), 1e-6)
    skewness = float((detail**3).mean()) / deviation**3
    border = np.median(np.concatenate([detail[0], detail[-1], detail[:, 0], detail[:, -1]])) / deviation
    return bool(BORDER_WEIGHT * border < skewness)


def _upper_envelope(cells: Floats) -> Floats:
    """Return the background of dark ink: the lower of two closings, with and without a quadratic surface.

    A closing is nowhere darker than the cells. So the lower one is the better estimate, in shadows as well as on gradients.
    """
    surface = _quadratic_surface(cells)
    return np.minimum(_closing(cells), surface + _closing(cells - surface))


def _closing(cells: Floats) -> Floats:
    return _extreme(_extreme(cells, np.maximum), np.minimum)


def _quadratic_surface(cells: Floats) -> NDArray[np.float32]:
    """Fit 1, x, y, x², xy and y² to the paper by least squares. Each round leaves out cells that are much darker."""
    y, x = (
        axis.ravel()
        for axis in np.meshgrid(*(np.linspace(-1.0, 1.0, length, dtype=np.float32) for length in cells.shape), indexing="ij")
    )
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
    values, is_paper = cells.ravel(), np.ones(cells.size, bool)
    for _ in range(FIT_ROUNDS):
        coefficients: Floats = np.linalg.lstsq(terms[is_paper], values[is_paper], rcond=None)[0]
        darker = terms @ coefficients - values
        # Half a level keeps all cells of a plain sheet, whose residuals are rounding errors.
        is_paper = darker < OUTLIER * np.sqrt((darker[is_paper] ** 2).mean()) + 0.5
        if is_paper.sum() <= 2 * terms.shape[1]:
            break
    surface: Floats = terms @ coefficients
    return surface.reshape(cells.shape).astype(np.float32)


def _extreme(cells: Floats, extreme: np.ufunc) -> Floats:
    """Return the largest (np.maximum) or smallest (np.minimum) cell of the window around each cell.

    Windows double in size until they reach WINDOW (van Herk, 1992, has a faster way).
    """
    for _ in range(2):  # Rows, then columns: each pass transposes.
        span, reached = np.pad(cells, [(WINDOW // 2, WINDOW // 2), (0, 0)], mode="edge"), 1
        while reached < WINDOW:
            step = min(reached, WINDOW - reached)
            span = extreme(span[:-step], span[step:])
            reached += step
        cells = span.T
    return cells


def _local_means(cells: Floats) -> Floats:
    """Return the mean of the cells within a third of the longer side of each cell, by summed areas (Crow, 1984)."""
    radius = max(cells.shape) // 3
    for _ in range(2):
        ends = np.arange(len(cells))
        first, last = np.maximum(ends - radius, 0), np.minimum(ends + radius + 1, len(cells))
        sums = np.concatenate([np.zeros_like(cells[:1]), np.cumsum(cells, axis=0)])
        cells = ((sums[last] - sums[first]) / (last - first)[:, None].astype(np.float32)).T
    return cells
