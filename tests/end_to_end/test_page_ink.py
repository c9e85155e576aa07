"""Ink on the real page: each pointer draws on the canvas; undo, eraser and Clear remove strokes."""

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from pointers import ChromiumPointer

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
BAR = [(140, 60), (140, 120), (140, 220)]
PALM = (40, 250)
LEFT, MIDDLE, RIGHT = (60, 140), (140, 140), (220, 140)  # on each bar
BARS = [[(x, 60), (x, 220)] for x, _ in (LEFT, MIDDLE, RIGHT)]
ACROSS_THE_MIDDLE = [(100, 100), (180, 100)]


def opened(page, page_url):
    page.goto(page_url)
    return page, ChromiumPointer(page)


@pytest.fixture(scope="module")
def devices(page_url, chromium):
    """Return a page and a pointer for each device, loaded once."""
    return {
        name: opened(chromium.new_context(**options).new_page(), page_url)
        for name, options in {"phone": PHONE, "laptop": {}}.items()
    }


def emptied(page, pointer):
    page.click("#clear-btn")
    pointer.find_canvas()
    return page, pointer


@pytest.fixture
def phone(devices):
    return emptied(*devices["phone"])


@pytest.fixture
def laptop(devices):
    return emptied(*devices["laptop"])


@pytest.fixture
def drawn(laptop):
    """Draw three bars; return the page and its pointer."""
    page, pointer = laptop
    for bar in BARS:
        pointer.mouse(bar)
    return page, pointer


def test_a_swipe_draws_without_scrolling_and_a_tap_predicts(phone):
    page, pointer = phone
    scrolled = page.evaluate("scrollY")
    pointer.swipe([(140, 60 + 5 * step) for step in range(33)])
    assert page.evaluate("scrollY") == scrolled
    page.locator("#predict-btn").tap()
    expect(page.locator("#result")).to_have_text("Digit: 1")


def test_a_canceled_touch_removes_only_its_stroke(phone):
    _, pointer = phone
    pointer.swipe(BAR)
    pointer.touch("Start", BARS[2][0])
    pointer.touch("Move", BARS[2][1])
    assert pointer.ink(MIDDLE, RIGHT) == [True, True]
    pointer.touch("Cancel")
    assert pointer.ink(MIDDLE, RIGHT) == [True, False]


def test_a_late_second_finger_neither_zooms_nor_ends_the_stroke(phone):
    page, pointer = phone
    page.evaluate("addEventListener('pointerdown', event => window.began = event.timeStamp, {once: true, capture: true})")
    pointer.touch("Start", BAR[0])
    pointer.touch("Move", BAR[1])
    page.wait_for_function("() => performance.now() - window.began > 400")  # an earlier finger would start a pinch
    pointer.touch("Start", BAR[1], PALM)
    for step in range(1, 8):
        pointer.touch("Move", (140, 120 + 10 * step), (40 - 5 * step, 250))
    pointer.touch("End")
    assert page.evaluate("visualViewport.scale") == 1
    assert pointer.ink(BAR[0], (140, 180), PALM) == [True, True, False]


def test_a_palm_leaves_no_ink(phone):
    """Runs last on this phone: for half a second after the pen, a finger counts as a palm."""
    _, pointer = phone
    pointer.touch("Start", PALM)
    pointer.touch("Move", (44, 246))
    pointer.pen(BAR)
    pointer.touch("Move", (48, 242))
    pointer.touch("End")
    assert pointer.ink(BAR[1], PALM) == [True, False]
    pointer.pen(BARS[2])
    pointer.swipe([PALM, (60, 240)])
    assert pointer.ink(BAR[1], RIGHT, PALM) == [True, True, False]


def test_two_fingers_zoom_without_ink(new_page, page_url, eventually):
    page, pointer = opened(new_page(**PHONE), page_url)
    pointer.touch("Start", (130, 140))
    pointer.touch("Start", (130, 140), (150, 140))
    for step in range(1, 8):
        pointer.touch("Move", (130 - 12 * step, 140), (150 + 12 * step, 140))
    pointer.touch("End")
    eventually(lambda: page.evaluate("visualViewport.scale") > 1.5, "the page is zoomed", 10)
    assert pointer.ink((130, 140), (150, 140), (100, 140)) == [False] * 3


