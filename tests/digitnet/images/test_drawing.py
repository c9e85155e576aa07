"""Normalization removes position, size, colors and pen width of a drawing."""

from itertools import pairwise

import numpy as np
import pytest
from digitnet.images.ink import image_from_pixels, image_from_vector
from digitnet.images.normalize import DrawingError, in_bytes, in_unit_range
from digitnet.images.strokes import PEN_RADIUS, PEN_SOFTNESS, image_from_strokes
from hypothesis import given, settings
from hypothesis import strategies as st

SEVEN = [[[60.0, 60.0], [200.0, 60.0], [110.0, 230.0]], [[90.0, 150.0], [180.0, 150.0]]]
SQUARE = [[0.0, 0.0], [100.0, 0.0], [100.0, 100.0], [0.0, 100.0]]
UPRIGHT, LEVEL = [[[140.0, 20.0], [140.0, 260.0]]], [[[20.0, 140.0], [260.0, 140.0]]]


def moved(strokes, scale=1.0, by=(0.0, 0.0)):
    return [[[x * scale + by[0], y * scale + by[1]] for x, y in stroke] for stroke in strokes]


def box_of(image):
    rows, columns = image.any(axis=1).nonzero()[0], image.any(axis=0).nonzero()[0]
    return int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)


def nine(side=280, scale=1.0, by=(0, 0)):
    """Return a nine with hard edges, 1 = ink. Its center of mass is not half way between two pixels."""
    y, x = (np.indices((side, side)) + 0.5) / scale - np.array(by)[:, None, None]
    distance = np.hypot(y - 100, x - 130)
    ring = (distance < 65) & (distance > 40)
    stem = (np.abs(x - 183) < 12) & (y > 100) & (y < 240)
    return (ring | stem).astype(np.float32)


@pytest.mark.parametrize("image", [image_from_strokes(SEVEN), image_from_pixels(nine())], ids=["strokes", "pixels"])
def test_images_have_mnist_s_format(image):
    assert (image.shape, image.dtype, image.min()) == ((28, 28), np.float32, 0.0)
    assert image.max() <= 1.0
    assert max(box_of(image)) == 20
    center_of_mass = [float((image.sum(axis=axis) @ np.arange(28)) / image.sum()) for axis in (1, 0)]
    assert center_of_mass == [pytest.approx(14.0, abs=0.51)] * 2
    np.testing.assert_allclose(image * 255.0, np.rint(image * 255.0), atol=1e-4)


