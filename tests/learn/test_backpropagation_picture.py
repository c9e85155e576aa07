"""The picture of chapter 4 has digitnet's numbers and gradients, and steps through them by mouse and keyboard."""

import json

import numpy as np
import pytest
from digitnet.layers import Dense, ReLU
from playwright.sync_api import expect

BIASES = {"b1": 0.5, "b2": 1.5, "c": 0.5}  # what no slider sets
SLIDERS = {"x": "input x", "w1": "weight w₁", "w2": "weight w₂", "v1": "weight v₁", "v2": "weight v₂", "t": "target t"}


def digitnet_says(x, w1, w2, v1, v2, t):
    """The numbers on the way forward, and the gradients on the way back, by their names in the picture."""
    hidden, bend, output = Dense(2), ReLU(), Dense(1)
    gradients = []
    for layer, features, values in [(hidden, 1, [w1, w2, BIASES["b1"], BIASES["b2"]]), (output, 2, [v1, v2, BIASES["c"]])]:
        layer.build((features,))
        gradients.append(np.zeros(len(values)))
        layer.bind(np.array(values), gradients[-1])
    z = hidden.forward(np.array([[x]]))
    h = bend.forward(z)
    y = output.forward(h)
    grad_y = y - t
    grad_h = output.backward(grad_y)
    grad_z = bend.backward(grad_h)
    grad_x = hidden.backward(grad_z)
    forward = dict(zip(["x", "z1", "z2", "h1", "h2", "y", "L"], [x, *z[:, 0], *h[:, 0], y.item(), (y.item() - t) ** 2 / 2]))
    names = ["w1", "w2", "b1", "b2", "v1", "v2", "c", "y", "h1", "h2", "z1", "z2", "x", "t", "L"]
    back = [*gradients[0], *gradients[1], grad_y.item(), *grad_h[:, 0], *grad_z[:, 0], grad_x.item(), -grad_y.item(), 1.0]
    return forward, dict(zip(names, back))


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def shown(page):
    says = page.locator(".says")
    return json.loads(says.get_attribute("data-numbers")), json.loads(says.get_attribute("data-gradients"))


@pytest.mark.parametrize(
    "values",
    [
        {"x": 1.3, "w1": 0.7, "w2": -0.4, "v1": -1.6, "v2": 2.2, "t": -0.9},
        {"x": -2.4, "w1": 1.1, "w2": 0.3, "v1": 3.5, "v2": -0.8, "t": 3.1},  # the first unit is silent
    ],
)
def test_it_has_digitnets_numbers_and_gradients(open_chapter, slide, values):
    page = open_chapter("4-backpropagation")
    for name, value in values.items():
        slide(page, SLIDERS[name], value)
    press(page, "All")
    for found, expected in zip(shown(page), digitnet_says(**values)):
        assert found == pytest.approx(expected, abs=1e-5)


def test_it_goes_forward_then_back_one_node_a_step(open_chapter):
    page = open_chapter("4-backpropagation")
    assert shown(page) == ({"x": 2}, {})
    step = page.get_by_role("button", name="Step", exact=True)
    step.focus()
    for _ in range(7):
        page.keyboard.press("Enter")
    expect(page.locator(".says")).to_contain_text("8 of 14, back: dL/dy = y − t = 1.00 − 2.00 = −1.00.")
    numbers, gradients = shown(page)
    assert len(numbers) == 7
    assert set(gradients) == {"L", "y", "c", "t"}
    press(page, "Undo")
    assert shown(page) == (numbers, {})


def test_a_gradient_promises_what_a_small_move_does(open_chapter, slide):
    page = open_chapter("4-backpropagation")
    press(page, "All")
    slide(page, "weight w₂", -0.6)
    expect(page.locator(".says")).to_contain_text(
        "You moved w₂ by −0.1. Its gradient was 4.00, which promised to change the loss by −0.40. "
        "It changed by −0.32, from 0.50 to 0.18."
    )
    press(page, "Reset")
    assert page.get_by_role("slider", name="weight w₂").input_value() == "-0.5"
    assert shown(page) == ({"x": 2}, {})


def test_the_graph_runs_across_a_laptop_and_down_a_phone(open_chapter):
    boxes = {width: open_chapter("4-backpropagation", viewport={"width": width, "height": 844}) for width in (1280, 390)}
    sizes = {width: page.locator("#picture svg").bounding_box() for width, page in boxes.items()}
    assert sizes[1280]["width"] > 2 * sizes[1280]["height"]
    assert sizes[390]["height"] > sizes[390]["width"]
