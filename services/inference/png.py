"""Decode PNG bytes to pixels, within limits. Pillow reads the file; digitnet.images finds the ink.

The first image imports Pillow, which takes 10 MB and 30 ms: many services never receive a PNG.
"""

import io
import logging
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.errors import invalid_request, too_large

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_SIDE = 4096  # Pixels.
MAX_PIXELS = 4096 * 3072  # The 12 megapixels of a phone's photo: 48 MiB in memory.
MAX_CHUNKS = 4096  # Encoders write 4 to 32 KiB into a chunk.
LARGEST_SIDE = 560  # Pixels. Larger images are averaged down to less than twice this, since the network reads 28.
BAND_PIXELS = 2**18  # Converted and averaged at a time. Converting a whole image would double its memory.
READ_BYTES = 1024  # Decoded at a time, at most 1 MB of pixels. Pillow blocks other threads meanwhile.

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = b"IHDR"
# The chunks that affect the pixels. Pillow would unpack the profiles and texts in others, and log unknown ones.
KEPT_CHUNKS = {HEADER, b"PLTE", b"tRNS", b"IDAT", b"IEND"}

logging.getLogger("PIL").setLevel(logging.INFO)


class Png(NamedTuple):
    """A PNG with one header and a size within the limits."""

    width: int
    height: int
    content: bytes  # Only the chunks of KEPT_CHUNKS.


def checked_png(content: bytes) -> Png:
    """Check a file's header, size and chunks without unpacking anything. Raise a 413 or 422 for a bad file."""
    if not content.startswith(SIGNATURE) or content[12:16] != HEADER:
        raise invalid_request("the body is not a PNG image")
    width, height = (int.from_bytes(content[start : start + 4], "big") for start in (16, 20))
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise too_large(
            f"the image has {width} x {height} pixels: send at most {MAX_PIXELS:,}, and at most {MAX_SIDE:,} in a row or column"
        )
    kept, start = [SIGNATURE], len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        end = start + 12 + int.from_bytes(content[start : start + 4], "big")
        kind = content[start + 4 : start + 8]
        if kind == HEADER and start > len(SIGNATURE):
            raise invalid_request("the PNG is damaged: it has a second header")
        if kind in KEPT_CHUNKS or end > len(content):  # Pillow explains a truncated chunk.
            kept.append(content[start:end])
        if kind == b"IEND" or end >= len(content):
            return Png(width, height, b"".join(kept))
        start = end
    raise too_large(f"the PNG has more than {MAX_CHUNKS:,} chunks: save it again with larger ones")


def pixels_from_png(png: Png) -> NDArray[np.uint8]:
    """Unpack a checked PNG to uint8 (height, width), (height, width, 3) or, with alpha, (height, width, 4).

    Average down an image with a side of 1,120 pixels or more by a whole factor. Raise a 422 for a damaged file.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        image = Image.open(io.BytesIO(png.content), formats=["PNG"])  # Reads only the header.
        image.decodermaxblock = READ_BYTES
        image.load()
        return np.asarray(_reduced(image))
    except UnidentifiedImageError as error:
        raise invalid_request("the PNG is damaged: its header cannot be read") from error
    except Exception as error:  # Pillow raises many kinds of exceptions for damaged files, even AssertionError.
        raise invalid_request(f"the PNG is damaged: {str(error) or 'its pixels cannot be read'}") from error


def _reduced(image: "Image") -> "Image":
    """Reduce an image to eight bits a channel and less than twice LARGEST_SIDE, one band of rows at a time."""
    from PIL import Image

    factor = max(1, max(image.size) // LARGEST_SIDE)
    mode = "RGBA" if image.has_transparency_data else "L" if image.mode in ("1", "L") or image.mode.startswith("I") else "RGB"
    if factor == 1:
        return _eight_bit(image, mode)
    width, height = image.size
    reduced = Image.new(mode, (-(-width // factor), -(-height // factor)))
    rows = factor * max(1, BAND_PIXELS // (width * factor))
    for top in range(0, height, rows):
        band = image.crop((0, top, width, min(height, top + rows)))
        reduced.paste(_eight_bit(band, mode).reduce(factor), (0, top // factor))
    return reduced


def _eight_bit(image: "Image", mode: str) -> "Image":
    from PIL import Image

    if image.mode.startswith("I"):  # 16-bit gray.
        return Image.fromarray((np.asarray(image, np.int32) >> 8).clip(0, 255).astype(np.uint8))
    return image.convert(mode)
