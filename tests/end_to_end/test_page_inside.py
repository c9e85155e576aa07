"""The inspector on the real page shows digitnet's numbers, and its controls work."""

import numpy as np
import pytest
from digitnet.checkpoint import load, load_golden, load_snapshots
from digitnet.decision import Decision
from digitnet.images.normalize import in_unit_range
from digitnet.images.strokes import image_from_strokes
from digitnet.inspect.edits import Edit, with_edits
from digitnet.inspect.explanations import logit_gradients
from digitnet.inspect.training_steps import TrainingStep, train_on_image
from digitnet.inspect.units import inspect_unit
from playwright.sync_api import expect

READS_A_5 = "So far it reads a 5"


@pytest.fixture(scope="module")
def folder(pytestconfig):
    return pytestconfig.rootpath / "artifacts" / "model"


@pytest.fixture(scope="module")
def model(folder):
    """Return the network and its card."""
    return load(folder)


@pytest.fixture
def drawn(page, draw):
    """Draw a 5; return the page and the explanation that it shows."""

    def is_complete(response):
        if not response.url.endswith("/api/explain?number=true"):
            return False
        return response.request.post_data_json["strokes"][-1][-1] == pytest.approx([82, 215], abs=1)

    with page.expect_response(is_complete) as answered:
        draw(page, 5)
    answer = answered.value.json()
    shown = "logit => Number(document.querySelector('#softmax tr')?.dataset.logit) === logit"
    page.wait_for_function(shown, arg=answer["logits"][0])
    return page, answer


def numbers(locator, *names):
    return [float(locator.get_attribute(f"data-{name}")) for name in names]


def image_of(response):
    """Return the network's image of the request's drawing."""
    asked = response.request.post_data_json
    return image_from_strokes(asked["strokes"], asked["brush"])


def choose(page, layer, keys, place):
    """Choose a unit by keyboard."""
    page.locator("#layers canvas").nth(layer).focus()
    for key in keys:
        page.keyboard.press(key)
    expect(page.locator("#unit")).to_have_attribute("data-place", place)


