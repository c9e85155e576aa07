"""Decode PNGs of each kind, reduce large ones, and reject bad ones."""

import numpy as np
import pytest
from fastapi import HTTPException
from inference.png import BAND_PIXELS, LARGEST_SIDE, MAX_CHUNKS, checked_png, pixels_from_png
from PIL import Image
from pngs import interlaced, png_by_hand, png_of

GRAY = np.random.default_rng(0).integers(0, 256, (7, 5), dtype=np.uint8)
GRAY_IMAGE = Image.fromarray(GRAY)
COLOR = np.random.default_rng(1).integers(0, 256, (7, 5, 3), dtype=np.uint8)
WITH_ALPHA = np.random.default_rng(2).integers(0, 256, (7, 5, 4), dtype=np.uint8)
TWO_COLORS = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8))
TWO_COLORS.putpalette([10, 20, 30, 200, 210, 220])
SIXTEEN_BIT_COLOR = b"".join(b"\0" + row.tobytes() for row in (COLOR * np.uint16(256) + 7).astype(">u2"))
ROWS = bytes(28 * 29)  # of a black image of 28 x 28: a filter, and 28 pixels


def pixels(content):
    return pixels_from_png(checked_png(content))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (png_of(GRAY), GRAY),
        (png_of(COLOR), COLOR),
        (png_of(WITH_ALPHA), WITH_ALPHA),
        (png_of(Image.merge("LA", [GRAY_IMAGE, Image.fromarray(255 - GRAY)])), np.dstack([GRAY, GRAY, GRAY, 255 - GRAY])),
        (png_of(Image.fromarray(GRAY > 127)), (GRAY > 127) * np.uint8(255)),
        (png_of(np.array([[0, 255, 256, 32768, 65535]], np.uint16)), [[0, 0, 1, 128, 255]]),
        (png_by_hand(5, 7, SIXTEEN_BIT_COLOR, depth=16, color_type=2), COLOR),
        (png_of(TWO_COLORS), [[[10, 20, 30], [200, 210, 220]], [[200, 210, 220], [10, 20, 30]]]),
        (png_of(TWO_COLORS, transparency=1), [[[10, 20, 30, 255], [200, 210, 220, 0]], [[200, 210, 220, 0], [10, 20, 30, 255]]]),
        (png_of(GRAY_IMAGE, transparency=int(GRAY[0, 0])), np.dstack([GRAY] * 3 + [255 * (GRAY[0, 0] != GRAY)])),
        (interlaced(GRAY), GRAY),
        (png_of(GRAY_IMAGE, save_all=True, append_images=[Image.fromarray(255 - GRAY)]), GRAY),
    ],
    ids=[
        *("gray", "color", "alpha", "gray and alpha", "one bit", "16 bits", "16 bits of color", "palette"),
        *("palette with a transparent color", "one gray transparent", "interlaced", "animated"),
    ],
)
def test_decodes_to_eight_bits(content, expected):
    result = pixels(content)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((LARGEST_SIDE, LARGEST_SIDE), (LARGEST_SIDE, LARGEST_SIDE)),
        ((2 * LARGEST_SIDE - 1, 10), (2 * LARGEST_SIDE - 1, 10)),
        ((2 * LARGEST_SIDE, 10), (LARGEST_SIDE, 5)),
        ((10, 3 * LARGEST_SIDE), (4, LARGEST_SIDE)),  # the rest at the edge makes one more pixel
        ((1, 7 * LARGEST_SIDE), (1, LARGEST_SIDE)),
    ],
)
def test_reduces_a_large_image_by_a_whole_factor(size, expected):
    assert pixels(png_of(np.zeros(size, np.uint8))).shape == expected


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "I;16"])
def test_reduces_a_large_image_in_bands(mode):
    side = 2 * LARGEST_SIDE
    height = BAND_PIXELS // side + 3  # two bands
    ramp = np.add.outer(np.arange(height), np.arange(side)).astype(np.uint8)
    image = Image.fromarray(ramp.astype(np.uint16) << 8) if mode == "I;16" else Image.fromarray(ramp).convert(mode)
    whole = Image.fromarray(ramp).convert({"I;16": "L", "P": "RGB", "LA": "RGBA"}.get(mode, mode)).reduce(2)
    np.testing.assert_array_equal(pixels(png_of(image)), np.asarray(whole))


@pytest.mark.parametrize("size", [(4097, 1), (1, 16_777_216), (4096, 3073), (2**31, 2**31)])
def test_rejects_more_than_twelve_megapixels_before_decoding(size):
    with pytest.raises(HTTPException, match=f"{size[0]} x {size[1]} pixels"):
        checked_png(png_by_hand(*size, b""))


def test_removes_chunks_that_do_not_affect_pixels():
    bare = png_by_hand(28, 28, ROWS)
    more = png_by_hand(28, 28, ROWS, more_chunks=[(b"tEXt", b"a\0b"), (b"iCCP", b"damaged"), (b"juNk", b""), (b"acTL", b"")])
    assert checked_png(more) == checked_png(bare)
    assert checked_png(bare).content == bare


def test_limits_the_number_of_chunks():
    def with_chunks(count):
        return png_by_hand(28, 28, ROWS, more_chunks=[(b"juNk", b"")] * (count - 3))

    assert pixels(with_chunks(MAX_CHUNKS)).shape == (28, 28)
    with pytest.raises(HTTPException, match="4,096 chunks"):
        checked_png(with_chunks(MAX_CHUNKS + 1))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "not a PNG"),
        (png_by_hand(28, 28, ROWS[:100]), "the PNG is damaged: ."),
        (png_by_hand(28, 28, ROWS, color_type=5), "the PNG is damaged: ."),
    ],
)
def test_rejects_a_damaged_png(content, words):

    with pytest.raises(HTTPException, match=words):
        pixels(content)