class TestStrokes:
    @pytest.mark.parametrize("scale", [0.002, 0.5, 3.0])
    def test_size_and_place_do_not_matter(self, scale):
        image = image_from_strokes(moved(SEVEN, scale, (-37.0, 85.5)), brush=0.1)
        np.testing.assert_allclose(image, image_from_strokes(SEVEN), atol=2.1 / 255)

    def test_brush_width_does_not_matter(self):
        np.testing.assert_array_equal(image_from_strokes(SEVEN, 2.0), image_from_strokes(SEVEN, 40.0))

    def test_direction_order_and_sampling_do_not_matter(self):
        backwards = [stroke[::-1] for stroke in SEVEN[::-1]]
        dense = [np.concatenate([np.linspace(a, b, 60) for a, b in pairwise(stroke)]).tolist() for stroke in SEVEN]
        for same in (backwards, dense):
            np.testing.assert_allclose(image_from_strokes(same), image_from_strokes(SEVEN), atol=0.06)

    def test_a_line_has_the_pen_s_width_and_soft_edges(self):
        centers = np.array([0.5, 1.5, 2.5])
        expected = np.clip(0.5 + (1.2 - np.abs(centers - 1.2)) / 1.5, 0.0, 1.0)
        upright, level = image_from_strokes(UPRIGHT), image_from_strokes(LEVEL)
        assert (box_of(upright), box_of(level)) == ((20, 3), (3, 20))
        np.testing.assert_allclose(upright[14][upright[14] > 0.0], expected, atol=0.5 / 255)
        np.testing.assert_array_equal(level, upright.T)

    def test_a_circle_is_rendered_precisely(self):
        """Compare the polygon's image with each pixel's distance from the circle."""
        angles = np.linspace(0.0, 2.0 * np.pi, 400)
        image = image_from_strokes([np.column_stack([np.cos(angles), np.sin(angles)]) * 100.0])
        y, x = np.indices((28, 28)) - 13.5
        distance = np.abs(np.hypot(y, x) - (10.0 - PEN_RADIUS))
        expected = np.clip(0.5 + (PEN_RADIUS - distance) / PEN_SOFTNESS, 0.0, 1.0)
        expected[(np.abs(y) > 10.0) | (np.abs(x) > 10.0)] = 0.0  # the box cuts the soft edge
        rows, columns = (slice(image.any(axis=axis).argmax() - 4, None) for axis in (1, 0))
        assert (rows.start, columns.start) in [(0, 0), (0, 1), (1, 0), (1, 1)]  # half a pixel to either side
        shifted = np.zeros((28, 28))
        shifted[rows, columns] = expected[: 28 - rows.start, : 28 - columns.start]
        np.testing.assert_allclose(image, shifted / shifted.max(), atol=1.5 / 255)

    @pytest.mark.parametrize(
        ("strokes", "brush", "is_blank"),
        [
            ([], 20.0, True),
            ([[], [[5.0, 5.0]]], 20.0, True),
            ([[[140.0, 140.0], [150.0, 140.0]]], 20.0, True),
            ([[[140.0, 140.0], [150.5, 140.0]]], 20.0, False),
            ([[[0.0, 0.0], [1e-310, 0.0]]], 1e-320, True),  # smaller than any pen or brush
            ([[[50.0, 50.0]], [[200.0, 90.0]]], 20.0, False),  # two dots
        ],
    )
    def test_nothing_or_a_dot_gives_a_blank_image(self, strokes, brush, is_blank):
        assert image_from_strokes(strokes, brush).any() != is_blank

    @pytest.mark.parametrize("tap", [[[20.0, 265.0]], [[262.0, 12.0], [272.0, 12.0]]], ids=["a dot", "a shaky dot"])
    def test_ignores_a_stray_tap(self, tap):
        for seven in (moved(SEVEN, scale, (70.0, 70.0)) for scale in (0.1, 0.2)):
            for strokes in ([tap, *seven], [*seven, tap, [[5.0, 5.0]]]):
                np.testing.assert_array_equal(image_from_strokes(strokes), image_from_strokes(seven))

    @pytest.mark.parametrize(
        ("stroke", "dot", "stays"),
        [
            (SQUARE, [175.0, 50.0], True),  # 0.75 of the stroke's size beside it
            (SQUARE, [176.0, 50.0], False),
            (SQUARE, [-76.0, 50.0], False),
            (SQUARE, [50.0, 250.0], True),  # 1.5 times its size below it
            (SQUARE, [50.0, 251.0], False),
            (SQUARE, [50.0, -151.0], False),
            ([[140.0, 110.0], [140.0, 230.0]], [145.0, 60.0], True),  # the dot of an i
            ([[0.0, 0.0], [0.0, 32.9]], [0.0, 200.0], True),  # a colon: strokes this small count as dots
            ([[0.0, 0.0], [0.0, 33.0]], [0.0, 200.0], False),
        ],
    )
    def test_keeps_a_dot_near_the_strokes(self, stroke, dot, stays):
        assert np.array_equal(image_from_strokes([stroke, [dot]]), image_from_strokes([stroke])) != stays

    def test_keeps_a_short_stroke_far_away(self):
        seven = moved(SEVEN, 0.2, (70.0, 70.0))
        assert not np.array_equal(image_from_strokes([*seven, [[20.0, 250.0], [40.0, 265.0]]]), image_from_strokes(seven))

    @pytest.mark.parametrize(
        ("strokes", "complaint"),
        [
            ([[[1.0, 2.0, 3.0]]], "a list of"),
            ([[1.0, 2.0]], "a list of"),
            ([[[1.0, 2.0], [3.0]]], "each two numbers"),
            ([[[float("nan"), 1.0], [9.0, 99.0]]], "finite"),
        ],
    )
    def test_rejects_malformed_strokes(self, strokes, complaint):
        with pytest.raises(DrawingError, match=complaint):
            image_from_strokes(strokes)

    @given(st.lists(st.lists(st.tuples(*[st.floats(-1e5, 1e5)] * 2), min_size=1, max_size=30), min_size=1, max_size=6))
    @settings(max_examples=25, deadline=None)
    def test_any_strokes_give_a_blank_or_normalized_image(self, strokes):
        image = image_from_strokes(strokes)
        assert 0.0 <= image.min() <= image.max() <= 1.0
        assert not image.any() or max(box_of(image)) <= 20

    def test_renders_the_longest_allowed_scribble(self):
        assert box_of(image_from_strokes([np.random.default_rng(0).uniform(0.0, 280.0, (20_000, 2))])) == (20, 20)

    @pytest.mark.parametrize("radius", [0.3, 1.2, 3.2])
    def test_pen_radius_changes_the_ink_and_keeps_the_box(self, radius):
        strokes = [[(40, 30), (200, 30), (120, 250)]]
        image, usual = image_from_strokes(strokes, pen_radius=radius), image_from_strokes(strokes)
        assert (image.max(), max(box_of(image))) == (1.0, 20)
        assert np.sign(image.sum() - usual.sum()) == np.sign(radius - 1.2)


