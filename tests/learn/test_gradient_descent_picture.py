"""The picture of chapter 5 takes digitnet's steps, from where one presses, and jumps to the end where motion is not wanted."""

import json
import re

import numpy as np
import pytest
from digitnet.averaging import WeightAverage
from digitnet.optimizers import SGD, Adam
from digitnet.schedules import constant, one_cycle
from playwright.sync_api import expect

STEPS = 100
START = (-1.8, 1.2)
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


def digitnet_descends(landscape, optimizer, schedule, rate, start, steps=STEPS):
    """The weights before the first step, and after each."""
    optimizer, w = OPTIMIZERS[optimizer](), np.array(start, np.float64)
    path = [w.copy()]
    for step in range(steps):
        optimizer.update(w, GRADIENTS[landscape](w), SCHEDULES[schedule](step, STEPS, rate))
        path.append(w.copy())
    return np.array(path)


@pytest.fixture
def open_still(open_chapter):
    """open_still(): the chapter for somebody who wants no motion."""
    return lambda **options: open_chapter("5-gradient-descent", reduced_motion="reduce", **options)


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def choose(page, **options):
    for name, option in options.items():
        page.get_by_role("combobox", name=name).select_option(option)


def shown(page, name):
    return json.loads(page.locator(".says").get_attribute(f"data-{name}"))


@pytest.mark.parametrize(
    ("landscape", "optimizer", "schedule", "power"),
    [
        ("a ravine", "plain", "constant", -1.2),
        ("a ravine", "momentum", "one cycle", -1.4),
        ("two valleys", "momentum", "constant", -1.8),
        ("two valleys", "Adam", "one cycle", -0.6),
        ("a ravine", "Adam", "constant", -1),
    ],
)
def test_its_steps_are_digitnets(open_still, slide, landscape, optimizer, schedule, power):
    page = open_still()
    choose(page, landscape=landscape, steps=optimizer, schedule=schedule)
    slide(page, "rate η", power)
    rate = shown(page, "rate")
    assert rate == pytest.approx(10**power, rel=0.05)
    path = shown(page, "path")
    assert len(path) == STEPS + 1
    np.testing.assert_allclose(path, digitnet_descends(landscape, optimizer, schedule, rate, START), atol=1e-5)


def test_the_mean_of_noisy_steps_is_digitnets(open_still):
    page = open_still()
    page.get_by_role("checkbox", name="noise").check()
    average = WeightAverage(2, steps=25, dtype=np.float64)
    path = np.array(shown(page, "path"))
    for w in path[1:]:
        average.update(w)
    np.testing.assert_allclose(shown(page, "mean"), average.average, atol=1e-5)
    assert np.ptp(path[-25:], axis=0).min() > 0.1  # they go astray, or there were nothing to average


def test_it_steps_and_resets_by_keyboard(open_still):
    page = open_still()
    press(page, "Reset")
    assert shown(page, "path") == [[-1.8, 1.2]]
    page.get_by_role("button", name="Step").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator(".says")).to_contain_text("After 2 steps")
    expected = digitnet_descends("a ravine", "plain", "constant", shown(page, "rate"), START, steps=2)
    np.testing.assert_allclose(shown(page, "path"), expected, atol=1e-5)


def test_a_run_starts_where_one_presses_and_ends_at_once_without_motion(open_still):
    page = open_still()
    page.get_by_role("img", name="The loss as a map").click(position={"x": 240, "y": 80})
    path = shown(page, "path")
    assert path[0] == pytest.approx([1, 1], abs=0.02)
    assert len(path) == STEPS + 1


def test_a_run_moves_and_can_be_paused(open_chapter):
    page = open_chapter("5-gradient-descent")
    press(page, "Reset")
    press(page, "Run")
    expect(page.locator(".says")).to_have_attribute("data-steps", re.compile("[1-9]"))
    press(page, "Pause")
    assert 0 < shown(page, "steps") < STEPS
    press(page, "Run")
    expect(page.locator(".says")).to_have_attribute("data-steps", str(STEPS))
    expect(page.get_by_role("button", name="Run")).to_be_visible()


@pytest.mark.parametrize(
    ("power", "says"), [(-1.1, "w₂ changes sides each time"), (-1.08, "w₂ grows: the rate is above 2/25 = 0.08")]
)
def test_it_says_when_the_rate_is_too_large(open_still, slide, power, says):
    page = open_still()
    slide(page, "rate η", power)
    expect(page.locator(".says")).to_contain_text(says)
