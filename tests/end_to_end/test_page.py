"""The real page in a real browser, before the real service and the model that it serves."""

import time

import numpy as np
import pytest
from digitnet.checkpoint import load, load_golden, load_snapshots
from digitnet.drawing import in_unit_range, picture_from_strokes
from digitnet.explaining import logit_gradients
from digitnet.teaching import Lesson, teach
from digitnet.units import Change, changed, look_at
from playwright.sync_api import expect
from stores.journal import open_journal


class Stack:
    """Page and service as processes of their own, so that one can be stopped without the other."""

    def __init__(self, service, api_port, page_port, models, journal):
        self.url, self.api = f"http://127.0.0.1:{page_port}", f"http://127.0.0.1:{api_port}"
        self._service, self._api_port, self._page_port = service, api_port, page_port
        self._journal = journal
        self._state = {"DOODLE_MODELS": models, "DOODLE_JOURNAL": self._journal}

    def start_page(self):
        return self._service("frontend", {"DOODLE_FRONTEND_PORT": self._page_port, "DOODLE_API_URL": self.api}, self.url)

    def start_api(self):
        return self._service("inference", {"DOODLE_PORT": self._api_port, **self._state}, f"{self.api}/healthz")

    def corrections(self):
        """What users said so far: what was answered, and what it was."""
        journal = open_journal(self._journal)
        try:
            return [(feedback.predicted_digit, feedback.actual_digit) for feedback in journal.feedback(100)]
        finally:
            journal.close()


@pytest.fixture(scope="module")
def make_stack(clone, service, free_port, tmp_path_factory):
    def make_stack(models=clone.models, journal=None):
        journal = journal or f"sqlite:///{tmp_path_factory.mktemp('journal') / 'journal.sqlite'}"
        return Stack(service, free_port(), free_port(), models, journal)

    return make_stack


@pytest.fixture(scope="module")
def url(make_stack):
    """The page's address, with everything running."""
    stack = make_stack()
    with stack.start_api(), stack.start_page():
        yield stack.url


@pytest.fixture
def page(url, new_page):
    page = new_page()
    page.goto(url)
    return page


def colour(locator):
    """The computed text colour as (red, green, blue)."""
    css = locator.evaluate_handle("element => getComputedStyle(element).color").json_value()
    return [int(float(part)) for part in css.removeprefix("rgb(").rstrip(")").split(",")]


def pixel(page, x, y):
    """What the canvas shows at a logical point."""
    return (
        page.locator("#doodle-canvas")
        .evaluate_handle(
            """(canvas, [x, y]) => Array.from(canvas.getContext("2d").getImageData(
            x * canvas.width / 280, y * canvas.height / 280, 1, 1).data.slice(0, 3))""",
            [x, y],
        )
        .json_value()
    )


@pytest.mark.parametrize("digit", [1, 4, 5, 7])
def test_draw_with_the_mouse_and_read_the_digit(page, draw, digit):
    draw(page, digit)
    page.click("#predict-btn")
    expect(page.locator("#result")).to_have_text(f"Digit: {digit}")
    expect(page.locator("#error")).to_be_empty()
    bars = page.locator("#probabilities [data-digit]")
    expect(bars).to_have_count(10)
    winner = page.locator(f'#probabilities [data-digit="{digit}"]')
    expect(winner).to_contain_text("%")
    shares = [text.split()[-1] for text in bars.all_inner_texts()]
    assert max(shares, key=lambda text: float(text.strip(">%"))) == shares[digit]
    expect(page.locator("#model-version")).not_to_be_empty()


def test_the_canvas_is_black_and_the_brush_is_yellow(page, draw):
    assert pixel(page, 140, 140) == [0, 0, 0]
    draw(page, 1)
    expect(page.locator("#placeholder")).to_be_hidden()
    red, green, blue = pixel(page, 139, 120)
    assert min(red, green) > 180
    assert blue < 80


def test_the_page_shows_the_28_by_28_picture_that_the_network_saw(page, draw):
    draw(page, 1)
    page.click("#predict-btn")
    expect(page.locator("#result")).to_have_text("Digit: 1")
    shown = (
        page.locator("#network-input")
        .evaluate_handle('canvas => [canvas.width, canvas.height, ...canvas.getContext("2d").getImageData(0, 0, 28, 28).data]')
        .json_value()
    )
    assert shown[:2] == [28, 28]
    levels = shown[2::4]
    rows = [max(levels[28 * y : 28 * y + 28]) for y in range(28)]
    assert 3 <= next(y for y, row in enumerate(rows) if row > 100) <= 6  # in the middle, wherever it was drawn
    assert sum(row > 100 for row in rows) == 20  # scaled to twenty pixels, however tall it was drawn


