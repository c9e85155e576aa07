"""pixels_from_png: the arrays that come out of each kind of file, and how large files are cut down."""

import numpy as np
import pytest
from inference.images import LARGEST_SIDE, ImageError, ImageTooLargeError, pixels_announced, pixels_from_png
from PIL import Image

GREY = np.random.default_rng(0).integers(0, 256, (7, 5), dtype=np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (7, 5, 3), dtype=np.uint8)
WITH_ALPHA = np.random.default_rng(2).integers(0, 256, (7, 5, 4), dtype=np.uint8)
MANY = 4096 * 4096


@pytest.mark.parametrize("pixels", [GREY, COLOUR, WITH_ALPHA], ids=["grey", "colour", "alpha"])
def test_eight_bit_pixels_come_out_as_they_are(png_of, pixels):
    result = pixels_from_png(png_of(pixels), MANY)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, pixels)


def test_grey_with_alpha_comes_out_as_colour_with_alpha(png_of):
    result = pixels_from_png(png_of(Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(255 - GREY)])), MANY)
    np.testing.assert_array_equal(result, np.dstack([GREY, GREY, GREY, 255 - GREY]))


def test_one_bit_comes_out_as_black_and_white(png_of):
    result = pixels_from_png(png_of(Image.fromarray(GREY > 127)), MANY)
    np.testing.assert_array_equal(result, (GREY > 127) * np.uint8(255))


def test_sixteen_bits_of_grey_keep_their_upper_eight(png_of):
    result = pixels_from_png(png_of(np.array([[0, 255, 256, 32768, 65535]], np.uint16)), MANY)
    assert result.dtype == np.uint8
    assert result.tolist() == [[0, 0, 1, 128, 255]]


def test_a_palette_comes_out_as_its_colours(png_of):
    image = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8))
    image.putpalette([10, 20, 30, 200, 210, 220])
    result = pixels_from_png(png_of(image), MANY)
    assert result.tolist() == [[[10, 20, 30], [200, 210, 220]], [[200, 210, 220], [10, 20, 30]]]


def test_the_size_is_given_height_first(png_of):
    assert pixels_from_png(png_of(np.zeros((3, 9), np.uint8)), MANY).shape == (3, 9)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((LARGEST_SIDE, LARGEST_SIDE), (LARGEST_SIDE, LARGEST_SIDE)),
        ((2 * LARGEST_SIDE - 1, 10), (2 * LARGEST_SIDE - 1, 10)),
        ((2 * LARGEST_SIDE, 10), (LARGEST_SIDE, 5)),
        ((10, 3 * LARGEST_SIDE), (4, LARGEST_SIDE)),  # what is left over at the edge is kept, as a pixel of less
        ((1, 10 * LARGEST_SIDE), (1, LARGEST_SIDE)),
    ],
)
def test_a_large_picture_is_cut_down_by_a_whole_factor(png_of, size, expected):
    assert pixels_from_png(png_of(np.zeros(size, np.uint8)), MANY).shape == expected


def test_cutting_down_takes_the_mean(png_of):
    pixels = np.zeros((2 * LARGEST_SIDE, 2), np.uint8)
    pixels[::2] = 200
    assert np.unique(pixels_from_png(png_of(pixels), MANY)).tolist() == [100]


def test_as_many_pixels_as_allowed_are_read(png_of):
    assert pixels_from_png(png_of(GREY), GREY.size).shape == GREY.shape


def test_a_pixel_more_is_too_large_and_the_message_says_both_sizes(png_of):
    with pytest.raises(ImageTooLargeError, match=f"5 x 7 pixels, but at most {GREY.size - 1} may"):
        pixels_from_png(png_of(GREY), GREY.size - 1)


def test_too_many_pixels_are_refused_before_they_are_unpacked(png_by_hand):
    with pytest.raises(ImageTooLargeError):
        pixels_from_png(png_by_hand(100, 100, b"not the pixels it says it has"), 9_999)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_png_is_an_image_error_but_not_one_of_size(content):
    with pytest.raises(ImageError, match="PNG") as caught:
        pixels_from_png(content, MANY)
    assert type(caught.value) is ImageError


def test_what_a_png_announces_is_read_without_unpacking_it(png_of):
    content = png_of(np.zeros((30, 50), np.uint8))
    assert pixels_announced(content) == 1500
    assert pixels_announced(content[:24]) == 1500


@pytest.mark.parametrize("content", [b"", b"GIF89a" + bytes(40), b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_what_is_no_png_announces_nothing(content):
    assert pixels_announced(content) == 0
