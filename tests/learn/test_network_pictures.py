"""The figures of chapters 1 to 4 compute digitnet's numbers and respond to sliders, mouse, finger and keyboard."""

import json

import numpy as np
import pytest
from digitnet.layers import Dense, ReLU
from digitnet.losses import softmax, softmax_cross_entropy
from playwright.sync_api import expect


def shown(page, name):
    """Return the numbers of a figure."""
    return json.loads(f"[{page.locator('.says').get_attribute(f'data-{name}').replace(' ', ', ')}]")


# ---- Chapter 1


def test_neuron_matches_digitnet_and_responds_to_mouse_and_keys(open_chapter, slide):
    page = open_chapter("1-neuron")
    for weights, bias, inputs in (([0.7, -1.2], 0.4, [0.5, -0.3]), ([-2, 2], -2, [1, 1])):
        for name, value in zip(("weight w₁", "weight w₂", "bias b", "input x₁", "input x₂"), [*weights, bias, *inputs]):
            slide(page, name, value)
        expected = ReLU().predict(Dense.from_weights([weights], bias).predict(np.array(inputs)[:, None]))
        assert shown(page, "y") == pytest.approx(expected[0], abs=1e-5)

    page.locator("#picture canvas.square").click(position={"x": 1, "y": 1})
    assert [page.get_by_role("slider", name=f"input {name}").input_value() for name in ("x₁", "x₂")] == ["-1", "1"]
    page.get_by_role("slider", name="weight w₁").press("ArrowRight")
    expect(page.locator(".says")).to_contain_text("−1.9 · −1.0")


def test_neuron_of_784_inputs_matches_numpy(open_chapter, press, page_digits):
    page = open_chapter("1-neuron")
    tells = page.locator("#own-digit .tells")
    tells.wait_for()
    press(page, "Weights = my digit")
    page.locator("#own-digit").get_by_role("slider").fill("-50")
    images, labels = page_digits
    digit = images[np.flatnonzero(labels == 3)[-1]]
    assert float(tells.get_attribute("data-y")) == pytest.approx(np.sum(digit * digit) - 50)
    press(page, "Clear digit")
    expect(tells).to_have_attribute("data-y", "0")


# ---- Chapter 2


TOP_RIGHT = """canvas => {
    const [red, , blue] = canvas.getContext("2d").getImageData(0.95 * canvas.width, 0.05 * canvas.height, 1, 1).data;
    return red > blue ? "yellow" : "blue"; }"""


def test_layers_match_digitnet_with_and_without_relu(open_chapter, slide):
    units = np.array([[1.2, -0.7, 0.3, 1.5], [-2.0, 0.4, 1.1, -0.8], [0.6, 2.3, -0.9, 2.0]])  # w₁, w₂, b and v of each
    page = open_chapter("2-layer")
    for number, unit in enumerate(units, start=1):
        page.get_by_role("button", name=f"Unit {number}").click()
        for name, value in zip(("weight w₁", "weight w₂", "bias b", "weight v"), unit):
            slide(page, name, value)
    slide(page, "bias c", -0.4)
    hidden, output = Dense.from_weights(units[:, :2], units[:, 2]), Dense.from_weights(units[:, 3][None], -0.4)
    sums = hidden.predict(np.array([[0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0]]))
    assert shown(page, "corners") == pytest.approx(output.predict(ReLU().predict(sums))[0], abs=1e-5)
    page.get_by_label("with ReLU").uncheck()
    assert shown(page, "corners") == pytest.approx(output.predict(sums)[0], abs=1e-5)


def test_layers_solve_exclusive_or_only_with_relu(open_chapter, slide, press):
    page = open_chapter("2-layer")
    right, square = page.locator(".says"), page.locator("#picture canvas.square")
    expect(right).to_have_attribute("data-right", "3")
    assert square.evaluate(TOP_RIGHT) == "yellow"
    slide(page, "weight v", -3)
    expect(right).to_have_attribute("data-right", "4")
    assert shown(page, "corners") == pytest.approx([-0.2, 0.3, 0.3, -0.2], abs=1e-5)  # as in the chapter's example
    assert square.evaluate(TOP_RIGHT) == "blue"
    page.get_by_label("with ReLU").uncheck()
    expect(right).to_have_attribute("data-right", "3")
    expect(right).to_contain_text("y = −2.00 · x₁ + −2.00 · x₂ + 3.80")
    page.get_by_label("with ReLU").check()
    press(page, "Fresh weights")
    assert shown(page, "corners")[0] == 0  # without a bias, two zeros give zero
    press(page, "Solve it")
    expect(right).to_have_attribute("data-right", "4")


def test_layers_respond_to_keyboard_and_finger(open_chapter):
    page = open_chapter("2-layer", viewport={"width": 390, "height": 844}, has_touch=True)
    page.locator("#picture canvas.square").tap(position={"x": 128, "y": 128})  # the middle, (0.5, 0.5)
    assert page.get_by_role("slider", name="bias b").input_value() == "-1"
    page.get_by_role("button", name="Unit 1").press("Enter")
    expect(page.get_by_role("button", name="Unit 1")).to_have_attribute("aria-pressed", "true")


# ---- Chapter 3


