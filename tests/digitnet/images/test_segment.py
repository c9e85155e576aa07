"""Segmentation finds the digits of a number among its marks, whatever their order, and never more than the limits."""

import numpy as np
import pytest
from digitnet.images.normalize import DrawingError
from digitnet.images.pieces import MOST_CANDIDATES, MOST_LINES, cut_stroke, lines_from_pixels, lines_from_strokes
from digitnet.images.segment import UNREADABLE, Run, best_path
from digitnet.images.strokes import image_from_strokes

# Digits in a box of 60 x 100. The 5 has its bar last, and it leaves the box, as in many hands.
FOUR = [[[30, 0], [0, 60], [60, 60]], [[42, 30], [40, 100]]]
FIVE = [[[10, 0], [8, 45], [40, 40], [55, 65], [40, 95], [0, 100]], [[10, 0], [75, -4]]]
ONE = [[[0, 0], [0, 100]]]
ZERO = [[[30, 0], [5, 30], [5, 70], [30, 100], [55, 70], [55, 30], [30, 0]]]


def row(*digits, x=0.0, y=0.0, gap=25.0, slope=0.0):
    """Return the strokes of digits beside each other, a list for each digit."""
    placed = []
    for digit in digits:
        placed.append([[[px + x, py + y + slope * x] for px, py in stroke] for stroke in digit])
        x += max(px for stroke in digit for px, _ in stroke) + gap
    return placed


def read(numbers, strokes=None):
    """Return how many digits each line has if the network knows exactly the images of these digits."""
    known = [image_from_strokes(digit) for digits in numbers for digit in digits]
    lengths = []
    for line in lines_from_strokes(strokes or [stroke for digits in numbers for digit in digits for stroke in digit]):
        scores = np.array([max(-5.0 * np.abs(image - each).max() for each in known) for image in line.images])
        path = best_path(line.boxes, line.is_cut, line.runs, scores)
        assert np.all(scores[path] > -1.0), "a digit was not read as it was written"
        lengths.append(len(path))
    return lengths


@pytest.mark.parametrize(
    "number",
    [
        row(FOUR), row(FOUR, FIVE), row(FIVE, FIVE, ONE, gap=4.0), row(ONE, ZERO, ONE, ONE), row(ZERO, ZERO, gap=0.0),
        row(*[FOUR, FIVE, ONE, ZERO] * 3, slope=0.2),
    ],
)  # fmt: skip
def test_finds_the_digits_of_a_number(number):
    assert read([number]) == [len(number)]


def test_a_bar_may_be_added_at_the_end():
    number = row(FIVE, FOUR, FIVE)
    strokes = [digit[0] for digit in number] + [stroke for digit in number for stroke in digit[1:]]
    assert read([number], strokes) == [3]


def test_separates_lines_that_slope():
    page = [row(FOUR, FIVE, ONE, y=y, slope=0.1) for y in (0.0, 140.0, 280.0)]
    assert read(page) == [3, 3, 3]


def test_cuts_a_stroke_that_joins_two_digits():
    first, second = ([[px + x, py] for px, py in ZERO[0]] for x in (0, 70))
    [line] = lines_from_strokes([first + second[::-1]])
    boxes = [line.box(run).tolist() for run in line.runs]
    for digit in ([5, 0, 55, 100], [75, 0, 125, 100]):
        assert min(np.abs(np.subtract(box, digit)).max() for box in boxes) <= 10  # half of the connection


def test_cut_stroke_keeps_the_ink():
    path = np.array([[0.0, 50], [100, 50], [200, 60]])
    first, *_, last = parts = cut_stroke(path, 100.0, np.empty((0, 4)))
    assert len(parts) == 2
    np.testing.assert_array_equal(first[-1], last[0])
    np.testing.assert_allclose(image_from_strokes(parts), image_from_strokes([path]), atol=0.01)


def test_a_run_that_is_no_digit_stays_whole():
    boxes = np.array([[0.0, 0, 60, 100], [10.0, 10, 50, 90]])
    runs = [Run(0, 1), Run(1, 2), Run(0, 2)]
    path = best_path(boxes, np.array([False, False]), runs, np.array([UNREADABLE - 9.0, -1.0, UNREADABLE - 9.0]))
    assert path == [2]


def test_does_not_cut_the_slash_of_a_zero():
    angles = np.linspace(0.0, 2.0 * np.pi, 30)
    zero, slash = np.stack([100.0 + 25.0 * np.cos(angles), 100.0 + 30.0 * np.sin(angles)], axis=1), [[40.0, 140.0], [160.0, 60.0]]
    assert [len(line.boxes) for line in lines_from_strokes([zero.tolist(), slash])] == [2]


def test_limits_lines_and_candidates():
    dots = [[[x, y], [x + 1, y + 9]] for y in range(0, 400, 20) for x in range(0, 10, 5)]
    for strokes in (dots, [[[x * 9, 0], [x * 9, 100]] for x in range(MOST_CANDIDATES)]):
        with pytest.raises(DrawingError, match=f"{MOST_LINES} lines and {MOST_CANDIDATES} groups"):
            lines_from_strokes(strokes)


def test_an_empty_drawing_has_no_lines():
    assert lines_from_strokes([]) == []
    assert lines_from_pixels(np.zeros((50, 50), np.uint8)) == []


def rings(*centers, shape=(140, 300), radius=30, width=6):
    """Return an image of rings at these columns, float (height, width), 1 = ink."""
    y, x = np.indices(shape)
    distances = np.stack([np.hypot(x - center, y - shape[0] / 2) for center in centers])
    return (np.abs(distances - radius) <= width / 2).any(axis=0).astype(float)


@pytest.mark.parametrize("scale", [1, 4], ids=["as it is", "reduced"])
def test_cuts_digits_that_touch(scale):
    [line] = lines_from_pixels(np.kron(rings(100, 165), np.ones((scale, scale))))
    boxes = np.array([line.box(run) for run in line.runs]) / scale
    for digit in ([67, 37, 132, 104], [132, 37, 199, 104]):
        assert min(np.abs(box - digit).max() for box in boxes) <= 3
    # The image of the first ring has no ink of the other.
    alone = lines_from_pixels(np.kron(rings(100), np.ones((scale, scale))))[0].images[0]
    assert min(np.abs(image - alone).max() for image in line.images) <= 0.6


def test_a_photo_s_dark_edges_specks_and_ruled_lines_hide_no_thin_digit():
    ink = rings(90, 210, width=3)
    x = np.arange(ink.shape[1])
    photo = 0.9 - 0.25 * (x / 300) - 0.5 * ink + 0.02 * np.random.default_rng(0).standard_normal(ink.shape)
    photo[20:23, 40:43] = 0.4  # a speck
    photo[120:122] = 0.5  # a ruled line
    photo[:, :8] = 0.0  # a dark edge
    [line] = lines_from_pixels(photo.clip(0.0, 1.0))
    for center in (90, 210):
        digit = [center - 32, 38, center + 32, 102]
        assert min(np.abs(line.box(run) - digit).max() for run in line.runs) <= 4
    assert line.box(Run(0, len(line.boxes))).tolist() == pytest.approx([58, 38, 242, 102], abs=4)
