"""What the network sees of a drawing must not depend on where, how large, in what colours or with what pen it was drawn."""

from itertools import pairwise

import numpy as np
import pytest
from digitnet.drawing import (
    DrawingError,
    in_bytes,
    in_unit_range,
    picture_from_pixels,
    picture_from_strokes,
    picture_from_vector,
)
from hypothesis import given, settings
from hypothesis import strategies as st

SEVEN = [[[60.0, 60.0], [200.0, 60.0], [110.0, 230.0]], [[90.0, 150.0], [180.0, 150.0]]]


def moved(strokes, scale=1.0, by=(0.0, 0.0)):
    return [[[x * scale + by[0], y * scale + by[1]] for x, y in stroke] for stroke in strokes]


def box_of(picture):
    rows, columns = picture.any(axis=1).nonzero()[0], picture.any(axis=0).nonzero()[0]
    return rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1


def centre_of_mass(picture):
    return [float((picture.sum(axis=axis) @ np.arange(28)) / picture.sum()) for axis in (1, 0)]


def nine(side=280, scale=1.0, by=(0, 0)):
    """A nine in pixels with hard edges, 1 = ink; its centre of mass is not half way between two pixels."""
    y, x = (np.indices((side, side)) + 0.5) / scale - np.array(by)[:, None, None]
    distance = np.hypot(y - 100, x - 130)
    ring = (distance < 65) & (distance > 40)
    stem = (np.abs(x - 183) < 12) & (y > 100) & (y < 240)
    return (ring | stem).astype(np.float32)


def assert_normal(picture):
    """As MNIST's own digits are."""
    assert picture.shape == (28, 28)
    assert picture.dtype == np.float32
    assert picture.min() == 0.0
    assert picture.max() <= 1.0
    assert max(box_of(picture)) == 20
    assert centre_of_mass(picture) == [pytest.approx(14.0, abs=0.51)] * 2
    np.testing.assert_allclose(picture * 255.0, np.rint(picture * 255.0), atol=1e-4)


def test_strokes_become_a_picture_as_mnist_s_are():
    assert_normal(picture_from_strokes(SEVEN))


@pytest.mark.parametrize("scale", [0.1, 0.5, 3.0])
@pytest.mark.parametrize("by", [(0.0, 0.0), (-37.0, 85.5)])
def test_size_and_place_of_the_strokes_do_not_matter(scale, by):
    np.testing.assert_allclose(
        picture_from_strokes(moved(SEVEN, scale, by), brush=1.0), picture_from_strokes(SEVEN), atol=2.1 / 255
    )


@pytest.mark.parametrize("brush", [2.0, 8.0, 40.0])
def test_width_of_the_brush_does_not_matter(brush):
    np.testing.assert_array_equal(picture_from_strokes(SEVEN, brush), picture_from_strokes(SEVEN))


def test_direction_and_order_of_strokes_do_not_matter():
    backwards = [stroke[::-1] for stroke in SEVEN[::-1]]
    np.testing.assert_allclose(picture_from_strokes(backwards), picture_from_strokes(SEVEN), atol=0.06)


def test_how_densely_the_pen_was_sampled_does_not_matter():
    def dense(stroke):
        points = [np.linspace(a, b, 60) for a, b in pairwise(stroke)]
        return np.concatenate(points).tolist()

    np.testing.assert_allclose(picture_from_strokes([dense(s) for s in SEVEN]), picture_from_strokes(SEVEN), atol=0.06)


def test_ink_fades_at_the_pen_s_edge():
    picture = picture_from_strokes([[[140.0, 20.0], [140.0, 260.0]]])
    profile = picture[14][picture[14] > 0.0]
    assert profile.max() > 0.9
    assert ((profile > 0.05) & (profile < 0.95)).any()


def test_the_mean_ink_of_a_drawn_line_is_that_of_the_pen():
    picture = picture_from_strokes([[[140.0, 20.0], [140.0, 260.0]]])
    assert picture.sum() == pytest.approx(2 * 1.2 * 20, rel=0.1)  # width x length, in pixels of full ink


def test_a_flat_line_and_an_upright_one_keep_their_aspect():
    assert box_of(picture_from_strokes([[[20.0, 140.0], [260.0, 140.0]]])) == (3, 20)
    assert box_of(picture_from_strokes([[[140.0, 20.0], [140.0, 260.0]]])) == (20, 3)


@pytest.mark.parametrize(
    "strokes",
    [[], [[]], [[[140.0, 140.0]]], [[[140.0, 140.0], [141.0, 139.0], [140.0, 140.0]]], [[], [[5.0, 5.0]]]],
    ids=["nothing", "an empty stroke", "a click", "a shaky click", "a click after nothing"],
)
def test_nothing_or_a_dot_gives_an_empty_picture(strokes):
    assert not picture_from_strokes(strokes, brush=20.0).any()


def test_a_movement_too_small_for_any_pen_is_a_dot_even_of_the_finest_brush():
    assert not picture_from_strokes([[[0.0, 0.0], [1e-310, 0.0]]], brush=1e-320).any()


