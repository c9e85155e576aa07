"""Bad input of every kind. Each answer is a row of docs/reliability.md."""

import gzip
import json
import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import worst_requests as worst
from PIL import Image
from pngs import interlaced, png_by_hand, png_of

JSON, PNG = "application/json", "image/png"
LINE = [[[140, 40], [150, 240]]]
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
ROWS = bytes(28 * 29)  # of a black image: a filter, and 28 pixels
ONE = Image.fromarray(np.pad(np.full((40, 5), 255, np.uint8), (8, 26)))
NOISE = png_of(np.random.default_rng(0).integers(0, 256, (60, 60), dtype=np.uint8))


class Request(NamedTuple):
    """One bad request. `body` makes it when needed, because some are large."""

    status: int
    body: Callable[[], bytes]
    path: str = "/predict"
    content_type: str = JSON
    encoding: str = "identity"


def ask(status, path="/predict", **body):
    return Request(status, lambda: json.dumps(body).encode(), path)


def feedback(status, digit, prediction_id="0" * 32):
    return ask(status, "/feedback", prediction_id=prediction_id, actual_digit=digit)


def text(status, body):
    return Request(status, body.encode)


def image(status, make):
    return Request(status, make, content_type=PNG)


def pixels(*values):
    return (list(values) + [0.0] * 784)[:784]


def coordinate(number):
    return text(422, f'{{"strokes": [[[10, 10], [20, {number}]]]}}')


def unpacks_into_64_mb(chunk):
    return png_by_hand(28, 28, ROWS, more_chunks=[(chunk, b"p\0\0" + zlib.compress(bytes(64 * 2**20), 9))])


