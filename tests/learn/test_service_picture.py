"""The figure of chapter 8 computes the trainer's comparison and simulates the stack."""

from pathlib import Path

import pytest
import yaml
from playwright.sync_api import expect
from trainer.evaluation.mcnemar import Comparison

SETTINGS = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8"))["test"]


@pytest.fixture
def page(open_chapter):
    """Open the chapter with reduced motion, so that drawings arrive at once."""
    return open_chapter("8-service", reduced_motion="reduce")


def stack(page):
    return page.locator("#picture svg")


def shows(page, **data):
    for name, value in data.items():
        expect(stack(page)).to_have_attribute(f"data-{name}", value)


def test_matches_the_trainer_s_comparison_and_availability(page, slide, press):
    for each, replicas in ((97.3, 2), (50, 4), (99.9, 1)):
        slide(page, "each is up", each)
        slide(page, "replicas", replicas)
        available = float(page.locator(".odds").get_attribute("data-available"))
        assert available == pytest.approx(1 - (1 - each / 100) ** replicas, abs=1e-5)
    rejected = []
    for misreads in (20, 31, 60, 104, 105, 220):
        slide(page, "candidate misreads", misreads)
        verdict = page.locator(".verdict").evaluate("({ dataset }) => ({ ...dataset })")
        compared = Comparison(int(verdict["digits"]), int(verdict["onlyCandidate"]), int(verdict["onlyLive"]))
        assert compared.deficit == pytest.approx((misreads - 31) / 10_000)
        assert float(verdict["equal"]) == pytest.approx(compared.p_equal, abs=1e-5)
        within = compared.p_within(SETTINGS["margin"])
        assert float(verdict["within"]) == pytest.approx(within, abs=1e-5)
        if compared.deficit > SETTINGS["margin"] and within < SETTINGS["significance"]:
            rejected.append(misreads)
        assert verdict["passes"] == ("false" if misreads in rejected else "true")
    assert rejected == [105, 220]
    live = stack(page).get_attribute("data-live")
    for misreads, passes in ((105, False), (104, True)):
        slide(page, "candidate misreads", misreads)
        press(page, "Publish a candidate", "Test it")
        assert (stack(page).get_attribute("data-live") != live) == passes


def test_publishes_tests_and_rolls_back_models(page, slide, press):
    old = stack(page).get_attribute("data-live")
    page.get_by_label("with a byte flipped").check()
    press(page, "Publish a candidate")
    shows(page, candidate="")
    page.get_by_label("with a byte flipped").uncheck()
    slide(page, "candidate misreads", 25)
    press(page, "Publish a candidate", "Test it")
    new = stack(page).get_attribute("data-live")
    assert new != old
    press(page, "Send 20")
    shows(page, replicas=f"{new} {new} {new}")
    press(page, "Roll back", "Send 20")
    shows(page, replicas=f"{old} {old} {old}", failed="0")


def test_animates_drawings_and_shows_a_real_stack_s_model(open_chapter):
    page = open_chapter("8-service", viewport={"width": 390, "height": 844}, has_touch=True)
    page.get_by_role("button", name="Send 20").press("Enter")
    expect(page.locator("#picture circle").first).to_be_attached()
    page.get_by_role("button", name="Kill 1").press("Enter")
    stack(page).get_by_text("replica 3").tap()
    first, _, third = stack(page).get_attribute("data-replicas").split()
    assert (first, third) == ("gone", "gone")
    assert int(stack(page).get_attribute("data-sent")) < 20
    assert page.locator(".real").count() == 0  # no stack answers behind this page
    page.emulate_media(reduced_motion="reduce")  # finishes the animation
    shows(page, sent="20", answered="20")
    expect(page.locator("#picture circle")).to_have_count(0)
    card = {"version": "5871b5287b83", "test": {"accuracy": 0.9968}}
    page.route("**/api/model", lambda route: route.fulfill(json=card))
    page.reload()
    expect(page.locator(".real")).to_contain_text("5871b5287b83 live. Its accuracy on MNIST's test digits is 99.68%.")
