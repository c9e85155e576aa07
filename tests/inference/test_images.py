"""PNG bytes -> pixels: the arrays that come out of each kind of file, how large files are reduced, and which are rejected."""

import numpy as np
import pytest
from inference.images import (
    BAND_PIXELS,
    LARGEST_SIDE,
    MAX_CHUNKS,
    ImageError,
    ImageTooLargeError,
    checked_png,
    pixels_from_png,
)
from PIL import Image

GREY = np.random.default_rng(0).integers(0, 256, (7, 5), dtype=np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (7, 5, 3), dtype=np.uint8)
WITH_ALPHA = np.random.default_rng(2).integers(0, 256, (7, 5, 4), dtype=np.uint8)


def pixels(content):
    return pixels_from_png(checked_png(content))


@pytest.mark.parametrize("image", [GREY, COLOUR, WITH_ALPHA], ids=["grey", "colour", "alpha"])
def test_eight_bit_pixels_come_out_as_they_are(png_of, image):
    result = pixels(png_of(image))
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, image)


def test_grey_with_alpha_comes_out_as_colour_with_alpha(png_of):
    result = pixels(png_of(Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(255 - GREY)])))
    np.testing.assert_array_equal(result, np.dstack([GREY, GREY, GREY, 255 - GREY]))


def test_one_bit_comes_out_as_black_and_white(png_of):
    result = pixels(png_of(Image.fromarray(GREY > 127)))
    np.testing.assert_array_equal(result, (GREY > 127) * np.uint8(255))


def test_sixteen_bits_of_grey_keep_their_upper_eight(png_of):
    result = pixels(png_of(np.array([[0, 255, 256, 32768, 65535]], np.uint16)))
    assert result.dtype == np.uint8
    assert result.tolist() == [[0, 0, 1, 128, 255]]


def test_a_palette_comes_out_as_its_colours(png_of):
    image = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8))
    image.putpalette([10, 20, 30, 200, 210, 220])
    result = pixels(png_of(image))
    assert result.tolist() == [[[10, 20, 30], [200, 210, 220]], [[200, 210, 220], [10, 20, 30]]]


def test_the_size_is_given_height_first(png_of):
    assert pixels(png_of(np.zeros((3, 9), np.uint8))).shape == (3, 9)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((LARGEST_SIDE, LARGEST_SIDE), (LARGEST_SIDE, LARGEST_SIDE)),
        ((2 * LARGEST_SIDE - 1, 10), (2 * LARGEST_SIDE - 1, 10)),
        ((2 * LARGEST_SIDE, 10), (LARGEST_SIDE, 5)),
        ((10, 3 * LARGEST_SIDE), (4, LARGEST_SIDE)),  # what is left over at the edge is kept, as a pixel of less
        ((1, 7 * LARGEST_SIDE), (1, LARGEST_SIDE)),
    ],
)
def test_a_large_picture_is_cut_down_by_a_whole_factor(png_of, size, expected):
    assert pixels(png_of(np.zeros(size, np.uint8))).shape == expected


def test_cutting_down_takes_the_mean(png_of):
    stripes = np.zeros((2 * LARGEST_SIDE, 2), np.uint8)
    stripes[::2] = 200
    assert np.unique(pixels(png_of(stripes))).tolist() == [100]


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "I;16"])
def test_a_large_image_is_reduced_in_bands_as_it_would_be_whole(png_of, mode):
    side = 2 * LARGEST_SIDE
    height = BAND_PIXELS // side + 3  # two bands
    ramp = np.add.outer(np.arange(height), np.arange(side)).astype(np.uint8)
    image = Image.fromarray(ramp.astype(np.uint16) << 8) if mode == "I;16" else Image.fromarray(ramp).convert(mode)
    whole = Image.fromarray(ramp).convert({"I;16": "L", "P": "RGB", "LA": "RGBA"}.get(mode, mode)).reduce(2)
    np.testing.assert_array_equal(pixels(png_of(image)), np.asarray(whole))


@pytest.mark.parametrize("size", [(4096, 3072), (3072, 4096), (4096, 1)])
def test_twelve_megapixels_are_accepted(png_by_hand, size):
    assert checked_png(png_by_hand(*size, b""))[:2] == size


@pytest.mark.parametrize("size", [(4097, 1), (1, 16_777_216), (4096, 3073), (2**31, 2**31)])
def test_more_are_rejected_before_they_are_unpacked_and_the_message_says_the_size(png_by_hand, size):
    with pytest.raises(ImageTooLargeError, match=f"{size[0]} x {size[1]} pixels"):
        checked_png(png_by_hand(*size, b""))


def test_a_second_header_is_rejected(png_by_hand):
    header = png_by_hand(1, 1, bytes(2))[8:33]
    with pytest.raises(ImageError, match="second header"):
        checked_png(png_by_hand(28, 28, bytes(28 * 29), more_chunks=[(header[4:8], header[8:21])]))


def test_chunks_that_do_not_decide_the_pixels_are_left_out(png_by_hand):
    bare = png_by_hand(28, 28, bytes(28 * 29))
    more = png_by_hand(28, 28, bytes(28 * 29), more_chunks=[(b"tEXt", b"a\0b"), (b"iCCP", b"damaged"), (b"juNk", b"")])
    assert checked_png(more) == checked_png(bare)
    assert checked_png(bare).content == bare


@pytest.mark.parametrize(("count", "accepted"), [(MAX_CHUNKS - 3, True), (MAX_CHUNKS - 2, False)])
def test_chunks_have_a_limit(png_by_hand, count, accepted):
    content = png_by_hand(28, 28, bytes(28 * 29), more_chunks=[(b"juNk", b"")] * count)
    if accepted:
        assert pixels(content).shape == (28, 28)
    else:
        with pytest.raises(ImageTooLargeError, match="4,096 chunks"):
            checked_png(content)


@pytest.mark.parametrize("content", [b"", b"GIF89a" + bytes(40), b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_bytes_of_another_kind_are_an_image_error_but_not_one_of_size(content):
    with pytest.raises(ImageError, match="not a PNG") as caught:
        checked_png(content)
    assert type(caught.value) is ImageError
