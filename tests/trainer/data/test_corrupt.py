"""Each corruption makes its change, and normalization undoes size, place and brush."""

import numpy as np
import pytest
from digitnet.images.ink import image_from_pixels
from digitnet.images.normalize import in_bytes, in_unit_range
from digitnet.images.strokes import image_from_strokes
from trainer.data.corrupt import corruptions, inked_canvas
from trainer.data.digits import load_corrupted, load_splits

SEVEN = [np.array([[80.0, 60.0], [200.0, 60.0], [160.0, 140.0], [130.0, 230.0]])]


def image(source, change, value, sent):
    (corruption,) = [c for c in corruptions() if (c.source, c.change, c.value) == (source, change, value)]
    return corruption.image(sent)


def bar():
    pixels = np.zeros((28, 28), np.uint8)
    pixels[4:24, 13:15] = 255
    return pixels


def test_no_two_corruptions_are_the_same():
    named = [(corruption.source, corruption.change, corruption.value) for corruption in corruptions()]
    assert len(set(named)) == len(named)
    assert {change for _, change, _ in named} == {"none", "rotation", "scale", "shift", "size", "place", "brush"}


def test_keeps_unchanged_images_and_centers_shifted_ones():
    np.testing.assert_array_equal(image("MNIST", "none", "", bar()), image_from_pixels(bar()))
    np.testing.assert_allclose(image("MNIST", "shift", "2 pixels", bar()), image_from_pixels(bar()), atol=1e-6)
    np.testing.assert_array_equal(image("strokes", "none", "", SEVEN), image_from_strokes(SEVEN))


@pytest.mark.parametrize("value", ["top left", "top right", "bottom left", "bottom right"])
def test_normalization_undoes_the_place(value):
    elsewhere = image("strokes", "place", value, SEVEN)
    assert np.abs(elsewhere - image_from_strokes(SEVEN)).max() < 0.35  # the canvas has whole pixels
    assert np.abs(elsewhere - image_from_strokes(SEVEN)).mean() < 0.01


@pytest.mark.parametrize(("value", "to_the_left_at_the_top"), [("+20°", True), ("-20°", False)])
@pytest.mark.parametrize(("source", "sent"), [("MNIST", bar()), ("strokes", [np.array([[140.0, 40.0], [140.0, 240.0]])])])
def test_positive_angles_turn_counterclockwise(source, sent, value, to_the_left_at_the_top):
    turned = image(source, "rotation", value, sent)
    top, bottom = (float(rows.sum(axis=0) @ np.arange(28) / rows.sum()) for rows in (turned[:12], turned[16:]))
    assert (top < bottom) == to_the_left_at_the_top


def test_the_brush_changes_the_canvas_and_not_the_strokes():
    thin, thick = (image("canvas", "brush", f"{width} pixels", SEVEN) for width in (8, 32))
    assert thick.sum() > 1.5 * thin.sum()
    thin, thick = (image("strokes", "brush", f"{width} pixels", SEVEN) for width in (8, 32))
    np.testing.assert_array_equal(thin, thick)


def test_writes_all_corruptions_of_the_same_digits(data):
    listed, corruption, split = load_corrupted(data / "corrupted.npz")
    assert listed == [(c.source, c.change, c.value) for c in corruptions()]
    assert len(split.images) == len(split.labels) == len(corruption)
    mnist = [split.labels[corruption == number] for number, (source, _, _) in enumerate(listed) if source == "MNIST"]
    assert all((labels == mnist[0]).all() for labels in mnist)
    assert sorted(map(bytes, split.images[corruption == 0])) == sorted(
        bytes(in_bytes(image_from_pixels(one))) for one in load_splits(data / "digits.npz")["test"].images
    )


class TestCanvas:
    def test_a_line_has_the_brush_s_width_and_a_click_is_a_disk(self):
        ink = in_unit_range(inked_canvas([np.array([[40.0, 140.0], [240.0, 140.0]])], brush=20.0))
        assert ink.shape == (280, 280)
        assert ink[:, 140].sum() == pytest.approx(20.0, abs=0.1)
        assert ink[140, :].sum() == pytest.approx(200.0 + 20.0, abs=0.5)
        ink = in_unit_range(inked_canvas([np.array([[100.0, 50.0]])], brush=30.0))
        assert ink.sum() == pytest.approx(np.pi * 15.0**2, rel=0.01)
        rows, columns = ink.nonzero()
        assert (rows.mean() + 0.5, columns.mean() + 0.5) == pytest.approx((50.0, 100.0))

    def test_clips_at_the_canvas_and_saturates_crossings(self):
        inside = inked_canvas([np.array([[-20.0, 140.0], [20.0, 140.0]])])
        assert inside[140, 0] == 255
        assert not inked_canvas([np.array([[-200.0, -50.0], [-60.0, -50.0]]), np.array([[500.0, 500.0]])]).any()
        cross = inked_canvas([np.array([[100.0, 140.0], [180.0, 140.0]]), np.array([[140.0, 100.0], [140.0, 180.0]])])
        assert cross.max() == 255