def test_two_dots_apart_are_more_than_a_dot():
    assert picture_from_strokes([[[50.0, 50.0]], [[200.0, 90.0]]]).any()


@pytest.mark.parametrize("scale", [0.2, 0.5], ids=["a small seven", "a medium seven"])
@pytest.mark.parametrize("tap", [[[20.0, 265.0]], [[262.0, 12.0], [264.0, 14.0]]], ids=["a dot", "a shaky dot"])
def test_a_stray_tap_far_away_changes_nothing(scale, tap):
    seven = moved(SEVEN, scale, (70.0, 70.0))
    for strokes in ([*seven, tap], [tap, *seven], [*seven, tap, [[5.0, 5.0]]]):
        np.testing.assert_array_equal(picture_from_strokes(strokes), picture_from_strokes(seven))


@pytest.mark.parametrize("dot", [[130.0, 120.0], [215.0, 225.0], [230.0, 60.0]], ids=["inside", "at its foot", "beside it"])
def test_a_dot_of_the_digit_stays(dot):
    assert not np.array_equal(picture_from_strokes([*SEVEN, [dot]]), picture_from_strokes(SEVEN))


@pytest.mark.parametrize(
    ("stroke", "dot"),
    [
        ([[140.0, 110.0], [140.0, 230.0]], [145.0, 60.0]),
        ([[140.0, 60.0], [142.0, 180.0]], [140.0, 240.0]),
        ([[9.0, 9.0], [9.0, 21.0]], [9.0, 60.0]),
    ],
    ids=["of an i", "of an exclamation mark", "of a colon"],
)
def test_the_dot_of_a_letter_or_a_mark_stays(stroke, dot):
    """Without it an i would be a 1."""
    assert not np.array_equal(picture_from_strokes([stroke, [dot]]), picture_from_strokes([stroke]))


def test_a_short_stroke_far_away_is_no_dot():
    seven = moved(SEVEN, 0.2, (70.0, 70.0))
    assert not np.array_equal(picture_from_strokes([*seven, [[20.0, 250.0], [40.0, 265.0]]]), picture_from_strokes(seven))


@pytest.mark.parametrize(
    ("strokes", "complaint"),
    [
        ([[[1.0, 2.0, 3.0]]], "a list of"),
        ([[1.0, 2.0]], "a list of"),
        ([[[1.0, 2.0], [3.0]]], "each two numbers"),
        ([[["a", "b"]]], "each two numbers"),
        ([[[float("nan"), 1.0], [9.0, 99.0]]], "finite"),
        ([[[float("inf"), 1.0], [9.0, 99.0]]], "finite"),
    ],
)
def test_what_are_no_strokes_is_refused(strokes, complaint):
    with pytest.raises(DrawingError, match=complaint):
        picture_from_strokes(strokes)


@given(st.lists(st.lists(st.tuples(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5)), min_size=1, max_size=30), min_size=1, max_size=6))
@settings(max_examples=200, deadline=None)
def test_any_strokes_at_all_give_an_empty_picture_or_one_that_fits(strokes):
    picture = picture_from_strokes(strokes)
    assert picture.shape == (28, 28)
    assert np.isfinite(picture).all()
    assert picture.min() >= 0.0
    assert picture.max() <= 1.0
    if picture.any():
        assert max(box_of(picture)) <= 20


def test_a_scribble_as_long_as_may_be_is_drawn_with_bounded_work():
    points = np.random.default_rng(0).uniform(0.0, 280.0, (20_000, 2))
    picture = picture_from_strokes([points])
    assert box_of(picture) == (20, 20)


def test_pixels_become_a_picture_as_mnist_s_are():
    assert_normal(picture_from_pixels(nine()))


@pytest.mark.parametrize("scale", [0.4, 0.7, 2.5])
@pytest.mark.parametrize("by", [(0, 0), (20, -30)])
def test_resolution_and_place_of_the_pixels_do_not_matter(scale, by):
    actual, expected = picture_from_pixels(nine(int(280 * scale), scale, by)), picture_from_pixels(nine())
    # Edges are hard before and soft after scaling: a pixel on an edge may differ, most may not.
    assert np.abs(actual - expected).mean() < 0.02


def on_sheet(ink, paper, pen):
    """Ink in [0, 1] drawn in one colour on another, float (height, width, channels)."""
    return (ink[:, :, None] * np.array(pen, np.float32) + (1.0 - ink[:, :, None]) * np.array(paper, np.float32)).astype(
        np.float32
    )


