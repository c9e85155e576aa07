"""Check a PNG (W3C, Portable Network Graphics, third edition)."""

from inference.image_files.base import MAX_PARTS, ImageFile, check_size, damaged, orientation_of, too_many_parts

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = b"IHDR"
# The chunks that affect the pixels. Pillow would unpack the profiles and texts in others, and log unknown ones.
KEPT_CHUNKS = {HEADER, b"PLTE", b"tRNS", b"IDAT", b"IEND"}
GRAY = 0  # A color type.


def checked_png(content: bytes) -> ImageFile:
    """Check a PNG's header, size and chunks. Raise a 413 or 422 for a bad file."""
    if content[12:16] != HEADER:
        raise damaged("PNG", "its header is missing")
    width, height = (int.from_bytes(content[start : start + 4], "big") for start in (16, 20))
    check_size(width, height)
    kept, view, start = [memoryview(SIGNATURE)], memoryview(content), len(SIGNATURE)
    orientation, significant_bits = 1, 16
    for _ in range(MAX_PARTS):
        end = start + 12 + int.from_bytes(content[start : start + 4], "big")
        kind, data = content[start + 4 : start + 8], start + 8
        if kind == HEADER and start > len(SIGNATURE):
            raise damaged("PNG", "it has a second header")
        if kind in KEPT_CHUNKS or end > len(content):  # Pillow explains a truncated chunk.
            kept.append(view[start:end])
        elif kind == b"eXIf":
            orientation = orientation_of(content[data : end - 4])
        elif kind == b"sBIT" and content[25] == GRAY:
            significant_bits = content[data]
        if kind == b"IEND" or end >= len(content):
            return ImageFile("PNG", width, height, b"".join(kept), orientation, significant_bits)
        start = end
    raise too_many_parts("PNG")
