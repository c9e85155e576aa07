"""Disturb: each condition changes what it says, and the drawing path undoes what it promises to undo."""

import numpy as np
import pytest
from digitnet.images.ink import image_from_pixels
from digitnet.images.normalize import in_bytes
from digitnet.images.strokes import image_from_strokes
from trainer.data.corrupt import conditions
from trainer.data.digits import load_disturbed, load_splits

SEVEN = [np.array([[80.0, 60.0], [200.0, 60.0], [160.0, 140.0], [130.0, 230.0]])]


def picture(source, change, value, sent):
    (condition,) = [c for c in conditions() if (c.source, c.change, c.value) == (source, change, value)]
    return condition.image(sent)


def bar():
    pixels = np.zeros((28, 28), np.uint8)
    pixels[4:24, 13:15] = 255
    return pixels


def test_no_two_conditions_are_the_same():
    named = [(condition.source, condition.change, condition.value) for condition in conditions()]
    assert len(set(named)) == len(named)
    assert {change for _, change, _ in named} == {"none", "rotation", "scale", "shift", "size", "place", "brush"}


def test_what_is_left_as_it_is_is_read_as_it_is_and_shifted_pixels_are_centered_again():
    np.testing.assert_array_equal(picture("MNIST", "none", "", bar()), image_from_pixels(bar()))
    np.testing.assert_allclose(picture("MNIST", "shift", "2 pixels", bar()), image_from_pixels(bar()), atol=1e-6)
    np.testing.assert_array_equal(picture("strokes", "none", "", SEVEN), image_from_strokes(SEVEN))


@pytest.mark.parametrize("value", ["top left", "top right", "bottom left", "bottom right"])
def test_a_drawing_s_place_changes_nothing(value):
    elsewhere = picture("strokes", "place", value, SEVEN)
    assert np.abs(elsewhere - image_from_strokes(SEVEN)).max() < 0.35  # whole pixels of the canvas
    assert np.abs(elsewhere - image_from_strokes(SEVEN)).mean() < 0.01


@pytest.mark.parametrize(("value", "to_the_left_at_the_top"), [("+20°", True), ("-20°", False)])
@pytest.mark.parametrize(("source", "sent"), [("MNIST", bar()), ("strokes", [np.array([[140.0, 40.0], [140.0, 240.0]])])])
def test_positive_angles_turn_anticlockwise(source, sent, value, to_the_left_at_the_top):
    turned = picture(source, "rotation", value, sent)
    top, bottom = (float(rows.sum(axis=0) @ np.arange(28) / rows.sum()) for rows in (turned[:12], turned[16:]))
    assert (top < bottom) == to_the_left_at_the_top


def test_a_wider_brush_leaves_more_ink_on_the_canvas_but_the_strokes_do_not_care():
    thin, thick = (picture("canvas", "brush", f"{width} pixels", SEVEN) for width in (8, 32))
    assert thick.sum() > 1.5 * thin.sum()
    thin, thick = (picture("strokes", "brush", f"{width} pixels", SEVEN) for width in (8, 32))
    np.testing.assert_array_equal(thin, thick)


def test_writes_all_conditions_with_the_same_digits_each(data):
    listed, condition, split = load_disturbed(data / "disturbed.npz")
    assert listed == [(c.source, c.change, c.value) for c in conditions()]
    assert len(split.images) == len(split.labels) == len(condition)
    mnist = [split.labels[condition == number] for number, (source, _, _) in enumerate(listed) if source == "MNIST"]
    assert all((labels == mnist[0]).all() for labels in mnist)
    assert sorted(map(bytes, split.images[condition == 0])) == sorted(
        bytes(in_bytes(image_from_pixels(one))) for one in load_splits(data / "digits.npz")["test"].images
    )