@pytest.mark.parametrize(
    ("paper", "pen"),
    [
        ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0)),
        ((0.0, 0.0, 0.0), (1.0, 0.85, 0.0)),
        ((0.2, 0.3, 0.4), (0.9, 0.2, 0.4)),
        ((1.0, 0.0, 0.0), (0.0, 0.51, 0.0)),  # as light as each other: only the colour tells them apart
        ((1.0, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 1.0)),
        ((0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)),  # black on nothing
        ((1.0, 1.0, 1.0, 0.0), (1.0, 1.0, 1.0, 1.0)),  # white on nothing
    ],
    ids=["dark on light", "light on dark", "coloured", "equally light", "opaque", "black on transparent", "white on transparent"],
)
def test_colours_do_not_matter(paper, pen):
    expected = picture_from_pixels(nine())
    np.testing.assert_allclose(picture_from_pixels(on_sheet(nine(), paper, pen)), expected, atol=1.1 / 255)


def test_dark_on_light_grey_is_light_on_dark():
    np.testing.assert_array_equal(picture_from_pixels(1.0 - nine()), picture_from_pixels(nine()))


def test_bytes_and_fractions_are_the_same_pixels():
    ink = nine()
    np.testing.assert_array_equal(picture_from_pixels((ink * 255).astype(np.uint8)), picture_from_pixels(ink))


def test_fractions_rounded_to_three_digits_are_still_the_same_pixels(generator):
    """As JSON often has them. The first and the last step must give the same, for what is measured to be what is served."""
    bytes_ = generator.integers(0, 255, (28, 28), dtype=np.uint8)
    bytes_[:6] = bytes_[-6:] = bytes_[:, :6] = bytes_[:, -6:] = 0
    np.testing.assert_array_equal(picture_from_pixels((bytes_ / 255.0).round(3)), picture_from_pixels(bytes_))


def test_a_faint_pencil_is_as_good_as_a_bold_one():
    np.testing.assert_allclose(picture_from_pixels(0.3 * nine()), picture_from_pixels(nine()), atol=1.1 / 255)


def test_the_uneven_paper_of_a_photograph_is_no_ink(generator):
    photograph = np.clip(0.85 - 0.7 * nine() + generator.normal(0.0, 0.02, (280, 280)), 0.0, 1.0)
    actual, expected = picture_from_pixels(photograph), picture_from_pixels(nine())
    assert max(box_of(actual)) == 20
    assert np.abs(actual - expected).mean() < 0.03


def test_a_picture_that_is_normal_already_stays_as_it_is():
    picture = picture_from_pixels(nine())
    np.testing.assert_array_equal(picture_from_pixels(picture), picture)
    np.testing.assert_array_equal(picture_from_vector(picture.ravel().tolist()), picture)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((28, 28)),
        np.ones((300, 200)),
        np.full((50, 50, 3), 0.4),
        np.zeros((50, 50, 4)),
        np.full((28, 28), 0.5) + 0.02 * np.eye(28),
    ],
    ids=["black", "white", "one colour", "transparent", "contrast that nobody sees"],
)
def test_a_sheet_with_nothing_on_it_gives_an_empty_picture(pixels):
    assert not picture_from_pixels(pixels).any()


def test_a_single_dot_gives_an_empty_picture_and_a_small_digit_does_not():
    dot, small_one = np.zeros((280, 280)), np.zeros((280, 280))
    y, x = np.indices((280, 280))
    dot[np.hypot(y - 100, x - 80) < 10] = 1.0
    small_one[100:140, 80:86] = 1.0
    assert not picture_from_pixels(dot).any()
    assert_normal(picture_from_pixels(small_one))


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
def test_what_are_no_pixels_is_refused(pixels, complaint):
    with pytest.raises(DrawingError, match=complaint):
        picture_from_pixels(pixels)


@pytest.mark.parametrize("count", [0, 1, 783, 785])
def test_a_vector_of_another_length_is_refused_with_its_length(count):
    with pytest.raises(DrawingError, match=f"Expected 784 values for MNIST image, got {count}$"):
        picture_from_vector([0.0] * count)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 2), (3, 500)])
def test_sheets_of_odd_shapes_are_read_without_complaint(shape, generator):
    picture = picture_from_pixels(generator.random(shape))
    assert picture.shape == (28, 28)
    assert np.isfinite(picture).all()


def test_bytes_and_the_unit_range_are_two_ways_to_write_the_same_picture():
    levels = np.arange(256, dtype=np.uint8)
    assert in_bytes(in_unit_range(levels)).dtype == np.uint8
    np.testing.assert_array_equal(in_bytes(in_unit_range(levels)), levels)
    picture = picture_from_strokes([[(10, 10), (20, 90)]], 8)
    np.testing.assert_array_equal(in_unit_range(in_bytes(picture)), picture)


@pytest.mark.parametrize("radius", [0.3, 0.5, 1.2, 2.0, 3.2])
def test_another_pen_fills_the_same_box_with_more_or_less_ink(radius):
    strokes = [[(40, 30), (200, 30), (120, 250)]]
    picture, usual = (picture_from_strokes(strokes, **options) for options in ({"pen_radius": radius}, {}))
    assert picture.max() == 1.0
    rows, columns = picture.nonzero()
    assert max(np.ptp(rows), np.ptp(columns)) == 19
    assert np.sign(picture.sum() - usual.sum()) == np.sign(radius - 1.2)
