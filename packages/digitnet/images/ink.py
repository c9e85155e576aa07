"""From pixels (a photo, an MNIST vector) to an image. Ink is every pixel that differs from the background.

An even background is the border's median. Where that fails, photo.py takes a second look with an uneven background.
"""

from collections.abc import Callable, Sequence
from math import inf

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import Array, Bools, Bytes, Floats
from digitnet.images.cropping import FAINTEST_INK, NOTHING, Ink, cropped, extent
from digitnet.images.normalize import BOX_SIDE, IMAGE_SIDE, DrawingError, blank, in_bytes, in_unit_range, place, resampling
from digitnet.images.photo import digit_in_photo, text_in_photo

PAPER_GRAIN = 6.0  # Times the noise level, the third quartile of the border. Normal noise exceeds it once in 10^11 pixels.
DOT_SIZE, DOT_FILL = 0.15, 0.6  # A dot's largest side, relative to the image, and the share of its square that it fills.
FRAME_FILL = 0.9  # Of the ink's outline. Digits fill less of it.
SHEET_FILL = 0.8  # Of the opaque pixels' box. Fuller ones are a sheet, unless all have one color.
SMALLEST_BOX = 60  # Pixels. A smaller digit is worth a closer look.

Closer = Callable[[float, float, float, float], Array]


def image_from_pixels(pixels: Array, closer: Closer | None = None) -> NDArray[np.float32]:
    """Turn gray (height, width), color (height, width, 3), or color and alpha (height, width, 4) into an image.

    Pixels are uint8 or float in [0, 1], light on dark or dark on light, in any color. DrawingError for other shapes and for
    values out of range. For a reduced copy, `closer(left, top, right, bottom)` returns a part of the larger image, whose sides
    are fractions of the image. So a small digit is cropped before it is reduced.
    """
    pixels = _as_bytes(pixels)
    height, width = pixels.shape[:2]
    ink = _find_ink(pixels)
    side, dot_side = max(ink.strength.shape), DOT_SIZE * max(height, width)
    if closer is not None and 0 < side < SMALLEST_BOX:
        bottom, right = ink.top + ink.strength.shape[0], ink.left + ink.strength.shape[1]
        part = closer(  # A margin as wide as the digit shows enough paper.
            max(ink.left - side, 0) / width,
            max(ink.top - side, 0) / height,
            min(right + side, width) / width,
            min(bottom + side, height) / height,
        )
        ink, dot_side = _find_ink(_as_bytes(part)), inf if side <= dot_side else 0.0
    return blank() if _is_dot(ink.strength, dot_side) else image_of_ink(ink.strength)


def image_of_ink(box: Floats) -> NDArray[np.float32]:
    """Turn ink (height, width), without margins, into an image. No ink makes a blank one."""
    if not box.any():
        return blank()
    scale = BOX_SIDE / max(box.shape)
    if scale != 1.0:
        height, width = (max(1, round(side * scale)) for side in box.shape)
        box = resampling(box.shape[0], height) @ box @ resampling(box.shape[1], width).T
    return place(box / box.max())


def image_from_vector(values: Sequence[float]) -> NDArray[np.float32]:
    """Turn 784 numbers in [0, 1], row after row, into an image. DrawingError for another count."""
    return image_from_pixels(square(values))


def square(values: Sequence[float]) -> NDArray[np.float32]:
    """Return 784 numbers as rows, (28, 28). DrawingError for another count."""
    vector = np.asarray(values, np.float32)
    if vector.shape != (IMAGE_SIDE**2,):
        raise DrawingError(f"Expected {IMAGE_SIDE**2} values for MNIST image, got {vector.size}")
    return vector.reshape(IMAGE_SIDE, IMAGE_SIDE)


def _as_bytes(pixels: Array) -> Bytes:
    """Round floats to the nearest byte, so that 0.498 and 127/255 are the same image."""
    pixels = np.asarray(pixels)
    if pixels.ndim not in (2, 3) or 0 in pixels.shape or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)):
        raise DrawingError(f"pixels must be (height, width), (height, width, 3) or (height, width, 4), not {pixels.shape}")
    if pixels.dtype == np.uint8:
        return pixels
    pixels = pixels.astype(np.float32)
    if not (pixels.min() >= 0.0 and pixels.max() <= 1.0):  # NaN fails this form of the check too.
        raise DrawingError("every pixel must be a number from 0 to 1")
    return in_bytes(pixels)


def text_ink(pixels: Array) -> Ink:
    """Return the ink of all marks, without frames, lines and specks, for pixels as in image_from_pixels."""
    return _find_ink(_as_bytes(pixels), is_text=True)


def _find_ink(pixels: Bytes, is_text: bool = False) -> Ink:
    """Return the ink of uint8 pixels (height, width) or (height, width, channels), without margins: a digit's, or all marks'."""
    top, left = 0, 0
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.shape[2] == 4:
        opaque = pixels[:, :, 3] >= 128
        if np.median(_border(pixels[:, :, 3:])) < 128:
            rows, columns = extent(np.any(opaque, axis=1)), extent(np.any(opaque, axis=0))
            if not _is_sheet(pixels[rows, columns], opaque[rows, columns]):
                return cropped(in_unit_range(pixels[:, :, 3]))  # On a transparent background, opaque pixels are ink of any color.
            pixels, top, left = pixels[rows, columns], rows.start, columns.start
        pixels = _on_white(pixels)
    ink = _ink_on_paper(pixels, is_text)
    if _fills_outline(ink, FAINTEST_INK):  # a gray sheet within a white margin
        top, left = top + ink.top, left + ink.left
        height, width = ink.strength.shape
        ink = _ink_on_paper(pixels[ink.top : ink.top + height, ink.left : ink.left + width], is_text)
    return ink._replace(top=ink.top + top, left=ink.left + left)