def test_shows_digitnet_s_numbers_while_drawing(drawn, model):
    (page, answer), (network, card) = drawn, model
    expect(page.locator("#probabilities .winner")).to_have_attribute("data-digit", "5")
    expect(page.locator("#result")).to_be_empty()

    image = np.array(answer["input"], np.float32)
    logits = network.predict_logits(image[None])[0]
    (probabilities,), (no_digit,), _ = Decision.of(card).predictions(logits[None], image[None])
    rows = page.locator("#softmax tr")
    expect(rows).to_have_count(11)
    shown = np.array([numbers(row, "logit", "probability") for row in rows.all()])
    np.testing.assert_allclose(shown[:, 0], logits, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(shown[:, 1], [*probabilities, no_digit], atol=1e-5)

    rival, gradients = int(page.locator("#rival").input_value()), logit_gradients(network, image)
    evidence = (gradients[5] - gradients[rival]) * image
    expected = [evidence[evidence > 0].sum(), evidence[evidence < 0].sum(), logits[5] - logits[rival]]
    np.testing.assert_allclose(numbers(page.locator("#evidence"), "for", "against", "lead"), expected, rtol=1e-4)

    # Every layer is visible and not empty.
    lit = """canvases => canvases.map(canvas => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return data.filter((value, i) => i % 4 < 3 && value > 60).length; })"""
    seen = [layer for layer in answer["layers"] if layer["name"] not in ("flatten", "dropout")]
    counts = page.locator("#layers canvas").evaluate_all(lit)
    assert len(counts) == len(seen)
    assert min(counts) > 0

    # Occlusion checks the gradients; another rival has other evidence.
    page.click("#check-btn")
    expect(page.locator("#occlusion-check")).to_be_visible()
    assert page.locator("#occlusion").evaluate_all(lit)[0] > 20
    saliency = "() => document.querySelector('#saliency').toDataURL()"
    before = page.evaluate(saliency)
    other = "0" if rival == 9 else "9"
    page.select_option("#rival", other)
    expect(page.locator("#evidence")).to_contain_text(f"over {other}, blue ink")
    assert page.evaluate(saliency) != before


def test_a_copy_learns_a_label_and_forgets_others(drawn, model, folder, draw):
    (page, answer), (network, _) = drawn, model
    label, status = page.locator("#lesson-label"), page.locator("#lesson-status")
    likeliest = np.argsort(answer["probabilities"])
    expect(label).to_have_value(str(likeliest[-2]))  # training on the model's own answer would change little
    label.select_option("3")
    page.click("#step-btn")
    expect(status).to_contain_text("After 1 step the copy reads")
    page.click("#ten-steps-btn")
    expect(status).to_contain_text("After 11 steps the copy reads a 3")
    expect(status).to_contain_text("The model reads a 5")
    for side, digit in (("before", "5"), ("after", "3")):
        expect(page.locator(f"#lesson-{side} .winner")).to_have_attribute("data-digit", digit)

    result = train_on_image(network, np.array(answer["input"], np.float32), [TrainingStep(3, 0.001)] * 11)
    assert numbers(status, "loss") == pytest.approx([result.losses[-1]], rel=1e-5)
    assert len(page.locator("#lesson-curve").get_attribute("points").split()) == 11
    golden = in_unit_range(load_golden(folder).images)
    answers = [reader.predict_logits(golden)[:, :10].argmax(axis=1) for reader in (network, result.network)]
    shown = page.locator("#known-digits li")
    expect(shown).to_have_count(len(golden))
    for item, before, after in zip(shown.all(), *answers):
        assert item.inner_text() in (str(after), "–")  # "–": no digit
        assert (item.get_attribute("class") == "forgotten") == (item.inner_text() != str(before))
    kept = page.locator("#known-digits li:not(.forgotten)").count()
    assert numbers(page.locator("#forgotten"), "kept") == [kept]
    assert kept < len(golden)
    page.click("#lesson-results summary")
    expect(page.locator("#lesson-layers canvas").first).to_be_visible()
    expect(page.locator("#lesson-layers figcaption").first).to_contain_text("Gradient at Dense: 11 units")

    page.click("#predict-btn")
    expect(page.locator("#result")).to_have_text("Digit: 5")
    draw(page, 1)  # another drawing gets a new copy; the label stays
    expect(status).to_be_empty()
    expect(page.locator("#lesson-results")).to_be_hidden()
    expect(label).to_have_value("3")


def test_a_unit_shows_its_arithmetic(drawn, model, draw):
    (page, _), (network, _) = drawn, model
    panel = page.locator("#unit")

    def hover(layer, x, y):
        canvas = page.locator("#layers canvas").nth(layer)
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)

    with page.expect_response("**/api/unit") as answered:
        hover(0, 0.145, 0.3)
    place = answered.value.request.post_data_json["place"]
    assert place[0] == 2  # the third map of the first row
    unit = inspect_unit(network, image_of(answered.value), 0, tuple(place))
    expect(panel).to_have_attribute("data-place", ",".join(map(str, place)))
    assert numbers(panel, "layer", "value", "bias") == pytest.approx([0, unit.value, unit.bias], abs=1e-5)
    expect(page.locator("#unit-title")).to_have_text(f"Filter 2, at row {place[1]}, column {place[2]}")
    expect(page.locator("#unit-arithmetic")).to_contain_text("+ bias ")

    page.mouse.down()  # a click keeps the unit
    page.mouse.up()
    hover(1, 0.9, 0.9)
    page.evaluate("async () => { await fetch('api/healthz'); await new Promise(requestAnimationFrame); }")  # long enough
    expect(panel).to_have_attribute("data-place", ",".join(map(str, place)))
    page.click("#unit-close")
    expect(panel).to_be_hidden()

    choose(page, 0, ["ArrowRight", "ArrowRight", "ArrowDown"], "0,1,1")
    choose(page, 0, ["ArrowLeft", "ArrowUp"], "0,0,0")
    choose(page, page.locator("#layers canvas").count() - 1, ["ArrowRight"], "0")
    expect(panel).to_have_attribute("data-layer", str(len(network.layers) - 1))
    before = panel.get_attribute("data-value")
    draw(page, 1)
    expect(panel).not_to_have_attribute("data-value", before)
    expect(panel).to_have_attribute("data-place", "0")