def on_sheet(ink, paper, pen):
    """Return ink in [0, 1] as `pen` on `paper`: float32 (height, width, channels)."""
    return (ink[:, :, None] * np.array(pen) + (1.0 - ink[:, :, None]) * np.array(paper)).astype(np.float32)


def paper(ink):
    """Return dark ink on gray paper, with a little noise."""
    return 0.85 - 0.6 * ink + np.random.default_rng(3).normal(0.0, 0.008, ink.shape)


def as_photo(change):
    """Return a function from ink to the pixels of changed paper."""
    return lambda ink: np.clip(change(paper(ink)), 0.0, 1.0)


def with_border(pixels, rows, value):
    pixels = pixels.copy()
    pixels[rows] = value
    return pixels


Y, X = np.indices((280, 280)) / 280
PHOTOS = [
    pytest.param(as_photo(lambda sheet: sheet * (1.0 - 0.5 * X)), id="light from a side"),
    pytest.param(as_photo(lambda sheet: sheet * (1.0 - 0.4 * np.hypot(X - 0.5, Y - 0.5) ** 2)), id="vignette"),
    pytest.param(as_photo(lambda sheet: sheet * np.where(X < 0.55, 0.7, 1.0)), id="shadow"),
    pytest.param(lambda ink: 1.0 - np.clip(paper(ink) * (1.0 - 0.25 * Y), 0.0, 1.0), id="light ink"),
    pytest.param(as_photo(lambda sheet: with_border(sheet, np.s_[:12], 0.1)), id="dark edge"),
    pytest.param(
        as_photo(lambda sheet: np.where(X + 0.05 * Y > 0.95, 0.05, 0.55 + 0.35 * sheet)), id="dark desk beside faint ink"
    ),
    pytest.param(
        as_photo(lambda sheet: np.pad(sheet[20:260, 65:205], ((20, 20), (65, 75)), constant_values=1.0)), id="gray sheet on white"
    ),
    pytest.param(lambda ink: np.pad(1.0 - ink[1:-1, 1:-1], 1), id="thin frame"),
]


