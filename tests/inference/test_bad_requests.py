"""Bad input: each kind is a row of docs/reliability.md, with the status of its answers."""

import gzip
import json
import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import worst_requests as worst
from inference.schemas.responses import Problem
from PIL import Image
from pngs import file_of, interlaced, png_by_hand, png_of, turned

JSON, PNG = "application/json", "image/png"
LINE = [[[140, 40], [150, 240]]]
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
ROWS = bytes(28 * 29)  # of a black image: a filter, and 28 pixels
ONE = Image.fromarray(np.pad(np.full((40, 5), 255, np.uint8), (8, 26)))
SQUARES = np.pad(np.tile(np.pad(np.full((15, 15), 255, np.uint8), 5), (19, 19)), 10)
NOISE = png_of(np.random.default_rng(0).integers(0, 256, (60, 60), dtype=np.uint8))


class Request(NamedTuple):
    """The body is made when it is sent, because some are large."""

    body: Callable[[], bytes]
    path: str = "/predict"
    content_type: str = JSON
    encoding: str = "identity"


class Kind(NamedTuple):
    """Requests with one status and one reason; `says` is a part of each answer's sentence."""

    status: int
    says: str
    requests: dict[str, Request]


def ask(path="/predict", **body):
    return Request(lambda: json.dumps(body).encode(), path)


def feedback(digit, prediction_id="0" * 32):
    return ask("/feedback", prediction_id=prediction_id, actual_digit=digit)


def text(body):
    return Request(body.encode)


def image(make):
    return Request(make, content_type=PNG)


def beside_image(path):
    return Request(lambda: png_of(ONE), path, PNG)


def pixels(*values):
    return (list(values) + [0.0] * 784)[:784]


def coordinate(number):
    return text(f'{{"strokes": [[[10, 10], [20, {number}]]]}}')


def unpacks_into_64_mb(chunk):
    return png_by_hand(28, 28, ROWS, more_chunks=[(chunk, b"p\0\0" + zlib.compress(bytes(64 * 2**20), 9))])


