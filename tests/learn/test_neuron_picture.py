"""The picture of chapter 1 computes what digitnet does, and follows the sliders, the mouse and the keyboard."""

import numpy as np
import pytest
from digitnet.layers import Dense, ReLU
from playwright.sync_api import expect


def digitnet_says(weights, bias, inputs):
    neuron = Dense(1)
    neuron.build((len(weights),))
    parameters = np.array([*weights, bias])
    neuron.bind(parameters, np.zeros_like(parameters))
    return float(ReLU().predict(neuron.predict(np.array(inputs)[:, None]))[0, 0])


@pytest.mark.parametrize(("weights", "bias", "inputs"), [([0.7, -1.2], 0.4, [0.5, -0.3]), ([-2, 2], -2, [1, 1])])
def test_it_says_what_digitnet_says(open_chapter, slide, weights, bias, inputs):
    page = open_chapter("1-neuron")
    for name, value in zip(("weight w₁", "weight w₂", "bias b", "input x₁", "input x₂"), [*weights, bias, *inputs]):
        slide(page, name, value)
    said = float(page.locator(".says").get_attribute("data-y"))
    assert said == pytest.approx(digitnet_says(weights, bias, inputs), abs=1e-5)


def test_the_point_goes_where_one_presses(open_chapter):
    page = open_chapter("1-neuron")
    page.locator("#picture canvas").click(position={"x": 1, "y": 1})
    expect(page.locator(".says")).to_contain_text("1.0 · −1.0 + 1.5 · 1.0 + −0.5 = 0.00")


def test_the_keyboard_moves_a_slider(open_chapter):
    page = open_chapter("1-neuron")
    page.get_by_role("slider", name="weight w₁").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".says")).to_contain_text("z = 1.1 · 0.5")
