"""The page shows text of answers as text, and no page violates its Content-Security-Policy."""

import importlib
from pathlib import Path

import pytest
from app_server import serving
from inference.app import create_app
from inference.settings import Settings
from playwright.sync_api import expect
from stores.models import LIVE
from stores.models.folder import FolderModels

FRONTEND = Path(__file__).parents[2] / "services" / "frontend"
PAGES = sorted(str(path.relative_to(FRONTEND)) for path in FRONTEND.rglob("*.html"))
LAYERS = ["flatten", {"dense": {"units": 16}}, "relu", {"dense": {"units": 10}}]
HOSTILE = '<img src=x onerror="window.ran=1"><script>window.ran=1</script><a href="javascript:window.ran=1">&lt;b&gt;</a>'


@pytest.fixture(scope="module")
def url(save_model, tmp_path_factory):
    """Run the page with a real service, whose answers the tests change."""
    folder = tmp_path_factory.mktemp("hostile")
    models = FolderModels(folder / "models")
    save_model(folder / "made", layers=LAYERS, snapshots=True)
    models.point(LIVE, models.publish(folder / "made")["version"])
    settings = Settings(models=str(models.folder), prediction_log=f"sqlite:///{folder}/journal.sqlite")
    with (
        serving(create_app(settings)) as api,
        serving(importlib.import_module("frontend.__main__").create_app(f"http://{api}")) as page,
    ):
        yield f"http://{page}"


def with_hostile_text(answer):
    """Replace every text in the answer, except base64 numbers and the prediction's id."""
    if isinstance(answer, dict):
        return {key: value if key in ("float32", "prediction_id") else with_hostile_text(value) for key, value in answer.items()}
    if isinstance(answer, list):
        return [with_hostile_text(each) for each in answer]
    return HOSTILE if isinstance(answer, str) else answer


def policy_violations(page):
    """Return a list that records violations of the page's policy."""
    violations = []

    def note(message):
        if "Content Security Policy" in message.text or "Trusted" in message.text:
            violations.append(message.text)

    page.on("console", note)
    return violations


# Also without the policy, which would hide a missing escape.
@pytest.mark.parametrize("bypass_csp", [False, True], ids=["with the policy", "without"])
def test_shows_hostile_text_as_text(url, new_page, draw, bypass_csp):
    page = new_page(bypass_csp=bypass_csp)
    violations, asked = policy_violations(page), set()

    def change_answer(route):
        answer = route.fetch()
        asked.add(route.request.url.rpartition("/")[2].partition("?")[0])
        route.fulfill(response=answer, json=with_hostile_text(answer.json()))

    page.route("**/api/**", change_answer)
    page.goto(url)
    draw(page, 5)
    expect(page.locator("#layers")).to_contain_text(HOSTILE)  # a layer's name
    page.click("#step-btn")
    expect(page.locator("#lesson-status")).to_contain_text("After 1 step")
    page.click("#timeline > summary")
    expect(page.locator("#moment-layers")).to_contain_text(HOSTILE)
    page.locator("#layers canvas").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#unit-title")).to_contain_text(HOSTILE)
    page.click("#predict-btn")
    expect(page.locator("#model-version")).to_have_text(HOSTILE)
    expect(page.locator("#doodle-version")).to_have_text(f"Doodle {HOSTILE}")
    page.click("#feedback-btn")
    expect(page.locator("#feedback-status")).to_contain_text("Thank")
    assert asked == {"model", "predict", "explain", "learn", "unit", "snapshots", "feedback"}
    assert page.evaluate("window.ran") is None
    assert page.locator("img, script:not([src]), a[href^='javascript']").count() == 0
    assert violations == []


def test_no_page_violates_its_policy(url, new_page):
    page = new_page()
    violations = policy_violations(page)
    for name in PAGES:
        page.goto(f"{url}/{name}")  # returns after its scripts have run
        assert violations == [], name
    page.evaluate("""() => {
        const image = document.createElement("img");
        image.src = "https://example.org/image.png";
        document.body.append(image);
    }""")
    page.wait_for_function("() => document.images[0].complete")
    assert len(violations) == 1  # the check works
