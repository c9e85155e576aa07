"""Augmentation: small random changes that preserve the digit, so that each epoch has new images."""

import math
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import Bytes, Floats
from digitnet.images.inking import with_blots, with_pen_width, with_softness
from digitnet.images.normalize import in_unit_range
from digitnet.images.warp import LATTICE_SIDE, affine_coefficients, displacements, smooth_fields, warped

BLOTS_WITHIN = 9.0  # Pixels from the image's center, vertically and horizontally.
FAINTEST = 0.6  # Of a random field: the value from which on every pixel is a gap. Fewer are at lower values, none below zero.
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
    uneven: float = 0.0  # Pixels added or removed on each side in places, so that the width varies along a stroke.
    blots: float = 0.0  # The radius of a disk of ink in pixels. Half of the images get none.
    gaps: float = 0.0  # For 1, pixels in faint places lose up to all of their ink.
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
            displaced, ink = self._displacements(len(piece), generator), self._ink(len(piece), generator)
            wanted = slice(max(first - start, 0), max(end - start, 0))
            moved = warped(in_unit_range(piece[wanted]), displaced[wanted])
            np.clip(self._inked(moved, _Ink(*(each[wanted] for each in ink))), 0.0, 1.0, out=of_piece[wanted])
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

    def _ink(self, batch: int, generator: np.random.Generator) -> "_Ink":
        one = batch, 1, 1
        width: Floats = generator.uniform(-self.thinner, self.thicker, one).astype(np.float32)
        softness, gain = self.softness * _signed(generator, *one), (1.0 + self.gain) ** _signed(generator, *one)
        blots, lost = np.zeros((batch, 3, 1, 1), np.float32), np.zeros(one, np.float32)
        if self.uneven:
            width = width + self.uneven * _signed(generator, *one) * _field(generator, batch)
        if self.blots:
            blots = _signed(generator, batch, 3, 1, 1)
            blots *= np.array([self.blots, BLOTS_WITHIN, BLOTS_WITHIN], np.float32)[:, None, None]
        if self.gaps:
            faint = _field(generator, batch) / FAINTEST
            lost = self.gaps * generator.random(one, np.float32) * (generator.random(faint.shape, np.float32) < faint)
        return _Ink(width, softness, gain, blots, lost)

    def _inked(self, images: Floats, ink: "_Ink") -> Floats:
        """Change the ink after the warp, so that its width is in the network's pixels."""
        if self.thicker or self.thinner or self.uneven:
            images = with_pen_width(images, ink.width)
        if self.blots:
            images = with_blots(images, *ink.blots.swapaxes(0, 1))
        if self.gaps:
            images = images * (1.0 - ink.lost)
        if self.softness:
            images = with_softness(images, ink.softness)
        if self.gain:
            images = images * ink.gain
        return images


class _Ink(NamedTuple):
    """Random changes of the ink. Each is float32 (batch, 1, 1), one number for each image, or (batch, 28, 28)."""

    width: Floats
    softness: Floats
    gain: Floats
    blots: Floats  # (batch, 3, 1, 1): radius, and the center's distance from the image's, down and right.
    lost: Floats  # The share of the ink that gaps take.


def _field(generator: np.random.Generator, batch: int) -> Floats:
    """Draw smooth fields (batch, 28, 28) with a root mean square of about 0.28."""
    return smooth_fields(_signed(generator, batch, LATTICE_SIDE, LATTICE_SIDE))


def _signed(generator: np.random.Generator, *shape: int) -> NDArray[np.float32]:
    """Draw uniformly from [-1, 1)."""
    return 2.0 * generator.random(shape, np.float32) - 1.0
