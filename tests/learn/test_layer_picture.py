"""The picture of chapter 2 computes what digitnet does, with the bend and without it, and follows sliders, mouse and keyboard."""

import numpy as np
import pytest
from digitnet.layers import Dense, ReLU
from playwright.sync_api import expect

CORNERS = np.array([[0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0]])
SLIDERS = ("weight w₁", "weight w₂", "bias b", "weight v")
UNITS = [[1.2, -0.7, 0.3, 1.5], [-2.0, 0.4, 1.1, -0.8], [0.6, 2.3, -0.9, 2.0]]  # w₁, w₂, b and v of each
OUTPUT_BIAS = -0.4


def dense(weights, bias):
    weights = np.asarray(weights)
    layer = Dense(len(weights))
    layer.build(weights.shape[1:])
    parameters = np.append(weights, bias)
    layer.bind(parameters, np.zeros_like(parameters))
    return layer


def digitnet_says(bends):
    units = np.array(UNITS)
    hidden, output = dense(units[:, :2], units[:, 2]), dense(units[:, 3][None], OUTPUT_BIAS)
    said = hidden.predict(CORNERS)
    return output.predict(ReLU().predict(said) if bends else said)[0]


def said_by(page):
    return [float(value) for value in page.locator(".says").get_attribute("data-corners").split()]


def colour_at(page, x, y):
    """Red, green, blue and opacity of the large square, x and y from 0 to 1 from its top left."""
    return page.locator("#picture canvas.square").evaluate(
        "(canvas, [x, y]) => [...canvas.getContext('2d').getImageData(x * canvas.width, y * canvas.height, 1, 1).data]",
        [x, y],
    )


@pytest.mark.parametrize("bends", [True, False])
def test_it_says_at_the_corners_what_digitnet_says(open_chapter, slide, bends):
    page = open_chapter("2-layer")
    for number, unit in enumerate(UNITS, start=1):
        page.get_by_role("button", name=f"Unit {number}").click()
        for name, value in zip(SLIDERS, unit):
            slide(page, name, value)
    slide(page, "bias c", OUTPUT_BIAS)
    page.get_by_label("with ReLU").set_checked(bends)
    assert said_by(page) == pytest.approx(digitnet_says(bends), abs=1e-5)


def test_one_slider_leads_to_exactly_one_of_two_and_without_the_bend_it_is_lost(open_chapter, slide):
    page = open_chapter("2-layer")
    expect(page.locator(".says")).to_contain_text("3 of 4 are right")
    yellow = colour_at(page, 0.95, 0.05)
    slide(page, "weight v", -3)
    expect(page.locator(".says")).to_contain_text("All four are right")
    assert said_by(page) == pytest.approx([-0.2, 0.3, 0.3, -0.2], abs=1e-5)  # what the chapter's example prints
    blue = colour_at(page, 0.95, 0.05)
    assert yellow[0] > yellow[2]
    assert blue[0] < blue[2]
    page.get_by_label("with ReLU").uncheck()
    expect(page.locator(".says")).to_contain_text(
        "3 of 4 are right. Without the bend this is one neuron, y = −2.00 · x₁ + −2.00 · x₂ + 3.80"
    )


def test_it_solves_it_after_fresh_weights(open_chapter):
    page = open_chapter("2-layer")
    before = said_by(page)
    page.get_by_role("button", name="Fresh weights").click()
    assert said_by(page) != before
    assert said_by(page)[0] == 0  # no bias, so nothing is said where both inputs are 0
    page.get_by_role("button", name="Solve it").click()
    expect(page.locator(".says")).to_have_attribute("data-right", "4")


def test_a_unit_is_chosen_and_turned_by_the_keyboard_alone(open_chapter):
    page = open_chapter("2-layer")
    page.get_by_role("button", name="Unit 1").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Unit 1")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("slider", name="weight w₁").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".says")).to_contain_text("0.40 at (1, 0)")


def test_the_chosen_unit_folds_where_one_presses(open_chapter):
    page = open_chapter("2-layer")
    page.locator("#picture canvas.square").click(position={"x": 128, "y": 128})  # the middle, (0.5, 0.5)
    assert float(page.get_by_role("slider", name="bias b").input_value()) == -1.0


def test_it_fits_on_a_phone(open_chapter):
    page = open_chapter("2-layer", viewport={"width": 390, "height": 844}, has_touch=True)
    page.locator("#picture canvas.square").tap(position={"x": 128, "y": 128})
    assert float(page.get_by_role("slider", name="bias b").input_value()) == -1.0
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
