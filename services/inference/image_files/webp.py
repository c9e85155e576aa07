"""Check a WebP (RFC 9649), and cut it down to its first frame."""

from collections.abc import Iterator
from typing import NamedTuple

from inference.image_files.base import MAX_PARTS, ImageFile, check_size, damaged, orientation_of, too_many_parts

RIFF, WEBP = b"RIFF", b"WEBP"
EXTENDED, ALPHA, LOSSY, LOSSLESS, FRAME = b"VP8X", b"ALPH", b"VP8 ", b"VP8L", b"ANMF"
FRAME_HEADER = 16  # Bytes before the chunks of a frame.
HAS_ALPHA = 0x10


class Chunk(NamedTuple):
    kind: bytes
    start: int  # Of the data.
    end: int


def is_webp(content: bytes) -> bool:
    return content[:4] == RIFF and content[8:12] == WEBP


def checked_webp(content: bytes) -> ImageFile:
    """Check a WebP's size and chunks. Raise a 413 or 422 for a bad file.

    The result has the first frame alone, in its own size: libwebp would paint it on a larger canvas.
    """
    frame: dict[bytes, Chunk] = {}
    orientation = 1
    for chunk in _chunks(content, 12, len(content)):
        if chunk.kind == FRAME and not frame:
            for part in _chunks(content, chunk.start + FRAME_HEADER, chunk.end):
                frame.setdefault(part.kind, part)
        elif chunk.kind in (ALPHA, LOSSY, LOSSLESS):
            frame.setdefault(chunk.kind, chunk)
        elif chunk.kind == b"EXIF":
            orientation = orientation_of(content[chunk.start : chunk.end].removeprefix(b"Exif\0\0"))
    if LOSSY in frame:
        return _lossy(content, frame, orientation)
    if LOSSLESS in frame:
        start, end = frame[LOSSLESS][1:]
        bits = int.from_bytes(content[start + 1 : start + 5], "little")
        return _file((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, _packed(LOSSLESS, content[start:end]), orientation)
    raise damaged("WebP", "it has no image")


def _lossy(content: bytes, frame: dict[bytes, Chunk], orientation: int) -> ImageFile:
    start, end = frame[LOSSY][1:]
    width, height = (int.from_bytes(content[at : at + 2], "little") & 0x3FFF for at in (start + 6, start + 8))
    if not width or not height:
        raise damaged("WebP", "it has no pixels")
    parts = _packed(LOSSY, content[start:end])
    if ALPHA in frame:
        canvas = bytes([HAS_ALPHA, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        alpha = content[frame[ALPHA].start : frame[ALPHA].end]
        parts = _packed(EXTENDED, canvas) + _packed(ALPHA, alpha) + parts
    return _file(width, height, parts, orientation)


def _file(width: int, height: int, parts: bytes, orientation: int) -> ImageFile:
    check_size(width, height)
    return ImageFile("WebP", width, height, _packed(RIFF, WEBP + parts), orientation)


def _chunks(content: bytes, start: int, end: int) -> Iterator[Chunk]:
    """Yield the chunks between two places. The last one may be truncated, which libwebp explains."""
    for _ in range(MAX_PARTS):
        if start + 8 > end:
            return
        data, size = start + 8, int.from_bytes(content[start + 4 : start + 8], "little")
        yield Chunk(content[start : start + 4], data, min(data + size, end))
        start = data + size + size % 2
    raise too_many_parts("WebP")


def _packed(kind: bytes, data: bytes) -> bytes:
    return kind + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2)