def test_clear_takes_drawing_and_answer_away(page, draw):
    draw(page, 5)
    page.click("#predict-btn")
    expect(page.locator("#result")).to_have_text("Digit: 5")
    page.click("#clear-btn")
    expect(page.locator("#result")).to_be_empty()
    expect(page.locator("#placeholder")).to_be_visible()
    assert pixel(page, 145, 118) == [0, 0, 0]
    draw(page, 7)
    page.click("#predict-btn")
    expect(page.locator("#result")).to_have_text("Digit: 7")


def test_an_empty_canvas_asks_for_a_drawing_and_is_no_error(page):
    page.click("#predict-btn")
    expect(page.locator("#result")).to_have_text("Draw a digit first.")
    expect(page.locator("#error")).to_be_empty()


def test_who_says_what_it_was_is_thanked_once_that_is_kept(make_stack, new_page, draw):
    stack, page = make_stack(), new_page()
    section, status = page.locator("#feedback-section"), page.locator("#feedback-status")
    with stack.start_page(), stack.start_api():
        page.goto(stack.url)
        expect(section).to_be_hidden()
        draw(page, 7)
        page.click("#predict-btn")
        expect(section.get_by_role("button", pressed=True)).to_have_text("7")
        section.get_by_role("button", name="1", exact=True).click()
        expect(section.get_by_role("button", pressed=True)).to_have_text("1")
        page.click("#feedback-btn")
        expect(status).to_have_text("Thank you! Your answer was saved.")
        assert stack.corrections() == [(7, 1)]
        expect(page.locator("#feedback-btn")).to_be_hidden()

        page.click("#predict-btn")
        section.get_by_role("button", name="Not a digit").click()
        page.click("#feedback-btn")
        expect(status).to_contain_text("Thank you")
        assert stack.corrections() == [(7, 1), (7, None)]
        page.click("#clear-btn")
        expect(section).to_be_hidden()


KEPT = "Saved on this device. It is sent as soon as the service takes it again."
THANKS = "Thank you! Your answer was saved."


def predict(page, draw, digit):
    draw(page, digit)
    page.click("#predict-btn")
    expect(page.locator("#feedback-section")).to_be_visible()


def test_feedback_to_a_service_that_has_stopped_is_kept_and_sent_when_it_is_back(make_stack, new_page, draw):
    stack, page = make_stack(), new_page()
    status = page.locator("#feedback-status")
    with stack.start_page():
        with stack.start_api():
            page.goto(stack.url)
            predict(page, draw, 4)
        page.click("#feedback-btn")
        expect(status).to_have_text(KEPT)
        expect(page.locator("#feedback-btn")).to_be_hidden()
        assert stack.corrections() == []
        with stack.start_api():  # its prediction is known to a service that was not there when it was answered
            page.evaluate("dispatchEvent(new Event('online'))")  # else it would be some seconds
            expect(status).to_have_text(THANKS)
            assert stack.corrections() == [(4, 4)]


def test_feedback_that_is_kept_outlives_the_page_and_arrives_once(make_stack, new_page, draw):
    stack, page = make_stack(), new_page()
    with stack.start_page():
        with stack.start_api():
            page.goto(stack.url)
            predict(page, draw, 7)
        page.locator("#feedback-choices").get_by_role("button", name="1", exact=True).click()
        page.click("#feedback-btn")
        expect(page.locator("#feedback-status")).to_have_text(KEPT)
        with page.expect_response("**/api/feedback") as answered:  # loaded again, the page tries at once
            page.reload()
        assert answered.value.status == 502
        assert stack.corrections() == []
        with stack.start_api():
            deadline = time.monotonic() + 15
            while page.evaluate("localStorage.length") > 0:  # it takes some seconds, and nobody's hand
                assert time.monotonic() < deadline
                page.wait_for_timeout(50)
            assert stack.corrections() == [(7, 1)]
            page.reload(wait_until="networkidle")
    assert stack.corrections() == [(7, 1)]


