"""The page in a real browser, before the real service and model: draw, Predict, answer, feedback; and while something is away."""

import re

import numpy as np
import pytest
from hands import Hand
from playwright.sync_api import expect

BAR, HOOK = [(165, 50), (160, 235)], [(150, 50), (80, 160), (200, 160)]  # together a 4
LETTER_A = [[(70, 230), (140, 50), (210, 230)], [(95, 160), (185, 160)]]
KEPT = "Saved on this device. It is sent as soon as the service takes it again."
THANKS = "Thank you! Your answer was saved."
NETWORK_INPUT = """() => Array.from(
    document.querySelector("#network-input").getContext("2d").getImageData(0, 0, 28, 28).data).filter((_, i) => i % 4 === 0)"""
TRANSFERRED = "() => performance.getEntries().reduce((sum, entry) => sum + (entry.transferSize ?? 0), 0)"


@pytest.fixture
def hand(page):
    return Hand(page)


def predict(page, answer):
    page.click("#predict-btn")
    expect(page.locator("#result")).to_have_text(answer)


def winner(page, panel="#probabilities"):
    return page.locator(f"{panel} .winner")


def canvas_color(page, x, y):
    """At a logical point."""
    return page.locator("#doodle-canvas").evaluate(
        """(canvas, [x, y]) => Array.from(canvas.getContext("2d").getImageData(
            x * canvas.width / 280, y * canvas.height / 280, 1, 1).data.slice(0, 3))""",
        [x, y],
    )


def test_a_drawing_is_predicted_and_feedback_on_it_stored(site, page, draw):
    assert 10_000 < page.evaluate(TRANSFERRED) < 300_000
    assert canvas_color(page, 140, 60) == [0, 0, 0]
    predict(page, "Draw a digit first.")
    expect(page.locator("#error")).to_be_empty()
    said_before = site.feedback()

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
    assert np.count_nonzero(image.max(axis=1) > 100) == 20, "as tall as MNIST's digits, however tall it was drawn"
    for axis in (0, 1):
        center = np.average(np.arange(28), weights=image.sum(axis=1 - axis))
        assert center == pytest.approx(14, abs=0.6), "in the middle, wherever it was drawn"

    section = page.locator("#feedback-section")
    chosen = section.get_by_role("button", pressed=True)
    expect(chosen).to_have_text("7")
    section.get_by_role("button", name="1", exact=True).click()
    expect(chosen).to_have_text("1")
    page.click("#feedback-btn")
    expect(page.locator("#feedback-status")).to_have_text(THANKS)
    expect(page.locator("#feedback-btn")).to_be_hidden()
    assert site.feedback()[len(said_before) :] == [(7, 1)]

    predict(page, "Digit: 7")
    page.locator("#actual-digit").select_option("3")  # the form field of older pages
    expect(chosen).to_have_text("3")
    page.click("#clear-btn")
    expect(section).to_be_hidden()
    expect(page.locator("#result")).to_be_empty()
    expect(page.locator("#placeholder")).to_be_visible()
    assert canvas_color(page, 140, 60) == [0, 0, 0]


def test_the_keyboard_alone_is_enough(page):
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


def test_no_digit_has_a_row_of_its_own(page, hand):
    for stroke in LETTER_A:
        hand.mouse(stroke)
    predict(page, "Not sure that is a digit")
    expect(page.locator("#best-guess")).to_have_text(re.compile(r"Best guess: \d"))
    for panel in ("#probabilities", "#softmax"):
        expect(winner(page, panel)).to_contain_text("not a digit")
    expect(page.locator("#probabilities .no-digit")).to_have_text(re.compile(r"\d%.*threshold 5", re.DOTALL))

    page.click("#clear-btn")
    hand.mouse([(100, 100)])
    predict(page, "Not sure that is a digit")
    expect(page.locator("#best-guess")).to_be_empty()
    expect(page.locator("#why")).to_be_hidden()


