"""The limits and the orientation, which all formats share."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from fastapi import HTTPException

from inference.errors import invalid_request, too_large

Format = Literal["PNG", "JPEG", "WebP", "TIFF"]

MAX_SIDE = 8192  # Pixels.
MAX_PIXELS = 4096 * 3072  # The 12 megapixels of a phone's photo: 48 MiB in memory.
MAX_PARTS = 4096  # Chunks or segments. Encoders write 4 to 64 KiB into each.

ORIENTATION = 274  # A tag.
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


class Tag(NamedTuple):
    """A tag of TIFF 6.0."""

    number: int
    length: int  # Values.
    value: int  # Of one SHORT or LONG.
    start: int  # The place of its entry in the data.


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


def directory_of(tiff: bytes) -> Iterator[Tag]:
    """Yield the tags of the first directory of TIFF data, as in Exif. Missing bytes count as zeros.

    A library would copy the data of each tag, and 65,535 tags can share the same 16 MiB.
    """
    order: Literal["little", "big"] = "little" if tiff.startswith(b"II") else "big"

    def number(start: int, size: int) -> int:
        return int.from_bytes(tiff[start : start + size], order)

    directory = number(4, 4)
    for index in range(min(number(directory, 2), MAX_TAGS)):
        start = directory + 2 + 12 * index
        yield Tag(number(start, 2), number(start + 4, 4), number(start + 8, BYTES_BY_TYPE.get(number(start + 2, 2), 0)), start)


def orientation_of(tiff: bytes) -> int:
    """Return the orientation in TIFF or Exif data, 1 to 8; 1 if it has none or a wrong one."""
    value = next((tag.value for tag in directory_of(tiff) if tag.number == ORIENTATION), 1)
    return value if 1 <= value <= 8 else 1
