"""The picture of chapter 3 computes what digitnet does, and follows the sliders, the mouse and the keyboard."""

import numpy as np
import pytest
from digitnet.losses import softmax, softmax_cross_entropy
from playwright.sync_api import expect


def numbers(page, name):
    return [float(value) for value in page.locator(".says").get_attribute(f"data-{name}").split()]


def assert_shows(page, logits, label):
    """That probabilities, loss and gradient are digitnet's, and the bars as long as that."""
    column = np.array(logits, np.float64)[:, None]
    loss, gradient = softmax_cross_entropy(column, np.array([label]))
    assert numbers(page, "logits") == pytest.approx(logits, abs=1e-5)
    assert numbers(page, "probabilities") == pytest.approx(softmax(column)[:, 0], abs=1e-5)
    assert numbers(page, "gradient") == pytest.approx(gradient[:, 0], abs=1e-5)
    assert numbers(page, "loss") == pytest.approx([loss], abs=1e-5)
    heights = (
        page.locator("#picture svg")
        .first.locator("rect[width='34']")
        .evaluate_all("rects => rects.map((rect) => Number(rect.getAttribute('height')))")
    )
    probabilities, steps = np.array(heights[::2]), np.array(heights[1::2])
    assert probabilities / 120 == pytest.approx(softmax(column)[:, 0], abs=1e-3)
    assert steps / 40 == pytest.approx(abs(gradient[:, 0]), abs=1e-3)


@pytest.mark.parametrize(("logits", "label"), [([0.3, 1.7, -2.4, 0.0, 4.1], 1), ([-6.0, -6.0, 6.0, -6.0, -6.0], 0)])
def test_it_shows_what_digitnet_computes(open_chapter, slide, logits, label):
    page = open_chapter("3-loss")
    for digit, value in enumerate(logits):
        slide(page, f"logit of {digit}", value)
    page.get_by_role("combobox").select_option(str(label))
    assert_shows(page, logits, label)


def test_steps_downhill_are_those_of_digitnet_s_gradient_and_can_be_taken_back(open_chapter):
    page = open_chapter("3-loss")
    start = numbers(page, "logits")
    logits = np.array(start)[:, None]
    for _ in range(3):
        page.get_by_role("button", name="One step downhill").click()
        logits = logits - softmax_cross_entropy(logits, np.array([3]))[1]
    assert_shows(page, list(logits[:, 0]), 3)
    expect(page.locator(".says")).to_contain_text("The network says 3, rightly.")
    page.get_by_role("button", name="Start again").click()
    assert_shows(page, start, 3)


def test_it_says_at_first_what_the_chapter_s_example_prints(open_chapter):
    page = open_chapter("3-loss")
    expect(page.locator(".says")).to_contain_text(
        "The network says 2, wrongly. The truth, 3, got p = 0.155, and the loss is −log(p) = 1.864."
    )


def test_the_truth_is_what_one_clicks(open_chapter):
    page = open_chapter("3-loss")
    page.locator("#picture svg").first.click(position={"x": 30, "y": 100})
    assert_shows(page, [0.5, -1.0, 2.5, 1.0, -0.5], 0)
    assert page.get_by_role("combobox").input_value() == "0"


def test_the_keyboard_moves_a_logit_and_takes_a_step(open_chapter):
    page = open_chapter("3-loss")
    page.get_by_role("slider", name="logit of 2").focus()
    page.keyboard.press("ArrowLeft")
    assert_shows(page, [0.5, -1.0, 2.4, 1.0, -0.5], 3)
    before = numbers(page, "loss")
    page.get_by_role("button", name="One step downhill").focus()
    page.keyboard.press("Enter")
    assert numbers(page, "loss") < before


def test_nothing_moves_for_those_who_want_no_motion(open_chapter):
    moving = (
        "[...document.querySelectorAll('#picture *')].some((each) => parseFloat(getComputedStyle(each).transitionDuration) > 0)"
    )
    assert open_chapter("3-loss").evaluate(moving)
    assert not open_chapter("3-loss", reduced_motion="reduce").evaluate(moving)
