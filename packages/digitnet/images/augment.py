"""Augmentation: small random changes that preserve the digit, so that each epoch has new images."""

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import Bytes, Floats
from digitnet.images.normalize import IMAGE_SIDE, in_unit_range
from digitnet.images.warp import LATTICE_SIDE, affine_coefficients, displacements, warped

PIECE = 32  # Images at a time: their arrays stay in the processor's cache, which is twice as fast.


@dataclass(frozen=True)
class Augmentation:
    """The largest change of each kind; 0 is no change. Each image changes at random. ValueError for a negative number."""

    rotation: float = 0.0  # Degrees, in both directions.
    shear: float = 0.0  # Pixels to the left or right for each pixel up. The slant of handwriting.
    scale: float = 0.0  # For 0.1, a factor for the size from 1 / 1.1 to 1.1.
    aspect: float = 0.0  # For 0.1, a factor for height over width from 1 / 1.1 to 1.1.
    shift: float = 0.0  # Pixels, vertically and horizontally.
    elastic: float = 0.0  # Pixels that a point may move in y and in x. The root mean square is 0.28 of it.
    thicker: float = 0.0  # Pixels added to a stroke on each side.
    thinner: float = 0.0  # Pixels removed from a stroke on each side.
    softness: float = 0.0  # For 1, edges become softer, or sharper, by the effect of a blur of [1 2 1] / 4.
    gain: float = 0.0  # For 0.1, a factor for the ink from 1 / 1.1 to 1.1. The result is clipped at full ink.

    def __post_init__(self) -> None:
        for field in fields(self):
            strength = getattr(self, field.name)
            is_number = isinstance(strength, int | float) and not isinstance(strength, bool)
            if not (is_number and 0.0 <= strength < math.inf):
                raise ValueError(f"{field.name} must be a number from 0 up, not {strength!r}")

    def augmented(self, images: Bytes, generator: np.random.Generator, rows: slice = slice(None)) -> NDArray[np.float32]:
        """Return changed images, float32 (batch, 28, 28) in [0, 1], for images uint8 (batch, 28, 28).

        Each image has its own random changes. Only `rows` are computed, with the same bits as in a whole batch; others are blank.
        """
        changed = np.zeros(images.shape, np.float32)
        first, end, _ = rows.indices(len(images))
        for start in range(0, len(images), PIECE):
            piece, of_piece = images[start : start + PIECE], changed[start : start + PIECE]
            displaced, pen = self._displacements(len(piece), generator), self._pen(len(piece), generator)
            wanted = slice(max(first - start, 0), max(end - start, 0))
            moved = warped(in_unit_range(piece[wanted]), displaced[wanted])
            np.clip(self._inked(moved, *(each[wanted] for each in pen)), 0.0, 1.0, out=of_piece[wanted])
        return changed

    def _displacements(self, batch: int, generator: np.random.Generator) -> Floats:
        rotation = math.radians(self.rotation) * _signed(generator, batch)
        shear = self.shear * _signed(generator, batch)
        scale = (1.0 + self.scale) ** _signed(generator, batch)
        aspect = (1.0 + self.aspect) ** (0.5 * _signed(generator, batch))
        down, right = self.shift * _signed(generator, 2, batch)
        lattice = self.elastic * _signed(generator, batch, 2, LATTICE_SIDE, LATTICE_SIDE)
        affine = affine_coefficients(rotation, shear, scale * aspect, scale / aspect, down, right)
        return displacements(affine, lattice if self.elastic else None)

    def _pen(self, batch: int, generator: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """Draw changes of width, softness and gain, (batch,) each."""
        width = generator.uniform(-self.thinner, self.thicker, batch).astype(np.float32)
        return width, self.softness * _signed(generator, batch), (1.0 + self.gain) ** _signed(generator, batch)

    def _inked(self, images: Floats, width: Floats, softness: Floats, gain: Floats) -> Floats:
        """Change the pen after the warp, so that its width is in the network's pixels."""
        if self.thicker or self.thinner:
            images = with_pen_width(images, width)
        if self.softness:
            images = images + _each(softness) * (_blurred(images) - images)
        if self.gain:
            images = images * _each(gain)
        return images


def with_pen_width(images: Floats, change: Floats) -> Floats:
    """Return images (batch, 28, 28) with strokes wider by `change` (batch,) pixels on each side, or narrower if it is negative.

    To grow by one pixel, each pixel takes the most ink of itself and its four neighbors; to shrink, the least. Fractions mix
    both images. Strokes shrink by at most one pixel, because few are wider than three.
    """
    wider = images
    for step in range(int(np.ceil(change.max(initial=0.0)))):
        grown = _extreme_of_neighbors(wider, np.maximum)
        wider = wider + _each(np.clip(change - step, 0.0, 1.0)) * (grown - wider)
    if change.min(initial=0.0) < 0.0:
        shrunk = _extreme_of_neighbors(images, np.minimum)
        wider = wider + _each(np.clip(-change, 0.0, 1.0)) * (shrunk - images)
    return wider


def _signed(generator: np.random.Generator, *shape: int) -> NDArray[np.float32]:
    """Draw uniformly from [-1, 1)."""
    return 2.0 * generator.random(shape, np.float32) - 1.0


def _each(strengths: Floats) -> Floats:
    """Return (batch,) as (batch, 1, 1), to apply one strength to all pixels of an image."""
    return strengths[:, None, None]


def _extreme_of_neighbors(images: Floats, extreme: np.ufunc) -> Floats:
    """Return the most (np.maximum) or least (np.minimum) ink of each pixel and its four neighbors."""
    result = images.copy()
    extreme(result[:, 1:], images[:, :-1], out=result[:, 1:])
    extreme(result[:, :-1], images[:, 1:], out=result[:, :-1])
    extreme(result[:, :, 1:], images[:, :, :-1], out=result[:, :, 1:])
    extreme(result[:, :, :-1], images[:, :, 1:], out=result[:, :, :-1])
    return result


def _blurred(images: Floats) -> Floats:
    """Blur with [1 2 1] / 4 along each axis. There is no ink beyond the edge."""
    padded = np.zeros((len(images), IMAGE_SIDE + 2, IMAGE_SIDE + 2), np.float32)
    padded[:, 1:-1, 1:-1] = images
    rows = padded[:, :-2] + 2.0 * padded[:, 1:-1] + padded[:, 2:]
    return (rows[:, :, :-2] + 2.0 * rows[:, :, 1:-1] + rows[:, :, 2:]) / 16.0
