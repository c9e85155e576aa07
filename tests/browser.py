"""Start Chromium and draw digits on the page with the mouse."""

import pytest
from playwright.sync_api import expect, sync_playwright

CHROMIUM_OPTIONS = [
    "--no-sandbox",  # CI runs as root, where Chromium's own sandbox does not start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Strokes on a canvas of 280 x 280.
DIGITS = {
    0: [[(140, 50), (100, 80), (85, 140), (100, 205), (140, 232), (180, 205), (196, 140), (180, 80), (140, 50)]],
    1: [[(140, 50), (138, 120), (140, 230)]],
    2: [[(90, 90), (110, 60), (150, 52), (185, 75), (185, 115), (150, 165), (90, 228), (195, 228)]],
    4: [[(150, 50), (80, 160), (200, 160)], [(165, 110), (160, 235)]],
    5: [[(190, 55), (100, 58), (92, 130), (140, 118), (185, 140), (192, 185), (165, 228), (115, 235), (82, 215)]],
    6: [[(180, 55), (130, 85), (95, 140), (92, 190), (115, 228), (160, 230), (188, 200), (180, 165), (145, 150), (105, 170)]],
    7: [[(80, 60), (200, 60), (160, 140), (130, 230)]],
}

expect.set_options(timeout=15_000)  # two cores may be busy


@pytest.fixture(scope="module")  # while Playwright runs, no other test can have an event loop
def chromium(require, missing):
    executable = require("chromium", "chromium-browser", "google-chrome")
    try:
        playwright = sync_playwright().start()
    except Exception as error:  # its driver may lack a library
        missing(f"Playwright does not start here: {error}")
    browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_OPTIONS)
    yield browser
    browser.close()
    playwright.stop()


@pytest.fixture
def new_page(chromium):
    """new_page(**options): open a page in a fresh browser context; fail if one of its scripts raises an error."""
    errors, contexts = [], []

    def new_page(**options):
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield new_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(scope="session")
def draw():
    """draw(page, digit): draw the digit with the mouse; with `at` and `scale` elsewhere on the canvas, and smaller."""

    def draw(page, digit, at=(0, 0), scale=1):
        canvas = page.locator("#doodle-canvas")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        for stroke in DIGITS[digit]:
            unit = box["height"] / 280
            points = [(box["x"] + (at[0] + x * scale) * unit, box["y"] + (at[1] + y * scale) * unit) for x, y in stroke]
            page.mouse.move(*points[0])
            page.mouse.down()
            for point in points[1:]:
                page.mouse.move(*point)
            page.mouse.up()

    return draw
