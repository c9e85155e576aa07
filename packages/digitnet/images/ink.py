"""From pixels (a PNG, an MNIST vector) to an image: whatever differs from the background is ink. It is cropped and resampled."""

from collections.abc import Sequence

import numpy as np

from digitnet.images.normalize import BOX_SIDE, IMAGE_SIDE, DrawingError, blank, in_bytes, in_unit_range, place, resampling

PAPER_GRAIN = 6.0  # times what three quarters of the border stray by at most; normal noise gets there once in 10^11 pixels
FAINTEST_INK = 0.1  # contrast below which an image counts as blank
DOT_SIZE, DOT_FILL = 0.15, 0.6  # a dot's side as a part of the whole image's, and how much of its square a dot fills


def image_from_pixels(pixels: np.ndarray) -> np.ndarray:
    """Pixels -> image: grey (height, width), colour (height, width, 3) or with alpha (height, width, 4).

    uint8 in 0..255 or float in [0, 1]; light on dark, dark on light, in any colour: ink is what differs from the background,
    and the background is what most of the border is. DrawingError for other shapes and for values out of range.
    """
    pixels = _as_bytes(pixels)
    ink = _ink(pixels)
    box = ink[_extent(ink.any(axis=1)), _extent(ink.any(axis=0))]
    if box.size == 0 or _is_dot(box, max(pixels.shape[:2])):
        return blank()

    scale = BOX_SIDE / max(box.shape)
    if scale != 1.0:
        height, width = (max(1, round(side * scale)) for side in box.shape)
        box = resampling(box.shape[0], height) @ box @ resampling(box.shape[1], width).T
    return place(box / box.max())


def image_from_vector(values: Sequence[float]) -> np.ndarray:
    """784 numbers in [0, 1], row after row -> image."""
    values = np.asarray(values, np.float32)
    if values.shape != (IMAGE_SIDE**2,):
        raise DrawingError(f"Expected {IMAGE_SIDE**2} values for MNIST image, got {values.size}")
    return image_from_pixels(values.reshape(IMAGE_SIDE, IMAGE_SIDE))


def _as_bytes(pixels):
    """uint8 in 0..255 as it is, or floats in [0, 1] as the nearest of those: so that 0.498 and 127/255 are the same image."""
    pixels = np.asarray(pixels)
    if pixels.ndim not in (2, 3) or 0 in pixels.shape or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)):
        raise DrawingError(f"pixels must be (height, width), (height, width, 3) or (height, width, 4), not {pixels.shape}")
    if pixels.dtype == np.uint8:
        return pixels
    pixels = pixels.astype(np.float32)
    if not (pixels.min() >= 0.0 and pixels.max() <= 1.0):  # said this way round, NaN is refused too
        raise DrawingError("every pixel must be a number from 0 to 1")
    return in_bytes(pixels)


def _ink(pixels):
    """Pixels in 0..255 -> ink (height, width) in [0, 1]: how much each differs from the background, the most as 1. Of what is
    around it the margins are left out where they are background and nothing else: it makes most of a drawing."""
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.shape[2] == 4:
        alpha = pixels[:, :, 3:]
        if np.median(_border(alpha)) < 128:
            pixels = alpha  # on a transparent sheet, what is opaque is the drawing, whatever its colour
        else:
            alpha = in_unit_range(alpha)
            pixels = in_unit_range(pixels[:, :, :3]) * alpha + (1.0 - alpha)
    border = _border(pixels)
    if pixels.shape[2] == 1 and pixels.dtype == np.uint8 and not border.any():
        return _at_full_strength(in_unit_range(pixels[:, :, 0]))  # on even black, as MNIST's are, what is there is ink
    background = np.sort(border, axis=0)[len(border) // 2]
    if pixels.dtype == np.uint8:
        pixels, border, background = (in_unit_range(part) for part in (_without_margins(pixels, background), border, background))
    ink = _largest_difference(pixels, background)
    # A photograph's background is never even: what differs a few times as much as most of the border does is background.
    strays = np.sort(_largest_difference(border, background))
    ink *= ink > PAPER_GRAIN * strays[len(strays) * 3 // 4]
    return _at_full_strength(ink)


def _at_full_strength(ink):
    """The strongest ink becomes 1; what is too faint is no ink."""
    strongest = ink.max(initial=0.0)
    if strongest < FAINTEST_INK:
        return np.zeros_like(ink)
    ink /= strongest
    return ink


def _without_margins(pixels, colour):
    """(height, width, channels), without the rows and columns at the sides that have this colour and no other. Images as small
    as MNIST's stay as they are: looking for margins would take longer than they do."""
    height, width, channels = pixels.shape
    if height * width <= IMAGE_SIDE**2:
        return pixels
    others = pixels.reshape(height, -1) != np.tile(colour, width)  # whole rows at once: the last axis alone is too short
    rows, columns = others.any(axis=1), others.any(axis=0).reshape(width, channels).any(axis=1)
    return pixels[_extent(rows), _extent(columns)]


def _extent(chosen):
    """(n,) of booleans -> the slice from the first that is true to the last; an empty one if none is."""
    at = chosen.nonzero()[0]
    return slice(at[0], at[-1] + 1) if at.size else slice(0, 0)


def _largest_difference(pixels, colour):
    """(…, channels) -> (…): how far each pixel is from the colour, in the channel that is furthest. One channel after the other,
    as a maximum over the short last axis would take ten times as long."""
    largest = np.abs(pixels[..., 0] - colour[0])
    for channel in range(1, len(colour)):
        np.maximum(largest, np.abs(pixels[..., channel] - colour[channel]), out=largest)
    return largest


def _border(pixels):
    """The outermost pixels, (n, channels)."""
    return np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]])


def _is_dot(box, image_side):
    side = max(box.shape)
    return side <= DOT_SIZE * image_side and box.sum() >= DOT_FILL * side * side
