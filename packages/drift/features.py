"""Features of images without a network: eight numbers for each image.

    `ink`                    The sum of all pixels, where 1 is full ink.
    `aspect`                 The width of the ink's box over its height.
    `slant`                  The lean to the right in pixels for each pixel up, from second moments.
    `stroke_width`           Twice the area over the perimeter, in pixels.
    `centre_x`, `centre_y`   The center of mass, in pixels from the center of the top left pixel, y down.
    `smoothness`             The correlation of neighboring pixels, in [-1, 1].
    `euler_number`           Pieces less holes: 1 for a plain stroke, 0 for a zero, -1 for an 8. It is large for dust.

Most features depend on the digit: a 1 has less ink than an 8. So reference.py compares distributions digit by digit. A blank
image has 0 for each feature, and its center of mass in the middle.
"""

import numpy as np
from numpy.typing import NDArray

NAMES = ("ink", "aspect", "slant", "stroke_width", "centre_x", "centre_y", "smoothness", "euler_number")
SIDE = 28
INK = 64  # Of 255. The ink's box has the pixels with at least this much ink, without the pen's faded edge.
SOLID = 128  # Of 255. Pixels with at least this much ink belong to a piece, others to a hole or the background.
PIXEL_VARIANCE = 1.0 / 12.0  # The variance within a pixel, which keeps a flat line's slant finite.
BATCH = 500  # Images whose arrays stay in the processor's cache.

Floats = NDArray[np.float64]


def measure(images: NDArray[np.uint8]) -> Floats:
    """Return the features, float64 (n, 8) with columns NAMES, of images uint8 (n, 28, 28), 255 = ink. ValueError for others."""
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (SIDE, SIDE):
        raise ValueError(f"images must be uint8 (n, {SIDE}, {SIDE}), not {images.dtype} {images.shape}")
    measured = np.empty((len(images), len(NAMES)))
    for start in range(0, len(images), BATCH):
        measured[start : start + BATCH] = _measure(images[start : start + BATCH])
    return measured


def _measure(images: NDArray[np.uint8]) -> Floats:
    levels = images.astype(np.float32) / np.float32(255.0)
    rows, columns = levels.sum(axis=2, dtype=np.float64), levels.sum(axis=1, dtype=np.float64)  # (n, 28) each.
    ink = rows.sum(axis=1)
    blank = ink == 0.0
    mass = np.where(blank, 1.0, ink)

    # First and second moments: the mean and the (co)variance of the ink's position.
    place = np.arange(SIDE, dtype=np.float64)
    centre_x, centre_y = columns @ place / mass, rows @ place / mass
    variance_y = rows @ (place * place) / mass - centre_y**2
    covariance = (levels @ place) @ place / mass - centre_x * centre_y
    slant = -covariance / (np.maximum(variance_y, 0.0) + PIXEL_VARIANCE)  # Up and right is positive, because y is down.

    dark = images >= INK
    width, height = (_extent(np.asarray(dark.any(axis=axis))) for axis in (1, 2))

    middle = (SIDE - 1) / 2.0
    return np.column_stack([
        ink,
        np.where(height > 0, width / np.maximum(height, 1), 0.0),
        slant,
        2.0 * ink / np.where(blank, 1.0, _perimeter(levels)),
        np.where(blank, middle, centre_x),
        np.where(blank, middle, centre_y),
        _smoothness(levels),
        _euler_number(images >= SOLID),
    ])  # fmt: skip


def _extent(any_dark: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the distance from the first True to behind the last one, (n,), in each row of bool (n, 28); 0 without True."""
    return np.where(any_dark.any(axis=1), SIDE - any_dark.argmax(axis=1) - any_dark[:, ::-1].argmax(axis=1), 0)


def _perimeter(levels: NDArray[np.float32]) -> Floats:
    """Return the total variation, (n,), which is the length of the ink's edge, whether hard or soft."""
    padded = np.pad(levels, ((0, 0), (1, 1), (1, 1)))
    across = padded[:, :-1, 1:] - padded[:, :-1, :-1]
    down = padded[:, 1:, :-1] - padded[:, :-1, :-1]
    return np.asarray(np.sqrt(across * across + down * down).sum(axis=(1, 2), dtype=np.float64))


def _smoothness(levels: NDArray[np.float32]) -> Floats:
    """Return Moran's I, (n,): the covariance of neighbors over the variance; 0 if all pixels are equal."""
    centered = levels - levels.mean(axis=(1, 2), keepdims=True)
    variance = np.einsum("nij,nij->n", centered, centered, dtype=np.float64) / SIDE**2
    beside = np.einsum("nij,nij->n", centered[:, :, 1:], centered[:, :, :-1], dtype=np.float64)
    below = np.einsum("nij,nij->n", centered[:, 1:], centered[:, :-1], dtype=np.float64)
    covariance = (beside + below) / (2 * SIDE * (SIDE - 1))
    flat = variance < 1e-9
    return np.where(flat, 0.0, covariance / np.where(flat, 1.0, variance))


def _euler_number(solid: NDArray[np.bool_]) -> Floats:
    """Return pieces less holes, (n,), of bool (n, 28, 28). Pixels that touch at a corner are one piece.

    Count the 2 x 2 squares with one, three and two diagonal solid pixels: (ones - threes - 2 diagonals) / 4 (S. B. Gray, "Local
    properties of binary images in two dimensions", 1971).
    """
    padded = np.pad(solid, ((0, 0), (1, 1), (1, 1))).astype(np.int8)
    corner, right, under, across = padded[:, :-1, :-1], padded[:, :-1, 1:], padded[:, 1:, :-1], padded[:, 1:, 1:]
    count = corner + right + under + across
    diagonal = (count == 2) & (corner == across)
    ones, threes, pairs = (np.count_nonzero(which, axis=(1, 2)) for which in (count == 1, count == 3, diagonal))
    return np.asarray((ones - threes - 2 * pairs) / 4.0)
