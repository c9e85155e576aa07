"""Make image files, with Pillow or byte by byte."""

import struct
import zlib

import numpy as np
from PIL import ExifTags, Image
from worst_requests import SIGNATURE, chunk
from worst_requests import file_of as encoded

ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]  # x, y, step x, step y


def png_of(image, **options) -> bytes:
    """Encode an image or a uint8 array with Pillow."""
    return file_of(image, "PNG", **options)


def file_of(image, form: str, **options) -> bytes:
    """Encode an image or a uint8 array as PNG, JPEG, WEBP or TIFF with Pillow."""
    return encoded(image if isinstance(image, Image.Image) else Image.fromarray(image), form, **options)


def turned(image, form: str, orientation: int, **options) -> bytes:
    """Encode an image with an Exif orientation."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return file_of(image, form, **{"tiffinfo" if form == "TIFF" else "exif": exif}, **options)


def png_by_hand(width, height, scanlines: bytes, depth=8, color_type=0, interlace=0, more_chunks=(), late_chunks=()) -> bytes:
    """Encode a PNG, valid or not. more_chunks, (name, content) each, come before the data, late_chunks after it."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, interlace)),
        *more_chunks,
        (b"IDAT", zlib.compress(scanlines)),
        *late_chunks,
        (b"IEND", b""),
    ]
    return SIGNATURE + b"".join(chunk(*parts) for parts in chunks)


def interlaced(pixels: np.ndarray) -> bytes:
    """Encode gray pixels, uint8 (height, width), in Adam7's seven passes."""
    passes = (pixels[y::step_y, x::step_x] for x, y, step_x, step_y in ADAM7)
    scanlines = b"".join(b"\0" + row.tobytes() for rows in passes for row in rows)
    return png_by_hand(pixels.shape[1], pixels.shape[0], scanlines, interlace=1)
