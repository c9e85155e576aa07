"""corrupt: rotate, shift, resize and redraw test digits, to measure a network's robustness.

MNIST's digits become 784 pixels. Drawings become strokes, and pixels of the page's canvas.
"""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from digitnet.arrays import IMAGE_SIDE, Bytes, Floats, Integers
from digitnet.checkpoint import npz_bytes, write_atomically
from digitnet.images.ink import image_from_pixels
from digitnet.images.normalize import in_bytes, in_unit_range
from digitnet.images.strokes import DEFAULT_BRUSH, image_from_strokes
from digitnet.images.warp import affine_coefficients, displacements, warped
from digitnet.network import NO_DIGIT

from trainer.data.digits import Drawing, load_drawings, load_splits
from trainer.data.paths import CANVAS_SIDE, rotation
from trainer.data.pool import map_in_processes

log = logging.getLogger(__name__)

MNIST_DIGITS, DRAWN_DIGITS = 1000, 500  # The most digits of each test split.
BRUSHES = (8, 14, 20, 26, 32)  # Pixels of the canvas.
SIZES = (50, 100, 150, 200, 250)  # Of a drawing's longer side, in pixels.
ANGLES = (-30, -20, -10, 10, 20, 30)  # Degrees, counterclockwise.
SCALES = (0.5, 0.75, 1.25, 1.4)  # The longer side of an MNIST digit is 20 of 28 pixels, so 1.4 fills the image.
SHIFTS = (2, 4)  # Pixels of 28, right and down. More would cut off ink.
PLACES = {"top left": (0.0, 0.0), "top right": (1.0, 0.0), "bottom left": (0.0, 1.0), "bottom right": (1.0, 1.0)}
PLACED_SIZE = 120.0  # Pixels, of a drawing in a corner of the canvas.

ToImage = Callable[..., Floats]  # From strokes to an image. It takes a brush.


@dataclass(frozen=True)
class Corruption:
    """A source (MNIST's pixels, strokes or the canvas), the kind of change, and its amount."""

    source: str
    change: str
    value: str
    image: Callable[[Any], Floats]  # From MNIST's uint8 (28, 28), or strokes, to the corrupted image, float32 (28, 28).


def corruptions() -> list[Corruption]:
    """Return all corruptions. The first one of each source changes nothing."""
    mnist = partial(Corruption, "MNIST")
    listed = [mnist("none", "", image_from_pixels)]
    listed += [mnist("rotation", f"{angle:+d}°", partial(_warped, turn=math.radians(angle))) for angle in ANGLES]
    listed += [mnist("scale", f"× {scale:g}", partial(_warped, scale=scale)) for scale in SCALES]
    listed += [mnist("shift", f"{shift} pixels", partial(_warped, shift=shift)) for shift in SHIFTS]
    sources: tuple[tuple[str, ToImage], ...] = ("strokes", image_from_strokes), ("canvas", _image_from_canvas)
    for source, to_image in sources:
        drawn = partial(Corruption, source)
        listed.append(drawn("none", "", to_image))
        listed += [drawn("rotation", f"{angle:+d}°", partial(_turned, to_image, math.radians(angle))) for angle in ANGLES]
        listed += [drawn("size", f"{size} pixels", partial(_placed, to_image, size, (0.5, 0.5))) for size in SIZES]
        listed += [drawn("place", name, partial(_placed, to_image, PLACED_SIZE, place)) for name, place in PLACES.items()]
        listed += [drawn("brush", f"{brush} pixels", partial(to_image, brush=brush)) for brush in BRUSHES]
    return listed


def corrupt(digits_file: Path, synthetic_file: Path, file: Path) -> None:
    """Write one .npz: conditions, strings (c, 3); pictures, uint8 (n, 28, 28); labels and condition, int64 (n,) each."""
    mnist = load_splits(digits_file)["test"]
    mnist = mnist.only(_some(np.arange(len(mnist)), MNIST_DIGITS))
    drawings, labels = load_drawings(synthetic_file)
    chosen = _some(np.flatnonzero(labels != NO_DIGIT), DRAWN_DIGITS)
    drawn = [drawings[index] for index in chosen], labels[chosen]
    sent = {"MNIST": (mnist.images, mnist.labels), "strokes": drawn, "canvas": drawn}
    listed = corruptions()
    made = map_in_processes(_images, listed, [sent[corruption.source][0] for corruption in listed])
    arrays = {
        "conditions": np.array([[corruption.source, corruption.change, corruption.value] for corruption in listed]),
        "pictures": np.concatenate(made),
        "labels": np.concatenate([sent[corruption.source][1] for corruption in listed]),
        "condition": np.repeat(np.arange(len(listed)), [len(images) for images in made]),
    }
    log.info("%d images of %d corruptions", len(arrays["pictures"]), len(listed))
    write_atomically(file, npz_bytes(arrays))


