"""The page in a real browser with the real service and model: drawing, prediction, feedback and outages."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect
from pointers import ChromiumPointer

BAR, HOOK = [(165, 50), (160, 235)], [(150, 50), (80, 160), (200, 160)]  # together a 4
LETTER_A = [[(70, 230), (140, 50), (210, 230)], [(95, 160), (185, 160)]]
KEPT = "Saved on this device. It is sent as soon as the service takes it again."
THANKS = "Thank you! Your answer was saved."
NETWORK_INPUT = """() => Array.from(
    document.querySelector("#network-input").getContext("2d").getImageData(0, 0, 28, 28).data).filter((_, i) => i % 4 === 0)"""
TRANSFERRED = "() => performance.getEntries().reduce((sum, entry) => sum + (entry.transferSize ?? 0), 0)"


@pytest.fixture
def pointer(page):
    return ChromiumPointer(page)


def predict(page, answer):
    page.click("#predict-btn")
    expect(page.locator("#result")).to_have_text(answer)


def winner(page, panel="#probabilities"):
    return page.locator(f"{panel} .winner")


def canvas_color(page, x, y):
    """Return the color at a logical point."""
    return page.locator("#doodle-canvas").evaluate(
        """(canvas, [x, y]) => Array.from(canvas.getContext("2d").getImageData(
            x * canvas.height / 280, y * canvas.height / 280, 1, 1).data.slice(0, 3))""",
        [x, y],
    )


def test_predicts_a_drawing_and_stores_feedback(site, page, draw):
    assert 10_000 < page.evaluate(TRANSFERRED) < 300_000
    assert canvas_color(page, 140, 60) == [0, 0, 0]
    predict(page, "Draw a digit first.")
    expect(page.locator("#error")).to_be_empty()
    feedback_before = site.feedback()

    draw(page, 7)
    expect(page.locator("#placeholder")).to_be_hidden()
    assert canvas_color(page, 140, 60) == [255, 212, 0]
    predict(page, "Digit: 7")
    bars = page.locator("#probabilities [data-digit]")
    expect(bars).to_have_count(10)
    shares = [float(text.split()[-1].strip(">%")) for text in bars.all_inner_texts()]
    assert shares.index(max(shares)) == 7
    expect(page.locator("#model-version")).not_to_be_empty()
    image = np.reshape(page.evaluate(NETWORK_INPUT), (28, 28))
    assert np.count_nonzero(image.max(axis=1) > 100) == 20, "normalized to 20 pixels"
    for axis in (0, 1):
        center = np.average(np.arange(28), weights=image.sum(axis=1 - axis))
        assert center == pytest.approx(14, abs=0.6), "centered"

    section = page.locator("#feedback-section")
    chosen = section.get_by_role("button", pressed=True)
    expect(chosen).to_have_text("7")
    section.get_by_role("button", name="1", exact=True).click()
    expect(chosen).to_have_text("1")
    page.click("#feedback-btn")
    expect(page.locator("#feedback-status")).to_have_text(THANKS)
    expect(page.locator("#feedback-btn")).to_be_hidden()
    assert site.feedback()[len(feedback_before) :] == [(7, 1)]

    predict(page, "Digit: 7")
    page.locator("#actual-digit").select_option("3")  # the select element of older pages
    expect(chosen).to_have_text("3")
    page.click("#clear-btn")
    expect(section).to_be_hidden()
    expect(page.locator("#result")).to_be_empty()
    expect(page.locator("#placeholder")).to_be_visible()
    assert canvas_color(page, 140, 60) == [0, 0, 0]


def test_works_by_keyboard_alone(page):
    result, keyboard = page.locator("#result"), page.keyboard
    page.focus("#doodle-canvas")
    for key in ["ArrowUp"] * 10 + ["Space"] + ["ArrowDown"] * 20 + ["Space"]:
        keyboard.press(key)
    expect(page.locator("#inside-body")).to_be_visible()
    keyboard.press("Enter")
    expect(result).to_have_text("Digit: 1")
    keyboard.press("ArrowRight")  # the pen is up
    expect(result).to_have_text("Digit: 1")
    keyboard.press("Space")
    expect(result).to_be_empty()
    keyboard.press("Enter")
    expect(result).not_to_be_empty()
    keyboard.press("Escape")
    expect(result).to_be_empty()
    keyboard.press("Tab")
    expect(page.locator("#predict-btn")).to_be_focused()


def test_no_digit_has_its_own_row(page, pointer):
    for stroke in LETTER_A:
        pointer.mouse(stroke)
    predict(page, "Not sure that is a digit")
    expect(page.locator("#best-guess")).to_have_text(re.compile(r"Best guess: \d"))
    for panel in ("#probabilities", "#softmax"):
        expect(winner(page, panel)).to_contain_text("not a digit")
    expect(page.locator("#probabilities .no-digit")).to_have_text(re.compile(r"\d%.*threshold 5", re.DOTALL))

    page.click("#clear-btn")
    pointer.mouse([(100, 100)])
    predict(page, "Not sure that is a digit")
    expect(page.locator("#best-guess")).to_be_empty()
    expect(page.locator("#why")).to_be_hidden()


def test_a_closed_inspector_requests_nothing_and_a_stroke_clears_the_panel(page, pointer):
    asked = []
    page.on("request", lambda request: asked.append(request.url) if re.search("explain|snapshots", request.url) else None)
    page.click("#inside > summary")
    pointer.find_canvas()
    pointer.mouse(BAR)
    predict(page, "Digit: 1")
    expect(winner(page)).to_have_attribute("data-digit", "1")
    page.mouse.move(*pointer.place(*HOOK[0]))
    page.mouse.down()
    expect(winner(page)).to_have_count(0)
    for answer in ("#result", "#confidence"):
        expect(page.locator(answer)).to_be_empty()
    expect(page.locator("#feedback-section")).to_be_hidden()
    assert not any(page.evaluate(NETWORK_INPUT))
    page.mouse.up()
    assert asked == []
    page.click("#inside > summary")
    expect(page.locator("#inside-status")).to_contain_text("So far it reads")
    assert not any("snapshots" in url for url in asked)  # the timeline is closed


def test_drawing_and_feedback_survive_an_outage_and_a_reload(make_site, new_page, draw, eventually):
    site, page = make_site(), new_page()
    with site.serving_page():
        with site.serving_api():
            page.goto(site.url)
            draw(page, 4)
            predict(page, "Digit: 4")
        page.click("#feedback-btn")
        expect(page.locator("#feedback-status")).to_have_text(KEPT)
        with page.expect_response("**/api/feedback") as answered:  # the page sends it again after a reload
            page.reload()
        assert answered.value.status == 502
        page.click("#predict-btn")
        expect(page.locator("#error")).to_contain_text("Connection Failed: ")
        expect(page.locator("#result")).to_be_empty()
        assert site.feedback() == []
        with site.serving_api():  # a new service, which finds the prediction in the log
            expect(page.locator("#result")).to_have_text("Digit: 4")
            expect(page.locator("#error")).to_be_empty()
            page.evaluate("dispatchEvent(new Event('online'))")  # otherwise it waits some seconds
            eventually(lambda: page.evaluate("localStorage.length") == 0, "the feedback is sent", 15)
            assert site.feedback() == [(4, 4)]
            page.reload()
            expect(page.locator("#inside-status")).to_contain_text("So far it reads a 4")
        assert site.feedback() == [(4, 4)]


def test_one_of_two_tabs_sends_stored_feedback(page, page_url, draw):
    page.route("**/api/feedback", lambda route: route.fulfill(status=503, headers={"Retry-After": "60"}), times=1)
    other = page.context.new_page()
    other.goto(page_url)
    page.bring_to_front()
    draw(page, 5)
    predict(page, "Digit: 5")
    page.click("#feedback-btn")
    expect(page.locator("#feedback-status")).to_have_text(KEPT)

    in_flight = []
    page.context.route("**/api/feedback", lambda route: in_flight.append(route))
    for tab in (page, other):
        tab.evaluate("async () => { dispatchEvent(new Event('online')); await fetch('api/healthz'); }")
    assert len(in_flight) == 1
    in_flight[0].continue_()
    expect(page.locator("#feedback-status")).to_have_text(THANKS)
