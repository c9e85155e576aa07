"""The figures of chapters 5 to 7 match digitnet and NumPy and respond to sliders, mouse, finger and keyboard."""

import json
import re

import numpy as np
import pytest
from digitnet.convolution import Conv2D, MaxPool2D
from digitnet.layers import ReLU
from digitnet.optimizers import SGD, Adam
from digitnet.schedules import constant, one_cycle
from digitnet.weight_averaging import WeightAverage
from playwright.sync_api import expect


def shown(page, name):
    """Return a value of a figure by name."""
    return json.loads(page.locator(".says").get_attribute(f"data-{name}"))


# ---- Chapter 5

STEPS = 100
OPTIMIZERS = {
    "plain": lambda: SGD(2, np.float64, momentum=0.0),
    "momentum": lambda: SGD(2, np.float64, momentum=0.9),
    "Adam": lambda: Adam(2, np.float64),
}
SCHEDULES = {"constant": constant, "one cycle": one_cycle}
GRADIENTS = {
    "a ravine": lambda w: np.array([w[0], 25 * w[1]]),
    "two valleys": lambda w: np.array([4 * w[0] * (w[0] ** 2 - 1) + 0.3, 2 * w[1]]),
}


def digitnet_descends(landscape, optimizer, schedule, rate, steps=STEPS):
    """Return the weights before the first step and after each."""
    optimizer, w = OPTIMIZERS[optimizer](), np.array([-1.8, 1.2])
    path = [w.copy()]
    for step in range(steps):
        optimizer.update(w, GRADIENTS[landscape](w), SCHEDULES[schedule](step, STEPS, rate))
        path.append(w.copy())
    return np.array(path)


def test_descent_matches_digitnet_s_steps_and_average(open_chapter, slide):
    page = open_chapter("5-gradient-descent", reduced_motion="reduce")
    for landscape, optimizer, schedule, power in [
        ("a ravine", "plain", "constant", -1.2),
        ("two valleys", "momentum", "constant", -1.8),
        ("two valleys", "Adam", "one cycle", -0.6),
    ]:
        for name, option in (("landscape", landscape), ("steps", optimizer), ("schedule", schedule)):
            page.get_by_role("combobox", name=name).select_option(option)
        slide(page, "rate η", power)
        rate = shown(page, "rate")
        assert rate == pytest.approx(10**power, rel=0.05)
        np.testing.assert_allclose(shown(page, "path"), digitnet_descends(landscape, optimizer, schedule, rate), atol=1e-5)

    page.get_by_role("checkbox", name="noise").check()
    average = WeightAverage(2, steps=25, dtype=np.float64)
    path = np.array(shown(page, "path"))
    for w in path[1:]:
        average.update(w)
    np.testing.assert_allclose(shown(page, "mean"), average.average, atol=1e-5)


def test_descent_responds_to_mouse_and_keys_and_warns_of_a_large_rate(open_chapter, slide, press):
    page = open_chapter("5-gradient-descent", reduced_motion="reduce")
    press(page, "Reset")
    page.get_by_role("button", name="Step").press("Enter")
    page.get_by_role("button", name="Step").press("Enter")
    expected = digitnet_descends("a ravine", "plain", "constant", shown(page, "rate"), steps=2)
    np.testing.assert_allclose(shown(page, "path"), expected, atol=1e-5)
    for power, warning in ((-1.1, "changes sides"), (-1.08, "above 2/25 = 0.08")):
        slide(page, "rate η", power)
        expect(page.locator(".says")).to_contain_text(warning)
    page.get_by_role("img", name="The loss as a map").click(position={"x": 240, "y": 80})
    assert shown(page, "path")[0] == pytest.approx([1, 1], abs=0.02)


def test_descent_runs_and_pauses(open_chapter, press):
    page = open_chapter("5-gradient-descent")
    press(page, "Reset", "Run")
    expect(page.locator(".says")).to_have_attribute("data-steps", re.compile("[1-9]"))
    press(page, "Pause")
    assert 0 < shown(page, "steps") < STEPS
    page.clock.install()
    press(page, "Run")
    page.clock.run_for(10_000)
    assert shown(page, "steps") == STEPS
    expect(page.get_by_role("button", name="Run")).to_be_visible()


# ---- Chapter 6

SIDE, CELL = 14, 22


def digitnet_convolves(drawing, weights, *layers):
    convolution = Conv2D.from_weights(np.reshape(weights, (1, 1, 3, 3)), [0.0])
    maps = convolution.predict(np.array(drawing, float).reshape(1, SIDE, SIDE, 1))
    for layer in layers:
        maps = layer.predict(maps)
    return maps.ravel()


def board(page, name="Your drawing"):
    return page.get_by_role("application", name=name)


def values(board):
    return json.loads(board.get_attribute("data-values"))


def map_of(page):
    return values(board(page, "The feature map"))


def middle_of(row, column, cell=CELL):
    return {"x": (column + 0.5) * cell, "y": (row + 0.5) * cell}


def assert_convolves(page, *layers):
    expected = digitnet_convolves(values(board(page)), shown(page, "weights"), *layers)
    np.testing.assert_allclose(map_of(page), expected, atol=1e-5)


