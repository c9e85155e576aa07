"""Check a TIFF (revision 6.0) without compression. Some programs name such files .png or .jpg."""

from typing import Literal

from inference.errors import unsupported_media
from inference.image_files.base import ImageFile, check_size, damaged, directory_of, orientation_of

LITTLE, BIG = b"II*\0", b"MM\0*"
WIDTH, HEIGHT, COMPRESSION = 256, 257, 259
# Sample bits, photometric, strips, samples, rows, strip sizes, planes, palette, kind of extra samples, sample format.
KEPT = {WIDTH, HEIGHT, COMPRESSION, 258, 262, 273, 277, 278, 279, 284, 320, 338, 339}
UNCOMPRESSED = 1
MAX_VALUES = 2**16  # Of a tag: a strip for each row, or a palette of 16 bits.


def checked_tiff(content: bytes) -> ImageFile:
    """Check a TIFF's size and tags. Raise a 413, 415 or 422 for a bad file.

    The result has a new directory of the tags that affect the pixels. Pillow would copy the data of all tags and pages.
    """
    order: Literal["little", "big"] = "little" if content.startswith(LITTLE) else "big"
    tags = {tag.number: tag for tag in directory_of(content) if tag.number in KEPT}
    if any(tag.length > MAX_VALUES for tag in tags.values()) or not {WIDTH, HEIGHT} <= tags.keys():
        raise damaged("TIFF", "a tag is missing or too large")
    width, height = tags[WIDTH].value, tags[HEIGHT].value
    check_size(width, height)
    if COMPRESSION in tags and tags[COMPRESSION].value != UNCOMPRESSED:
        raise unsupported_media("the TIFF is compressed: save it as PNG")
    directory = b"".join(content[tag.start : tag.start + 12] for tag in tags.values())
    end = len(content) + len(content) % 2
    parts = (
        content[:4] + end.to_bytes(4, order) + content[8:].ljust(end - 8, b"\0"),
        len(tags).to_bytes(2, order) + directory + bytes(4),
    )
    return ImageFile("TIFF", width, height, b"".join(parts), orientation_of(content))