def _some(indices: Integers, most: int) -> Integers:
    """Return at most `most` of the indices, chosen at random but always the same."""
    return indices[np.sort(np.random.default_rng(0).permutation(len(indices))[:most])]


def _images(corruption: Corruption, sent: Sequence[Any]) -> Bytes:
    images = [in_bytes(corruption.image(one)) for one in sent]
    return np.array(images, np.uint8).reshape(-1, IMAGE_SIDE, IMAGE_SIDE)


def _warped(pixels: Bytes, turn: float = 0.0, scale: float = 1.0, shift: float = 0.0) -> Floats:
    """Rotate, scale and shift MNIST's pixels about their middle. Ink outside the image is cut off."""
    affine = affine_coefficients(*(np.array([amount]) for amount in (turn, 0.0, scale, scale, shift, shift)))
    return image_from_pixels(np.clip(warped(in_unit_range(pixels)[None], displacements(affine))[0], 0.0, 1.0))


def _turned(to_image: ToImage, angle: float, drawing: Drawing) -> Floats:
    corner, extent = _box(drawing)
    middle = corner + extent / 2.0
    turn = rotation(-angle).T  # rotation() is clockwise, `angle` is counterclockwise.
    return to_image([np.rint((stroke - middle) @ turn + middle) for stroke in drawing])


def _placed(to_image: ToImage, size: float, place: tuple[float, float], drawing: Drawing) -> Floats:
    """Resize a drawing and place it on the canvas: (0, 0) is the top left corner, (1, 1) the bottom right one."""
    corner, extent = _box(drawing)
    scale = size / extent.max(initial=1e-9)
    left_top = DEFAULT_BRUSH / 2.0 + np.array(place) * (CANVAS_SIDE - DEFAULT_BRUSH - scale * extent)
    return to_image([np.rint((stroke - corner) * scale + left_top) for stroke in drawing])


def _box(drawing: Drawing) -> tuple[Floats, Floats]:
    points = np.concatenate(drawing)
    return points.min(axis=0), np.ptp(points, axis=0)


def _image_from_canvas(drawing: Drawing, brush: float = DEFAULT_BRUSH) -> Floats:
    return image_from_pixels(inked_canvas(drawing, brush))


def inked_canvas(strokes: Drawing, brush: float = DEFAULT_BRUSH) -> Bytes:
    """Draw strokes on the page's canvas, antialiased as in a browser, with a round pen `brush` pixels wide: uint8 (280, 280)."""
    ink = np.zeros((CANVAS_SIDE, CANVAS_SIDE), np.float32)
    centers = np.arange(CANVAS_SIDE, dtype=np.float32) + 0.5  # Of the pixels.
    reach = brush / 2.0 + 1.0
    for stroke in strokes:
        points = np.asarray(stroke, np.float32)
        starts, ends = (points[:-1], points[1:]) if len(points) > 1 else (points, points)
        lows = np.maximum(np.floor(np.minimum(starts, ends) - reach), 0).astype(int)
        highs = np.minimum(np.ceil(np.maximum(starts, ends) + reach) + 1, CANVAS_SIDE).astype(int)
        moves = ends - starts
        squares = np.maximum(np.sum(moves**2, axis=1), 1e-9)
        for (left, top), (right, bottom), (start_x, start_y), (move_x, move_y), square in zip(
            *(each.tolist() for each in (lows, highs, starts, moves, squares))
        ):
            if left >= right or top >= bottom:
                continue  # Outside the canvas.
            x, y = centers[left:right] - start_x, (centers[top:bottom] - start_y)[:, None]
            along = np.clip((x * move_x + y * move_y) / square, 0.0, 1.0)
            distance = np.hypot(x - along * move_x, y - along * move_y)
            part = ink[top:bottom, left:right]
            np.maximum(part, np.minimum(brush / 2.0 + 0.5 - distance, 1.0), out=part)
    return np.rint(ink * 255).astype(np.uint8)
