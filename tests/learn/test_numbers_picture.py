"""The figure of chapter 9 has digitnet's candidates, and finds its paths."""

import json
from pathlib import Path

import numpy as np
from digitnet.checkpoint import load
from digitnet.decision import Decision
from digitnet.images import segment
from digitnet.images.pieces import lines_from_strokes
from playwright.sync_api import expect

MODEL = Path(__file__).parents[2] / "artifacts" / "model"
EXAMPLES = "import('./js/numbers-examples.js').then(({ EXAMPLES }) => EXAMPLES)"


def test_examples_and_paths_match_digitnet(open_chapter, slide, press, monkeypatch):
    page, (network, card) = open_chapter("9-numbers"), load(MODEL)
    read = []
    for example in page.evaluate(EXAMPLES):
        [line] = lines_from_strokes(example["strokes"])
        candidates = example["candidates"]
        assert [(each["start"], each["end"]) for each in candidates] == line.runs
        assert [piece["is_cut"] for piece in example["pieces"]] == line.is_cut.tolist()
        boxes = np.hstack([line.boxes[:, :2], line.boxes[:, 2:] - line.boxes[:, :2]])
        np.testing.assert_allclose([piece["box"] for piece in example["pieces"]], boxes, atol=0.06)
        if card["recipe"]["recipe"] == "best":  # else artifacts/ holds another model than the repository's
            found = Decision.of(card).predictions(network.predict_logits(line.images), line.images)
            assert [each["digit"] for each in candidates] == found.digit.tolist()
            np.testing.assert_allclose([each["score"] for each in candidates], found.scores, atol=0.01)

        press(page, example["name"])
        scores = np.array([each["score"] for each in candidates])
        for gap, cut in ((4, 1), (6, 1), (4, 6)):
            slide(page, "gap cost", gap)
            slide(page, "cut cost", cut)
            monkeypatch.setattr(segment, "GAP_COST", gap)
            monkeypatch.setattr(segment, "CUT_COST", cut)
            path = segment.best_path(line.boxes, line.is_cut, line.runs, scores)
            assert page.locator(".says").get_attribute("data-path") == " ".join(map(str, path))
            read.append(page.locator(".says").get_attribute("data-text"))
    assert read == ["42", "42", "42", "10", "111", "10", "2026", "2026", "?26", "77", "77", "?"]


def test_explains_a_candidate_and_reads_a_drawing(open_chapter, press):
    page = open_chapter("9-numbers", viewport={"width": 390, "height": 844})
    says, paper = page.locator(".says"), page.locator("#picture svg").first
    page.get_by_role("button", name="Pieces 2 to 3: a 0").focus()
    expect(says).to_contain_text("It is on the best path.")
    page.keyboard.press("Tab")
    expect(says).to_contain_text("Piece 3, a 1")

    line = {
        "pieces": [{"box": [50, 50, 0, 80], "is_cut": False}],
        "candidates": [{"start": 0, "end": 1, "digit": 1, "score": -0.1}],
    }
    page.route("**/api/read?candidates=true", lambda route: route.fulfill(json={"lines": [line]}))
    press(page, "Clear")
    with page.expect_request("**/api/read*") as asked:
        paper.drag_to(paper, source_position={"x": 50, "y": 30}, target_position={"x": 50, "y": 100})
    assert len(json.loads(asked.value.post_data)["strokes"]) == 1
    expect(says).to_contain_text("The best path reads 1.")
    page.unroute("**/api/read?candidates=true")
    press(page, "Clear")
    paper.click()
    expect(says).to_contain_text("The service did not read this drawing.")
