"""Decode image files to pixels. Pillow reads the file; digitnet.images finds the ink.

The first image imports Pillow, which takes 10 MB and 30 ms: many services never receive one.
"""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from digitnet.images.ink import Closer
from fastapi import HTTPException
from numpy.typing import NDArray

from inference.errors import invalid_request, unsupported_media
from inference.image_files import jpeg, png, tiff
from inference.image_files.base import ImageFile, damaged
from inference.image_files.jpeg import checked_jpeg
from inference.image_files.png import checked_png
from inference.image_files.tiff import checked_tiff
from inference.image_files.webp import checked_webp, is_webp

if TYPE_CHECKING:
    from PIL.Image import Image

IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp")
ANY_BYTES = "application/octet-stream"  # client generators know no image types
LARGEST_SIDE = 560  # Pixels. Larger images are averaged down to less than twice this.
JPEG_SCALES = (8, 4, 2)  # libjpeg decodes to a fraction of the size, in a third of the time.
BAND_PIXELS = 2**18  # Converted and averaged at a time. Converting a whole image would double its memory.
# Decoded at a time, at most a megapixel. Pillow blocks other threads meanwhile.
READ_BYTES = {"PNG": 1024, "JPEG": 4096}

Box = tuple[float, float, float, float]

logging.getLogger("PIL").setLevel(logging.INFO)


def checked_image(content: bytes, media_type: str) -> ImageFile:
    """Check a file without unpacking it. Its first bytes tell its format, since names and types are often wrong.

    Raise a 413, 415 or 422 for a bad file.
    """
    if content.startswith(png.SIGNATURE):
        return checked_png(content)
    if content.startswith(jpeg.SIGNATURE):
        return checked_jpeg(content)
    if is_webp(content):
        return checked_webp(content)
    if content.startswith((tiff.LITTLE, tiff.BIG)):
        return checked_tiff(content)
    if media_type in (*IMAGE_TYPES, ANY_BYTES):
        raise invalid_request("the body is not a PNG, JPEG or WebP image")
    raise unsupported_media(f"send {', '.join(IMAGE_TYPES)}, not {media_type}")


class Decoded(NamedTuple):
    """The pixels of a file, upright: uint8 (height, width), (height, width, 3) or, with alpha, (height, width, 4)."""

    pixels: NDArray[np.uint8]  # Reduced, if the file has a side of 1,120 pixels or more.
    closer: Closer | None  # Returns a part of the image with the file's pixels. None if nothing was reduced.
    scale: float = 1.0  # Pixels of the file for each pixel, in a row or column.


def decoded(file: ImageFile) -> Decoded:
    """Unpack a checked file. Both this and `closer` raise a 422 for a damaged file."""
    with _decoding(file):
        image = _opened(file)
        _draft(image)
        image.load()
        pixels, longest = _pixels(image, file), max(file.width, file.height)
        closer = partial(_part, image, file) if longest >= 2 * LARGEST_SIDE else None
        return Decoded(pixels, closer, longest / max(pixels.shape[:2]))


def _part(image: "Image", file: ImageFile, left: float, top: float, right: float, bottom: float) -> NDArray[np.uint8]:
    """Return a part of the image, between these fractions of the upright width and height."""
    with _decoding(file):
        if image.size != (file.width, file.height):  # libjpeg has reduced it
            image = _opened(file)
        left, top, right, bottom = _as_stored((left, top, right, bottom), file.orientation)
        box = round(left * file.width), round(top * file.height), round(right * file.width), round(bottom * file.height)
        return _pixels(image.crop(box), file)


@contextmanager
def _decoding(file: ImageFile) -> Iterator[None]:
    """Raise a 422 for a damaged file."""
    from PIL import UnidentifiedImageError

    try:
        yield
    except HTTPException:
        raise
    except UnidentifiedImageError as error:
        raise damaged(file.format, "its header cannot be read") from error
    except Exception as error:  # Pillow raises many kinds of exceptions for damaged files, even AssertionError.
        raise damaged(file.format, str(error) or "its pixels cannot be read") from error


