"""Every page of the learning path: no fault that axe finds, on a laptop or a phone, light or dark, and light to load."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

PAGES = sorted(path.name for path in (Path(__file__).parents[2] / "services" / "frontend" / "learn").glob("*.html"))
LAPTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("scheme", "viewport"), [("light", LAPTOP), ("dark", PHONE)])
def test_axe_finds_no_fault(learn_url, new_page, name, scheme, viewport):
    page = new_page(color_scheme=scheme, viewport=viewport, bypass_csp=True)  # axe is a script of its own
    page.goto(f"{learn_url}/{name}", wait_until="networkidle")
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    found = Axe().run(page)
    assert [(fault["impact"], fault["id"], fault["help"]) for fault in found.response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0  # nothing hangs out at the side


@pytest.mark.parametrize("name", PAGES)
def test_it_weighs_little(learn_url, new_page, name):
    page = new_page()
    page.goto(f"{learn_url}/{name}", wait_until="networkidle")
    sizes = "() => performance.getEntries().reduce((sum, entry) => sum + (entry.transferSize ?? 0), 0)"
    assert 5_000 < page.evaluate(sizes) < 150_000