def assert_shows_loss(page, logits, label):
    """Assert digitnet's probabilities, loss and gradient, and the bars' lengths."""
    column = np.array(logits, np.float64)[:, None]
    loss, gradient = softmax_cross_entropy(column, np.array([label]))
    probabilities, gradient = softmax(column)[:, 0], gradient[:, 0]
    for name, expected in (("logits", logits), ("probabilities", probabilities), ("gradient", gradient), ("loss", [loss])):
        assert shown(page, name) == pytest.approx(expected, abs=1e-5), name
    bars = page.locator("#picture svg").first.locator("rect[width='34']")
    heights = np.array(bars.evaluate_all("rects => rects.map((rect) => Number(rect.getAttribute('height')))"))
    assert heights[::2] / 120 == pytest.approx(probabilities, abs=1e-3)
    assert heights[1::2] / 40 == pytest.approx(abs(gradient), abs=1e-3)
    assert page.get_by_role("combobox").input_value() == str(label)


def test_loss_matches_digitnet(open_chapter, slide):
    page = open_chapter("3-loss")
    for logits, label in (([0.3, 1.7, -2.4, 0.0, 4.1], 1), ([-6.0, -6.0, 6.0, -6.0, -6.0], 0)):
        for digit, value in enumerate(logits):
            slide(page, f"logit of {digit}", value)
        page.get_by_role("combobox").select_option(str(label))
        assert_shows_loss(page, logits, label)


def test_loss_takes_digitnet_s_steps_and_resets(open_chapter, press):
    page = open_chapter("3-loss")
    start = shown(page, "logits")
    logits = np.array(start)[:, None]
    page.get_by_role("button", name="One step downhill").press("Enter")
    press(page, "One step downhill")
    for _ in range(2):
        logits = logits - softmax_cross_entropy(logits, np.array([3]))[1]
    assert_shows_loss(page, list(logits[:, 0]), 3)
    press(page, "Start again")
    assert_shows_loss(page, start, 3)
    page.locator("#picture svg").first.click(position={"x": 30, "y": 100})  # sets the label to 0
    page.get_by_role("slider", name="logit of 2").press("ArrowLeft")
    assert_shows_loss(page, [0.5, -1.0, 2.4, 1.0, -0.5], 0)


# ---- Chapter 4

SLIDERS = {"x": "input x", "w1": "weight w₁", "w2": "weight w₂", "v1": "weight v₁", "v2": "weight v₂", "t": "target t"}


def digitnet_passes(x, w1, w2, v1, v2, t):
    """Return the forward values and the gradients by their names in the figure."""
    hidden, output = Dense.from_weights([[w1], [w2]], [0.5, 1.5]), Dense.from_weights([[v1, v2]], 0.5)
    relu = ReLU()
    z = hidden.forward(np.array([[x]]))
    h = relu.forward(z)
    y = output.forward(h)
    grad_y = y - t
    grad_h = output.backward(grad_y)
    grad_z = relu.backward(grad_h)
    grad_x = hidden.backward(grad_z)
    forward = dict(zip(["x", "z1", "z2", "h1", "h2", "y", "L"], [x, *z[:, 0], *h[:, 0], y.item(), (y.item() - t) ** 2 / 2]))
    names = ["w1", "w2", "b1", "b2", "v1", "v2", "c", "y", "h1", "h2", "z1", "z2", "x", "t", "L"]
    inner = [grad_y.item(), *grad_h[:, 0], *grad_z[:, 0], grad_x.item(), -grad_y.item(), 1.0]
    of_parameters = [gradient for layer in (hidden, output) for gradient in (*layer.grad_weights.ravel(), *layer.grad_bias)]
    return forward, dict(zip(names, [*of_parameters, *inner]))


def passes(page):
    says = page.locator(".says")
    return json.loads(says.get_attribute("data-numbers")), json.loads(says.get_attribute("data-gradients"))


def test_backpropagation_matches_digitnet(open_chapter, slide, press):
    page = open_chapter("4-backpropagation")
    for values in (
        {"x": 1.3, "w1": 0.7, "w2": -0.4, "v1": -1.6, "v2": 2.2, "t": -0.9},
        {"x": -2.4, "w1": 1.1, "w2": 0.3, "v1": 3.5, "v2": -0.8, "t": 3.1},  # ReLU stops the first unit's gradient
    ):
        for name, value in values.items():
            slide(page, SLIDERS[name], value)
        press(page, "All")
        for found, expected in zip(passes(page), digitnet_passes(**values)):
            assert found == pytest.approx(expected, abs=1e-5)


def test_backpropagation_steps_and_explains_a_change(open_chapter, slide, press):
    page = open_chapter("4-backpropagation")
    assert passes(page) == ({"x": 2}, {})
    step = page.get_by_role("button", name="Step", exact=True)
    for _ in range(7):
        step.press("Enter")
    numbers, gradients = passes(page)
    assert (len(numbers), set(gradients)) == (7, {"L", "y", "c", "t"})
    press(page, "Undo")
    assert passes(page) == (numbers, {})
    press(page, "All")
    slide(page, "weight w₂", -0.6)
    for figure in ("by −0.1.", "was 4.00", "by −0.40", "by −0.32", "from 0.50 to 0.18"):
        expect(page.locator(".says")).to_contain_text(figure)
    press(page, "Reset")
    assert page.get_by_role("slider", name="weight w₂").input_value() == "-0.5"
    assert passes(page) == ({"x": 2}, {})
