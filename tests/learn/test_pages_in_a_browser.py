"""Every page of the learning path is accessible and small, and its picture comes first, on laptop and phone, light and dark."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

PAGES = sorted(path.name for path in (Path(__file__).parents[2] / "services" / "frontend" / "learn").glob("*.html"))
LIGHT_LAPTOP = {"color_scheme": "light", "viewport": {"width": 1366, "height": 768}}
DARK_PHONE = {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}}
SIZES = "() => performance.getEntries().reduce((sum, entry) => sum + (entry.transferSize ?? 0), 0)"
PART_OF_A_PICTURE = 200  # pixels that the first screen shows at least
SCROLLERS = """() => [...document.querySelectorAll("main *")].filter((each) =>
    getComputedStyle(each).overflowX !== "visible" && each.clientWidth > 1 && each.scrollWidth > each.clientWidth + 1
  ).map((each) => each.outerHTML.slice(0, 80))"""
CUT_EQUATIONS = """() => [...document.querySelectorAll("math")].filter((each) => {
    const { left, right } = each.getBoundingClientRect();
    return left < 0 || right > innerWidth;
  }).map((each) => each.textContent)"""
# The sliders that do not share the screen with the picture's main part, after the page has scrolled to them.
ALONE = """() => [...document.querySelectorAll("#picture input, #picture select")].filter((control) => {
    control.scrollIntoView({ block: "nearest", behavior: "instant" });
    const [one, other] = [document.querySelector("#picture .stays"), control].map((each) => each.getBoundingClientRect());
    return one.top < -1 || one.bottom > innerHeight + 1 || other.top < one.bottom - 1;
  }).map((control) => control.parentElement.textContent)"""


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("options", [DARK_PHONE, pytest.param(LIGHT_LAPTOP, marks=pytest.mark.slow)], ids=["phone", "laptop"])
def test_page_is_accessible_and_small_and_starts_with_its_picture(learn_url, new_page, name, options):
    page = new_page(**options, bypass_csp=True)  # axe needs a script
    page.goto(f"{learn_url}/{name}")
    if name[0].isdigit():
        page.locator("#picture .stays").first.wait_for()
        top = page.locator("#picture").bounding_box()["y"]
        assert top < options["viewport"]["height"] - PART_OF_A_PICTURE
    assert 3_000 < page.evaluate(SIZES) < 150_000
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    found = Axe().run(page, options={"resultTypes": ["violations"]})
    assert [(fault["impact"], fault["id"], fault["help"]) for fault in found.response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0  # no horizontal overflow
    assert page.evaluate(SCROLLERS) == []
    assert page.evaluate(CUT_EQUATIONS) == []
    if name[0].isdigit() and options is DARK_PHONE:
        assert page.evaluate(ALONE) == []