def test_late_answers_to_an_older_drawing_are_dropped(page, hand):
    held = []
    page.route("**/api/explain", lambda route: held.append(route))
    with page.expect_request("**/api/explain"):
        hand.mouse(BAR)
    page.route("**/api/predict*", lambda route: held.append((route, route.fetch())), times=1)
    page.click("#predict-btn")
    hand.mouse(HOOK)
    route, answer = held.pop()
    route.fulfill(response=answer)
    page.evaluate("async () => { await fetch('api/healthz'); await new Promise(requestAnimationFrame); }")  # long enough
    expect(page.locator("#result")).to_be_empty()

    predict(page, "Digit: 4")
    expect(page.locator("#feedback-section")).to_be_visible()
    shown = page.evaluate(NETWORK_INPUT)
    with page.expect_request("**/api/explain"):  # about the whole drawing, once the first one is answered
        held[0].continue_()
    expect(winner(page)).to_have_attribute("data-digit", "4")
    assert page.evaluate(NETWORK_INPUT) == shown
    expect(page.locator("#inside-status")).not_to_contain_text("reads a 1")
    held[1].continue_()
    expect(page.locator("#inside-status")).to_contain_text("So far it reads a 4")


def test_closed_the_inside_asks_nothing_and_another_stroke_empties_the_panel(page, hand):
    asked = []
    page.on("request", lambda request: asked.append(request.url) if re.search("explain|snapshots", request.url) else None)
    page.click("#inside > summary")
    hand.find_canvas()
    hand.mouse(BAR)
    predict(page, "Digit: 1")
    expect(winner(page)).to_have_attribute("data-digit", "1")
    page.mouse.move(*hand.place(*HOOK[0]))
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


def test_a_drawing_and_feedback_outlive_an_outage_and_a_reload_and_arrive_once(make_site, new_page, draw, eventually):
    site, page = make_site(), new_page()
    with site.serving_page():
        with site.serving_api():
            page.goto(site.url)
            draw(page, 4)
            predict(page, "Digit: 4")
        page.click("#feedback-btn")
        expect(page.locator("#feedback-status")).to_have_text(KEPT)
        with page.expect_response("**/api/feedback") as answered:  # loaded again, the page tries at once
            page.reload()
        assert answered.value.status == 502
        page.click("#predict-btn")
        expect(page.locator("#error")).to_contain_text("Connection Failed: ")
        expect(page.locator("#result")).to_be_empty()
        assert site.feedback() == []
        with site.serving_api():  # another process: it learns of the prediction from the log
            expect(page.locator("#result")).to_have_text("Digit: 4")
            expect(page.locator("#error")).to_be_empty()
            page.evaluate("dispatchEvent(new Event('online'))")  # else it would be some seconds
            eventually(lambda: page.evaluate("localStorage.length") == 0, "the feedback was taken", 15)
            assert site.feedback() == [(4, 4)]
            page.reload()
            expect(page.locator("#inside-status")).to_contain_text("So far it reads a 4")
        assert site.feedback() == [(4, 4)]


def test_of_two_tabs_one_sends_what_is_kept(page, page_url, draw):
    page.route("**/api/feedback", lambda route: route.fulfill(status=503, headers={"Retry-After": "60"}), times=1)
    other = page.context.new_page()
    other.goto(page_url)
    page.bring_to_front()
    draw(page, 5)
    predict(page, "Digit: 5")
    page.click("#feedback-btn")
    expect(page.locator("#feedback-status")).to_have_text(KEPT)

    on_their_way = []
    page.context.route("**/api/feedback", lambda route: on_their_way.append(route))
    for tab in (page, other):
        tab.evaluate("async () => { dispatchEvent(new Event('online')); await fetch('api/healthz'); }")
    assert len(on_their_way) == 1
    on_their_way[0].continue_()
    expect(page.locator("#feedback-status")).to_have_text(THANKS)


def test_offline_the_panels_stay_dimmed_and_follow_again_once_the_network_is_back(page, draw, hand):
    draw(page, 5)
    status, panels = page.locator("#inside-status"), [page.locator(panel) for panel in ("#panel", "#inside-body")]
    expect(status).to_contain_text("So far it reads a 5")
    page.context.set_offline(True)
    hand.find_canvas()
    hand.mouse([(40, 40), (40, 200)])
    expect(status).to_contain_text("Connection Failed: ")
    expect(page.locator("#layers canvas").first).to_be_visible()
    for panel in panels:
        expect(panel).to_have_attribute("aria-busy", "true")
    page.context.set_offline(False)
    expect(status).to_contain_text("So far it reads")
    for panel in panels:
        expect(panel).to_have_attribute("aria-busy", "false")
