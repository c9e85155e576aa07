"""The limits and the orientation, which all formats share."""

from typing import Literal, NamedTuple

from fastapi import HTTPException

from inference.errors import invalid_request, too_large

Format = Literal["PNG", "JPEG", "WebP"]

MAX_SIDE = 8192  # Pixels.
MAX_PIXELS = 4096 * 3072  # The 12 megapixels of a phone's photo: 48 MiB in memory.
MAX_PARTS = 4096  # Chunks or segments. Encoders write 4 to 64 KiB into each.

ORIENTATION = 0x0112  # The tag of TIFF 6.0 and Exif.
MAX_TAGS = 256
BYTES_BY_TYPE = {3: 2, 4: 4}  # SHORT and LONG.


class ImageFile(NamedTuple):
    """A file with one header, and a size within the limits."""

    format: Format
    width: int  # Before the orientation is applied.
    height: int
    content: bytes  # Only the parts that affect the pixels of the first frame.
    orientation: int = 1  # As in Exif: 1 is upright.
    significant_bits: int = 16  # Of a channel, at most.


def check_size(width: int, height: int) -> None:
    """Raise a 413 for more pixels than the limits."""
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise too_large(
            f"the image has {width} x {height} pixels: send at most {MAX_PIXELS:,}, and at most {MAX_SIDE:,} in a row or column"
        )


def too_many_parts(kind: Format) -> HTTPException:
    return too_large(f"the {kind} has more than {MAX_PARTS:,} parts: save it again with larger ones")


def damaged(kind: Format, reason: str) -> HTTPException:
    return invalid_request(f"the {kind} is damaged: {reason}")


def orientation_of(exif: bytes) -> int:
    """Return the orientation in Exif data, 1 to 8; 1 if it has none or is damaged.

    A library would read all tags. Each of 65,535 tags can refer to the same 16 MiB.
    """
    order: Literal["little", "big"] = "little" if exif.startswith(b"II") else "big"

    def number(start: int, size: int) -> int:
        return int.from_bytes(exif[start : start + size], order)

    directory = number(4, 4)
    first, count = directory + 2, min(number(directory, 2), MAX_TAGS)
    for tag in range(first, first + 12 * count, 12):
        if number(tag, 2) == ORIENTATION:
            value = number(tag + 8, BYTES_BY_TYPE.get(number(tag + 2, 2), 0))
            return value if 1 <= value <= 8 else 1
    return 1
