"""The most expensive bodies that each route accepts or rejects, for `make costs` and the tests of overload.

    python benchmarks/worst_requests.py                lists them
    python benchmarks/worst_requests.py NAME >body     writes one, to send with curl

Add each new route and each new kind of body here.
"""

import argparse
import io
import json
import struct
import sys
import zlib
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote

import numpy as np
from PIL import Image, ImageDraw

JSON, PNG, JPEG, WEBP = "application/json", "image/png", "image/jpeg", "image/webp"
MEBIBYTE = 1024 * 1024
LINE = [[[140, 40], [150, 240]]]
SIGNATURE = b"\x89PNG\r\n\x1a\n"


class WorstRequest(NamedTuple):
    """One request. Its body is made when it is sent, because some are large."""

    path: str
    body: Callable[[], bytes]
    content_type: str = JSON


def _json(path, value):
    return WorstRequest(path, lambda: json.dumps(value, separators=(",", ":")).encode())


def _repeated(path, start, item, end, size=MEBIBYTE):
    """Return JSON text of nearly `size` bytes, with the item repeated to fill it."""
    return WorstRequest(path, lambda: start + b",".join([item] * ((size - len(start) - len(end)) // (len(item) + 1))) + end)


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    """Return a chunk of a PNG, with its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def header(width: int, height: int, depth: int = 8, color_type: int = 0, interlaced: bool = False) -> bytes:
    """Return the IHDR chunk of a PNG."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, interlaced))


def png(width: int, height: int, depth: int = 8, color_type: int = 0, before: bytes = b"") -> bytes:
    """Return a black PNG, with the chunks `before` its pixels. Its rows compress by a factor of 1,000."""
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color_type]
    packer, size, block = zlib.compressobj(9), height * (1 + (width * bits + 7) // 8), bytes(MEBIBYTE)
    data = b"".join([*(packer.compress(block[: size - start]) for start in range(0, size, MEBIBYTE)), packer.flush()])
    return SIGNATURE + header(width, height, depth, color_type) + before + chunk(b"IDAT", data) + chunk(b"IEND")


def _png(path, make):
    return WorstRequest(path, make, PNG)


def two_headers() -> bytes:
    """Return a PNG that declares one pixel first and 16,777,216 later."""
    whole = png(4096, 4096)
    return SIGNATURE + header(1, 1) + whole[len(SIGNATURE) :]


def empty_chunks(count: int = 349_000) -> bytes:
    """Return a small PNG with empty chunks before its pixels."""
    return png(28, 28, before=chunk(b"juNk") * count)


def photo(form: str, mode: str = "RGB", **options) -> bytes:
    """Return a noisy photo of 12 megapixels as JPEG or WEBP: it takes longer than a blank one."""
    tile = np.random.default_rng(0).integers(96, 160, (768, 1024, 3), dtype=np.uint8)
    return file_of(Image.fromarray(np.tile(tile, (4, 4, 1))).convert(mode), form, **options)


def progressive(width: int, height: int, scans: int, mode: str = "RGB") -> bytes:
    """Return a blank progressive JPEG that repeats its last scan."""
    whole = file_of(Image.new(mode, (width, height)), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * (1 + scans - whole.count(b"\xff\xda")) + whole[-2:]


def file_of(image: Image.Image, form: str, **options) -> bytes:
    """Encode an image with Pillow."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def options(**fields) -> str:
    """Return the query of an image with these fields beside it."""
    return f"?options={quote(json.dumps(fields, separators=(',', ':')))}"


def _points(count, strokes=1):
    """Return a zigzag of `count` points over the canvas, cut into strokes of equal length."""
    path = [[index * 7919 % 2800 / 10, index * 104729 % 2800 / 10] for index in range(count)]
    size = count // strokes
    return {"strokes": [path[start : start + size] for start in range(0, count, size)]}


def frames() -> bytes:
    """Return a PNG of 60 frames, one in another. So each group of marks is as large as the image."""
    image = Image.new("L", (1110, 1110))
    for inset in range(8, 548, 9):
        ImageDraw.Draw(image).rectangle((inset, inset, 1109 - inset, 1109 - inset), outline=255, width=4)
    return file_of(image, "PNG")


FULL_DRAWING = _points(20_000)
DOTS = {"strokes": [[point] for point in _points(1_000)["strokes"][0]]}
STEPS = [{"label": 3, "learning_rate": 1e-3}] * 50
VALUES = 64_000  # brackets and commas, close to the limit of a body
WORST = {
    "an ordinary drawing": _json("/predict", {"strokes": LINE}),
    "20,000 points": _json("/predict", FULL_DRAWING),
    "20,000 points in 1,000 strokes": _json("/predict", _points(20_000, 1_000)),
    "1,000 strokes of one point": _json("/predict", DOTS),
    "1 MiB of empty points": _repeated("/predict", b'{"strokes":[[', b"[]", b"]]}"),
    "1 MiB of empty strokes": _repeated("/predict", b'{"strokes":[', b"[]", b"]}"),
    "1 MiB of points that are numbers": _repeated("/predict", b'{"strokes":[[', b"2", b"]]}"),
    "64,000 values of empty points": _repeated("/predict", b'{"strokes":[[', b"[]", b"]]}", VALUES * 3 // 2),
    "64,000 values of empty strokes": _repeated("/predict", b'{"strokes":[', b"[]", b"]}", VALUES * 3 // 2),
    "64,000 pixels that are 2": _repeated("/predict", b'{"image_vector":[', b"2", b"]}", VALUES * 2),
    "64,000 values of changes": _repeated("/explain", b'{"strokes":[],"changes":[', b"[]", b"]}", VALUES * 3 // 2),
    "1,000 unknown fields": WorstRequest(
        "/explain",
        lambda: b'{"strokes":[],"changes":[{' + b",".join(b'"%x":0' % number for number in range(990)) + b"}]}",
    ),
    "1 MiB of pixels that are 2": _repeated("/predict", b'{"image_vector":[', b"2", b"]}"),
    "1 MiB of pixels that are 0": _repeated("/predict", b'{"image_vector":[', b"0", b"]}"),
    "1 MiB of empty objects": _repeated("/predict", b'{"strokes":[', b"{}", b"]}"),
    "1 MiB of unknown fields": WorstRequest(
        "/predict", lambda: b"{" + b",".join(b'"%x":0' % number for number in range(100_000)) + b"}"
    ),
    "a number of 1 MiB": WorstRequest("/predict", lambda: b'{"width":' + b"1" * (MEBIBYTE - 10) + b"}"),
    "a text of 1 MiB": WorstRequest("/predict", lambda: b'{"strokes":"' + b"\\n" * (MEBIBYTE // 2 - 10) + b'"}'),
    "a PNG of 280 x 280": _png("/predict", lambda: png(280, 280, color_type=6)),
    "a PNG of 4,096 x 3,072": _png("/predict", lambda: png(4096, 3072)),
    "a PNG of 4,096 x 3,072, 16 bits of color and alpha": _png("/predict", lambda: png(4096, 3072, 16, 6)),
    "a PNG of 4,096 x 3,072, gray and alpha": _png("/predict", lambda: png(4096, 3072, 8, 4)),
    "a PNG of 4,096 x 3,072, 16 bits of gray": _png("/predict", lambda: png(4096, 3072, 16)),
    "a PNG of 1 x 16,777,216": _png("/predict", lambda: png(1, 16_777_216)),
    "a PNG with two headers": _png("/predict", two_headers),
    "a PNG with 349,000 empty chunks": _png("/predict", empty_chunks),
    "a JPEG of 4,096 x 3,072, blank": WorstRequest("/predict", lambda: file_of(Image.new("RGB", (4096, 3072)), "JPEG"), JPEG),
    "a JPEG of 4,096 x 3,072, a noisy photo": WorstRequest("/predict", lambda: photo("JPEG", quality=90), JPEG),
    "a progressive JPEG of 4,096 x 3,072, a noisy photo": WorstRequest(
        "/predict", lambda: photo("JPEG", quality=90, subsampling=0, progressive=True), JPEG
    ),
    "a progressive JPEG of 4,096 x 3,072, CMYK": WorstRequest(
        "/predict", lambda: photo("JPEG", "CMYK", quality=90, progressive=True), JPEG
    ),
    "a progressive JPEG of 4,096 x 3,072, 24 scans": WorstRequest("/predict", lambda: progressive(4096, 3072, 24), JPEG),
    "a progressive JPEG of 400 x 400, 25 scans": WorstRequest("/predict", lambda: progressive(400, 400, 25), JPEG),
    "a WebP of 4,096 x 3,072, a noisy photo": WorstRequest("/predict", lambda: photo("WEBP", quality=90, method=0), WEBP),
    "a WebP of 4,096 x 3,072, lossless": WorstRequest(
        "/predict", lambda: file_of(Image.new("RGB", (4096, 3072)), "WEBP", lossless=True), WEBP
    ),
    "numbers in 79 scribbles": _json("/read", _points(79 * 250, 79)),
    "numbers in 1,000 strokes of one point": _json("/read", DOTS),
    "numbers in a PNG of 60 frames": _png("/read", frames),
    "numbers in a JPEG of 4,096 x 3,072, a noisy photo": WorstRequest("/read", lambda: photo("JPEG", quality=90), JPEG),
    "an image with 200 changes": WorstRequest(
        f"/explain{options(changes=[{'layer': 0, 'unit': 0, 'weight': 12, 'value': 0.5}] * 200)}", lambda: png(28, 28), PNG
    ),
    "an explanation of 20,000 points": _json("/explain", FULL_DRAWING),
    "an explanation with occlusion": _json("/explain?occlusion=true", {"strokes": LINE}),
    "200 changes": _json("/explain", {"strokes": LINE, "changes": [{"layer": 0, "unit": 0}] * 200}),
    "1 MiB of empty changes": _repeated("/explain", b'{"strokes":[],"changes":[', b"{}", b"]}"),
    "a unit": _json("/unit", {"strokes": LINE, "layer": 0, "place": [0, 0, 0]}),
    "a place of 1 MiB": _repeated("/unit", b'{"strokes":[],"layer":0,"place":[', b"-1", b"]}"),
    "50 training steps": _json("/learn", {"strokes": LINE, "lessons": STEPS}),
    "1 MiB of empty training steps": _repeated("/learn", b'{"strokes":[],"lessons":[', b"{}", b"]}"),
    "every snapshot": _json("/snapshots", {"strokes": LINE}),
    "feedback to an unknown prediction": _json("/feedback", {"prediction_id": "0" * 32, "actual_digit": 5}),
    "feedback with 1 MiB of pixels": _repeated("/feedback", b'{"actual_digit":5,"image_vector":[', b"2", b"]}"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", choices=WORST, metavar="NAME")
    name = parser.parse_args().name
    if name is None:
        print(*(f"{name}  {request.path}  {request.content_type}" for name, request in WORST.items()), sep="\n")
    else:
        sys.stdout.buffer.write(WORST[name].body())
    return 0


if __name__ == "__main__":
    sys.exit(main())