def test_while_redis_is_gone_feedback_waits_and_then_arrives_once(make_stack, new_page, new_redis, draw):
    redis = new_redis()
    stack, page = make_stack(journal=redis.url), new_page()
    try:
        redis.start()
        with stack.start_api(), stack.start_page():
            page.goto(stack.url)
            redis.kill()
            predict(page, draw, 4)  # it is answered all the same, and waits in the service's memory
            page.click("#feedback-btn")
            expect(page.locator("#feedback-status")).to_have_text(KEPT)
            redis.start()
            expect(page.locator("#feedback-status")).to_have_text(THANKS)
            assert stack.corrections() == [(4, 4)]
    finally:
        redis.kill()


def test_feedback_is_sent_again_when_the_service_said(url, new_page, draw):
    page = new_page()
    refused = []

    def refuse(route):
        refused.append(time.monotonic())
        route.fulfill(status=503, headers={"Retry-After": "1"}, json={"detail": "the feedback could not be kept"})

    page.route("**/api/feedback", refuse, times=2)
    page.goto(url)
    predict(page, draw, 5)
    page.click("#feedback-btn")
    expect(page.locator("#feedback-status")).to_have_text(KEPT)
    expect(page.locator("#feedback-status")).to_have_text(THANKS)
    assert refused[1] - refused[0] >= 1


def test_of_two_tabs_one_sends_what_is_kept(url, new_page, draw):
    page = new_page()
    page.route("**/api/feedback", lambda route: route.fulfill(status=503, headers={"Retry-After": "60"}), times=1)
    page.goto(url)
    other = page.context.new_page()
    other.goto(url)
    page.bring_to_front()
    predict(page, draw, 5)
    page.click("#feedback-btn")
    expect(page.locator("#feedback-status")).to_have_text(KEPT)

    on_their_way = []
    page.context.route("**/api/feedback", lambda route: on_their_way.append(route))
    for tab in (page, other):
        tab.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_timeout(300)
    assert len(on_their_way) == 1
    on_their_way[0].continue_()
    expect(page.locator("#feedback-status")).to_have_text(THANKS)


def test_kept_feedback_that_is_refused_in_the_end_is_told(url, new_page, draw):
    page = new_page()
    page.route("**/api/feedback", lambda route: route.fulfill(status=503, headers={"Retry-After": "1"}), times=1)
    page.goto(url)
    predict(page, draw, 5)
    page.click("#feedback-btn")
    expect(page.locator("#feedback-status")).to_have_text(KEPT)
    page.route("**/api/feedback", lambda route: route.fulfill(status=404, json={"detail": "there is no prediction"}))
    expect(page.locator("#feedback-status")).to_have_text("Not Found: there is no prediction")
    assert page.evaluate("localStorage.length") == 0


def test_where_the_browser_stores_nothing_feedback_is_kept_on_the_page(url, new_page, draw):
    page = new_page()
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })"
    )
    page.route("**/api/feedback", lambda route: route.fulfill(status=503, headers={"Retry-After": "1"}), times=1)
    page.goto(url)
    predict(page, draw, 5)
    page.click("#feedback-btn")
    expect(page.locator("#feedback-status")).to_contain_text("Kept as long as this page stays open.")
    expect(page.locator("#feedback-status")).to_have_text(THANKS)


def test_the_form_fields_of_older_pages_work_too(page, draw):
    draw(page, 5)
    page.click("#predict-btn")
    expect(page.locator("#feedback-section")).to_be_visible()
    page.locator("#actual-digit").select_option("3")
    expect(page.locator("#feedback-choices").get_by_role("button", pressed=True)).to_have_text("3")
    page.click("#feedback-btn")
    expect(page.locator("#feedback-status")).to_contain_text("Thank you")


def test_the_api_stops_and_comes_back(make_stack, new_page, draw):
    stack, page = make_stack(), new_page()
    with stack.start_page():
        with stack.start_api():
            page.goto(stack.url)
            draw(page, 4)
            page.click("#predict-btn")
            expect(page.locator("#result")).to_have_text("Digit: 4")
        page.click("#predict-btn")
        error = page.locator("#error")
        expect(error).to_contain_text("Connection Failed: ")
        red, green, blue = colour(error)
        assert red > 150
        assert max(green, blue) < 80
        expect(page.locator("#result")).to_be_empty()
        with stack.start_api():  # the page tries again by itself
            expect(page.locator("#result")).to_have_text("Digit: 4")
            expect(error).to_be_empty()


