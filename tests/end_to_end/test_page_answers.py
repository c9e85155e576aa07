"""In a real browser: an answer never outlives its drawing, and the page works while network or service are away."""

import base64
import re

import numpy as np
import pytest
from playwright.sync_api import expect

BAR, HOOK = [(165, 50), (160, 235)], [(150, 50), (80, 160), (200, 160)]  # together a 4
LETTER_A = [[(70, 230), (140, 50), (210, 230)], [(95, 160), (185, 160)]]


@pytest.fixture
def page(page_url, new_page):
    page = new_page()
    page.goto(page_url)
    return page


def start_stroke(page, stroke):
    """Press the mouse at the first point, and move it over the others."""
    canvas = page.locator("#doodle-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    for index, (x, y) in enumerate(stroke):
        page.mouse.move(box["x"] + x * box["width"] / 280, box["y"] + y * box["height"] / 280, steps=3)
        if index == 0:
            page.mouse.down()


def draw_strokes(page, *strokes):
    for stroke in strokes:
        start_stroke(page, stroke)
        page.mouse.up()


def winner(page, panel="#probabilities"):
    return page.locator(f"{panel} .winner")


def is_of_unit(response, unit):
    return "/api/unit" in response.url and response.request.post_data_json["place"] == [unit]


class TestWithdrawal:
    """Item 1: the first new point withdraws the answer and the question about it."""

    @pytest.fixture
    def answered(self, page):
        draw_strokes(page, BAR)
        page.click("#predict-btn")
        expect(page.locator("#result")).to_have_text("Digit: 1")
        expect(page.locator("#feedback-section")).to_be_visible()
        return page

    def assert_withdrawn(self, page):
        expect(page.locator("#result")).to_be_empty()
        expect(page.locator("#confidence")).to_be_empty()
        expect(page.locator("#feedback-section")).to_be_hidden()

    def test_a_new_point_withdraws_the_answer_and_feedback_belongs_to_the_next_one(self, answered):
        start_stroke(answered, HOOK[:1])
        self.assert_withdrawn(answered)
        for x, y in HOOK[1:]:
            box = answered.locator("#doodle-canvas").bounding_box()
            answered.mouse.move(box["x"] + x * box["width"] / 280, box["y"] + y * box["height"] / 280, steps=3)
        answered.mouse.up()
        with answered.expect_response("**/api/predict*") as predicted:
            answered.click("#predict-btn")
        expect(answered.locator("#result")).to_have_text("Digit: 4")
        with answered.expect_request("**/api/feedback") as sent:
            answered.click("#feedback-btn")
        assert sent.value.post_data_json == {"prediction_id": predicted.value.json()["prediction_id"], "actual_digit": 4}

    def test_so_does_the_keyboard_s_pen(self, answered):
        answered.focus("#doodle-canvas")
        answered.keyboard.press("ArrowRight")  # the pen is up
        expect(answered.locator("#result")).to_have_text("Digit: 1")
        answered.keyboard.press("Space")
        self.assert_withdrawn(answered)

    def test_while_nothing_follows_the_pen_the_image_and_the_bars_go_too(self, page):
        page.click("#inside > summary")
        draw_strokes(page, BAR)
        page.click("#predict-btn")
        expect(winner(page)).to_have_attribute("data-digit", "1")
        start_stroke(page, HOOK[:1])
        self.assert_withdrawn(page)
        expect(winner(page)).to_have_count(0)
        ink = "() => document.querySelector('#network-input').getContext('2d').getImageData(0, 0, 28, 28).data.some(Boolean)"
        assert page.evaluate(ink) is False
        page.mouse.up()

    def test_an_answer_on_its_way_is_dropped(self, page):
        held = []
        page.route("**/api/predict*", lambda route: held.append((route, route.fetch())), times=1)
        draw_strokes(page, BAR)
        page.click("#predict-btn")
        start_stroke(page, HOOK)
        page.mouse.up()
        route, answer = held[0]
        route.fulfill(response=answer)
        page.evaluate("async () => { await fetch('api/healthz'); await new Promise(requestAnimationFrame); }")  # long enough
        self.assert_withdrawn(page)


class TestEditedCopy:
    """Item 2: an edited copy never appears as the served network."""

    @pytest.fixture
    def edited(self, page, draw):
        draw(page, 5)
        expect(page.locator("#inside-status")).to_contain_text("So far it reads a 5")
        page.locator("#layers canvas").last.focus()  # the logits
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        with page.expect_response(lambda response: is_of_unit(response, 3)) as seen:
            page.keyboard.press("ArrowRight")  # to that of the 3
        expect(page.locator("#unit")).to_have_attribute("data-place", "3")
        inputs = np.frombuffer(base64.b64decode(seen.value.json()["inputs"]["float32"]), "<f4")
        page.fill("#unit-which", str(inputs.argmax()))
        page.fill("#unit-value", "1000")
        page.keyboard.press("Enter")
        expect(page.locator("#inside-status")).to_contain_text("With your changes it reads a 3")
        return page

    def test_each_panel_of_the_copy_says_so_and_the_top_panel_shows_the_served_network(self, edited, draw):
        for panel in ("#saliency", ".softmax", "#layers", "#unit"):
            edited.locator(panel).scroll_into_view_if_needed()
            expect(edited.locator("#undo-btn")).to_be_in_viewport(ratio=1)
        badges = edited.locator("#inside").get_by_text("edited copy", exact=True)
        expect(badges).to_have_count(4)
        for badge in badges.all():
            expect(badge).to_be_visible()

        edited.click("#clear-btn")
        draw(edited, 5)
        expect(edited.locator("#inside-status")).to_contain_text("With your changes it reads a 3")
        expect(winner(edited)).to_have_attribute("data-digit", "5")
        edited.click("#undo-btn")
        expect(edited.locator("#inside-status")).to_contain_text("So far it reads a 5")
        for badge in badges.all():
            expect(badge).to_be_hidden()


def test_a_late_answer_to_an_older_drawing_is_dropped(page):
    """Item 3: /explain was asked about the first stroke, and answers after /predict."""
    held = []
    page.route("**/api/explain", lambda route: held.append(route))
    with page.expect_request("**/api/explain"):
        draw_strokes(page, BAR)
    draw_strokes(page, HOOK)
    page.click("#predict-btn")
    expect(page.locator("#result")).to_have_text("Digit: 4")
    image = "() => document.querySelector('#network-input').toDataURL()"
    shown = page.evaluate(image)
    with page.expect_request("**/api/explain"):  # about the whole drawing, once the first one is answered
        held[0].continue_()
    expect(winner(page)).to_have_attribute("data-digit", "4")
    assert page.evaluate(image) == shown
    expect(page.locator("#inside-status")).not_to_contain_text("reads a 1")
    held[1].continue_()
    expect(page.locator("#inside-status")).to_contain_text("So far it reads a 4")


class TestNoDigit:
    """Item 4: "not a digit" has a row of its own, with its probability and its threshold."""

    def assert_the_row_wins(self, page, panel):
        expect(winner(page, panel)).to_have_count(1)
        expect(winner(page, panel)).to_contain_text("not a digit")
        expect(winner(page, panel)).to_have_text(re.compile(r"\d%"))

    def test_it_wins_for_a_letter_and_for_a_dot_and_loses_for_a_digit(self, page, draw):
        row = page.locator("#probabilities .no-digit")
        draw_strokes(page, *LETTER_A)
        page.click("#predict-btn")
        expect(page.locator("#result")).to_have_text("Not sure that is a digit")
        expect(page.locator("#best-guess")).to_have_text(re.compile(r"Best guess: \d"))
        for panel in ("#probabilities", "#softmax"):
            self.assert_the_row_wins(page, panel)
        expect(row).to_contain_text("the answer above 5")
        assert color(page.locator("#probabilities [data-digit]").first) != color(row)

        page.click("#clear-btn")
        page.locator("#doodle-canvas").click(position={"x": 100, "y": 100})
        page.click("#predict-btn")
        expect(page.locator("#result")).to_have_text("Not sure that is a digit")
        expect(page.locator("#best-guess")).to_be_empty()
        self.assert_the_row_wins(page, "#probabilities")
        expect(page.locator("#why")).to_be_hidden()

        page.click("#clear-btn")
        draw(page, 5)
        expect(winner(page)).to_have_attribute("data-digit", "5")
        expect(row).to_have_text(re.compile(r"not a digit\s+0\.\d%"))
        expect(winner(page, "#softmax")).to_have_text(re.compile("^5"))


def color(locator):
    return locator.evaluate("element => getComputedStyle(element).color")


class TestAway:
    """Item 7: while the network or the service is away the last state stays, and the page goes on by itself."""

    def test_offline_the_panels_stay_dimmed_and_follow_again_once_the_network_is_back(self, page, draw):
        draw(page, 5)
        expect(page.locator("#inside-status")).to_contain_text("So far it reads a 5")
        page.locator("#layers canvas").first.focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator("#unit")).to_be_visible()
        height = page.evaluate("document.documentElement.scrollHeight")
        page.context.set_offline(True)
        draw_strokes(page, [(40, 40), (40, 200)])
        status = page.locator("#inside-status")
        expect(status).to_contain_text("Connection Failed: ")
        expect(page.locator("#layers canvas").first).to_be_visible()
        expect(page.locator("#unit")).to_be_visible()
        assert abs(page.evaluate("document.documentElement.scrollHeight") - height) < 60
        for panel in ("#panel", "#inside-body"):
            expect(page.locator(panel)).to_have_attribute("aria-busy", "true")
        page.context.set_offline(False)
        expect(status).to_contain_text("So far it reads")
        for panel in ("#panel", "#inside-body"):
            expect(page.locator(panel)).to_have_attribute("aria-busy", "false")

    def test_while_the_service_is_away_a_drawing_gets_its_answer_without_another_click(self, page, draw):
        page.route("**/api/**", lambda route: route.fulfill(status=502))
        draw(page, 4)
        page.click("#predict-btn")
        expect(page.locator("#error")).to_contain_text("Connection Failed: ")
        page.unroute("**/api/**")
        expect(page.locator("#result")).to_have_text("Digit: 4")
        expect(page.locator("#error")).to_be_empty()
        expect(page.locator("#inside-status")).to_contain_text("So far it reads a 4")

    def test_an_error_goes_with_its_drawing(self, page, draw):
        page.route("**/api/predict*", lambda route: route.fulfill(status=422, json={"detail": "too many points"}))
        draw(page, 5)
        page.click("#predict-btn")
        expect(page.locator("#error")).to_have_text("Drawing Not Accepted: too many points")
        draw_strokes(page, BAR)
        expect(page.locator("#error")).to_be_empty()