REQUESTS = {
    "a coordinate NaN": coordinate("NaN"),
    "a coordinate Infinity": coordinate("Infinity"),
    "a coordinate -Infinity": coordinate("-Infinity"),
    "a coordinate 1e400": coordinate("1e400"),
    "a coordinate 1e6": coordinate("1e6"),
    "a coordinate -1e6": coordinate("-1e6"),
    "a coordinate true": coordinate("true"),
    'a coordinate "20"': coordinate('"20"'),
    "a million points": Request(413, lambda: b'{"strokes": [[' + b",".join([b"[1,2]"] * 10**6) + b"]]}"),
    "20,001 points": ask(422, strokes=[[[1, 2]] * 20_001]),
    "1,001 strokes": ask(422, strokes=[[[1, 2]]] * 1_001),
    "no stroke": ask(200, strokes=[]),
    "a stroke without points": ask(200, strokes=[[]]),
    "a single point": ask(200, strokes=[[[5, 5]]]),
    "all points alike": ask(200, strokes=[[[5, 5]] * 1000]),
    "a stroke of 349,000 empty points": Request(413, worst.WORST["1 MiB of empty points"].body),
    "32,000 empty points": Request(422, worst.WORST["64,000 values of empty points"].body),
    "points that are not in strokes": ask(422, strokes=[[1, 2], [3, 4]]),
    "strokes nested too deep": ask(422, strokes=[LINE]),
    "lists nested 60,000 deep": text(422, "[" * 60_000),
    "a point of three numbers": ask(422, strokes=[[[1, 2, 3]]]),
    "strokes as text": ask(422, strokes="M 0 0 L 9 9"),
    "strokes and image_vector": ask(422, strokes=LINE, image_vector=pixels()),
    "neither of the two": ask(422),
    "a canvas of width 0": ask(422, strokes=LINE, width=0),
    "a brush of -1": ask(422, strokes=LINE, brush=-1),
    "a brush of 1e-300 on a canvas of 1e5": ask(200, strokes=LINE, brush=1e-300, width=1e5, height=1e5),
    "a vector of 0 numbers": ask(400, image_vector=[]),
    "a vector of 783": ask(400, image_vector=[0] * 783),
    "a vector of 785": ask(400, image_vector=[0] * 785),
    "a vector of 60,000": ask(400, image_vector=[0] * 60_000),
    "a vector of 300,000": ask(413, image_vector=[0] * 300_000),
    "a vector of a million": ask(413, image_vector=[0] * 10**6),
    "a vector of 524,000 numbers that are 2": Request(413, worst.WORST["1 MiB of pixels that are 2"].body),
    "a vector of 64,000 numbers that are 2": Request(422, worst.WORST["64,000 pixels that are 2"].body),
    "a pixel of 1.001": ask(422, image_vector=pixels(1.001)),
    "a pixel of -0.001": ask(422, image_vector=pixels(-0.001)),
    "pixels from 0 to 255": ask(422, image_vector=pixels(255, 128)),
    "a pixel NaN": ask(422, image_vector=pixels(float("nan"))),
    'a pixel "0.5"': ask(422, image_vector=pixels("0.5")),
    "a pixel null": ask(422, image_vector=pixels(None)),
    "28 rows of 28": ask(422, image_vector=[[0.0] * 28] * 28),
    "a PNG cut in half": image(422, lambda: NOISE[:1800]),
    "a PNG's first 30 bytes": image(422, lambda: NOISE[:30]),
    "a PNG with a bit of its data changed": image(422, lambda: NOISE[:2000] + bytes([NOISE[2000] ^ 0xFF]) + NOISE[2001:]),
    "a PNG of 30,000 x 30,000": image(413, lambda: png_by_hand(30_000, 30_000, bytes(1000))),
    "a PNG of 4,096 x 3,072 that unpacks from 12 KB": image(200, lambda: png_by_hand(4096, 3072, bytes(4097 * 3072))),
    "a PNG of 4,096 x 3,073": image(413, lambda: png_by_hand(4096, 3073, bytes(1000))),
    "a PNG of 1 x 16,777,216": image(413, lambda: png_by_hand(1, 16_777_216, bytes(1000))),
    "a PNG with a header of 1 x 1, and a second one": image(422, worst.two_headers),
    "a PNG with 349,000 empty chunks": image(413, worst.empty_chunks),
    "a PNG of 0 x 0": image(422, lambda: png_by_hand(0, 0, b"")),
    "a PNG with more data than pixels": image(200, lambda: png_by_hand(28, 28, ROWS * 1000)),
    "a PNG of 16 bits": image(200, lambda: png_of(Image.fromarray(np.asarray(ONE, np.uint16) * 257))),
    "a PNG with a palette": image(200, lambda: png_of(ONE.convert("P"))),
    "a PNG with a palette that is missing": image(422, lambda: png_by_hand(28, 28, ROWS, color_type=3)),
    "an interlaced PNG": image(200, lambda: interlaced(np.asarray(ONE))),
    "an animated PNG": image(200, lambda: png_of(ONE, save_all=True, append_images=[ONE.rotate(90)])),
    "a PNG with a colour profile that unpacks into 64 MB": image(200, lambda: unpacks_into_64_mb(b"iCCP")),
    "a PNG with text that unpacks into 64 MB": image(200, lambda: unpacks_into_64_mb(b"zTXt")),
    "a zip archive in disguise": image(422, lambda: EMPTY_ZIP),
    "a JPEG in disguise": image(422, lambda: b"\xff\xd8\xff\xe0" + bytes(100)),
    "a PNG, and a zip archive after it": image(200, lambda: png_of(ONE) + EMPTY_ZIP),
    "no bytes": image(422, bytes),
    "4 MiB of zeros and one more": image(413, lambda: bytes(4 * 2**20 + 1)),
    "no JSON": text(422, "hello"),
    "JSON cut short": text(422, '{"strokes": [[[1, 2], [3'),
    "JSON in UTF-16": Request(422, lambda: json.dumps({"strokes": LINE}).encode("utf-16")),
    "bytes that are no UTF-8": Request(422, lambda: b'{"strokes": "\xff\xfe"}'),
    "JSON packed by gzip": Request(415, lambda: gzip.compress(b'{"strokes": []}', mtime=0), encoding="gzip"),
    "1 MiB of spaces and one more": Request(413, lambda: b" " * (2**20 + 1)),
    "an HTML form": Request(415, lambda: b"strokes=1", content_type="application/x-www-form-urlencoded"),
    "JSON called text": Request(415, lambda: b'{"strokes": []}', content_type="text/plain"),
    "a query ?input=perhaps": ask(422, "/predict?input=perhaps", strokes=LINE),
    "feedback to an unknown id": feedback(404, 5),
    "feedback to an id of 10,000 letters": feedback(422, 5, "a" * 10_000),
    "feedback to an id with line breaks and zeros": feedback(404, 5, "a\r\n\0b"),
    "feedback to <script>alert(1)</script>": feedback(404, 5, "<script>alert(1)</script>"),
    "feedback that it was a 10": feedback(422, 10),
    "feedback that it was a 5.5": feedback(422, 5.5),
    "feedback that it was true": feedback(422, True),
    "feedback without what it was": ask(422, "/feedback", prediction_id="0" * 32),
    "feedback to an id and to pixels": ask(422, "/feedback", prediction_id="0" * 32, image_vector=pixels(), actual_digit=5),
    "feedback to 783 pixels": ask(400, "/feedback", image_vector=pixels()[:783], actual_digit=5),
    "feedback as a PNG": Request(415, lambda: png_of(ONE), "/feedback", PNG),
    "a unit of layer 99": ask(422, "/unit", strokes=LINE, layer=99, place=[0]),
    "a unit at a place that is none": ask(422, "/unit", strokes=LINE, layer=0, place=[0, 0, 999]),
    "a unit of layer -1": ask(422, "/unit", strokes=LINE, layer=-1, place=[0]),
    "201 changed weights": ask(422, "/explain", strokes=LINE, changes=[{"layer": 0, "unit": 0}] * 201),
    "a weight of 1e9": ask(422, "/explain", strokes=LINE, changes=[{"layer": 0, "unit": 0, "value": 1e9}]),
    "a weight of a layer that has none": ask(422, "/explain", strokes=LINE, changes=[{"layer": 1, "unit": 0}]),
    "51 lessons": ask(422, "/learn", strokes=LINE, lessons=[{"label": 1, "learning_rate": 0.1}] * 51),
    "a lesson at a learning rate of 1e9": ask(422, "/learn", strokes=LINE, lessons=[{"label": 1, "learning_rate": 1e9}]),
    "50 lessons at a learning rate of 10": ask(
        200, "/learn", strokes=LINE, lessons=[{"label": n % 2, "learning_rate": 10} for n in range(50)]
    ),
}


def describe(answer) -> str:
    """Return the answer as words for the table."""
    found = answer.json()
    if answer.status_code != 200:
        assert list(found) == ["detail"]
        return found["detail"]
    if "losses" in found:
        assert found["diverged"] == (found["after"] is None)
        return f"{len(found['losses'])} lessons were given"
    assert (found["digit"] is None) != found["is_digit"]
    return "it is read" if found["is_digit"] else "it is read: no digit"


@pytest.mark.parametrize("name", REQUESTS)
def test_explains_the_error_and_answers_the_next_request(service, documented, name):
    request = REQUESTS[name]
    headers = {"Content-Type": request.content_type, "Content-Encoding": request.encoding}
    answer = service.client.post(request.path, content=request.body(), headers=headers)
    assert answer.status_code == request.status, answer.text
    assert answer.headers["content-type"] == JSON
    words = describe(answer)
    assert len(words) < 300, "a sentence, not the body"
    documented("bad-requests", name, f"`{request.path.partition('?')[0]}`", str(answer.status_code), words)
    assert service.post_json({"strokes": LINE}).status_code == 200