def test_the_page_s_own_server_stops_too(make_stack, new_page, draw):
    stack, page = make_stack(), new_page()
    with stack.start_page():
        page.goto(stack.url)
    draw(page, 4)
    page.click("#predict-btn")
    expect(page.locator("#error")).to_contain_text("Connection Failed: ")


def test_without_a_model_the_page_says_so(make_stack, tmp_path, new_page, draw):
    stack, page = make_stack(models=tmp_path / "none"), new_page()
    with stack.start_api(), stack.start_page():
        page.goto(stack.url)
        draw(page, 4)
        page.click("#predict-btn")
        expect(page.locator("#error")).to_contain_text("there is no model")


@pytest.mark.parametrize("pause", [0.0, 0.016], ids=["a flick", "a stroke"])
def test_a_finger_draws_without_scrolling_the_page_and_then_taps_the_button(url, new_page, pause):
    page = new_page(viewport={"width": 360, "height": 500}, has_touch=True, is_mobile=True, device_scale_factor=2)
    page.goto(url)
    box = page.locator("#doodle-canvas").bounding_box()
    devtools = page.context.new_cdp_session(page)

    def finger(kind, *points):
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    x, top = box["x"] + box["width"] / 2, box["y"] + 0.2 * box["height"]
    finger("touchStart", (x, top))
    for step in range(1, 31):
        finger("touchMove", (x, top + step / 30 * 0.6 * box["height"]))
        time.sleep(pause)
    finger("touchEnd")
    assert page.evaluate_handle("window.scrollY").json_value() == 0
    page.locator("#predict-btn").tap()
    expect(page.locator("#result")).to_have_text("Digit: 1")
    assert page.evaluate_handle("document.documentElement.scrollWidth").json_value() <= 360


def test_the_keyboard_alone_is_enough(page):
    page.locator("#doodle-canvas").focus()
    keyboard = page.keyboard
    for _ in range(10):
        keyboard.press("ArrowUp")
    keyboard.press("Space")
    for _ in range(20):
        keyboard.press("ArrowDown")
    keyboard.press("Space")
    keyboard.press("Enter")
    expect(page.locator("#result")).to_have_text("Digit: 1")
    keyboard.press("Escape")
    expect(page.locator("#result")).to_be_empty()
    keyboard.press("Tab")
    expect(page.locator("#predict-btn")).to_be_focused()


def draw_a_five_and_wait(page, draw):
    """Return the answer to the whole drawing, once the page shows it: earlier answers are to parts of the drawing."""

    def is_of_the_whole(response):
        if not response.url.endswith("/api/explain"):
            return False
        return response.request.post_data_json["strokes"][-1][-1] == pytest.approx([82, 215], abs=1)

    with page.expect_response(is_of_the_whole) as answered:
        draw(page, 5)
    answer = answered.value.json()
    shown = "logit => Number(document.querySelector('#softmax tr')?.dataset.logit) === logit"
    page.wait_for_function(shown, arg=answer["logits"][0])
    return answer


