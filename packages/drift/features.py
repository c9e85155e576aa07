"""What can be measured of an image without knowing what it shows. One number each, for many images at once.

    ink           how much there is: the sum of all pixels, a full one as 1
    aspect        the width of the ink's box over its height
    slant         how far it leans to the right, in pixels for each pixel up: from the second moments, as deslanting has it
    stroke_width  in pixels: twice the area over the perimeter
    centre_x, centre_y    the centre of mass, in pixels from the left and from the top (y down), 0 = the first pixel's middle
    smoothness    how alike neighbouring pixels are: their correlation, in [-1, 1]
    euler_number  pieces less holes: 1 for a plain stroke, 0 for a nought, -1 for an 8; many for dust

Most follow from the digit: a 1 has less ink than an 8. So distributions are compared digit by digit (reference.py), not here.
A blank image has 0 of everything, and its centre in the middle.
"""

import numpy as np

NAMES = ("ink", "aspect", "slant", "stroke_width", "centre_x", "centre_y", "smoothness", "euler_number")
SIDE = 28
INK = 64  # of 255: what is at least so dark is in the ink's box; the pen's faded edge is not
SOLID = 128  # of 255: what is at least so dark counts as a piece, what is lighter as a hole
PIXEL_VARIANCE = 1.0 / 12.0  # of a pixel's own extent: it keeps a flat line's slant finite
BATCH = 500  # images measured at once: their arrays then stay in the processor's cache


def measure(images: np.ndarray) -> np.ndarray:
    """Images uint8 (n, 28, 28), 255 = ink -> features float64 (n, 8), columns as in NAMES. ValueError for anything else."""
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (SIDE, SIDE):
        raise ValueError(f"pictures must be uint8 (n, {SIDE}, {SIDE}), not {images.dtype} {images.shape}")
    measured = np.empty((len(images), len(NAMES)))
    for start in range(0, len(images), BATCH):
        measured[start : start + BATCH] = _measure(images[start : start + BATCH])
    return measured


def _measure(images):
    levels = images.astype(np.float32) / np.float32(255.0)
    rows, columns = levels.sum(axis=2, dtype=np.float64), levels.sum(axis=1, dtype=np.float64)  # (n, 28) each
    ink = rows.sum(axis=1)
    blank = ink == 0.0
    mass = np.where(blank, 1.0, ink)

    # First and second moments: the mean and the (co)variance of where the ink is.
    place = np.arange(SIDE, dtype=np.float64)
    centre_x, centre_y = columns @ place / mass, rows @ place / mass
    variance_y = rows @ (place * place) / mass - centre_y**2
    covariance = (levels @ place) @ place / mass - centre_x * centre_y
    slant = -covariance / (np.maximum(variance_y, 0.0) + PIXEL_VARIANCE)  # y is down: what goes right as it goes up is positive

    dark = images >= INK
    width, height = _extent(dark.any(axis=1)), _extent(dark.any(axis=2))

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


def _extent(any_dark):
    """bool (n, 28) -> from the first True to the last, both included, (n,); 0 where there is none."""
    return np.where(any_dark.any(axis=1), SIDE - any_dark.argmax(axis=1) - any_dark[:, ::-1].argmax(axis=1), 0)


def _perimeter(levels):
    """The total variation, (n,): the length of the ink's edge, which for a soft edge too is the sum of its slopes."""
    padded = np.pad(levels, ((0, 0), (1, 1), (1, 1)))
    across = padded[:, :-1, 1:] - padded[:, :-1, :-1]
    down = padded[:, 1:, :-1] - padded[:, :-1, :-1]
    return np.sqrt(across * across + down * down).sum(axis=(1, 2), dtype=np.float64)


def _smoothness(levels):
    """Moran's I of an image, (n,): the covariance of neighbours over the variance; 0 where all pixels are the same."""
    centred = levels - levels.mean(axis=(1, 2), keepdims=True)
    variance = np.einsum("nij,nij->n", centred, centred, dtype=np.float64) / SIDE**2
    beside = np.einsum("nij,nij->n", centred[:, :, 1:], centred[:, :, :-1], dtype=np.float64)
    below = np.einsum("nij,nij->n", centred[:, 1:], centred[:, :-1], dtype=np.float64)
    covariance = (beside + below) / (2 * SIDE * (SIDE - 1))
    flat = variance < 1e-9
    return np.where(flat, 0.0, covariance / np.where(flat, 1.0, variance))


def _euler_number(solid):
    """bool (n, 28, 28) -> pieces less holes, (n,), where pixels that touch at a corner are one piece.

    Counted in squares of 2 x 2 pixels, by how many of the four are solid: (ones - threes - 2 diagonal pairs) / 4. S. B. Gray,
    "Local properties of binary images in two dimensions", 1971.
    """
    padded = np.pad(solid, ((0, 0), (1, 1), (1, 1))).astype(np.int8)
    corner, right, under, across = padded[:, :-1, :-1], padded[:, :-1, 1:], padded[:, 1:, :-1], padded[:, 1:, 1:]
    count = corner + right + under + across
    diagonal = (count == 2) & (corner == across)
    ones, threes, pairs = (np.count_nonzero(which, axis=(1, 2)) for which in (count == 1, count == 3, diagonal))
    return (ones - threes - 2 * pairs) / 4.0