def _opened(file: ImageFile) -> "Image":
    """Read only the header."""
    from PIL import Image

    image = Image.open(io.BytesIO(file.content), formats=[file.format.upper()])
    image.decodermaxblock = READ_BYTES.get(file.format, image.decodermaxblock)
    if image.size != (file.width, file.height):
        raise damaged(file.format, "its headers differ in size")
    return image


def _pixels(image: "Image", file: ImageFile) -> NDArray[np.uint8]:
    return _upright(np.asarray(_reduced(image, file.significant_bits)), file.orientation)


def _draft(image: "Image") -> None:
    """Let libjpeg decode to a fraction of the size, with a longer side of at least LARGEST_SIDE. No other format can."""
    for scale in JPEG_SCALES:
        if max(image.size) >= scale * LARGEST_SIDE:
            image.draft(None, (max(1, image.width // scale), max(1, image.height // scale)))
            return


def _reduced(image: "Image", significant_bits: int) -> "Image":
    """Reduce an image to eight bits a channel and less than twice LARGEST_SIDE, one band of rows at a time."""
    from PIL import Image

    factor = max(1, max(image.size) // LARGEST_SIDE)
    white = _white(image, significant_bits) if _is_deep(image) else 0
    if factor == 1:
        return _eight_bit(image, white)
    width, height = image.size
    mode = _eight_bit(image.crop((0, 0, 1, 1)), white).mode
    reduced = Image.new(mode, (-(-width // factor), -(-height // factor)))
    for top, band in _bands(image, factor):
        reduced.paste(_eight_bit(band, white).reduce(factor), (0, top // factor))
    return reduced


def _bands(image: "Image", factor: int) -> Iterator[tuple[int, "Image"]]:
    """Yield each band's first row and its image. All bands but the last have a multiple of `factor` rows."""
    width, height = image.size
    rows = factor * max(1, BAND_PIXELS // (width * factor))
    for top in range(0, height, rows):
        yield top, image.crop((0, top, width, min(height, top + rows)))


def _eight_bit(image: "Image", white: int) -> "Image":
    """Convert an image to L, RGB or RGBA; for gray of 16 bits, `white` becomes 255."""
    from PIL import Image

    if not _is_deep(image):
        return image.convert("RGBA" if image.has_transparency_data else "L" if image.mode in ("1", "L") else "RGB")
    values = np.asarray(image, np.int32)
    gray = Image.fromarray((values.clip(0, white) * 255 / white).round().astype(np.uint8))
    if (transparent := image.info.get("transparency")) is None:
        return gray
    return Image.merge("LA", (gray, Image.fromarray((values != transparent) * np.uint8(255)))).convert("RGBA")


def _is_deep(image: "Image") -> bool:
    return image.mode.startswith("I")


def _white(image: "Image", significant_bits: int) -> int:
    """Return the value of white in gray of 16 bits. Many programs store 8 or 12 bits unscaled, and some declare it (sBIT)."""
    transparent, largest = image.info.get("transparency"), 1
    for _, band in _bands(image, 1):
        values = np.asarray(band, np.int32)
        opaque = values if transparent is None else values[values != transparent]
        largest = max(largest, int(opaque.max(initial=0)))
    declared = 2**significant_bits - 1
    return declared if significant_bits < 16 and largest <= declared else largest


# Exif orientations. Rows and columns are swapped first, then flipped.
SWAPPED, ROWS_FLIPPED, COLUMNS_FLIPPED = (5, 6, 7, 8), (3, 4, 7, 8), (2, 3, 6, 7)


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Apply an Exif orientation."""
    if orientation in SWAPPED:
        pixels = pixels.swapaxes(0, 1)
    rows = -1 if orientation in ROWS_FLIPPED else 1
    columns = -1 if orientation in COLUMNS_FLIPPED else 1
    return np.ascontiguousarray(pixels[::rows, ::columns])


def _as_stored(box: Box, orientation: int) -> Box:
    """Turn fractions of the upright image (left, top, right, bottom) into those of the stored one."""
    left, top, right, bottom = box
    if orientation in ROWS_FLIPPED:
        top, bottom = 1.0 - bottom, 1.0 - top
    if orientation in COLUMNS_FLIPPED:
        left, right = 1.0 - right, 1.0 - left
    return (top, left, bottom, right) if orientation in SWAPPED else (left, top, right, bottom)