class TestTeaching:
    """Item 8: a lesson teaches another digit unless the person chooses, and its effect is in view."""

    def test_the_label_is_the_likeliest_other_digit_and_a_new_drawing_resets_it(self, page, draw):
        label = page.locator("#lesson-label")
        with page.expect_response(lambda response: "predict" in response.url) as predicted:
            draw(page, 5)
            page.click("#predict-btn")
        probabilities = predicted.value.json()["probabilities"]
        other = sorted(range(10), key=lambda digit: -probabilities[digit])[1]
        expect(label).to_have_value(str(other))
        label.select_option("8")
        with page.expect_response("**/api/explain"):
            draw_strokes(page, [(190, 55), (200, 56)])  # the same drawing goes on
        expect(label).to_have_value("8")
        page.click("#clear-btn")
        draw(page, 1)
        expect(page.locator("#inside-status")).to_contain_text("So far it reads a 1")
        expect(label).not_to_have_value("8")
        expect(label).not_to_have_value("1")

    def test_the_copy_stands_beside_the_model(self, page, draw):
        draw(page, 5)
        expect(page.locator("#inside-status")).to_contain_text("So far it reads a 5")
        page.select_option("#lesson-label", "3")
        page.click("#ten-steps-btn")
        expect(page.locator("#lesson-before .winner")).to_have_attribute("data-digit", "5")
        expect(page.locator("#lesson-after .winner")).to_have_attribute("data-digit", "3")
        expect(page.locator("#lesson-status")).not_to_contain_text("The loss was 0.00")
