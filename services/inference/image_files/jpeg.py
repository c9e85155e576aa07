"""Check a JPEG (ITU-T T.81)."""

import re

from inference.errors import invalid_request, too_large
from inference.image_files.base import MAX_PARTS, ImageFile, check_size, damaged, orientation_of, too_many_parts

SIGNATURE = b"\xff\xd8"
# A progressive file of 12 megapixels takes up to 14 ms for each scan, even for an empty one. Encoders write 10 to 16.
MAX_SCANS = 24

FRAMES = {0xC0, 0xC1, 0xC2}  # Baseline, extended, progressive.
OTHER_FRAMES = {0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)}  # Lossless, arithmetic, hierarchical.
START, END, SCAN, EXIF = 0xD8, 0xD9, 0xDA, 0xE1
TABLES = {0xC4, 0xDB, 0xDD}  # Huffman, quantization, restart interval.
COLOR_SPACES = {0xE0: b"JFIF", 0xEE: b"Adobe"}  # Without them, the color space is a guess.
# Two bytes, so that a search takes linear time. Stuffed zeros and restarts occur within a scan.
MARKER = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd7]", re.DOTALL)


def checked_jpeg(content: bytes) -> ImageFile:
    """Check a JPEG's size, segments and scans. Raise a 413 or 422 for a bad file.

    Other segments have profiles, previews and comments. A second image after the end belongs to the camera.
    """
    kept, view = [memoryview(SIGNATURE)], memoryview(content)
    size, scans, orientation = (0, 0), 0, 1
    start = len(SIGNATURE)
    for _ in range(MAX_PARTS):
        found = MARKER.search(content, start)
        kind = content[found.start() + 1] if found else END
        if found is None or kind == END:
            kept.append(memoryview(b"\xff\xd9" if found else b""))  # Pillow explains a truncated file.
            if size == (0, 0):
                raise damaged("JPEG", "it has no size")
            return ImageFile("JPEG", *size, b"".join(kept), orientation)
        start, data = found.start(), found.start() + 4
        end = start + 2 + int.from_bytes(content[start + 2 : data], "big")
        if kind in OTHER_FRAMES:
            raise invalid_request("the JPEG is lossless, arithmetic or hierarchical: save it as baseline or progressive")
        if kind == START or (kind in FRAMES and size != (0, 0)):
            raise damaged("JPEG", "it has a second header")
        if kind in FRAMES:
            height, width = (int.from_bytes(content[at : at + 2], "big") for at in (data + 1, data + 3))
            check_size(width, height)
            size = width, height
        elif kind == EXIF and content[data : data + 6] == b"Exif\0\0":
            orientation = orientation_of(content[data + 6 : end])
        elif kind == SCAN:
            scans += 1
            if scans > MAX_SCANS:
                raise too_large(f"the JPEG has more than {MAX_SCANS} scans: save it as baseline")
            following = MARKER.search(content, end)
            end = following.start() if following else len(content)
        if kind in FRAMES | TABLES | {SCAN} or (kind in COLOR_SPACES and content.startswith(COLOR_SPACES[kind], data)):
            kept.append(view[start:end])
        start = end
    raise too_many_parts("JPEG")
