"""PNG pictures: of whatever kind the file is and in whatever colours, the same drawing is read in the same way."""

import numpy as np
import pytest
from PIL import Image
from pngs import interlaced

CANVAS_BLACK, CANVAS_YELLOW = (0, 0, 0), (255, 221, 51)
NAVY, SALMON = (20, 30, 90), (250, 128, 114)


def levels(values):
    return np.rint(np.asarray(values) * 255).astype(np.uint8)


def mixed(ink, paper, pen):
    """Each pixel between the paper's colour and the pen's: uint8 (height, width, 3)."""
    return np.rint(ink[:, :, None] * np.array(pen) + (1 - ink[:, :, None]) * np.array(paper)).astype(np.uint8)


def with_alpha(colours, alpha):
    return np.dstack([colours, levels(alpha)])


def white_sheet(ink):
    return np.ones_like(ink)


VARIANTS = {
    "light on dark": levels,
    "dark on light": lambda ink: levels(1 - ink),
    "faint on grey": lambda ink: levels(0.4 + 0.3 * ink),
    "the canvas's yellow on black": lambda ink: mixed(ink, CANVAS_BLACK, CANVAS_YELLOW),
    "coloured on coloured": lambda ink: mixed(ink, NAVY, SALMON),
    "colours of like brightness": lambda ink: mixed(ink, (200, 0, 0), (0, 100, 0)),
    "dark on transparent": lambda ink: with_alpha(np.zeros((*ink.shape, 3), np.uint8), ink),
    "light on transparent": lambda ink: with_alpha(np.full((*ink.shape, 3), 255, np.uint8), ink),
    "opaque, with alpha": lambda ink: with_alpha(mixed(ink, NAVY, SALMON), white_sheet(ink)),
    "cut out of a dark sheet": lambda ink: with_alpha(np.zeros((*ink.shape, 3), np.uint8), 1 - ink),
    "grey and alpha, transparent": lambda ink: Image.merge("LA", [Image.new("L", ink.shape), Image.fromarray(levels(ink))]),
    "grey and alpha, opaque": lambda ink: Image.merge("LA", [Image.fromarray(levels(ink)), Image.new("L", ink.shape, 255)]),
    "16-bit grey": lambda ink: np.rint(ink * 65535).astype(np.uint16),
    "16-bit grey, dark on light": lambda ink: np.rint((1 - ink) * 65535).astype(np.uint16),
    "palette of greys": lambda ink: Image.fromarray(levels(ink)).convert("P"),
}


@pytest.fixture(scope="module")
def read(service):
    """read(png) -> the picture that the service read, (28, 28)."""

    def picture(png: bytes) -> np.ndarray:
        response = service.post_bytes(png, path="/predict?input=true")
        assert response.status_code == 200, response.text
        return np.array(response.json()["input"])

    return picture


@pytest.fixture(scope="module")
def expected(read, ink, png_of):
    return read(png_of(levels(ink)))


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_drawing_is_read_alike_from(variant, read, ink, png_of, expected):
    # A pen of less contrast has fewer levels of grey at its edge; nothing else may differ.
    np.testing.assert_allclose(read(png_of(VARIANTS[variant](ink))), expected, atol=0.02)


def test_an_interlaced_picture_is_read_alike(read, ink, expected):
    np.testing.assert_array_equal(read(interlaced(levels(ink))), expected)


def test_16_bit_colour_is_read_alike(read, ink, png_by_hand, expected):
    pixels = np.repeat(np.rint(ink * 65535)[:, :, None], 3, axis=2).astype(">u2")
    scanlines = b"".join(b"\0" + row.tobytes() for row in pixels)
    np.testing.assert_allclose(read(png_by_hand(280, 280, scanlines, depth=16, colour_type=2)), expected, atol=0.02)


@pytest.fixture(scope="module")
def hard_edged(ink):
    return (ink > 0.5).astype(float)


@pytest.mark.parametrize(
    "variant",
    [
        lambda hard: Image.fromarray(hard > 0),
        lambda hard: Image.fromarray(hard == 0),
        lambda hard: Image.fromarray(mixed(hard, NAVY, SALMON)).quantize(2),
    ],
    ids=["1-bit, light on dark", "1-bit, dark on light", "palette of two colours"],
)
def test_a_hard_edged_drawing_is_read_alike_from(variant, read, hard_edged, png_of):
    np.testing.assert_allclose(read(png_of(variant(hard_edged))), read(png_of(levels(hard_edged))), atol=0.005)


def test_a_palette_with_a_transparent_colour_is_read_alike(read, hard_edged, png_of):
    black_on_nothing = Image.fromarray((hard_edged > 0).astype(np.uint8))
    black_on_nothing.putpalette([9, 9, 9, 0, 0, 0])
    np.testing.assert_allclose(read(png_of(black_on_nothing, transparency=0)), read(png_of(levels(hard_edged))), atol=0.005)


def test_one_grey_declared_transparent_is_read_alike(read, hard_edged, png_of):
    png = png_of(Image.fromarray(levels(1 - hard_edged)), transparency=255)
    np.testing.assert_allclose(read(png), read(png_of(levels(hard_edged))), atol=0.005)


@pytest.mark.parametrize("side", [56, 700, 2000])
def test_the_number_of_pixels_hardly_matters(side, read, ink, png_of, expected):
    scaled = Image.fromarray(levels(ink)).resize((side, side), Image.Resampling.BOX if side < 280 else Image.Resampling.BICUBIC)
    picture = read(png_of(scaled))
    assert np.corrcoef(picture.ravel(), expected.ravel())[0, 1] > 0.98


def test_an_oblong_sheet_is_read_alike(read, ink, png_of, expected):
    sheet = np.zeros((300, 900), np.uint8)
    sheet[10:290, 500:780] = levels(ink)
    np.testing.assert_allclose(read(png_of(sheet)), expected, atol=0.005)


def test_the_first_picture_of_an_animation_is_read(read, ink, png_of, expected):
    first, second = Image.fromarray(levels(ink)), Image.fromarray(levels(ink.T))
    np.testing.assert_array_equal(read(png_of(first, save_all=True, append_images=[second])), expected)
