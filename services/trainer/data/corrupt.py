"""disturb: the test digits turned, moved, resized and drawn with other pens, to see how much of that a network bears.

Each change is made to what a user would send, and then read as the service reads it: MNIST's images as 784 pixels, drawings as
strokes and as the pixels of the canvas that they were drawn on. Nothing here is random and nothing here is trained on.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from digitnet.checkpoint import npz_bytes, write_atomically
from digitnet.images.ink import image_from_pixels
from digitnet.images.normalize import IMAGE_SIDE, in_bytes, in_unit_range
from digitnet.images.strokes import image_from_strokes
from digitnet.images.warp import affine_coefficients, displacements, warped
from digitnet.network import NO_DIGIT

from trainer.data.canvas import SIDE, inked_canvas
from trainer.data.digits import load_drawings, load_splits
from trainer.data.paths import rotation
from trainer.pool import map_in_processes

log = logging.getLogger(__name__)

MNIST_DIGITS, DRAWN_DIGITS = 1000, 500  # of the test splits, at most, evenly chosen
BRUSH = 20.0  # the page's own, in pixels
BRUSHES = (8, 14, 20, 26, 32)
SIZES = (50, 100, 150, 200, 250)  # of a drawing's longer side, in pixels
ANGLES = (-30, -20, -10, 10, 20, 30)  # degrees, anticlockwise
SCALES = (0.5, 0.75, 1.25, 1.4)  # MNIST's digits are 20 of 28 pixels tall or wide: 1.4 fills the image
SHIFTS = (2, 4)  # pixels of 28, right and down; more would cut ink off
PLACES = {"top left": (0.0, 0.0), "top right": (1.0, 0.0), "bottom left": (0.0, 1.0), "bottom right": (1.0, 1.0)}
PLACED_SIZE = 120.0  # pixels, of a drawing that is put into a corner of the canvas


@dataclass(frozen=True)
class Condition:
    """What was sent (`source`), what had been done to it (`change`), and by how much (`value`)."""

    source: str
    change: str
    value: str
    image: Callable  # what a user would send, changed -> float32 (28, 28), as the service makes it


def conditions() -> list[Condition]:
    """All of them. Of the source "MNIST" is what takes a uint8 image (28, 28), of "strokes" and "canvas" what takes strokes."""
    pixels = partial(Condition, "MNIST")
    listed = [pixels("none", "", image_from_pixels)]
    listed += [pixels("rotation", f"{angle:+d}°", partial(_moved, turn=math.radians(angle))) for angle in ANGLES]
    listed += [pixels("scale", f"× {scale:g}", partial(_moved, scale=scale)) for scale in SCALES]
    listed += [pixels("shift", f"{shift} pixels", partial(_moved, shift=shift)) for shift in SHIFTS]
    for source, read in (("strokes", image_from_strokes), ("canvas", _from_canvas)):
        drawn = partial(Condition, source)
        listed.append(drawn("none", "", read))
        listed += [drawn("rotation", f"{angle:+d}°", partial(_turned, read, math.radians(angle))) for angle in ANGLES]
        listed += [drawn("size", f"{size} pixels", partial(_placed, read, size, (0.5, 0.5))) for size in SIZES]
        listed += [drawn("place", name, partial(_placed, read, PLACED_SIZE, place)) for name, place in PLACES.items()]
        listed += [drawn("brush", f"{brush} pixels", partial(read, brush=brush)) for brush in BRUSHES]
    return listed


def disturb(digits_file: Path, synthetic_file: Path, file: Path, processes: int = 2) -> None:
    """Write one .npz: `conditions`, (c, 3) strings, and images uint8 (n, 28, 28), labels and condition, both int64 (n,)."""
    mnist = load_splits(digits_file)["test"]
    mnist = mnist.only(_some(len(mnist), MNIST_DIGITS))
    drawings, labels = load_drawings(synthetic_file)
    digits = np.flatnonzero(labels != NO_DIGIT)
    chosen = digits[_some(len(digits), DRAWN_DIGITS)]
    drawn = [drawings[index] for index in chosen], labels[chosen]
    sent = {"MNIST": (mnist.images, mnist.labels), "strokes": drawn, "canvas": drawn}
    listed = conditions()
    made = map_in_processes(_images, listed, [sent[condition.source][0] for condition in listed], processes=processes)
    arrays = {
        "conditions": np.array([[condition.source, condition.change, condition.value] for condition in listed]),
        "pictures": np.concatenate(made),
        "labels": np.concatenate([sent[condition.source][1] for condition in listed]),
        "condition": np.repeat(np.arange(len(listed)), [len(images) for images in made]),
    }
    log.info("%d pictures under %d conditions", len(arrays["pictures"]), len(listed))
    write_atomically(file, npz_bytes(arrays))


def _some(count, most):
    """Indices of at most so many, always the same ones, from anywhere in the split."""
    return np.sort(np.random.default_rng(0).permutation(count)[:most])


def _images(condition, sent):
    """What was sent, changed and read: uint8 (n, 28, 28)."""
    images = [in_bytes(condition.image(one)) for one in sent]
    return np.stack(images) if images else np.empty((0, IMAGE_SIDE, IMAGE_SIDE), np.uint8)


def _moved(pixels, turn=0.0, scale=1.0, shift=0.0):
    """MNIST's pixels, moved about their middle; what leaves the image is cut off."""
    affine = affine_coefficients(*(np.array([amount]) for amount in (turn, 0.0, scale, scale, shift, shift)))
    return image_from_pixels(np.clip(warped(in_unit_range(pixels)[None], displacements(affine))[0], 0.0, 1.0))


def _turned(read, angle, drawing):
    _, middle, _ = _extent(drawing)
    turn = rotation(-angle).T  # y is down, and the angle anticlockwise
    return read([np.rint((stroke - middle) @ turn + middle) for stroke in drawing])


def _placed(read, size, place, drawing):
    """Of that size, in whole pixels as a pen reports them, and so far from left and top of the room that there is: 0 to 1."""
    corner, _, extent = _extent(drawing)
    scale = size / max(extent.max(), 1e-9)
    left_top = BRUSH / 2.0 + np.array(place) * (SIDE - BRUSH - scale * extent)
    return read([np.rint((stroke - corner) * scale + left_top) for stroke in drawing])


def _extent(drawing):
    every = np.concatenate(drawing)
    corner, end = every.min(axis=0), every.max(axis=0)
    return corner, (corner + end) / 2.0, end - corner


def _from_canvas(drawing, brush=BRUSH):
    return image_from_pixels(inked_canvas(drawing, brush))