class TestInside:
    """The panel that looks inside, fed while the pen moves."""

    @pytest.fixture
    def explained(self, page, draw):
        """The page after a 5 was drawn and nothing pressed, and the answer to the whole drawing."""
        return page, draw_a_five_and_wait(page, draw)

    def test_it_reads_while_the_pen_moves_and_answers_only_who_asks(self, explained):
        page, _ = explained
        expect(page.locator("#probabilities .winner")).to_have_attribute("data-digit", "5")
        expect(page.locator("#result")).to_be_empty()

    def test_its_numbers_are_digitnet_s(self, explained, clone):
        page, answer = explained
        network, card = load(clone.folder / "artifacts" / "model")
        picture = np.array(answer["input"], np.float32)
        logits = network.predict_logits(picture[None])[0]
        (probabilities,), (no_digit,) = network.read(picture[None], card["temperature"])
        rows = page.locator("#softmax tr")
        expect(rows).to_have_count(11)
        shown = [[float(row.get_attribute(f"data-{name}")) for name in ("logit", "probability")] for row in rows.all()]
        np.testing.assert_allclose([logit for logit, _ in shown], logits, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose([probability for _, probability in shown], [*probabilities, no_digit], atol=1e-5)

        rival = int(page.locator("#rival").input_value())
        gradients = logit_gradients(network, picture)
        says = (gradients[5] - gradients[rival]) * picture
        evidence = page.locator("#evidence")
        found = [float(evidence.get_attribute(f"data-{name}")) for name in ("for", "against", "lead")]
        np.testing.assert_allclose(found, [says[says > 0].sum(), says[says < 0].sum(), logits[5] - logits[rival]], rtol=1e-4)

    def test_every_layer_is_drawn(self, explained):
        page, answer = explained
        seen = [layer for layer in answer["layers"] if layer["name"] not in ("flatten", "dropout")]
        canvases = page.locator("#layers canvas")
        expect(canvases).to_have_count(len(seen))
        lit = canvases.evaluate_all(
            """canvases => canvases.map(canvas => {
                 const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                 return data.some((value, i) => i % 4 < 3 && value > 60);
               })"""
        )
        assert all(lit)

    def test_why_not_a_9_shows_other_ink(self, explained):
        page, _ = explained
        saliency = "() => document.querySelector('#saliency').toDataURL()"
        before = page.evaluate(saliency)
        page.select_option("#rival", "9")
        expect(page.locator("#evidence")).to_contain_text("blue ink for the 9")
        assert page.evaluate(saliency) != before

    def test_taking_the_ink_away_checks_the_gradients(self, explained):
        page, _ = explained
        expect(page.locator("#occlusion-check")).to_be_hidden()
        page.click("#check-btn")
        expect(page.locator("#occlusion-check")).to_be_visible()
        lit = page.evaluate(
            """() => Array.from(document.querySelector("#occlusion").getContext("2d").getImageData(0, 0, 28, 28).data)
                 .filter((value, i) => i % 4 === 0 && value > 60).length"""
        )
        assert lit > 20
        page.select_option("#rival", "0")
        expect(page.locator("#occlusion-check")).to_be_visible()

    def test_clear_empties_it(self, explained):
        page, _ = explained
        page.click("#clear-btn")
        expect(page.locator("#inside-status")).to_have_text("Draw, and watch it think.")
        expect(page.locator("#inside-body")).to_be_hidden()

    def test_closed_it_asks_nothing(self, page, draw):
        asked = []
        page.on("request", lambda request: asked.append(request.url) if "explain" in request.url else None)
        page.click("#inside summary")
        draw(page, 1)
        page.click("#predict-btn")
        expect(page.locator("#result")).to_have_text("Digit: 1")
        assert asked == []
        page.click("#inside summary")
        expect(page.locator("#inside-status")).to_contain_text("So far it reads a 1")

    def test_by_keyboard_it_reads_along_too(self, page):
        page.focus("#doodle-canvas")
        page.keyboard.press("Space")
        for _ in range(6):
            page.keyboard.press("ArrowDown")
        expect(page.locator("#inside-body")).to_be_visible()

    def test_a_service_without_it_leaves_the_rest_as_it_is(self, page, draw):
        page.route("**/api/explain", lambda route: route.fulfill(status=404, json={"detail": "Not Found"}))
        draw(page, 7)
        expect(page.locator("#inside-status")).to_contain_text("Not Found")
        page.click("#predict-btn")
        expect(page.locator("#result")).to_have_text("Digit: 7")

    def test_ten_steps_and_a_copy_has_learnt_what_it_was_told(self, explained, clone):
        page, answer = explained
        page.select_option("#lesson-label", "3")
        expect(page.locator("#lesson-rate-value")).to_have_text("0.001")
        page.click("#step-btn")
        status = page.locator("#lesson-status")
        expect(status).to_contain_text("After 1 lesson the copy reads")
        page.click("#ten-steps-btn")
        expect(status).to_contain_text("After 11 lessons the copy reads a 3")
        expect(status).to_contain_text("The model reads a 5")

        network, _ = load(clone.folder / "artifacts" / "model")
        taught = teach(network, np.array(answer["input"], np.float32), [Lesson(3, 0.001)] * 11)
        assert float(status.get_attribute("data-loss")) == pytest.approx(taught.losses[-1], rel=1e-5)
        assert len(page.locator("#lesson-curve").get_attribute("points").split()) == 11
        page.click("#lesson-results summary")
        expect(page.locator("#lesson-layers canvas").first).to_be_visible()
        expect(page.locator("#lesson-layers figcaption").first).to_contain_text("Gradient at Dense: 11 units")

        page.click("#predict-btn")
        expect(page.locator("#result")).to_have_text("Digit: 5")

    def test_what_it_learns_of_one_drawing_it_forgets_of_others(self, explained, clone):
        page, answer = explained
        page.select_option("#lesson-label", "3")
        page.click("#ten-steps-btn")
        expect(page.locator("#lesson-status")).to_contain_text("After 10 lessons")
        network, _ = load(clone.folder / "artifacts" / "model")
        golden = in_unit_range(load_golden(clone.folder / "artifacts" / "model").pictures)
        pupil = teach(network, np.array(answer["input"], np.float32), [Lesson(3, 0.001)] * 10).pupil
        answers = [reader.read(golden)[0].argmax(axis=1) for reader in (network, pupil)]
        shown = page.locator("#known-digits li")
        expect(shown).to_have_count(len(golden))
        for item, before, after in zip(shown.all(), *answers):
            assert item.inner_text() in (str(after), "–")  # which is no digit to it
            assert (item.get_attribute("class") == "forgotten") == (item.inner_text() != str(before))
        kept = int(page.locator("#forgotten").get_attribute("data-kept"))
        assert kept == page.locator("#known-digits li:not(.forgotten)").count() < len(golden)

    def test_another_stroke_and_a_new_pupil(self, explained, draw):
        page, _ = explained
        page.click("#step-btn")
        expect(page.locator("#lesson-status")).to_contain_text("After 1 lesson")
        draw(page, 1)
        expect(page.locator("#lesson-status")).to_be_empty()
        expect(page.locator("#lesson-results")).to_be_hidden()


class TestUnits:
    """One number of a layer: where it looks, what it adds up, and what happens without it."""

    @pytest.fixture
    def drawn(self, page, draw):
        draw_a_five_and_wait(page, draw)
        return page

    @pytest.fixture
    def network(self, clone):
        return load(clone.folder / "artifacts" / "model")[0]

    @pytest.fixture
    def picture(self, drawn):
        """The drawing, as the network read it: from the page's own canvas, in 256 greys."""
        pixels = drawn.evaluate(
            "() => Array.from(document.querySelector('#network-input').getContext('2d').getImageData(0, 0, 28, 28).data)"
        )
        return np.array(pixels[::4], np.float32).reshape(28, 28) / 255

    def seen(self, page):
        panel = page.locator("#unit")
        expect(panel).to_be_visible()
        place = tuple(int(at) for at in panel.get_attribute("data-place").split(","))
        return int(panel.get_attribute("data-layer")), place, float(panel.get_attribute("data-value"))

    def hover(self, page, layer, x, y):
        canvas = page.locator("#layers canvas").nth(layer)
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
        return canvas

    def test_pointed_at_it_says_how_it_came_about(self, drawn, network, picture):
        self.hover(drawn, 0, 0.145, 0.3)
        layer, place, value = self.seen(drawn)
        assert (layer, place[0]) == (0, 2)  # the third map of the first row
        unit = look_at(network, picture, layer, place)
        assert value == pytest.approx(unit.value, abs=0.02)  # the page's canvas has 256 greys
        assert float(drawn.locator("#unit").get_attribute("data-bias")) == pytest.approx(unit.bias, abs=1e-5)
        expect(drawn.locator("#unit-title")).to_have_text(f"Filter 2, at row {place[1]}, column {place[2]}")
        expect(drawn.locator("#unit-arithmetic")).to_contain_text("of bias = ")

    def test_its_numbers_are_digitnet_s(self, drawn, network):
        with drawn.expect_response("**/api/unit") as answered:
            self.hover(drawn, 0, 0.02, 0.2)
        asked = answered.value.request.post_data_json
        picture = picture_from_strokes(asked["strokes"], asked["brush"])
        answered.value.finished()
        expect(drawn.locator("#unit")).to_have_attribute("data-place", ",".join(map(str, asked["place"])))
        _, place, value = self.seen(drawn)
        assert value == pytest.approx(look_at(network, picture, 0, place).value, abs=1e-5)

    def test_a_click_keeps_it_and_close_lets_it_go(self, drawn):
        self.hover(drawn, 0, 0.02, 0.2)
        self.seen(drawn)
        drawn.mouse.down()
        drawn.mouse.up()
        kept = self.seen(drawn)
        self.hover(drawn, 1, 0.9, 0.9)
        drawn.wait_for_load_state("networkidle")
        assert self.seen(drawn) == kept
        drawn.click("#unit-close")
        expect(drawn.locator("#unit")).to_be_hidden()

    def test_by_keyboard_arrows_go_from_number_to_number(self, drawn):
        drawn.locator("#layers canvas").first.focus()
        drawn.keyboard.press("ArrowRight")
        expect(drawn.locator("#unit")).to_have_attribute("data-place", "0,0,0")
        for key, place in (("ArrowRight", "0,0,1"), ("ArrowDown", "0,1,1"), ("ArrowLeft", "0,1,0"), ("ArrowUp", "0,0,0")):
            drawn.keyboard.press(key)
            expect(drawn.locator("#unit")).to_have_attribute("data-place", place)

    def test_it_follows_the_drawing(self, drawn, draw):
        drawn.locator("#layers canvas").last.focus()
        drawn.keyboard.press("ArrowRight")
        _, place, before = self.seen(drawn)
        draw(drawn, 1)
        expect(drawn.locator("#unit")).not_to_have_attribute("data-value", str(before))
        assert self.seen(drawn)[1] == place

    def test_switched_off_the_copy_reads_otherwise_and_predict_does_not(self, drawn, network):
        canvases = drawn.locator("#layers canvas")
        canvases.last.focus()  # the logits
        for _ in range(6):
            drawn.keyboard.press("ArrowRight")  # to that of the 5
        expect(drawn.locator("#unit")).to_have_attribute("data-place", "5")
        drawn.click("#unit-off")
        expect(drawn.locator("#changes")).to_contain_text("1 unit is off")
        expect(drawn.locator("#unit-arithmetic")).to_have_text("It is off: its weights and its bias are zero.")
        expect(drawn.locator("#softmax tr:nth-child(6)")).to_have_attribute("data-logit", "0")
        drawn.fill("#unit-which", "3")
        drawn.fill("#unit-value", "2.5")
        drawn.keyboard.press("Enter")
        expect(drawn.locator("#changes")).to_contain_text("1 unit is off, and 1 weight is edited")
        drawn.click("#predict-btn")
        expect(drawn.locator("#result")).to_have_text("Digit: 5")
        drawn.click("#undo-btn")
        expect(drawn.locator("#inside-status")).to_contain_text("So far it reads a 5")
        expect(drawn.locator("#changes")).to_be_empty()

    def test_an_edited_weight_is_the_one_that_digitnet_edits(self, drawn, network):
        drawn.locator("#layers canvas").last.focus()
        drawn.keyboard.press("ArrowRight")
        expect(drawn.locator("#unit")).to_have_attribute("data-place", "0")
        drawn.fill("#unit-which", "3")
        drawn.fill("#unit-value", "2.5")
        with drawn.expect_response("**/api/explain") as answered:
            drawn.keyboard.press("Enter")
        asked = answered.value.request.post_data_json
        picture = picture_from_strokes(asked["strokes"], asked["brush"])
        last = len(network.layers) - 1
        expected = changed(network, [Change(last, 0, 3, 2.5)]).predict_logits(picture[None])[0, 0]
        expect(drawn.locator("#inside-status")).to_contain_text("With your changes")
        shown = float(drawn.locator("#softmax tr").first.get_attribute("data-logit"))
        assert shown == pytest.approx(expected, rel=1e-5, abs=1e-5)


class TestTimeline:
    """The moments of the model's training, and what it made of the drawing then."""

    @pytest.fixture
    def opened(self, page, draw):
        draw(page, 5)
        expect(page.locator("#inside-status")).to_contain_text("So far it reads a 5")
        page.click("#timeline > summary")
        expect(page.locator("#moment-readings button").first).to_be_visible()
        return page

    @pytest.fixture
    def kept(self, clone):
        folder = clone.folder / "artifacts" / "model"
        network, card = load(folder)
        return network, card, load_snapshots(folder, network, card)

    @pytest.fixture
    def picture(self, opened):
        """The drawing, as the network reads it: opened again the page asks for it once more."""
        opened.wait_for_load_state("networkidle")
        with opened.expect_response("**/api/snapshots") as answered:
            opened.click("#timeline > summary")
            opened.click("#timeline > summary")
        asked = answered.value.request.post_data_json
        return picture_from_strokes(asked["strokes"], asked["brush"])

    def test_scrubbing_reads_the_drawing_at_each_moment(self, opened, kept, picture):
        network, card, snapshots = kept
        buttons = opened.locator("#moment-readings button")
        expect(buttons).to_have_count(len(snapshots))
        for moment in range(len(snapshots)):
            (probabilities,), _ = snapshots.network(moment, network).read(picture[None], card["temperature"])
            shown = buttons.nth(moment)
            assert int(shown.get_attribute("data-digit")) == probabilities.argmax()
            assert float(shown.get_attribute("data-probability")) == pytest.approx(probabilities.max(), abs=1e-5)
            opened.fill("#moment", str(moment))
            expect(shown).to_have_attribute("aria-pressed", "true")
            expect(opened.locator("#moment-words")).to_contain_text(
                f"{snapshots.step[moment]:,}" if moment else "Before the first step"
            )
            expect(opened.locator("#moment-measured")).to_contain_text(
                f"{100 * snapshots.validation_accuracy[moment]:.2f}% right"
            )
        expect(opened.locator("#moment-reading")).to_contain_text("Its answer to your drawing: a 5")

    def test_the_map_has_the_drawing_where_digitnet_puts_it(self, opened, kept, picture):
        network, _, snapshots = kept
        for moment in (2, len(snapshots) - 1):
            opened.fill("#moment", str(moment))
            expected = snapshots.plane(moment).place(snapshots.network(moment, network).predict_features(picture[None]))[0]
            ring = opened.locator("#map .drawing")
            np.testing.assert_allclose([float(ring.get_attribute(f"data-{axis}")) for axis in "xy"], expected, atol=1e-5)
            digits = opened.locator("#map text")
            expect(digits).to_have_count(snapshots.mapped.size)
            shown = digits.evaluate_all("all => all.map(({ dataset }) => [dataset.digit, dataset.x, dataset.y].map(Number))")
            np.testing.assert_allclose(shown, np.column_stack([snapshots.mapped, snapshots.map_points[moment]]), atol=1e-5)

    def test_filters_and_measures_are_those_of_the_moment(self, opened):
        filters = "() => document.querySelector('#moment-filters').toDataURL()"
        opened.fill("#moment", "0")
        first, rows = opened.evaluate(filters), opened.locator("#moment-layers tr").all_inner_texts()
        opened.fill("#moment", "10")
        assert opened.evaluate(filters) != first
        assert opened.locator("#moment-layers tr").all_inner_texts() != rows

    def test_it_plays_and_pauses(self, opened):
        opened.click("#play-btn")
        expect(opened.locator("#moment-words")).to_have_text("Before the first step: weights drawn by chance")
        expect(opened.locator("#moment-words")).to_contain_text("After 10 of")
        opened.click("#play-btn")
        expect(opened.locator("#play-btn")).to_have_text("Play")

    def test_another_drawing_is_read_anew_and_an_empty_canvas_by_nobody(self, opened, draw):
        opened.click("#clear-btn")
        expect(opened.locator("#moment-readings button")).to_have_count(0)
        draw(opened, 1)
        expect(opened.locator("#moment-readings button").last).to_have_text("1")

    def test_a_model_without_snapshots_says_so(self, page, draw):
        page.route("**/api/snapshots", lambda route: route.fulfill(status=404, json={"detail": "none"}))
        draw(page, 5)
        page.click("#timeline > summary")
        expect(page.locator("#timeline-status")).to_contain_text("No snapshots were kept")
        expect(page.locator("#timeline-body")).to_be_hidden()

    def test_closed_it_asks_nothing(self, page, draw):
        asked = []
        page.on("request", lambda request: asked.append(request.url) if "snapshots" in request.url else None)
        draw(page, 5)
        expect(page.locator("#inside-status")).to_contain_text("So far it reads a 5")
        assert asked == []


def test_the_page_is_light_and_there_at_once(url, new_page):
    """Its weight, in bytes over the wire. (How soon it paints a benchmark may say; here it is 0.2 to 0.3 s.)"""
    page = new_page()
    page.goto(url, wait_until="networkidle")
    sizes = "() => performance.getEntries().reduce((sum, entry) => sum + (entry.transferSize ?? 0), 0)"
    assert 10_000 < page.evaluate(sizes) < 300_000
