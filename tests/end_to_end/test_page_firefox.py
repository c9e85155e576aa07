"""In Firefox too, mouse and finger draw, predict, give feedback, undo and erase."""

import pytest
from hands import firefox

FOUR = [[(150, 50), (80, 160), (200, 160)], [(165, 110), (160, 235)]]
STROKES = "JSON.parse(sessionStorage.getItem('doodle-drawing') ?? '[]').length"


@pytest.fixture(scope="module")
def hand(page_url, require, free_port, tmp_path_factory):
    with firefox(require("firefox-esr", "firefox"), free_port(), tmp_path_factory.mktemp("firefox")) as hand:
        hand.open(page_url)
        yield hand


@pytest.mark.parametrize("pointer", ["mouse", "touch"])
def test_each_pointer_draws_predicts_answers_undoes_and_erases(hand, eventually, pointer):
    def text(selector, expected):
        eventually(lambda: hand.evaluate(f"document.querySelector('{selector}').textContent") == expected, expected, 15)

    hand.press("Clear Canvas")
    for stroke in FOUR:
        hand.stroke(pointer, stroke)
    hand.press("Predict Digit")
    text("#result", "Digit: 4")
    hand.press("Send Feedback")
    text("#feedback-status", "Thank you! Your answer was saved.")

    hand.press("Undo")
    assert hand.evaluate(STROKES) == 1
    hand.press("Redo")
    assert hand.evaluate(STROKES) == 2
    hand.press("Eraser")
    hand.stroke(pointer, [(160, 225), (190, 225)])
    assert hand.evaluate(STROKES) == 1
    hand.stroke(pointer, [(100, 100), (140, 100)])
    assert hand.evaluate(STROKES) == 0
