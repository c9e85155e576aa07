"""Warping: affine and elastic changes as one field, which has for each pixel of the new image its origin in the old one.

The field of displacements is a sum of fixed fields, each with a coefficient:

    displacement(y, x) = constant · 1 + by_y · y + by_x · x + Σ lattice[i, j] · bump[i, j](y, x)

The first three terms give every affine map: shift, rotation, scale and shear. The bumps, one around each point of a coarse
lattice, give a smooth random field, like the blurred noise of Simard et al. ("Best practices for convolutional neural networks",
2003). So the fields of a batch are one matrix product, coefficients times fixed fields.

Positions are in pixels, y down. Affine maps measure them from normalize.CENTER.
"""

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import Floats
from digitnet.images.normalize import CENTER, IMAGE_SIDE

AFFINE_TERMS = 3  # 1, y and x
LATTICE_SIDE = 7  # points 6.75 pixels apart; their bumps are about as wide as Simard's Gaussian of 4 pixels

MARGIN = 2  # pixels of zeros around each image, so that positions outside need no special case
PADDED_SIDE = IMAGE_SIDE + 2 * MARGIN


def affine_coefficients(
    rotation: Floats, shear: Floats, height: Floats, width: Floats, down: Floats, right: Floats
) -> NDArray[np.float32]:
    """Return the coefficients of 1, y and x in the displacements of y and x, (batch, 2, 3).

    The displacements scale, shear, rotate and shift a digit, in this order.

    All arguments are (batch,): `rotation` in radians, counterclockwise; `shear` in pixels to the right for each pixel up;
    `height` and `width` as factors; `down` and `right` in pixels.
    """
    cos, sin = np.cos(rotation), np.sin(rotation)
    # A pixel's origin is found by undoing the steps, the last one first:
    #   rotation    x = x' cos − y' sin     y = x' sin + y' cos
    #   shear       x = x' + shear · y'     y = y'
    #   scale       x = x' / width          y = y' / height
    y_by_y, y_by_x = cos / height, sin / height
    x_by_y, x_by_x = (shear * cos - sin) / width, (cos + shear * sin) / width
    # The shift was the last step. A displacement is the old position minus the new one, hence the −1.
    to_y = [-(y_by_y * down + y_by_x * right), y_by_y - 1.0, y_by_x]
    to_x = [-(x_by_y * down + x_by_x * right), x_by_y, x_by_x - 1.0]
    return np.stack([np.stack(to_y, axis=1), np.stack(to_x, axis=1)], axis=1).astype(np.float32)


def displacements(affine: Floats, lattice: Floats | None = None) -> Floats:
    """Return the fields of a batch, float32 (batch, 2, 784): y and x of each pixel's origin, minus the pixel's own y and x.

    `affine` is from affine_coefficients. `lattice`, float32 (batch, 2, 7, 7), has the elastic displacements at the lattice's
    points. The bumps are never negative and sum to 1, so no elastic displacement exceeds the largest of these.
    """
    coefficients = affine
    if lattice is not None:
        coefficients = np.concatenate([affine, lattice.reshape(len(affine), 2, LATTICE_SIDE**2)], axis=2)
    kinds = coefficients.shape[2]
    displaced: Floats = coefficients.reshape(-1, kinds) @ _FIELDS[:kinds]
    return displaced.reshape(-1, 2, IMAGE_SIDE**2)


def smooth_fields(lattice: Floats) -> Floats:
    """Return random fields (batch, 28, 28) that have the values of `lattice`, float32 (batch, 7, 7), at its points.

    For values uniform in [-1, 1), the root mean square of a field is about 0.28.
    """
    fields: Floats = lattice.reshape(-1, LATTICE_SIDE**2) @ _FIELDS[AFFINE_TERMS:]
    return fields.reshape(-1, IMAGE_SIDE, IMAGE_SIDE)


def warped(images: Floats, displaced: Floats) -> NDArray[np.float32]:
    """Sample images (batch, 28, 28) at displaced positions, by bilinear interpolation; return the same shape and range."""
    batch = len(images)
    padded = np.zeros((batch, PADDED_SIDE, PADDED_SIDE), np.float32)
    padded[:, MARGIN:-MARGIN, MARGIN:-MARGIN] = images

    # Positions beyond the margin are moved to it, because both are zero.
    positions = displaced + _OWN_POSITIONS
    np.maximum(positions, 0.0, out=positions)
    np.minimum(positions, PADDED_SIDE - 2, out=positions)
    corners = positions.astype(np.int32)  # the upper left of four pixels
    positions -= corners
    down, right = positions[:, 0], positions[:, 1]  # in [0, 1): toward the lower and right pixels

    index = (corners[:, 0] * PADDED_SIDE + corners[:, 1]).astype(np.intp)
    index += np.arange(batch)[:, None] * PADDED_SIDE**2
    pixels = padded.reshape(-1)
    upper = _between(pixels.take(index), pixels[1:].take(index), right)
    lower = _between(pixels[PADDED_SIDE:].take(index), pixels[PADDED_SIDE + 1 :].take(index), right)
    return _between(upper, lower, down).reshape(batch, IMAGE_SIDE, IMAGE_SIDE)


def _between(start: NDArray[np.float32], end: NDArray[np.float32], fraction: Floats) -> NDArray[np.float32]:
    """Return start + fraction · (end − start), in the memory of `end`."""
    end -= start
    end *= fraction
    end += start
    return end


def _bumps() -> Floats:
    """Return cubic B-splines around evenly spaced points, (7, 28). The outermost points are outside the image."""
    intervals = LATTICE_SIDE - 3
    positions = np.linspace(0.0, intervals, IMAGE_SIDE)
    distance = np.abs(positions - (np.arange(LATTICE_SIDE) - 1.0)[:, None])
    near = 2.0 / 3.0 - distance**2 + distance**3 / 2.0
    far = np.maximum(2.0 - distance, 0.0) ** 3 / 6.0
    return np.where(distance < 1.0, near, far)


def _fields() -> NDArray[np.float32]:
    """Return the fixed fields, (3 + 49, 784): 1, y, x, and a bump around each point of the lattice."""
    y, x = np.indices((IMAGE_SIDE, IMAGE_SIDE)).reshape(2, -1) - CENTER
    return np.concatenate([[np.ones_like(y), y, x], np.kron(_bumps(), _bumps())]).astype(np.float32)


_FIELDS = _fields()
_OWN_POSITIONS = (np.indices((IMAGE_SIDE, IMAGE_SIDE)).reshape(2, -1) + MARGIN).astype(np.float32)
