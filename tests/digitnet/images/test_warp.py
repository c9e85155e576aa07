import math

import numpy as np
import pytest
from digitnet.images.warp import LATTICE_SIDE, affine_coefficients, displacements, warped
from hypothesis import given, settings
from hypothesis import strategies as st

LATTICE_SPACING = 27 / 4  # pixels


def affine(rotation=0.0, shear=0.0, height=1.0, width=1.0, down=0.0, right=0.0, batch=1):
    return affine_coefficients(*(np.full(batch, value) for value in (rotation, shear, height, width, down, right)))


def moved(images, **how):
    return warped(images, displacements(affine(batch=len(images), **how)))


@pytest.fixture
def images(generator):
    """Return noise, in which every wrong pixel shows."""
    return generator.random((3, 28, 28), np.float32)


def test_zero_displacement_keeps_every_bit(images):
    lattice = np.zeros((3, 2, LATTICE_SIDE, LATTICE_SIDE), np.float32)
    for displaced in (displacements(affine(batch=3)), displacements(affine(batch=3), lattice)):
        result = warped(images, displaced)
        assert result.dtype == np.float32
        np.testing.assert_array_equal(result, images)


@pytest.mark.parametrize(("down", "right"), [(3, 0), (-2, 5), (-4, -1), (28, 0), (10**6, -(10**6))])
def test_a_shift_by_whole_pixels_fills_with_zeros(images, down, right):
    expected = np.zeros_like(images)
    expected[:, max(down, 0) : 28 + min(down, 0), max(right, 0) : 28 + min(right, 0)] = images[
        :, max(-down, 0) : 28 + min(-down, 0), max(-right, 0) : 28 + min(-right, 0)
    ]
    np.testing.assert_array_equal(moved(images, down=down, right=right), expected)


def test_a_shift_by_fractions_interpolates_bilinearly(images):
    result = moved(images, down=0.25, right=-0.5)
    rows = 0.25 * images[:, :-1] + 0.75 * images[:, 1:]
    np.testing.assert_allclose(result[:, 1:, :-1], (rows[:, :, :-1] + rows[:, :, 1:]) / 2, atol=1e-6)


@given(st.floats(-3.2, 3.2), st.floats(-1.0, 1.0), *[st.floats(0.5, 2.0)] * 2, *[st.floats(-5.0, 5.0)] * 2)
@settings(max_examples=25, deadline=None)
def test_scales_then_shears_then_rotates_then_shifts(rotation, shear, height, width, down, right):
    """The oracle inverts the product of the forward matrices, with y up."""
    cos, sin = np.cos(rotation), np.sin(rotation)
    forward = np.array([[cos, -sin], [sin, cos]]) @ [[1.0, shear], [0.0, 1.0]] @ np.diag([width, height])
    field = displacements(affine(rotation, shear, height, width, down, right)).reshape(2, 28, 28)
    for y, x in [(0, 0), (3, 25), (14, 14), (27, 10)]:
        came_from = np.linalg.inv(forward) @ [x - 14 - right, -(y - 14 - down)]
        expected = [-came_from[1] + 14 - y, came_from[0] + 14 - x]
        np.testing.assert_allclose(field[:, y, x], expected, atol=1e-3)


@given(size=st.floats(0.1, 10.0), seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_an_elastic_field_is_bounded_by_its_lattice_and_smooth(size, seed):
    generator = np.random.default_rng(seed)
    lattice = generator.choice([-size, size], (2, 2, LATTICE_SIDE, LATTICE_SIDE)).astype(np.float32)
    field = displacements(affine(batch=2), lattice).reshape(2, 2, 28, 28)
    assert np.abs(field).max() <= size * 1.0001
    # a B-spline's slope is at most the steepest between neighboring points of its lattice
    for axis in (2, 3):
        assert np.abs(np.diff(field, axis=axis)).max() <= 2.0 * size / LATTICE_SPACING * 1.0001


def test_a_lattice_point_moves_only_its_neighborhood():
    lattice = np.zeros((1, 2, LATTICE_SIDE, LATTICE_SIDE), np.float32)
    lattice[0, 0, 1, 3] = 1.0  # along y; this point is at the top center of the image
    to_y, to_x = displacements(affine(), lattice).reshape(2, 28, 28)
    assert not to_x.any()
    assert np.unravel_index(to_y.argmax(), to_y.shape) in [(0, 13), (0, 14)]
    assert not to_y[math.ceil(2 * LATTICE_SPACING) :].any()


def test_affine_and_elastic_displacements_add_up(generator):
    lattice = generator.random((1, 2, LATTICE_SIDE, LATTICE_SIDE), np.float32)
    both = displacements(affine(rotation=0.3, right=2.0), lattice)
    apart = displacements(affine(rotation=0.3, right=2.0)) + displacements(affine(), lattice)
    np.testing.assert_allclose(both, apart, atol=1e-4)
