"""Ink on the real page: what each pointer leaves on the canvas, and how it is taken back. Input comes through the browser."""

import numpy as np
import pytest
from hands import Hand
from PIL import Image
from playwright.sync_api import expect

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
BAR = [(140, 60), (140, 120), (140, 220)]
PALM = (40, 250)
LEFT, MIDDLE, RIGHT = (60, 140), (140, 140), (220, 140)  # on each bar
BARS = [[(x, 60), (x, 220)] for x, _ in (LEFT, MIDDLE, RIGHT)]
ACROSS_THE_MIDDLE = [(100, 100), (180, 100)]


def opened(page, page_url):
    page.goto(page_url)
    return page, Hand(page)


@pytest.fixture(scope="module")
def devices(page_url, chromium):
    """A page and a hand on each, for all tests: loading it anew for each would take most of the time."""
    return {
        name: opened(chromium.new_context(**options).new_page(), page_url)
        for name, options in {"phone": PHONE, "laptop": {}}.items()
    }


def emptied(page, hand):
    page.click("#clear-btn")
    hand.find_canvas()
    return page, hand


@pytest.fixture
def phone(devices):
    return emptied(*devices["phone"])


@pytest.fixture
def laptop(devices):
    return emptied(*devices["laptop"])


@pytest.fixture
def drawn(laptop):
    """Three bars, and the hand that drew them."""
    page, hand = laptop
    for bar in BARS:
        hand.mouse(bar)
    return page, hand


def test_a_flick_of_a_finger_draws_without_scrolling_the_page_and_the_next_tap_predicts(phone):
    page, hand = phone
    scrolled = page.evaluate("scrollY")
    hand.swipe([(140, 60 + 5 * step) for step in range(33)])
    assert page.evaluate("scrollY") == scrolled
    page.locator("#predict-btn").tap()
    expect(page.locator("#result")).to_have_text("Digit: 1")


def test_a_canceled_touch_removes_its_stroke_alone(phone):
    _, hand = phone
    hand.swipe(BAR)
    hand.touch("Start", BARS[2][0])
    hand.touch("Move", BARS[2][1])
    assert hand.ink(MIDDLE, RIGHT) == [True, True]
    hand.touch("Cancel")
    assert hand.ink(MIDDLE, RIGHT) == [True, False]


def test_a_finger_that_comes_late_neither_zooms_nor_ends_the_stroke(phone):
    page, hand = phone
    page.evaluate("addEventListener('pointerdown', event => window.began = event.timeStamp, {once: true, capture: true})")
    hand.touch("Start", BAR[0])
    hand.touch("Move", BAR[1])
    page.wait_for_function("() => performance.now() - window.began > 400")  # a finger that comes sooner belongs to a pinch
    hand.touch("Start", BAR[1], PALM)
    for step in range(1, 8):
        hand.touch("Move", (140, 120 + 10 * step), (40 - 5 * step, 250))
    hand.touch("End")
    assert page.evaluate("visualViewport.scale") == 1
    assert hand.ink(BAR[0], (140, 180), PALM) == [True, True, False]


def test_a_palm_before_or_beside_the_pen_leaves_no_ink(phone):
    """The last test on this phone: for half a second after the pen a finger is a palm."""
    _, hand = phone
    hand.touch("Start", PALM)
    hand.touch("Move", (44, 246))
    hand.pen(BAR)
    hand.touch("Move", (48, 242))
    hand.touch("End")
    assert hand.ink(BAR[1], PALM) == [True, False]
    hand.pen(BARS[2])
    hand.swipe([PALM, (60, 240)])
    assert hand.ink(BAR[1], RIGHT, PALM) == [True, True, False]


def test_two_fingers_zoom_and_leave_no_ink(new_page, page_url, eventually):
    page, hand = opened(new_page(**PHONE), page_url)
    hand.touch("Start", (130, 140))
    hand.touch("Start", (130, 140), (150, 140))
    for step in range(1, 8):
        hand.touch("Move", (130 - 12 * step, 140), (150 + 12 * step, 140))
    hand.touch("End")
    eventually(lambda: page.evaluate("visualViewport.scale") > 1.5, "the page is zoomed", 10)
    assert hand.ink((130, 140), (150, 140), (100, 140)) == [False] * 3