class TestPixels:
    @pytest.mark.parametrize("scale", [0.4, 2.5])
    def test_resolution_and_place_do_not_matter(self, scale):
        image, expected = image_from_pixels(nine(int(280 * scale), scale, (20, -30))), image_from_pixels(nine())
        # Scaling softens hard edges, so only edge pixels may differ.
        assert np.abs(image - expected).mean() < 0.02

    @pytest.mark.parametrize(
        ("paper", "pen"),
        [
            ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0)),
            ((1.0, 0.0, 0.0), (0.0, 0.51, 0.0)),  # equally light, so only the color differs
            ((0.5, 0.5, 0.5), (0.5, 1.0, 0.5)),
            ((0.5, 0.5, 0.5), (0.5, 0.5, 1.0)),
            ((1.0, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 1.0)),
            ((0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)),  # black on transparent
            ((1.0, 1.0, 1.0, 0.0), (1.0, 1.0, 1.0, 1.0)),  # white on transparent
            ((1.0, 1.0, 1.0, 128 / 255), (1.0, 1.0, 0.0, 128 / 255)),  # half transparent: yellow on white
        ],
    )
    def test_colors_do_not_matter(self, paper, pen):
        image = image_from_pixels(on_sheet(nine(), paper, pen))
        np.testing.assert_allclose(image, image_from_pixels(nine()), atol=1.1 / 255)

    def test_transparent_pixels_of_an_opaque_sheet_are_no_ink(self):
        sheet = on_sheet(nine(), (1.0, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 1.0))
        sheet[:20, :20] = [1.0, 1.0, 1.0, 0.0]
        np.testing.assert_array_equal(image_from_pixels(sheet), image_from_pixels(nine()))

    def test_inverted_byte_and_rounded_pixels_give_the_same_image(self, generator):
        ink, image = nine(), image_from_pixels(nine())
        np.testing.assert_array_equal(image_from_pixels(1.0 - ink), image)
        np.testing.assert_array_equal(image_from_pixels((ink * 255).astype(np.uint8)), image)
        levels = np.pad(generator.integers(0, 255, (16, 16), dtype=np.uint8), 6)
        np.testing.assert_array_equal(image_from_pixels((levels / 255.0).round(3)), image_from_pixels(levels))

    def test_faint_ink_gives_the_same_image(self):
        np.testing.assert_allclose(image_from_pixels(0.3 * nine()), image_from_pixels(nine()), atol=1.1 / 255)

    @pytest.mark.parametrize(("times", "is_ink"), [(5.5, False), (6.5, True)])
    def test_ink_must_exceed_the_border_s_noise(self, times, is_ink):
        paper = np.full((28, 28), 100, np.uint8)
        paper[0, :16] = paper[:14, -1] = 108  # more than a quarter of the border differs by 8
        paper[5:25, 14] = 255
        marked = paper.copy()
        marked[10:12, 5:7] = 100 + 8 * times
        assert np.array_equal(image_from_pixels(marked), image_from_pixels(paper)) != is_ink

    @pytest.mark.parametrize("photo", PHOTOS)
    def test_finds_the_digit_in_a_photo(self, photo):
        """Paper, light, borders and neighbors change, but not the digit: allow a shift by one pixel."""
        image, clean = image_from_pixels(photo(nine())), image_from_pixels(nine())
        assert np.corrcoef(image.ravel(), clean.ravel())[0, 1] > 0.7

    @pytest.mark.parametrize("photo", PHOTOS[:-1])
    def test_finds_nothing_on_an_empty_sheet(self, photo):
        assert not image_from_pixels(photo(np.zeros((280, 280), np.float32))).any()

    def test_ink_may_touch_the_border(self):
        tight = nine()[35:240, 65:195]
        for pixels in (tight, 1.0 - tight):
            assert np.corrcoef(image_from_pixels(pixels).ravel(), image_from_pixels(nine()).ravel())[0, 1] > 0.7

    def test_a_bar_along_the_border_belongs_to_a_digit_in_a_tight_crop(self):
        seven = np.zeros((60, 40), np.float32)
        seven[:8] = seven[:, 30:] = 1.0
        pixels = np.clip(0.85 - 0.6 * seven + np.random.default_rng(3).normal(0.0, 0.008, seven.shape), 0.0, 1.0)
        assert np.corrcoef(image_from_pixels(pixels).ravel(), image_from_pixels(np.pad(seven, 10)).ravel())[0, 1] > 0.9

    def test_looks_closer_at_a_small_digit(self):
        scan = np.pad(nine(28, 0.1), 986)  # 14 pixels on 2,000
        reduced = scan.reshape(500, 4, 500, 4).mean(axis=(1, 3))

        def closer(left, top, right, bottom):
            return scan[int(top * 2000) : int(bottom * 2000), int(left * 2000) : int(right * 2000)]

        np.testing.assert_allclose(image_from_pixels(reduced, closer), image_from_pixels(scan), atol=1.1 / 255)

    def test_keeps_a_normalized_image(self):
        image = image_from_pixels(nine())
        np.testing.assert_array_equal(image_from_pixels(image), image)
        np.testing.assert_array_equal(image_from_vector(image.ravel().tolist()), image)

    @pytest.mark.parametrize("side", [10, 40])
    def test_interpolates_up_and_averages_down(self, side, generator):
        ink, weights = generator.integers(60, 256, (side, side)), np.zeros((20, side))
        for new, old in np.ndindex(weights.shape):  # a triangle around the new pixel's center, at least two old pixels wide
            away = abs((new + 0.5) * side / 20 - (old + 0.5))
            weights[new, old] = max(0.0, 1.0 - away / max(side / 20, 1.0))
        weights /= weights.sum(axis=1, keepdims=True)
        expected = weights @ ink @ weights.T
        image = image_from_pixels(np.pad(ink, 5).astype(np.uint8))
        top, left = image.any(axis=1).argmax(), image.any(axis=0).argmax()
        np.testing.assert_allclose(image[top : top + 20, left : left + 20], expected / expected.max(), atol=0.51 / 255)

    @pytest.mark.parametrize("end", [slice(0, 3), slice(17, 20)], ids=["first", "last"])
    def test_ink_at_one_end_stays_in_the_image(self, end):
        pixels = np.zeros((28, 28))
        pixels[4:24, 4] = 0.3
        pixels[4:24, 4:24][end] = 1.0
        image = image_from_pixels(pixels)
        assert box_of(image) == (20, 20)
        assert image.any(axis=1).argmax() == (8 if end.start == 0 else 0)

    @pytest.mark.parametrize(
        ("pixels", "is_blank"),
        [
            (np.zeros((28, 28)), True),
            (np.ones((300, 200)), True),
            (np.zeros((50, 50, 4)), True),  # transparent
            (np.pad(np.full((8, 8), 25, np.uint8), 10), True),  # less than a tenth of the contrast
            (np.pad(np.full((8, 8), 26, np.uint8), 10), False),
            (np.pad(np.ones((15, 15)), (42, 43)), True),  # a dot spans up to 15% of the sheet
            (np.pad(np.ones((16, 16)), 42), False),
            (
                np.pad(np.repeat([[1.0] * 6 + [0.0] * 4], 10, axis=0) + np.eye(10)[9] * 1e-2, 45),
                True,
            ),  # and fills 60% at least
            (np.pad(np.repeat([[1.0] * 5 + [0.0] * 4 + [0.9]], 10, axis=0), 45), False),
        ],
    )
    def test_nothing_or_a_dot_gives_a_blank_image(self, pixels, is_blank):
        assert image_from_pixels(pixels).any() != is_blank

    @pytest.mark.parametrize(
        ("pixels", "complaint"),
        [
            (np.zeros(784), "must be"),
            (np.zeros((0, 28)), "must be"),
            (np.zeros((28, 28, 2)), "must be"),
            (np.full((28, 28), 1.5), "from 0 to 1"),
            (np.full((28, 28), -0.1), "from 0 to 1"),
            (np.full((28, 28), np.nan), "from 0 to 1"),
        ],
    )
    def test_rejects_malformed_pixels(self, pixels, complaint):
        with pytest.raises(DrawingError, match=complaint):
            image_from_pixels(pixels)

    def test_rejects_a_vector_of_another_length(self):
        with pytest.raises(DrawingError, match=r"Expected 784 values for MNIST image, got 783$"):
            image_from_vector([0.0] * 783)

    @pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 500)])
    def test_accepts_odd_shapes(self, shape, generator):
        assert np.isfinite(image_from_pixels(generator.random(shape))).all()


def test_bytes_and_unit_range_convert_exactly():
    levels = np.arange(256, dtype=np.uint8)
    assert in_bytes(in_unit_range(levels)).dtype == np.uint8
    np.testing.assert_array_equal(in_bytes(in_unit_range(levels)), levels)
    assert in_unit_range(levels)[[0, 51, 255]].tolist() == [0.0, np.float32(0.2), 1.0]
    image = image_from_strokes(SEVEN)
    np.testing.assert_array_equal(in_unit_range(in_bytes(image)), image)
