"""From pixels (a photo, an MNIST vector) to an image. Ink is every pixel that differs from the background."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import Array, Bools, Bytes, Floats
from digitnet.images.normalize import BOX_SIDE, IMAGE_SIDE, DrawingError, blank, in_bytes, in_unit_range, place, resampling

PAPER_GRAIN = 6.0  # Times the noise level, the third quartile of the border. Normal noise exceeds it once in 10^11 pixels.
FAINTEST_INK = 0.1  # An image with less contrast counts as blank.
DOT_SIZE, DOT_FILL = 0.15, 0.6  # A dot's largest side, relative to the image, and the share of its square that it fills.


def image_from_pixels(pixels: Array) -> NDArray[np.float32]:
    """Turn gray (height, width), color (height, width, 3), or color and alpha (height, width, 4) into an image.

    Pixels are uint8 or float in [0, 1], light on dark or dark on light, in any color. The median of the border is the
    background. DrawingError for other shapes and for values out of range.
    """
    pixels = _as_bytes(pixels)
    ink = _ink(pixels)
    box = ink[_extent(np.any(ink, axis=1)), _extent(np.any(ink, axis=0))]
    if box.size == 0 or _is_dot(box, max(pixels.shape[:2])):
        return blank()

    scale = BOX_SIDE / max(box.shape)
    if scale != 1.0:
        height, width = (max(1, round(side * scale)) for side in box.shape)
        box = resampling(box.shape[0], height) @ box @ resampling(box.shape[1], width).T
    return place(box / box.max())


def image_from_vector(values: Sequence[float]) -> NDArray[np.float32]:
    """Turn 784 numbers in [0, 1], row after row, into an image. DrawingError for another count."""
    vector = np.asarray(values, np.float32)
    if vector.shape != (IMAGE_SIDE**2,):
        raise DrawingError(f"Expected {IMAGE_SIDE**2} values for MNIST image, got {vector.size}")
    return image_from_pixels(vector.reshape(IMAGE_SIDE, IMAGE_SIDE))


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


def _ink(pixels: Array) -> Floats:
    """Return the distance of each pixel from the background, (height, width) in [0, 1], scaled so that the largest is 1.

    The result may lack margins of pure background.
    """
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.shape[2] == 4:
        alpha = pixels[:, :, 3:]
        if np.median(_border(alpha)) < 128:
            pixels = alpha  # On a transparent background, opaque pixels are ink of any color.
        else:
            alpha = in_unit_range(alpha)
            pixels = in_unit_range(pixels[:, :, :3]) * alpha + (1.0 - alpha)
    border = _border(pixels)
    if pixels.shape[2] == 1 and pixels.dtype == np.uint8 and not border.any():
        return _at_full_strength(in_unit_range(pixels[:, :, 0]))  # On pure black, as in MNIST, ink is the pixel itself.
    background = np.sort(border, axis=0)[len(border) // 2]
    if pixels.dtype == np.uint8:
        pixels, border, background = (in_unit_range(part) for part in (_without_margins(pixels, background), border, background))
    ink = _largest_difference(pixels, background)
    # The background of a photo has noise: a pixel that differs by a few times the border's noise is background.
    noise = np.sort(_largest_difference(border, background))
    ink *= ink > PAPER_GRAIN * noise[len(noise) * 3 // 4]
    return _at_full_strength(ink)


def _at_full_strength(ink: Floats) -> Floats:
    """Scale the strongest ink to 1, or return zeros if all ink is fainter than FAINTEST_INK."""
    strongest = ink.max(initial=0.0)
    if strongest < FAINTEST_INK:
        return np.zeros_like(ink)
    ink /= strongest
    return ink


def _without_margins(pixels: Bytes, color: Bytes) -> Bytes:
    """Cut off margins of pure `color` (channels,) from (height, width, channels).

    Images of MNIST's size stay whole, because the search would take longer than it saves.
    """
    height, width, channels = pixels.shape
    if height * width <= IMAGE_SIDE**2:
        return pixels
    others = pixels.reshape(height, -1) != np.tile(color, width)  # Compare whole rows: the last axis alone is too short.
    rows, columns = others.any(axis=1), others.any(axis=0).reshape(width, channels).any(axis=1)
    return pixels[_extent(rows), _extent(columns)]


def _extent(chosen: Bools) -> slice:
    """Return the slice from the first true of (n,) to the last, an empty slice without any."""
    at = chosen.nonzero()[0]
    return slice(at[0], at[-1] + 1) if at.size else slice(0, 0)


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


def _is_dot(box: Floats, image_side: int) -> bool:
    side = max(box.shape)
    return bool(side <= DOT_SIZE * image_side and box.sum() >= DOT_FILL * side * side)
