"""Every page of the learning path is accessible and small, on laptop and phone, light and dark."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

PAGES = sorted(path.name for path in (Path(__file__).parents[2] / "services" / "frontend" / "learn").glob("*.html"))
LIGHT_LAPTOP = {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}}
DARK_PHONE = {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}}
SIZES = "() => performance.getEntries().reduce((sum, entry) => sum + (entry.transferSize ?? 0), 0)"


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("options", [DARK_PHONE, pytest.param(LIGHT_LAPTOP, marks=pytest.mark.slow)], ids=["phone", "laptop"])
def test_axe_finds_no_fault_and_the_page_is_small(learn_url, new_page, name, options):
    page = new_page(**options, bypass_csp=True)  # axe needs a script
    page.goto(f"{learn_url}/{name}")
    if name != "index.html":
        page.locator("#picture > *").first.wait_for()
    assert 5_000 < page.evaluate(SIZES) < 150_000
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    found = Axe().run(page, options={"resultTypes": ["violations"]})
    assert [(fault["impact"], fault["id"], fault["help"]) for fault in found.response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0  # no horizontal overflow