def _ink_on_paper(pixels: Array, is_text: bool) -> Ink:
    if is_text:  # The light differs from end to end of a long photo.
        return _ink_on_even_background(pixels, most_noise=0.0) or text_in_photo(pixels)
    return _ink_on_even_background(pixels) or digit_in_photo(pixels)


def _fills_outline(ink: Ink, strength: float) -> bool:
    """Tell whether ink of this strength fills the outline, as of a frame or a sheet. MNIST's digits are too small for a frame."""
    height, width = ink.strength.shape
    return min(height, width) > 2 * BOX_SIDE and bool(np.mean(_border(ink.strength[:, :, None]) > strength) > FRAME_FILL)


def _is_sheet(pixels: Bytes, opaque: Bools) -> bool:
    """Tell a sheet with a transparent margin from opaque ink: a sheet fills its box and has more than one color."""
    if not opaque.size or opaque.mean() < SHEET_FILL:
        return False
    colors = pixels[opaque][:, :3]
    return bool((colors.max(axis=0) - colors.min(axis=0)).max() >= FAINTEST_INK * 255)


def _on_white(pixels: Bytes) -> Array:
    """Return the colors that (height, width, 4) have on a white sheet, (height, width, 3), as floats if they are translucent."""
    alpha = pixels[:, :, 3:]
    if alpha.min() == 255:
        return pixels[:, :, :3]
    return in_unit_range(pixels[:, :, :3]) * in_unit_range(alpha) + (1.0 - in_unit_range(alpha))


def _ink_on_even_background(pixels: Array, most_noise: float = 1.0) -> Ink | None:
    """Return the ink as the distance from the border's median color. Return None if the image contradicts an even background.

    These contradict it: noise above `most_noise`, strong noise or ink at the border, ink on half of the image, and a frame. In an
    image of MNIST's size, ink may touch the border.
    """
    height, width, channels = pixels.shape
    border = _border(pixels)
    if channels == 1 and pixels.dtype == np.uint8 and not border.any():
        ink, top, left = in_unit_range(pixels[:, :, 0]), 0, 0  # On pure black, as in MNIST, ink is the pixel itself.
        noise = off = 0.0
    else:
        background = np.sort(border, axis=0)[len(border) // 2]
        rows, columns = slice(0, height), slice(0, width)
        if pixels.dtype == np.uint8:
            rows, columns = _without_margins(pixels, background)
            pixels, border, background = (in_unit_range(part) for part in (pixels[rows, columns], border, background))
        top, left = rows.start, columns.start
        ink = _largest_difference(pixels, background)
        # The background of a photo has noise: a pixel that differs by a few times the border's noise is background.
        differences = np.sort(_largest_difference(border, background))
        noise, off = differences[len(differences) * 3 // 4], differences[-1]
    strongest = ink.max(initial=0.0)
    threshold = PAPER_GRAIN * noise
    is_cut = off > threshold and off > strongest / 4 and height * width > IMAGE_SIDE**2
    if noise > most_noise or threshold > strongest / 2 or is_cut:
        return None
    if strongest < FAINTEST_INK:
        return NOTHING
    if noise:
        ink *= ink > threshold
    found = cropped(ink, top, left)
    is_paper = np.count_nonzero(ink > strongest / 2) > height * width / 2  # The border was a frame.
    if is_paper or _fills_outline(found, 0.5):
        return None
    return found


def _without_margins(pixels: Bytes, color: Bytes) -> tuple[slice, slice]:
    """Return the rows and columns of (height, width, channels) without margins of pure `color` (channels,).

    Images of MNIST's size stay whole, because the search would take longer than it saves.
    """
    height, width, channels = pixels.shape
    if height * width <= IMAGE_SIDE**2:
        return slice(0, height), slice(0, width)
    others = pixels.reshape(height, -1) != np.tile(color, width)  # Compare whole rows: the last axis alone is too short.
    rows, columns = others.any(axis=1), others.any(axis=0).reshape(width, channels).any(axis=1)
    return extent(rows), extent(columns)


def _largest_difference(pixels: Floats, color: Floats) -> Floats:
    """Return the largest difference of any channel between pixels (…, channels) and the color (channels,), (…).

    The loop over channels is ten times as fast as a maximum over the short last axis.
    """
    largest: Floats = np.abs(pixels[..., 0] - color[0])
    for channel in range(1, len(color)):
        np.maximum(largest, np.abs(pixels[..., channel] - color[channel]), out=largest)
    return largest


def _border(pixels: Array) -> Array:
    """Return the outermost pixels, (n, channels)."""
    return np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]])


def _is_dot(box: Floats, largest: float) -> bool:
    side = max(box.shape)
    return bool(0 < side <= largest and box.sum() >= DOT_FILL * side * side)