KINDS = {
    "a coordinate that is not a number within ±100,000": Kind(
        422,
        "strokes.0.1.1: Input should be ",
        {number: coordinate(number) for number in ("NaN", "Infinity", "-Infinity", "1e400", "1e6", "-1e6", "true", '"20"')},
    ),
    "more than 20,000 points in a stroke, or 1,000 strokes": Kind(
        422,
        "List should have at most ",
        {"20,001 points": ask(strokes=[[[1, 2]] * 20_001]), "1,001 strokes": ask(strokes=[[[1, 2]]] * 1_001)},
    ),
    "strokes of another structure": Kind(
        422,
        "strokes",
        {
            "32,000 empty points": Request(worst.WORST["64,000 values of empty points"].body),
            "points that are not in strokes": ask(strokes=[[1, 2], [3, 4]]),
            "nested too deep": ask(strokes=[LINE]),
            "a point of three numbers": ask(strokes=[[[1, 2, 3]]]),
            "text": ask(strokes="M 0 0 L 9 9"),
        },
    ),
    "no stroke, an empty one, or points in one place": Kind(
        200,
        "no digit",
        {
            "no stroke": ask(strokes=[]),
            "a stroke without points": ask(strokes=[[]]),
            "a single point": ask(strokes=[[[5, 5]]]),
            "equal points": ask(strokes=[[[5, 5]] * 1000]),
        },
    ),
    "`strokes` and `image_vector`, or neither": Kind(
        422,
        'send either "image_vector" or "strokes"',
        {"both": ask(strokes=LINE, image_vector=pixels()), "neither": ask()},
    ),
    "a canvas or brush of at most 0": Kind(
        422,
        "Input should be greater than 0",
        {"a canvas of width 0": ask(strokes=LINE, width=0), "a brush of -1": ask(strokes=LINE, brush=-1)},
    ),
    "an extreme brush or learning rate within the limits": Kind(
        200,
        "",
        {
            "a brush of 1e-300 on a canvas of 1e5": ask(strokes=LINE, brush=1e-300, width=1e5, height=1e5),
            "50 training steps at a learning rate of 10": ask(
                "/learn", strokes=LINE, lessons=[{"label": n % 2, "learning_rate": 10} for n in range(50)]
            ),
        },
    ),
    "other than 784 pixel values": Kind(
        400,
        "Expected 784 values for MNIST image, got ",
        {
            "0": ask(image_vector=[]),
            "783": ask(image_vector=[0] * 783),
            "27 rows of 28": ask(image_vector=[[0] * 28] * 27),
            "785": ask(image_vector=[0] * 785),
            "60,000": ask(image_vector=[0] * 60_000),
            "783 in feedback": ask("/feedback", image_vector=pixels()[:783], actual_digit=5),
        },
    ),
    "a pixel that is not a number from 0 to 1, within 0.001": Kind(
        422,
        "image_vector",
        {
            "1.0011": ask(image_vector=pixels(1.0011)),
            "-0.0011": ask(image_vector=pixels(-0.0011)),
            "from 0 to 255": ask(image_vector=pixels(255, 128)),
            "NaN": ask(image_vector=pixels(float("nan"))),
            '"0.5"': ask(image_vector=pixels("0.5")),
            "null": ask(image_vector=pixels(None)),
            "56 rows of 14": ask(image_vector=[[0.0] * 14] * 56),
            "64,000 that are 2": Request(worst.WORST["64,000 pixels that are 2"].body),
        },
    ),
    "malformed JSON": Kind(
        422,
        "Invalid JSON: ",
        {
            "no JSON": text("hello"),
            "cut": text('{"strokes": [[[1, 2], [3'),
            "lists nested 60,000 deep": text("[" * 60_000),
            "UTF-16": Request(lambda: json.dumps({"strokes": LINE}).encode("utf-16")),
            "not UTF-8": Request(lambda: b'{"strokes": "\xff\xfe"}'),
        },
    ),
    "JSON of more than 1 MiB, 65,536 values or 1,000 fields": Kind(
        413,
        "the body may have at most ",
        {
            "a million points": Request(lambda: b'{"strokes": [[' + b",".join([b"[1,2]"] * 10**6) + b"]]}"),
            "349,000 empty points": Request(worst.WORST["1 MiB of empty points"].body),
            "300,000 pixels": ask(image_vector=[0] * 300_000),
            "a million pixels": ask(image_vector=[0] * 10**6),
            "524,000 pixels that are 2": Request(worst.WORST["1 MiB of pixels that are 2"].body),
            "1 MiB of spaces and one more": Request(lambda: b" " * (2**20 + 1)),
        },
    ),
    "a body of another type, or compressed": Kind(
        415,
        "send ",
        {
            "JSON packed by gzip": Request(lambda: gzip.compress(b'{"strokes": []}', mtime=0), encoding="gzip"),
            "an HTML form": Request(lambda: b"strokes=1", content_type="application/x-www-form-urlencoded"),
            "JSON called text": Request(lambda: b'{"strokes": []}', content_type="text/plain"),
            "feedback as a PNG": Request(lambda: png_of(ONE), "/feedback", PNG),
        },
    ),
    "a damaged image, or another file as an image": Kind(
        422,
        " ",
        {
            "cut in half": image(lambda: NOISE[:1800]),
            "its first 30 bytes": image(lambda: NOISE[:30]),
            "a changed bit": image(lambda: NOISE[:2000] + bytes([NOISE[2000] ^ 0xFF]) + NOISE[2001:]),
            "two headers": image(worst.two_headers),
            "0 x 0 pixels": image(lambda: png_by_hand(0, 0, b"")),
            "a missing palette": image(lambda: png_by_hand(28, 28, ROWS, color_type=3)),
            "a zip archive": image(lambda: EMPTY_ZIP),
            "the start of a JPEG": image(lambda: b"\xff\xd8\xff\xe0" + bytes(100)),
            "a JPEG cut in half": image(lambda: file_of(ONE, "JPEG")[:400]),
            "a WebP cut in half": image(lambda: file_of(ONE, "WEBP", lossless=True)[:30]),
            "a TIFF cut in half": image(lambda: file_of(ONE, "TIFF")[:1800]),
            "no bytes": image(bytes),
        },
    ),
    "an image of more than 16 MiB, 12,582,912 pixels, 8,192 a side, 4,096 parts, or 24 scans": Kind(
        413,
        "",
        {
            "16 MiB of zeros and one more": image(lambda: bytes(16 * 2**20 + 1)),
            "30,000 x 30,000": image(lambda: png_by_hand(30_000, 30_000, bytes(1000))),
            "a JPEG of 1 x 60,000": image(lambda: file_of(Image.new("L", (1, 60_000)), "JPEG")),
            "a WebP of 1 x 16,000": image(lambda: file_of(Image.new("L", (1, 16_000)), "WEBP")),
            "a JPEG of 25 scans": image(worst.WORST["a progressive JPEG of 400 x 400, 25 scans"].body),
            "4,096 x 3,073": image(lambda: png_by_hand(4096, 3073, bytes(1000))),
            "1 x 16,777,216": image(lambda: png_by_hand(1, 16_777_216, bytes(1000))),
            "349,000 empty chunks": image(worst.empty_chunks),
        },
    ),
    "a small PNG that unpacks to up to 64 MB": Kind(
        200,
        "no digit",
        {
            "4,096 x 3,072 from 12 KB": image(lambda: png_by_hand(4096, 3072, bytes(4097 * 3072))),
            "a color profile": image(lambda: unpacks_into_64_mb(b"iCCP")),
            "text": image(lambda: unpacks_into_64_mb(b"zTXt")),
            "more data than pixels": image(lambda: png_by_hand(28, 28, ROWS * 1000)),
        },
    ),
    "an image with 16 bits, a palette, interlacing, animation, CMYK, an orientation, or data after its end": Kind(
        200,
        "a digit",
        {
            "16 bits": image(lambda: png_of(Image.fromarray(np.asarray(ONE, np.uint16) * 257))),
            "a palette": image(lambda: png_of(ONE.convert("P"))),
            "interlaced": image(lambda: interlaced(np.asarray(ONE))),
            "animated": image(lambda: png_of(ONE, save_all=True, append_images=[ONE.rotate(90)])),
            "an animated WebP": image(lambda: file_of(ONE, "WEBP", save_all=True, append_images=[ONE.rotate(90)])),
            "a CMYK JPEG": image(lambda: file_of(ONE.convert("CMYK"), "JPEG")),
            "upside down": image(lambda: turned(ONE, "WEBP", 3)),
            "a zip archive after it": image(lambda: png_of(ONE) + EMPTY_ZIP),
            "a zip archive after a JPEG": image(lambda: file_of(ONE, "JPEG") + EMPTY_ZIP),
        },
    ),
    "an image of another type than its header names": Kind(
        200,
        "a digit",
        {
            "a JPEG as PNG": image(lambda: file_of(ONE, "JPEG")),
            "a TIFF as PNG": image(lambda: file_of(ONE, "TIFF")),
            "a PNG as GIF": Request(lambda: png_of(ONE), content_type="image/gif"),
        },
    ),
    "a drawing of more than 64 digits, 12 lines or 400 groups of marks, as numbers": Kind(
        422,
        ": send it in parts",
        {
            "65 digits": ask("/read", strokes=[[[x, 0], [x, 100]] for x in range(0, 65 * 40, 40)]),
            "13 lines": ask("/read", strokes=[[[5, y], [0, y + 100]] for y in range(0, 13 * 150, 150)]),
            "100 digits that overlap": ask("/read", strokes=[[[x, 0], [x, 100]] for x in range(100)]),
            "1,000 dots": ask("/read", strokes=[[[x, y]] for x in range(0, 4000, 100) for y in range(0, 2500, 100)]),
            "an image of 19 x 19 squares": Request(lambda: png_of(SQUARES), "/read", PNG),
        },
    ),
    "an unknown field or query parameter": Kind(
        422,
        ": did you mean ",
        {
            "brsh": ask(strokes=LINE, brsh=20),
            "changes_": ask("/explain", strokes=LINE, changes_=[]),
            "?inptu=true": ask("/predict?inptu=true", strokes=LINE),
        },
    ),
    "an invalid query value, or invalid fields beside an image": Kind(
        422,
        ": ",
        {
            "?input=perhaps": ask("/predict?input=perhaps", strokes=LINE),
            "no layer": beside_image("/unit"),
            "no JSON": beside_image("/unit?options=layer"),
            "a layer -1": beside_image(f"/unit{worst.options(layer=-1, place=[0])}"),
            "201 changed weights": beside_image(f"/explain{worst.options(changes=[{'layer': 0, 'unit': 0}] * 201)}"),
            "strokes": beside_image(f"/predict{worst.options(strokes=LINE)}"),
        },
    ),
    "feedback to an unknown prediction, or its erasure": Kind(
        404,
        "there is no prediction with this prediction_id",
        {
            "an unknown id": feedback(5),
            "an id with line breaks and zeros": feedback(5, "a\r\n\0b"),
            "a script": feedback(5, "<script>alert(1)</script>"),
        },
    ),
    "feedback with an overlong id, two subjects, or no valid digit": Kind(
        422,
        "",
        {
            "an id of 10,000 letters": feedback(5, "a" * 10_000),
            "10": feedback(10),
            "5.5": feedback(5.5),
            "true": feedback(True),
            "no digit": ask("/feedback", prediction_id="0" * 32),
            "an id and pixels": ask("/feedback", prediction_id="0" * 32, image_vector=pixels(), actual_digit=5),
        },
    ),
    "a layer, unit or weight that the network lacks": Kind(
        422,
        "layer",
        {
            "layer 99": ask("/unit", strokes=LINE, layer=99, place=[0]),
            "layer -1": ask("/unit", strokes=LINE, layer=-1, place=[0]),
            "no such unit": ask("/unit", strokes=LINE, layer=0, place=[0, 0, 999]),
            "a layer without weights": ask("/explain", strokes=LINE, changes=[{"layer": 1, "unit": 0}]),
        },
    ),
    "more than 200 changed weights or 50 training steps, or too large a value": Kind(
        422,
        " should ",
        {
            "201 changed weights": ask("/explain", strokes=LINE, changes=[{"layer": 0, "unit": 0}] * 201),
            "a weight of 1e9": ask("/explain", strokes=LINE, changes=[{"layer": 0, "unit": 0, "value": 1e9}]),
            "51 training steps": ask("/learn", strokes=LINE, lessons=[{"label": 1, "learning_rate": 0.1}] * 51),
            "a learning rate of 1e9": ask("/learn", strokes=LINE, lessons=[{"label": 1, "learning_rate": 1e9}]),
        },
    ),
}
CASES = [pytest.param(kind, name, id=f"{kind}: {name}") for kind in KINDS for name in KINDS[kind].requests]


def said(answer) -> str:
    """Return the answer's sentence; of a prediction, "a digit" or "no digit"."""
    found = answer.json()
    if answer.status_code != 200:
        assert Problem.model_validate(found).status == answer.status_code
        assert len(answer.content) < 4000
        return found["detail"]
    if "losses" in found:
        assert found["diverged"] == (found["after"] is None)
        return f"{len(found['losses'])} training steps"
    assert (found["digit"] is None) != found["is_digit"]
    return "a digit" if found["is_digit"] else "no digit"


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_says_what_was_wrong_and_answers_the_next_request(service, documented, kind, name):
    status, says, requests = KINDS[kind]
    request = requests[name]
    headers = {"Content-Type": request.content_type, "Content-Encoding": request.encoding}
    answer = service.client.post(request.path, content=request.body(), headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == (JSON if status == 200 else "application/problem+json")
    words = said(answer)
    assert says in words
    assert len(words) < 300, "a sentence, and not the body back"
    documented("bad-requests", kind, str(status))
    assert service.post_json({"strokes": LINE}).status_code == 200
