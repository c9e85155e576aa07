"""Each feature has known values on simple images, or matches a slower computation."""

import numpy as np
import pytest
from digitnet.images.normalize import in_bytes
from digitnet.images.strokes import image_from_strokes
from drift import features
from drift.features import NAMES, measure


def feature(name, *images):
    """Return this feature of each image."""
    return measure(np.stack(images))[:, NAMES.index(name)]


def bar(width=4, height=20, left=12, top=4):
    image = np.zeros((28, 28), np.uint8)
    image[top : top + height, left : left + width] = 255
    return image


def line(*points):
    return in_bytes(image_from_strokes([points]))


def test_ink_is_the_sum_of_pixels():
    assert feature("ink", bar(), bar(width=2), bar() // 5 * 2, 255 - bar()) == pytest.approx([80, 40, 32, 784 - 80])


def test_aspect_is_width_over_height_without_faint_pixels():
    smudged = bar()
    smudged[:, 0] = 30
    assert feature("aspect", bar(), bar(width=20, left=4), bar(width=10, height=5), smudged) == pytest.approx(
        [0.2, 1.0, 2.0, 0.2]
    )


@pytest.mark.parametrize("lean", [-0.6, 0.0, 0.25])
def test_slant_is_the_lean_to_the_right(lean):
    slant, of_a_level_line = feature("slant", line((140, 200), (140 + 150 * lean, 50)), bar(width=20, height=1, left=4))
    assert slant == pytest.approx(lean, abs=0.03)
    assert abs(of_a_level_line) < 1e-9


@pytest.mark.parametrize("width", [1, 4])
def test_stroke_width_is_twice_area_over_perimeter(width):
    (stroke_width,) = feature("stroke_width", bar(width=width))
    assert stroke_width == pytest.approx(2 * 20 * width / (2 * (20 + width)), rel=0.03)


@pytest.mark.parametrize("radius", [1.2, 2.0])
def test_stroke_width_is_close_to_a_soft_pen_s(radius):
    image = in_bytes(image_from_strokes([[(140, 50), (142, 230)]], pen_radius=radius))
    assert feature("stroke_width", image)[0] == pytest.approx(20 * 2 * radius / (20 + 2 * radius), rel=0.1)


def test_a_shift_changes_only_the_center():
    digit = line((140, 50), (90, 90), (85, 180), (140, 230), (195, 180), (190, 90), (140, 50))
    moved = np.roll(digit, (2, 3), axis=(0, 1))
    change = measure(moved[None]) - measure(digit[None])
    wanted = [{"centre_x": 3.0, "centre_y": 2.0}.get(name, 0.0) for name in NAMES]
    assert change[0] == pytest.approx(wanted, abs=1e-5)
    assert feature("centre_x", bar())[0] == feature("centre_y", bar())[0] == 13.5


def test_smoothness_is_neighbor_covariance_over_variance(generator):
    image = generator.integers(0, 256, (28, 28), dtype=np.uint8)
    centered = image / 255.0 - (image / 255.0).mean()
    pairs = [centered[i, j] * centered[i, j + 1] for i in range(28) for j in range(27)]
    pairs += [centered[i, j] * centered[i + 1, j] for i in range(27) for j in range(28)]
    assert feature("smoothness", image)[0] == pytest.approx(np.mean(pairs) / np.mean(centered**2), abs=1e-5)


def test_euler_number_is_pieces_minus_holes():
    ring = bar(width=12, left=8)
    ring[8:20, 11:17] = 0
    eight = ring.copy()
    eight[13:15] = bar(width=12, left=8)[13:15]
    dots = bar(width=2, height=2) + bar(width=2, height=2, left=4) + bar(width=2, height=2, top=20)
    corners = bar(width=3, height=3) + bar(width=3, height=3, left=15, top=7)
    assert feature("euler_number", bar(), ring, eight, dots, corners, corners[::-1]).tolist() == [1, 0, -1, 3, 1, 1]


def test_a_blank_image_has_zero_features_and_a_center():
    blank = dict(zip(NAMES, measure(np.zeros((1, 28, 28), np.uint8))[0].tolist()))
    assert blank == dict.fromkeys(NAMES, 0.0) | {"centre_x": 13.5, "centre_y": 13.5}


@pytest.mark.parametrize("level", [1, 255])
def test_a_dot_and_a_full_image_have_finite_features(level):
    dot = np.zeros((28, 28), np.uint8)
    dot[0, 27] = level
    assert np.isfinite(measure(np.stack([dot, np.full((28, 28), level, np.uint8)]))).all()


def test_features_do_not_depend_on_the_batch(generator):
    images = generator.integers(0, 256, (features.BATCH + 1, 28, 28), dtype=np.uint8)
    together = measure(images)
    assert measure(images[:0]).shape == (0, len(NAMES))
    for place in (0, features.BATCH - 1, features.BATCH):
        assert together[place] == pytest.approx(measure(images[place : place + 1])[0], rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(
    "images", [np.zeros((2, 28, 28)), np.zeros((28, 28), np.uint8), np.zeros((2, 784), np.uint8)], ids=["float", "one", "flat"]
)
def test_rejects_other_dtypes_and_shapes(images):
    with pytest.raises(ValueError, match="uint8"):
        measure(images)
