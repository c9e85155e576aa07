"""The picture of chapter 8 reckons as the trainer's comparison does, and its stack loses no answer that the real one gives."""

from pathlib import Path

import pytest
import yaml
from playwright.sync_api import expect
from trainer.comparison import Comparison

SETTINGS = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8"))["test"]


@pytest.fixture
def open_still(open_chapter):
    """The chapter for somebody who wants nothing to move: all drawings are there at once."""
    return lambda: open_chapter("8-service", reduced_motion="reduce")


def press(page, *names):
    for name in names:
        page.get_by_role("button", name=name, exact=True).click()


def stack(page):
    return page.locator("#picture svg")


@pytest.mark.parametrize(("each", "replicas"), [(97.3, 2), (50, 4), (99.9, 1)])
def test_availability_is_that_of_the_equation(open_still, slide, each, replicas):
    page = open_still()
    slide(page, "each is up", each)
    slide(page, "replicas", replicas)
    available = float(page.locator(".odds").get_attribute("data-available"))
    assert available == pytest.approx(1 - (1 - each / 100) ** replicas, abs=1e-5)


def test_it_judges_a_candidate_as_the_trainer_does(open_still, slide):
    page = open_still()
    refused = []
    for misreads in (20, 31, 60, 104, 105, 220):
        slide(page, "candidate misreads", misreads)
        verdict = page.locator(".verdict").evaluate("({ dataset }) => ({ ...dataset })")
        compared = Comparison(int(verdict["digits"]), int(verdict["onlyCandidate"]), int(verdict["onlyLive"]))
        assert compared.deficit == pytest.approx((misreads - 31) / 10_000)
        assert float(verdict["equal"]) == pytest.approx(compared.p_equal, abs=1e-5)
        within = compared.p_within(SETTINGS["margin"])
        assert float(verdict["within"]) == pytest.approx(within, abs=1e-5)
        if compared.deficit > SETTINGS["margin"] and within < SETTINGS["significance"]:
            refused.append(misreads)
        assert verdict["passes"] == ("false" if misreads in refused else "true")
    assert refused == [105, 220]
    for misreads, outcome in ((105, "is refused"), (104, "passes")):
        slide(page, "candidate misreads", misreads)
        press(page, "Publish a candidate", "Test it")
        expect(page.locator(".says")).to_contain_text(outcome)


def test_killing_a_replica_costs_no_answer_but_killing_all_does(open_still):
    page = open_still()
    press(page, "Kill 2", "Send 20")
    expect(stack(page)).to_have_attribute("data-answered", "20")
    expect(stack(page)).to_have_attribute("data-failed", "0")
    assert int(stack(page).get_attribute("data-retried")) > 0
    press(page, "Kill 1", "Kill 3", "Send a drawing")
    expect(stack(page)).to_have_attribute("data-failed", "1")
    expect(page.locator(".says")).to_contain_text("502, and the page: “Connection Failed: the prediction service is not running")
    press(page, "Start 2", "Send a drawing")
    expect(page.locator(".says")).to_contain_text("Replica 2 answered")


def test_a_better_model_goes_live_replica_by_replica_and_back(open_still, slide):
    page = open_still()
    old = stack(page).get_attribute("data-live")
    expect(page.get_by_role("button", name="Roll back")).to_be_disabled()
    slide(page, "candidate misreads", 25)
    press(page, "Publish a candidate", "Test it")
    new = stack(page).get_attribute("data-live")
    assert new != old
    expect(stack(page)).to_have_attribute("data-replicas", f"{old} {old} {old}")
    press(page, "Send a drawing")
    assert sorted(stack(page).get_attribute("data-replicas").split()) == sorted([old, old, new])
    press(page, "Send 20")
    expect(stack(page)).to_have_attribute("data-replicas", f"{new} {new} {new}")
    press(page, "Roll back", "Send 20")
    expect(stack(page)).to_have_attribute("data-replicas", f"{old} {old} {old}")
    expect(stack(page)).to_have_attribute("data-failed", "0")


def test_a_damaged_model_is_refused(open_still):
    page = open_still()
    page.get_by_label("with a byte flipped").check()
    press(page, "Publish a candidate")
    expect(page.locator(".says")).to_contain_text("Refused: its checksum")
    expect(stack(page)).to_have_attribute("data-candidate", "")


def test_drawings_fly_one_by_one_and_the_keyboard_kills_meanwhile(open_chapter):
    page = open_chapter("8-service")
    page.get_by_role("button", name="Send 20").press("Enter")
    expect(page.locator("#picture circle").first).to_be_attached()
    page.get_by_role("button", name="Kill 1").press("Enter")
    assert int(stack(page).get_attribute("data-sent")) < 20
    expect(page.locator(".says")).to_contain_text("20 drawings sent, all answered")
    expect(page.locator("#picture circle")).to_have_count(0)


def test_a_finger_on_a_replica_kills_it(open_chapter):
    page = open_chapter("8-service", viewport={"width": 390, "height": 844}, has_touch=True)
    page.locator("#picture svg").get_by_text("replica 3").tap()
    assert stack(page).get_attribute("data-replicas").split()[2] == "gone"


def test_it_says_what_is_really_live_where_a_stack_answers(open_chapter, new_page, learn_url):
    page = open_chapter("8-service")
    page.wait_for_load_state("networkidle")
    assert page.locator(".real").count() == 0
    page = new_page()
    page.route("**/api/model", lambda route: route.fulfill(json={"version": "568fd74b0612", "test": {"accuracy": 0.9969}}))
    page.goto(f"{learn_url}/8-service.html")
    expect(page.locator(".real")).to_contain_text("568fd74b0612 live. Of MNIST's test digits it reads 99.69%.")