def test_convolution_matches_digitnet_with_relu_and_pooling(open_chapter, slide):
    page = open_chapter("6-convolution")
    for digit, name in ((0, "vertical edge"), (4, "horizontal edge"), (4, "slanted line"), (0, "blur")):
        page.get_by_role("button", name=f"draw a {digit}").click()
        page.get_by_role("combobox").select_option(name)
        assert np.any(map_of(page))
        assert_convolves(page)
    page.get_by_role("combobox").select_option("vertical edge")
    for row, column, weight in ((1, 2, 1.5), (2, 1, -0.75), (3, 3, 0.25)):
        page.get_by_role("button", name=f"weight in row {row}, column {column}").click()
        slide(page, "weight", weight)
    expect(page.get_by_role("combobox")).to_have_value("your own")
    assert shown(page, "weights") == [-1, 1.5, 1, -0.75, 0, 1, -1, 0, 0.25]
    page.get_by_role("checkbox", name="max pooling").check()
    assert_convolves(page, MaxPool2D(2))
    page.get_by_role("checkbox", name="ReLU").check()
    assert_convolves(page, ReLU(), MaxPool2D(2))
    assert len(map_of(page)) == 36


def test_convolution_shows_its_sum_and_responds_to_the_mouse(open_chapter):
    page = open_chapter("6-convolution")
    board(page, "The feature map").hover(position=middle_of(4, 7))
    expected = "Row 5, column 8: 0 · −1 + 0 · 0 + 1 · 1 + 0 · −1 + 1 · 0 + 1 · 1 + 0 · −1 + 1 · 0 + 1 · 1 = 3."
    expect(page.locator(".says")).to_have_text(expected)
    assert shown(page, "sum") == map_of(page)[4 * 12 + 7] == 3

    before = np.reshape(map_of(page), (12, 12))
    page.get_by_role("button", name="move the drawing right").click()
    np.testing.assert_array_equal(np.reshape(map_of(page), (12, 12))[:, 1:], before[:, :-1])
    page.get_by_role("button", name="Clear").click()
    board(page).drag_to(board(page), source_position=middle_of(3, 2), target_position=middle_of(3, 9))
    assert [i for i, ink in enumerate(values(board(page))) if ink] == [3 * SIDE + column for column in range(2, 10)]
    assert_convolves(page)
    board(page).click(position=middle_of(3, 5))
    assert sum(values(board(page))) == 7


def test_convolution_responds_to_keyboard_and_finger(open_chapter):
    page = open_chapter("6-convolution", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.get_by_role("button", name="Clear").tap()
    board(page).tap(position=middle_of(5, 6, board(page).bounding_box()["width"] / SIDE))
    board(page).focus()
    for _ in range(SIDE):  # stops at the edge
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".says")).to_contain_text("Row 2, column 1:")
    page.keyboard.press(" ")
    assert [i for i, ink in enumerate(values(board(page))) if ink] == [2 * SIDE + 1, 5 * SIDE + 6]


# ---- Chapter 7

HIGHEST = 14


def points_of(page, split):
    return np.array([[point["x"], point["y"]] for point in shown(page, split)]).T


def numpy_fits(x, y, degree, decay):
    """Return the weights of 1, x, x^2, … that minimize mean((fit - y)^2) + decay * sum(weights^2)."""
    powers = np.vander(x, degree + 1, increasing=True)
    rows = np.vstack([powers, np.sqrt(decay * len(x)) * np.eye(degree + 1)])
    return np.linalg.lstsq(rows, np.concatenate([y, np.zeros(degree + 1)]), rcond=None)[0]


def error_on(weights, x, y):
    return np.sqrt(np.mean((np.polynomial.polynomial.polyval(x, weights) - y) ** 2))


def test_polynomials_match_numpy_s_least_squares(open_chapter, slide):
    page = open_chapter("7-training-well")
    for count, decay_step, decay, degree in [(15, 0, 0.0, 0), (18, 3, 1e-4, 12), (120, 9, 0.1, 14)]:
        slide(page, "points", count)
        slide(page, "weight decay", decay_step)
        slide(page, "degree", degree)
        training, validation = points_of(page, "training"), points_of(page, "validation")
        assert training.shape == (2, count)
        fitted = [numpy_fits(*training, each, decay) for each in range(HIGHEST + 1)]
        for split, points in (("training", training), ("validation", validation)):
            expected = [error_on(weights, *points) for weights in fitted]
            np.testing.assert_allclose(shown(page, f"{split}-errors"), expected, rtol=1e-5, atol=1e-5)
        assert shown(page, "best") == np.argmin(expected)
        np.testing.assert_allclose(shown(page, "weights"), fitted[degree], rtol=1e-5, atol=1e-5)


def test_polynomials_respond_to_mouse_and_keys_and_count_test_looks(open_chapter, slide, press):
    page = open_chapter("7-training-well")
    says = page.locator(".says")
    page.get_by_role("img", name="Training and validation error").click(position={"x": 34 + 262 * 3 / HIGHEST, "y": 100})
    expect(says).to_contain_text("Degree 3:")
    page.get_by_role("slider", name="degree").press("ArrowRight")
    press(page, "Look at the test")
    expect(says).to_contain_text("Test error of degree 4")
    press(page, "Look at the test")
    expect(says).to_contain_text("one more validation set")
    before = points_of(page, "training")
    slide(page, "points", 40)
    np.testing.assert_array_equal(points_of(page, "training")[:, :18], before)
    press(page, "New points")
    assert not np.any(points_of(page, "training")[:, :18] == before)
    expect(says).not_to_contain_text("Test error")