def test_undo_and_redo_go_stroke_by_stroke_and_over_clear_by_button_and_by_key(drawn):
    page, hand = drawn

    def shows(*ink):
        assert hand.ink(LEFT, MIDDLE, RIGHT) == list(ink)

    undo, redo = (page.get_by_role("button", name=name, exact=True) for name in ("Undo", "Redo"))
    undo.click()
    shows(True, True, False)
    undo.click()
    shows(True, False, False)
    redo.click()
    shows(True, True, False)
    page.click("#clear-btn")
    shows(False, False, False)
    undo.click()
    shows(True, True, False)
    hand.mouse(BARS[2])
    expect(redo).to_have_attribute("aria-disabled", "true")

    page.focus("#predict-btn")
    for keys, third in (("Control+z", False), ("Control+Shift+Z", True)):
        page.keyboard.press(keys)
        shows(True, True, third)
    page.locator("#layers canvas").last.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#unit-value")).to_be_visible()
    page.focus("#unit-value")
    page.keyboard.press("Control+z")  # that of the text field
    shows(True, True, True)
    page.focus("#doodle-canvas")
    page.keyboard.press("Backspace")
    shows(True, True, False)


def test_the_eraser_the_right_button_and_the_pen_s_other_end_take_whole_strokes(drawn):
    page, hand = drawn
    eraser = page.get_by_role("button", name="Eraser")
    eraser.click()
    hand.mouse(ACROSS_THE_MIDDLE)
    assert hand.ink(LEFT, MIDDLE, RIGHT, (100, 100)) == [True, False, True, False]
    eraser.click()

    hand.mouse(BARS[1])
    assert hand.ink(LEFT, MIDDLE, RIGHT) == [True, True, True]
    page.evaluate("addEventListener('contextmenu', event => window.menu = !event.defaultPrevented)")
    hand.mouse(ACROSS_THE_MIDDLE, button="right")
    assert hand.ink(LEFT, MIDDLE, RIGHT) == [True, False, True]
    assert page.evaluate("window.menu") is False

    x, y = hand.place(*LEFT)
    event = {"clientX": x, "clientY": y, "pointerType": "pen", "pointerId": 9, "isPrimary": True, "bubbles": True}
    page.dispatch_event("#doodle-canvas", "pointerdown", {**event, "button": 5, "buttons": 32})
    page.dispatch_event("#doodle-canvas", "pointerup", {**event, "button": 5, "buttons": 0})
    assert hand.ink(LEFT, RIGHT) == [False, True]


def test_without_its_last_stroke_the_page_is_as_after_clear(laptop):
    page, hand = laptop
    hand.mouse(BAR)
    page.click("#predict-btn")
    expect(page.locator("#result")).to_have_text("Digit: 1")
    hand.mouse([MIDDLE], button="right")
    expect(page.locator("#result")).to_be_empty()
    expect(page.locator("#feedback-section")).to_be_hidden()
    expect(page.locator("#inside-body")).to_be_hidden()
    expect(page.locator("#placeholder")).to_be_visible()


def test_a_drawing_can_be_downloaded_survives_a_reload_and_goes_with_its_tab(drawn, page_url):
    page, hand = drawn
    with page.expect_download() as download:
        page.get_by_role("button", name="Download PNG").click()
    assert download.value.suggested_filename == "doodle.png"
    pixels = np.asarray(Image.open(download.value.path()).convert("RGB"))
    assert pixels.shape == (560, 560, 3)
    assert [pixels[2 * y, 2 * x].tolist() for x, y in (LEFT, MIDDLE, RIGHT, (100, 100))] == [[255, 212, 0]] * 3 + [[0, 0, 0]]

    page.keyboard.press("Control+z")
    page.reload()
    assert hand.ink(LEFT, MIDDLE, RIGHT) == [True, True, False]
    expect(page.locator("#inside-body")).to_be_visible()
    page.keyboard.press("Control+z")
    assert hand.ink(LEFT, MIDDLE, RIGHT) == [True, False, False]
    other = page.context.new_page()
    other.goto(page_url)
    assert Hand(other).ink(LEFT) == [False]


def test_strokes_drawn_before_the_modules_have_loaded_leave_ink(page_url, new_page):
    page, held = new_page(), []
    page.route("**/js/main.js", lambda route: held.append(route))
    page.goto(page_url, wait_until="commit")
    expect(page.locator("#download-btn")).to_be_visible()
    hand = Hand(page)
    hand.mouse(BARS[0])
    assert hand.ink(LEFT, MIDDLE) == [True, False]  # at once, and not only later
    page.mouse.move(*hand.place(*BARS[1][0]))
    page.mouse.down()
    held[0].continue_()
    expect(page.locator("#probabilities li").first).to_be_visible()  # the modules are here, and the pen is still down
    page.mouse.move(*hand.place(*BARS[1][1]), steps=4)
    page.mouse.up()
    assert hand.ink(LEFT, MIDDLE) == [True, True]
    page.keyboard.press("Control+z")
    assert hand.ink(LEFT, MIDDLE) == [True, False]
