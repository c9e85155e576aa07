"""Bodies sent as image/png that are no whole PNG: each is refused with words, however it is broken."""

import io

import numpy as np
import pytest
from PIL import Image

SQUARE = np.zeros((40, 40), np.uint8)
SQUARE[5:35, 12:20] = 255
SCANLINES = (b"\0" + bytes(30)) * 30


def saved_as(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(SQUARE).save(buffer, kind)
    return buffer.getvalue()


DISGUISES = {
    "nothing": b"",
    "a byte": b"\x89",
    "text": b"I am a picture",
    "zeros": bytes(1000),
    "JSON": b'{"strokes": []}',
    "a zip archive": b"PK\x03\x04" + bytes(100),
    "a JPEG": saved_as("JPEG"),
    "a GIF": saved_as("GIF"),
    "a BMP": saved_as("BMP"),
    "a TIFF": saved_as("TIFF"),
    "a PNG's signature and no more": b"\x89PNG\r\n\x1a\n",
}


def assert_refused(response) -> None:
    assert response.status_code == 422, response.text
    assert list(response.json()) == ["detail"]
    assert response.json()["detail"]


@pytest.mark.parametrize("name", DISGUISES)
def test_what_is_not_a_png_is_refused(service, name):
    assert_refused(service.post_bytes(DISGUISES[name]))


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.7])
def test_a_png_that_was_cut_short_is_refused(service, png_of, share):
    png = png_of(np.random.default_rng(0).integers(0, 256, (60, 60), dtype=np.uint8))
    assert_refused(service.post_bytes(png[: int(len(png) * share)]))


def test_a_png_with_a_changed_byte_in_its_data_is_refused(service, png_of):
    png = bytearray(png_of(np.random.default_rng(0).integers(0, 256, (60, 60), dtype=np.uint8)))
    png[len(png) // 2] ^= 0xFF
    assert_refused(service.post_bytes(bytes(png)))


DAMAGES = {
    "no pixels at all": {"width": 0, "height": 0, "scanlines": b""},
    "no width": {"width": 0, "scanlines": bytes(30)},
    "no data": {"scanlines": b""},
    "data for a smaller picture": {"scanlines": SCANLINES[:100]},
    "an unknown filter": {"scanlines": SCANLINES.replace(b"\0", b"\x09")},
    "an unknown depth": {"depth": 7},
    "an unknown colour type": {"colour_type": 5},
    "a palette that is missing": {"colour_type": 3},
    "a palette that is missing, 1 bit": {"depth": 1, "colour_type": 3},
    "an empty colour profile": {"more_chunks": [(b"iCCP", b"")]},
    "a colour profile that is only a name": {"more_chunks": [(b"iCCP", b"profile\0")]},
    "a second header that is too short": {"more_chunks": [(b"IHDR", b"abc")]},
    "a control chunk that is too short": {"more_chunks": [(b"acTL", b""), (b"fcTL", b"")]},
    "more transparent colours than a palette can have": {
        "colour_type": 3,
        "more_chunks": [(b"PLTE", bytes(768)), (b"tRNS", bytes(range(256)) * 3)],
    },
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_png_with_this_damage_never_makes_the_service_fail(service, png_by_hand, name):
    damage = {"width": 30, "height": 30, "scanlines": SCANLINES} | DAMAGES[name]
    response = service.post_bytes(png_by_hand(**damage))
    assert response.status_code in (200, 422), response.text  # some damage can be read around


NEVER_READABLE = ["no pixels at all", "no width", "no data", "data for a smaller picture", "an unknown filter"]


@pytest.mark.parametrize("name", NEVER_READABLE)
def test_a_png_whose_pixels_cannot_be_had_is_refused(service, png_by_hand, name):
    damage = {"width": 30, "height": 30, "scanlines": SCANLINES} | DAMAGES[name]
    assert_refused(service.post_bytes(png_by_hand(**damage)))


SIDE_CHUNKS = [b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"iCCP", b"bKGD", b"PLTE"]


@pytest.mark.parametrize("place", ["more_chunks", "late_chunks"], ids=["before", "after"])
@pytest.mark.parametrize("chunk", SIDE_CHUNKS, ids=bytes.decode)
def test_a_side_chunk_of_nonsense_never_makes_the_service_fail(service, png_by_hand, chunk, place):
    for content in (b"", b"\0", b"a", b"a\0", b"a\0\0\0", b"\xff" * 40, b"a\0\0" + b"\xff" * 40):
        response = service.post_bytes(png_by_hand(30, 30, SCANLINES, **{place: [(chunk, content)]}))
        assert response.status_code in (200, 422), (content, response.text)
