"""Warping: for each pixel of a new image, where in the old one its ink comes from; affine and elastic moves in one grid.

The field of displacements is a sum of a few fixed fields, each with its coefficient:

    displacement(y, x) = constant · 1 + by_y · y + by_x · x + Σ lattice[i, j] · bump[i, j](y, x)

The first three make every affine map: shift, rotation, scale and shear. The bumps, one around each point of a coarse lattice,
make a smooth random field, as Simard et al. ("Best practices for convolutional neural networks", 2003) get by blurring noise.
The fields of a batch are then one matrix product, coefficients times fixed fields.

Positions are in pixels, y down, and those of an affine map are measured from the middle that normalize.py puts digits on.
"""

import numpy as np

from digitnet.images.normalize import CENTRE, IMAGE_SIDE

LATTICE_SIDE = 7  # points 6.75 pixels apart, whose bumps are about as wide as Simard's Gaussian of 4 pixels

MARGIN = 2  # zeros around each image, so that what lies outside is read like any other pixel
PADDED_SIDE = IMAGE_SIDE + 2 * MARGIN


def affine_coefficients(
    rotation: np.ndarray, shear: np.ndarray, height: np.ndarray, width: np.ndarray, down: np.ndarray, right: np.ndarray
) -> np.ndarray:
    """How to scale a digit, then shear, rotate and shift it: float32 (batch, 2, 3), the coefficients of 1, y and x
    in the displacements of y and x.

    All are (batch,). `rotation` in radians, anticlockwise; `shear` in pixels that the digit leans to the right for each
    pixel up; `height` and `width` as factors, 1 = as it was; `down` and `right` in pixels.
    """
    cos, sin = np.cos(rotation), np.sin(rotation)
    # A new image asks where a pixel came from, so the steps are undone, the last first:
    #   rotation    x = x' cos − y' sin     y = x' sin + y' cos
    #   shear       x = x' + shear · y'     y = y'
    #   scale       x = x' / width          y = y' / height
    y_by_y, y_by_x = cos / height, sin / height
    x_by_y, x_by_x = (shear * cos - sin) / width, (cos + shear * sin) / width
    # The shift was the very last. A displacement is how far old and new position differ, hence the −1.
    to_y = [-(y_by_y * down + y_by_x * right), y_by_y - 1.0, y_by_x]
    to_x = [-(x_by_y * down + x_by_x * right), x_by_y, x_by_x - 1.0]
    return np.stack([np.stack(to_y, axis=1), np.stack(to_x, axis=1)], axis=1).astype(np.float32)


def displacements(affine: np.ndarray, lattice: np.ndarray | None = None) -> np.ndarray:
    """The fields of a batch, float32 (batch, 2, 784): by how much y and x of each pixel's origin differ from its own.

    `affine` is what affine_coefficients made; `lattice`, float32 (batch, 2, 7, 7), has the elastic displacements around the
    lattice's points. The bumps are nowhere negative and add up to 1, so the elastic part is nowhere more than the largest.
    """
    coefficients = affine
    if lattice is not None:
        coefficients = np.concatenate([affine, lattice.reshape(len(affine), 2, LATTICE_SIDE**2)], axis=2)
    kinds = coefficients.shape[2]
    return (coefficients.reshape(-1, kinds) @ _FIELDS[:kinds]).reshape(-1, 2, IMAGE_SIDE**2)


def warped(images: np.ndarray, displaced: np.ndarray) -> np.ndarray:
    """Images (batch, 28, 28) read at displaced positions, between four pixels each: float32, of the same shape and range."""
    batch = len(images)
    padded = np.zeros((batch, PADDED_SIDE, PADDED_SIDE), np.float32)
    padded[:, MARGIN:-MARGIN, MARGIN:-MARGIN] = images

    # Whatever is further out is zero like the margin, where the nearest square of four pixels is.
    positions = displaced + _OWN_POSITIONS
    np.maximum(positions, 0.0, out=positions)
    np.minimum(positions, PADDED_SIDE - 2, out=positions)
    corners = positions.astype(np.int32)  # the upper left of the four
    positions -= corners
    down, right = positions[:, 0], positions[:, 1]  # in [0, 1): how far towards the lower and the right ones

    index = (corners[:, 0] * PADDED_SIDE + corners[:, 1]).astype(np.intp)
    index += np.arange(batch)[:, None] * PADDED_SIDE**2
    pixels = padded.reshape(-1)
    upper = _between(pixels.take(index), pixels[1:].take(index), right)
    lower = _between(pixels[PADDED_SIDE:].take(index), pixels[PADDED_SIDE + 1 :].take(index), right)
    return _between(upper, lower, down).reshape(batch, IMAGE_SIDE, IMAGE_SIDE)


def _between(start, end, fraction):
    """start + fraction · (end − start), in the memory of `end`."""
    end -= start
    end *= fraction
    end += start
    return end


def _bumps():
    """(7, 28): cubic B-splines around evenly spaced points, of which the outermost lie outside the image."""
    intervals = LATTICE_SIDE - 3
    positions = np.linspace(0.0, intervals, IMAGE_SIDE)
    distance = np.abs(positions - (np.arange(LATTICE_SIDE) - 1.0)[:, None])
    near = 2.0 / 3.0 - distance**2 + distance**3 / 2.0
    far = np.maximum(2.0 - distance, 0.0) ** 3 / 6.0
    return np.where(distance < 1.0, near, far)


def _fields():
    """float32 (3 + 49, 784): the constant field, y, x, and a bump around each point of the lattice."""
    y, x = np.indices((IMAGE_SIDE, IMAGE_SIDE)).reshape(2, -1) - CENTRE
    return np.concatenate([[np.ones_like(y), y, x], np.kron(_bumps(), _bumps())]).astype(np.float32)


_FIELDS = _fields()
_OWN_POSITIONS = (np.indices((IMAGE_SIDE, IMAGE_SIDE)).reshape(2, -1) + MARGIN).astype(np.float32)
