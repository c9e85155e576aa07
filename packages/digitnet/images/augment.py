"""Augmentation: small changes that leave a digit the same digit, so that no two epochs see quite the same images."""

import math
from dataclasses import dataclass, fields

import numpy as np

from digitnet.images.normalize import IMAGE_SIDE, in_unit_range
from digitnet.images.warp import LATTICE_SIDE, affine_coefficients, displacements, warped

LIMITS = {  # what each strength may be at most: more can only be a mistake
    "rotation": 180.0,
    "shear": 2.0,
    "scale": 2.0,
    "aspect": 2.0,
    "shift": 14.0,
    "elastic": 28.0,
    "thicker": 4.0,
    "thinner": 1.0,
    "softness": 1.0,
    "gain": 2.0,
}

PIECE = 32  # images at a time: what is made on the way then stays in the processor's cache, which is twice as fast


@dataclass(frozen=True)
class Augmentation:
    """How much each image is changed at most; by how much it really is, is drawn anew each time. 0 = not at all.

    ValueError, which names the field, for a strength that is no number from 0 to its limit.
    """

    rotation: float = 0.0  # degrees, either way
    shear: float = 0.0  # pixels to the left or right for each pixel up: the slant of handwriting
    scale: float = 0.0  # 0.1: from 1 / 1.1 of the size to 1.1 of it
    aspect: float = 0.0  # 0.1: height : width from 1 / 1.1 of what it was to 1.1 of it
    shift: float = 0.0  # pixels, up or down and left or right
    elastic: float = 0.0  # pixels that no point moves beyond, in y and in x; 0.28 of it is how far one moves typically (rms)
    thicker: float = 0.0  # pixels that a stroke gains on either side
    thinner: float = 0.0  # pixels that it loses
    softness: float = 0.0  # 1: from edges as much steeper to edges as much flatter as a blur of [1 2 1] / 4 makes them
    gain: float = 0.0  # 0.1: from 1 / 1.1 of the ink's strength to 1.1 of it, full ink at most

    def __post_init__(self):
        for field in fields(self):
            strength, limit = getattr(self, field.name), LIMITS[field.name]
            is_number = isinstance(strength, int | float) and not isinstance(strength, bool)
            if not (is_number and 0.0 <= strength <= limit):
                raise ValueError(f"{field.name} must be a number from 0 to {limit:g}, not {strength!r}")

    def augmented(self, images: np.ndarray, generator: np.random.Generator, rows: slice = slice(None)) -> np.ndarray:
        """Images uint8 (batch, 28, 28) -> changed ones, float32 (batch, 28, 28) in [0, 1].

        Each image's changes are its own. The generator, the strengths and the images say all of them, to the last bit. Of
        `rows` alone they are made, the same as if all were, and the others are left blank: what is drawn for those is cheap.
        """
        changed = np.zeros(images.shape, np.float32)
        first, end, _ = rows.indices(len(images))
        for start in range(0, len(images), PIECE):
            piece, of_piece = images[start : start + PIECE], changed[start : start + PIECE]
            move, ink = self._drawn_move(len(piece), generator), self._drawn_ink(len(piece), generator)
            wanted = slice(max(first - start, 0), max(end - start, 0))
            if len(piece[wanted]):
                moved = self._moved(piece, wanted, *move)
                np.clip(self._inked(moved, *(each[wanted] for each in ink)), 0.0, 1.0, out=of_piece[wanted])
        return changed

    def _drawn_move(self, batch, generator):
        rotation = math.radians(self.rotation) * _signed(generator, batch)
        shear = self.shear * _signed(generator, batch)
        scale = (1.0 + self.scale) ** _signed(generator, batch)
        aspect = (1.0 + self.aspect) ** (0.5 * _signed(generator, batch))
        down, right = self.shift * _signed(generator, 2, batch)
        lattice = self.elastic * _signed(generator, batch, 2, LATTICE_SIDE, LATTICE_SIDE)
        return (rotation, shear, scale * aspect, scale / aspect, down, right), lattice

    def _drawn_ink(self, batch, generator):
        width = generator.uniform(-self.thinner, self.thicker, batch).astype(np.float32)
        softness = self.softness * _signed(generator, batch)
        gain = (1.0 + self.gain) ** _signed(generator, batch)
        return width, softness, gain

    def _moved(self, images, wanted, affine, lattice):
        unit = in_unit_range(images[wanted])
        if not (self.rotation or self.shear or self.scale or self.aspect or self.shift or self.elastic):
            return unit
        # Of all images, wanted or not: in a product of another size the last bits may be others.
        displaced = displacements(affine_coefficients(*affine), lattice if self.elastic else None)
        return warped(unit, displaced[wanted])

    def _inked(self, images, width, softness, gain):
        """The pen's part; on the moved image, so that the pen's width is in the pixels that the network sees."""
        if self.thicker or self.thinner:
            images = with_pen_width(images, width)
        if self.softness:
            images = images + _each(softness) * (_blurred(images) - images)
        if self.gain:
            images = images * _each(gain)
        return images


def with_pen_width(images: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Images float32 (batch, 28, 28) as a pen would have drawn them that is wider by `change` pixels, (batch,), on either side.

    Growing by one pixel gives each pixel the most ink that it or one of its four neighbours has, shrinking the least;
    in between is in between. Shrinking ends at one pixel, as few strokes are wider than three.
    """
    wider = images
    for step in range(int(np.ceil(max(change.max(initial=0.0), 0.0)))):
        grown = _extreme_of_neighbours(wider, np.maximum)
        wider = wider + _each(np.clip(change - step, 0.0, 1.0)) * (grown - wider)
    if change.min(initial=0.0) < 0.0:
        shrunk = _extreme_of_neighbours(images, np.minimum)
        wider = wider + _each(np.clip(-change, 0.0, 1.0)) * (shrunk - images)
    return wider


def _signed(generator, *shape):
    """Uniform in [-1, 1), float32."""
    return 2.0 * generator.random(shape, np.float32) - 1.0


def _each(strengths):
    """(batch,) -> (batch, 1, 1): one strength for all pixels of an image."""
    return strengths[:, None, None]


def _extreme_of_neighbours(images, extreme):
    """The most (np.maximum) or least (np.minimum) ink of each pixel and its four neighbours."""
    result = images.copy()
    extreme(result[:, 1:], images[:, :-1], out=result[:, 1:])
    extreme(result[:, :-1], images[:, 1:], out=result[:, :-1])
    extreme(result[:, :, 1:], images[:, :, :-1], out=result[:, :, 1:])
    extreme(result[:, :, :-1], images[:, :, 1:], out=result[:, :, :-1])
    return result


def _blurred(images):
    """Each pixel mixed with its neighbours, [1 2 1] / 4 along each axis; beyond the edge there is no ink."""
    padded = np.zeros((len(images), IMAGE_SIDE + 2, IMAGE_SIDE + 2), np.float32)
    padded[:, 1:-1, 1:-1] = images
    rows = padded[:, :-2] + 2.0 * padded[:, 1:-1] + padded[:, 2:]
    return (rows[:, :, :-2] + 2.0 * rows[:, :, 1:-1] + rows[:, :, 2:]) / 16.0