def test_an_edited_copy_is_marked_and_the_served_network_is_unchanged(drawn, model, draw):
    (page, _), (network, _) = drawn, model
    status, last = page.locator("#inside-status"), page.locator("#layers canvas").count() - 1
    badges = page.locator("#inside").get_by_text("edited copy", exact=True)
    choose(page, last, ["ArrowRight"] * 6, "5")
    page.click("#unit-off")
    expect(page.locator("#changes")).to_contain_text("1 unit is off")
    expect(page.locator("#unit-arithmetic")).to_have_text("It is off: its weights and its bias are zero.")
    expect(page.locator("#softmax tr:nth-child(6)")).to_have_attribute("data-logit", "0")
    page.click("#undo-btn")
    expect(status).to_contain_text(READS_A_5)
    expect(page.locator("#changes")).to_be_empty()

    choose(page, last, ["ArrowLeft"] * 2, "3")
    page.fill("#unit-which", "3")
    page.fill("#unit-value", "1000")
    with page.expect_response("**/api/explain") as answered:
        page.keyboard.press("Enter")
    expect(status).to_contain_text("With your changes")
    copy = with_edits(network, [Edit(len(network.layers) - 1, 3, 3, 1000.0)])
    (expected,) = copy.predict_logits(image_of(answered.value)[None])
    assert numbers(page.locator("#softmax tr").nth(3), "logit") == pytest.approx([expected[3]], rel=1e-5, abs=1e-5)

    for panel in ("#saliency", ".softmax", "#layers", "#unit"):
        page.locator(panel).scroll_into_view_if_needed()
        expect(page.locator("#undo-btn")).to_be_in_viewport(ratio=1)
    expect(badges).to_have_count(4)
    for badge in badges.all():
        expect(badge).to_be_visible()
    page.click("#predict-btn")
    expect(page.locator("#result")).to_have_text("Digit: 5")
    page.click("#clear-btn")
    draw(page, 5)
    expect(status).to_contain_text("With your changes")
    expect(page.locator("#probabilities .winner")).to_have_attribute("data-digit", "5")
    page.click("#undo-btn")
    expect(status).to_contain_text(READS_A_5)
    for badge in badges.all():
        expect(badge).to_be_hidden()


def test_timeline_predicts_at_each_snapshot(drawn, model, folder):
    (page, _), (network, card) = drawn, model
    snapshots = load_snapshots(folder, network, card)
    buttons = page.locator("#moment-readings button")
    with page.expect_response(lambda response: response.request.method == "POST" and "snapshots" in response.url) as answered:
        page.click("#timeline > summary")
    expect(buttons).to_have_count(len(snapshots))
    image = image_of(answered.value)

    filters, tables = set(), set()
    for index in (0, 2, len(snapshots) - 1):
        then = snapshots.network(index, network)
        (probabilities,) = Decision.of(card).probabilities(then.predict_logits(image[None]))
        assert numbers(buttons.nth(index), "digit", "probability") == [
            probabilities.argmax(),
            pytest.approx(probabilities.max(), abs=1e-5),
        ]
        page.fill("#moment", str(index))
        expect(buttons.nth(index)).to_have_attribute("aria-pressed", "true")
        when = f"{snapshots.step[index]:,}" if index else "Before the first step"
        expect(page.locator("#moment-words")).to_contain_text(when)
        accuracy = f"Validation accuracy: {100 * snapshots.validation_accuracy[index]:.2f}%"
        expect(page.locator("#moment-measured")).to_contain_text(accuracy)

        # The map places drawing and digits as digitnet does.
        (place,) = snapshots.plane(index).place(then.predict_features(image[None]))
        np.testing.assert_allclose(numbers(page.locator("#map .drawing"), "x", "y"), place, atol=1e-5)
        digits = page.locator("#map text").evaluate_all(
            "all => all.map(({ dataset }) => [dataset.digit, dataset.x, dataset.y].map(Number))"
        )
        np.testing.assert_allclose(digits, np.column_stack([snapshots.mapped, snapshots.map_points[index]]), atol=1e-5)
        filters.add(page.evaluate("() => document.querySelector('#moment-filters').toDataURL()"))
        tables.add(page.locator("#moment-layers").inner_text())
    assert (len(filters), len(tables)) == (3, 3)
    expect(page.locator("#moment-reading")).to_contain_text("Prediction for your drawing: a 5")

    page.click("#play-btn")
    expect(page.locator("#moment-words")).to_have_text("Before the first step: random weights")
    expect(page.locator("#moment-words")).to_contain_text("After ")
    page.click("#play-btn")
    expect(page.locator("#play-btn")).to_have_text("Play")
    page.click("#clear-btn")
    expect(buttons).to_have_count(0)


def test_works_without_snapshots_and_explanations(drawn, draw):
    page, _ = drawn
    page.route("**/api/snapshots", lambda route: route.fulfill(status=404, json={"detail": "none"}))
    page.click("#timeline > summary")
    expect(page.locator("#timeline-status")).to_contain_text("no snapshots")
    expect(page.locator("#timeline-body")).to_be_hidden()

    page.route("**/api/explain*", lambda route: route.fulfill(status=404, json={"detail": "Not Found"}))
    page.click("#clear-btn")
    draw(page, 7)
    expect(page.locator("#inside-status")).to_contain_text("Not Found")
    page.click("#predict-btn")
    expect(page.locator("#result")).to_have_text("Digit: 7")
