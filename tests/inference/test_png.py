"""Whatever kind of PNG it is, and in whatever colors, the same drawing is read in the same way."""

import numpy as np
import pytest
from digitnet.drawing import picture_from_pixels
from inference.images import checked_png, pixels_from_png
from PIL import Image
from pngs import interlaced, png_by_hand, png_of

BLACK, YELLOW, NAVY, SALMON = (0, 0, 0), (255, 221, 51), (20, 30, 90), (250, 128, 114)


def read(png):
    return picture_from_pixels(pixels_from_png(checked_png(png)))


def levels(values):
    return np.rint(np.asarray(values) * 255).astype(np.uint8)


def mixed(ink, paper, pen):
    """Each pixel between the paper's color and the pen's: uint8 (height, width, 3)."""
    return np.rint(ink[:, :, None] * np.array(pen) + (1 - ink[:, :, None]) * np.array(paper)).astype(np.uint8)


def on_transparent(ink, value, alpha):
    return np.dstack([np.full((*ink.shape, 3), value, np.uint8), levels(alpha)])


def gray_and_alpha(gray, alpha):
    return Image.merge("LA", [Image.fromarray(levels(gray)), Image.fromarray(levels(alpha))])


def sixteen_bit_color(ink):
    pixels = np.repeat(np.rint(ink * 65535)[:, :, None], 3, axis=2).astype(">u2")
    return png_by_hand(280, 280, b"".join(b"\0" + row.tobytes() for row in pixels), depth=16, colour_type=2)


def on_an_oblong_sheet(ink):
    sheet = np.zeros((300, 900), np.uint8)
    sheet[10:290, 500:780] = levels(ink)
    return sheet


VARIANTS = {
    "dark on light": lambda ink: levels(1 - ink),
    "faint on gray": lambda ink: levels(0.4 + 0.3 * ink),
    "the canvas's yellow on black": lambda ink: mixed(ink, BLACK, YELLOW),
    "colored on colored": lambda ink: mixed(ink, NAVY, SALMON),
    "colors of like brightness": lambda ink: mixed(ink, (200, 0, 0), (0, 100, 0)),
    "dark on transparent": lambda ink: on_transparent(ink, 0, ink),
    "light on transparent": lambda ink: on_transparent(ink, 255, ink),
    "cut out of a dark sheet": lambda ink: on_transparent(ink, 0, 1 - ink),
    "opaque, with alpha": lambda ink: np.dstack([mixed(ink, NAVY, SALMON), levels(np.ones_like(ink))]),
    "gray and alpha, transparent": lambda ink: gray_and_alpha(0 * ink, ink),
    "gray and alpha, opaque": lambda ink: gray_and_alpha(ink, np.ones_like(ink)),
    "16-bit gray": lambda ink: np.rint(ink * 65535).astype(np.uint16),
    "16-bit gray, dark on light": lambda ink: np.rint((1 - ink) * 65535).astype(np.uint16),
    "16-bit color": sixteen_bit_color,
    "palette of grays": lambda ink: Image.fromarray(levels(ink)).convert("P"),
    "interlaced": lambda ink: interlaced(levels(ink)),
    "an oblong sheet": on_an_oblong_sheet,
    "the first image of an animation": lambda ink: png_of(
        Image.fromarray(levels(ink)), save_all=True, append_images=[Image.fromarray(levels(ink.T))]
    ),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_reads_the_drawing_alike_from(variant, ink):
    made = VARIANTS[variant](ink)
    # A pen of less contrast has fewer levels of gray at its edge; nothing else may differ.
    np.testing.assert_allclose(read(made if isinstance(made, bytes) else png_of(made)), read(png_of(levels(ink))), atol=0.02)


def black_on_nothing(hard):
    image = Image.fromarray((hard > 0).astype(np.uint8))
    image.putpalette([9, 9, 9, 0, 0, 0])
    return png_of(image, transparency=0)


HARD_EDGED = {
    "1 bit, light on dark": lambda hard: png_of(Image.fromarray(hard > 0)),
    "1 bit, dark on light": lambda hard: png_of(Image.fromarray(hard == 0)),
    "a palette of two colors": lambda hard: png_of(Image.fromarray(mixed(hard, NAVY, SALMON)).quantize(2)),
    "a palette with a transparent color": black_on_nothing,
    "a gray declared transparent": lambda hard: png_of(Image.fromarray(levels(1 - hard)), transparency=255),
}


@pytest.mark.parametrize("variant", HARD_EDGED)
def test_reads_a_hard_edged_drawing_alike_from(variant, ink):
    hard = (ink > 0.5).astype(float)
    np.testing.assert_allclose(read(HARD_EDGED[variant](hard)), read(png_of(levels(hard))), atol=0.005)


@pytest.mark.parametrize("side", [56, 700, 2000])
def test_the_number_of_pixels_hardly_matters(side, ink):
    scaled = Image.fromarray(levels(ink)).resize((side, side), Image.Resampling.BOX if side < 280 else Image.Resampling.BICUBIC)
    assert np.corrcoef(read(png_of(scaled)).ravel(), read(png_of(levels(ink))).ravel())[0, 1] > 0.98