def test_undo_and_redo_by_button_and_key(drawn):
    page, pointer = drawn

    def shows(*ink):
        assert pointer.ink(LEFT, MIDDLE, RIGHT) == list(ink)

    undo, redo = (page.get_by_role("button", name=name, exact=True) for name in ("Undo", "Redo"))
    undo.click()
    shows(True, True, False)
    redo.click()
    shows(True, True, True)
    expect(redo).to_have_attribute("aria-disabled", "true")

    page.focus("#predict-btn")
    for keys, third in (("Control+z", False), ("Control+Shift+Z", True)):
        page.keyboard.press(keys)
        shows(True, True, third)
    page.locator("#layers canvas").last.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#unit-value")).to_be_visible()
    page.focus("#unit-value")
    page.keyboard.press("Control+z")  # undo in the text field
    shows(True, True, True)
    page.focus("#doodle-canvas")
    page.keyboard.press("Backspace")
    shows(True, True, False)


def test_eraser_right_button_and_pen_eraser_remove_whole_strokes(drawn):
    page, pointer = drawn
    eraser = page.get_by_role("button", name="Eraser")
    eraser.click()
    pointer.mouse(ACROSS_THE_MIDDLE)
    assert pointer.ink(LEFT, MIDDLE, RIGHT, (100, 100)) == [True, False, True, False]
    eraser.click()

    pointer.mouse(BARS[1])
    assert pointer.ink(LEFT, MIDDLE, RIGHT) == [True, True, True]
    page.evaluate("addEventListener('contextmenu', event => window.menu = !event.defaultPrevented)")
    pointer.mouse(ACROSS_THE_MIDDLE, button="right")
    assert pointer.ink(LEFT, MIDDLE, RIGHT) == [True, False, True]
    assert page.evaluate("window.menu") is False

    x, y = pointer.place(*LEFT)
    event = {"clientX": x, "clientY": y, "pointerType": "pen", "pointerId": 9, "isPrimary": True, "bubbles": True}
    page.dispatch_event("#doodle-canvas", "pointerdown", {**event, "button": 5, "buttons": 32})
    page.dispatch_event("#doodle-canvas", "pointerup", {**event, "button": 5, "buttons": 0})
    assert pointer.ink(LEFT, RIGHT) == [False, True]


def test_a_drawing_can_be_downloaded_and_belongs_to_its_tab(drawn, page_url):
    page, pointer = drawn
    with page.expect_download() as download:
        page.get_by_role("button", name="Download PNG").click()
    assert download.value.suggested_filename == "doodle.png"
    pixels = np.asarray(Image.open(download.value.path()).convert("RGB"))
    assert pixels.shape == (560, 1280, 3)  # the window has room for a wide canvas
    assert [pixels[2 * y, 2 * x].tolist() for x, y in (LEFT, MIDDLE, RIGHT, (100, 100))] == [[255, 212, 0]] * 3 + [[0, 0, 0]]

    page.keyboard.press("Control+z")
    page.reload()
    assert pointer.ink(LEFT, MIDDLE, RIGHT) == [True, True, False]
    expect(page.locator("#inside-body")).to_be_visible()
    page.keyboard.press("Control+z")
    assert pointer.ink(LEFT, MIDDLE, RIGHT) == [True, False, False]
    other = page.context.new_page()
    other.goto(page_url)
    assert ChromiumPointer(other).ink(LEFT) == [False]


def test_strokes_before_the_modules_load_leave_ink(page_url, new_page):
    page, held = new_page(), []
    page.route("**/js/main.js", lambda route: held.append(route))
    page.goto(page_url, wait_until="commit")
    expect(page.locator("#download-btn")).to_be_visible()
    pointer = ChromiumPointer(page)
    pointer.mouse(BARS[0])
    assert pointer.ink(LEFT, MIDDLE) == [True, False]  # at once
    page.mouse.move(*pointer.place(*BARS[1][0]))
    page.mouse.down()
    held[0].continue_()
    expect(page.locator("#probabilities li").first).to_be_visible()  # the modules are loaded, and the pen is still down
    page.mouse.move(*pointer.place(*BARS[1][1]), steps=4)
    page.mouse.up()
    assert pointer.ink(LEFT, MIDDLE) == [True, True]
    page.keyboard.press("Control+z")
    assert pointer.ink(LEFT, MIDDLE) == [True, False]
