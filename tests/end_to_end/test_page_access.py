"""Accessibility: keyboard, screen reader, large text, forced colors, and no JavaScript."""

import io

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect
from pngs import png_of

LIVE = "element => element.closest('[aria-live=polite], [role=status]') !== null && element.checkVisibility()"
# Figures that scroll may be wider than the window.
TOO_WIDE = """() => Array.from(document.querySelectorAll("body *"))
    .filter(element => !element.closest(".scrolls, .visually-hidden") && element.getBoundingClientRect().right > innerWidth + 0.5)
    .map(element => element.id || element.outerHTML.slice(0, 80))"""
# Whether the window's top or the unit's panel hides an edge of the focused map.
HIDDEN = """() => {
    const map = document.activeElement.getBoundingClientRect();
    return [map.top < 0, map.bottom > document.querySelector("#unit").getBoundingClientRect().top];
}"""


@pytest.fixture(scope="module")
def unfolded(page_url, chromium, draw):
    """Return the page with every section open, after drawing, training, prediction and an edit."""
    # axe needs a script, and would read colors during transitions.
    context = chromium.new_context(bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    page.goto(page_url)
    draw(page, 5)
    expect(page.locator("#inside-body")).to_be_visible()
    page.click("#step-btn")
    expect(page.locator("#lesson-status")).to_contain_text("After 1 step")
    page.click("#lesson-results summary")
    page.click("#check-btn")
    expect(page.locator("#occlusion-check")).to_be_visible()
    page.click("#timeline > summary")
    expect(page.locator("#moment-readings button").first).to_be_visible()
    page.locator("#layers canvas").first.focus()
    page.keyboard.press("ArrowRight")
    page.click("#unit-off")
    expect(page.locator("#changes")).not_to_be_empty()
    page.click("#predict-btn")
    expect(page.locator("#feedback-section")).to_be_visible()
    yield page
    context.close()


@pytest.fixture(scope="module")
def cropping(page_url, chromium):
    """Return the page with an image and its crop box."""
    context = chromium.new_context(bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    page.goto(page_url)
    blank = png_of(Image.new("RGB", (60, 20), "white"))
    page.set_input_files("#image-file", {"name": "blank.png", "mimeType": "image/png", "buffer": blank})
    expect(page.locator("#crop-box")).to_be_visible()
    page.focus("#crop-box")
    yield page
    context.close()


@pytest.fixture(scope="module")
def numbered(page_url, chromium, draw):
    """Return the page with a number on the wide canvas, and one of its digits selected."""
    context = chromium.new_context(bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    page.goto(page_url)
    for digit, left in ((4, 0), (2, 200), (7, 400)):
        draw(page, digit, at=(left, 0))
    page.click("#predict-btn")
    for name in ("Pieces", "Cuts", "Path"):
        page.get_by_role("button", name=name, exact=True).click()
    page.click("#number-digits button")
    expect(page.locator("#feedback-section")).to_be_visible()
    yield page
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["unfolded", "cropping", "numbered"])
def test_axe_finds_no_fault(request, state, scheme):
    page = request.getfixturevalue(state)
    page.emulate_media(color_scheme=scheme)
    expect(page.locator("[aria-busy=true]")).to_have_count(0)  # panels are dim while they wait for an answer
    found = Axe().run(page)
    faults = [(fault["id"], node["html"]) for fault in found.response["violations"] for node in fault["nodes"]]
    assert faults == []
    assert len(found.response["passes"]) > 30


@pytest.mark.parametrize(("width", "height"), [(320, 568), (320, 256)], ids=["a small phone", "a laptop at 400% zoom"])
def test_fits_into_320_pixels(unfolded, cropping, numbered, width, height):
    for page in (unfolded, cropping, numbered):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(TOO_WIDE) == []


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (390, 844)], ids=["laptop", "phone"])
def test_unit_panel_hides_no_focused_map_and_closes_on_escape(unfolded, eventually, width, height):
    unfolded.set_viewport_size({"width": width, "height": height})
    panel, maps = unfolded.locator("#unit"), unfolded.locator("#layers canvas")
    for index in (0, 3, maps.count() - 1):
        unfolded.keyboard.press("Escape")
        expect(panel).to_be_hidden()
        maps.nth(index).focus()
        unfolded.keyboard.press("ArrowRight")
        expect(panel).to_be_visible()
        eventually(lambda: unfolded.evaluate(HIDDEN) == [False, False], "the focused map is in sight", 5)
    maps.nth(1).focus()  # the panel is open
    eventually(lambda: unfolded.evaluate(HIDDEN) == [False, False], "the next map is in sight", 5)
    unfolded.focus("#unit-close")
    unfolded.keyboard.press("Escape")
    expect(maps.nth(1)).to_be_focused()


def test_escape_closes_the_panel_before_it_clears_the_canvas(unfolded):
    maps = unfolded.locator("#layers canvas")
    maps.first.focus()
    unfolded.keyboard.press("ArrowRight")
    expect(unfolded.locator("#unit")).to_be_visible()
    unfolded.focus("#doodle-canvas")
    unfolded.keyboard.press("Escape")
    expect(unfolded.locator("#unit")).to_be_hidden()
    expect(maps.first).to_be_visible()
    unfolded.keyboard.press("Escape")
    expect(maps.first).to_be_hidden()


def test_announces_answers_and_shows_the_chosen_digit_in_forced_colors(page, draw):
    page.emulate_media(forced_colors="active")
    for name in ("#result", "#confidence", "#best-guess"):  # live regions exist before their text
        expect(page.locator(name)).to_be_empty()
        assert page.eval_on_selector(name, LIVE), name
    expect(page.get_by_role("heading", name="Inside the network", level=2)).to_be_visible()
    assert page.eval_on_selector("#timeline > summary", "element => element.querySelector('h3').textContent") == "Watch it train"
    slider = page.locator("#lesson-rate")
    expect(slider).to_have_attribute("aria-valuetext", "0.001")
    slider.evaluate("slider => { slider.value = -2; slider.dispatchEvent(new Event('input')); }")
    expect(slider).to_have_attribute("aria-valuetext", "0.01")

    draw(page, 7)
    page.click("#predict-btn")
    section = page.locator("#feedback-section")
    expect(section.get_by_role("button", pressed=True)).to_have_text("7")
    chosen, *others = (
        Image.open(io.BytesIO(section.get_by_role("button", name=name, exact=True).screenshot())).getpixel((8, 8))
        for name in ("7", "8", "9")
    )
    assert others[0] == others[1] != chosen

    page.locator("#layers canvas").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#unit-title")).to_contain_text("Filter 0")
    assert page.eval_on_selector("#unit-title", LIVE)


def test_without_javascript_shows_a_note_and_no_controls(page_url, new_page):
    page = new_page(java_script_enabled=False)
    page.goto(page_url)
    expect(page.get_by_text("Doodle needs JavaScript")).to_be_visible()
    for name in ("Predict Digit", "Undo"):
        expect(page.get_by_role("button", name=name)).to_be_hidden()
