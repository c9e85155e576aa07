"""Firefox: draw, predict, give feedback, undo and erase by mouse and finger."""

import pytest
from pointers import firefox

FOUR = [[(150, 50), (80, 160), (200, 160)], [(165, 110), (160, 235)]]
STROKES = "JSON.parse(sessionStorage.getItem('doodle-drawing') ?? '[]').length"


@pytest.fixture(scope="module")
def browser(page_url, require, free_port, tmp_path_factory):
    with firefox(require("firefox-esr", "firefox"), free_port(), tmp_path_factory.mktemp("firefox")) as browser:
        browser.open(page_url)
        yield browser


@pytest.mark.parametrize("pointer_type", ["mouse", "touch"])
def test_each_pointer_draws_predicts_undoes_and_erases(browser, eventually, pointer_type):
    def text(selector, expected):
        eventually(lambda: browser.evaluate(f"document.querySelector('{selector}').textContent") == expected, expected, 15)

    browser.press("Clear Canvas")
    for stroke in FOUR:
        browser.stroke(pointer_type, stroke)
    browser.press("Predict Digit")
    text("#result", "Digit: 4")
    browser.press("Send Feedback")
    text("#feedback-status", "Thank you! Your answer was saved.")

    browser.press("Undo")
    assert browser.evaluate(STROKES) == 1
    browser.press("Redo")
    assert browser.evaluate(STROKES) == 2
    browser.press("Eraser")
    browser.stroke(pointer_type, [(160, 225), (190, 225)])
    assert browser.evaluate(STROKES) == 1
    browser.stroke(pointer_type, [(100, 100), (140, 100)])
    assert browser.evaluate(STROKES) == 0
