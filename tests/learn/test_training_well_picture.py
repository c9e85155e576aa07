"""The picture of chapter 7 fits what NumPy's least squares fits, and follows the sliders, the mouse and the keyboard."""

import json

import numpy as np
import pytest
from playwright.sync_api import expect

HIGHEST = 14


def said(page, name):
    return json.loads(page.locator(".says").get_attribute(f"data-{name}"))


def points_of(page, split):
    return np.array([[point["x"], point["y"]] for point in said(page, split)]).T


def numpy_fits(x, y, degree, decay):
    """The weights of 1, x, x^2, … for which mean((fit - y)^2) + decay * sum(weights^2) is least."""
    powers = np.vander(x, degree + 1, increasing=True)
    rows = np.vstack([powers, np.sqrt(decay * len(x)) * np.eye(degree + 1)])
    return np.linalg.lstsq(rows, np.concatenate([y, np.zeros(degree + 1)]), rcond=None)[0]


def error_on(weights, x, y):
    return np.sqrt(np.mean((np.polynomial.polynomial.polyval(x, weights) - y) ** 2))


@pytest.mark.parametrize(
    ("points", "decay_step", "decay"), [(18, 0, 0.0), (15, 0, 0.0), (18, 3, 1e-4), (43, 9, 0.1), (120, 0, 0.0)]
)
def test_its_errors_are_those_of_numpy_s_least_squares_at_every_degree(open_chapter, slide, points, decay_step, decay):
    page = open_chapter("7-training-well")
    slide(page, "points", points)
    slide(page, "weight decay", decay_step)
    training, validation = points_of(page, "training"), points_of(page, "validation")
    assert training.shape == (2, points)
    fitted = [numpy_fits(*training, degree, decay) for degree in range(HIGHEST + 1)]
    expected = [error_on(weights, *training) for weights in fitted]
    np.testing.assert_allclose(said(page, "training-errors"), expected, rtol=1e-5, atol=1e-5)
    expected = [error_on(weights, *validation) for weights in fitted]
    np.testing.assert_allclose(said(page, "validation-errors"), expected, rtol=1e-5, atol=1e-5)
    assert said(page, "best") == np.argmin(expected)


@pytest.mark.parametrize(("degree", "decay_step", "decay"), [(0, 0, 0.0), (5, 0, 0.0), (12, 0, 0.0), (14, 5, 0.001)])
def test_its_weights_are_those_of_numpy_s_least_squares(open_chapter, slide, degree, decay_step, decay):
    page = open_chapter("7-training-well")
    slide(page, "degree", degree)
    slide(page, "weight decay", decay_step)
    expected = numpy_fits(*points_of(page, "training"), degree, decay)
    np.testing.assert_allclose(said(page, "weights"), expected, rtol=1e-5, atol=1e-5)


def test_one_presses_on_a_degree_and_the_keyboard_takes_the_next(open_chapter):
    page = open_chapter("7-training-well")
    page.get_by_role("img", name="Training and validation error").click(position={"x": 34 + 262 * 3 / HIGHEST, "y": 100})
    expect(page.locator(".says")).to_contain_text("Degree 3: training error")
    page.get_by_role("slider", name="degree").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".says")).to_contain_text("Degree 4: training error")


def test_more_points_are_the_same_and_some_besides_and_new_ones_are_others(open_chapter, slide):
    page = open_chapter("7-training-well")
    before = points_of(page, "training")
    slide(page, "points", 40)
    np.testing.assert_array_equal(points_of(page, "training")[:, :18], before)
    page.get_by_role("button", name="New points").click()
    assert not np.any(points_of(page, "training")[:, :18] == before)


def test_a_second_look_at_the_test_makes_it_one_more_validation_set(open_chapter, slide):
    page = open_chapter("7-training-well")
    slide(page, "degree", 6)
    page.get_by_role("button", name="Look at the test").click()
    expect(page.locator(".says")).to_contain_text("Test error of degree 6")
    expect(page.locator(".says")).to_contain_text("That was the look")
    page.get_by_role("button", name="Look at the test").click()
    expect(page.locator(".says")).to_contain_text("one more validation set")
    page.get_by_role("button", name="New points").click()
    expect(page.locator(".says")).not_to_contain_text("Test error")
