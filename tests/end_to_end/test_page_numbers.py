"""Numbers on the real page: drawn and in an image, and the digits selected in them."""

import pytest
from browser import DIGITS
from PIL import Image, ImageDraw
from playwright.sync_api import expect
from pngs import png_of

THANKS = "Thank you! Your answer was saved."


def write(page, draw, number, width=280):
    """Draw a number across the canvas."""
    advance = width / len(number)
    scale = min(0.8, advance / 145)
    for index, digit in enumerate(number):
        draw(page, int(digit), at=(index * advance + advance / 2 - 140 * scale, 140 - 140 * scale), scale=scale)


def reads(page, answer):
    page.click("#predict-btn")
    expect(page.locator("#result")).to_have_text(answer)


def inside(page, digit):
    expect(page.locator("#inside-status")).to_contain_text(f"it reads a {digit}")


@pytest.mark.parametrize("number", ["42", "10", "16", "2026"])
def test_reads_a_drawn_number(page, draw, number):
    asked = []
    page.on("request", lambda request: asked.append(request.url.partition("/api/")[2].partition("?")[0]))
    write(page, draw, number)
    expect(page.locator("#number-hint")).to_contain_text(f"So far it reads {number}.")  # it follows the pen
    expect(page.locator("#marks div")).to_have_count(len(number))
    assert not {"predict", "read"} & set(asked)  # a preview is not logged
    reads(page, f"Number: {number}")
    assert [text[0] for text in page.locator("#number-digits button").all_inner_texts()] == list(number)
    page.click("#clear-btn")
    expect(page.locator("#number")).to_be_hidden()
    draw(page, 5)
    reads(page, "Digit: 5")
    expect(page.locator("#number")).to_be_hidden()
    assert (asked.count("predict"), asked.count("read")) == (2, 0)


def test_a_selected_digit_has_its_own_panels_and_feedback(site, page, draw):
    before = site.feedback()
    write(page, draw, "42")
    reads(page, "Number: 42")
    expect(page.locator("#feedback-section")).to_be_hidden()
    for name, layer, count in (("Pieces", ".piece", 3), ("Path", ".chosen", 2)):
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator(f"#work {layer}")).to_have_count(count)
    digits, chosen = page.locator("#number-digits button"), page.locator("#feedback-choices [aria-pressed=true]")
    digits.nth(1).focus()
    page.keyboard.press("Enter")
    inside(page, 2)
    expect(chosen).to_have_text("2")
    expect(page.locator("#probabilities .winner")).to_have_attribute("data-digit", "2")
    page.locator("#feedback-choices").get_by_role("button", name="7", exact=True).click()
    page.click("#feedback-btn")
    expect(page.locator("#feedback-status")).to_have_text(THANKS)
    assert site.feedback()[len(before) :] == [(2, 7)]

    page.locator("#marks div").nth(0).click()
    inside(page, 4)
    expect(chosen).to_have_text("4")
    expect(digits.nth(0)).to_have_attribute("aria-pressed", "true")
    digits.nth(0).click()  # the whole number again
    expect(page.locator("#inside-status")).to_contain_text("it reads no digit")
    expect(page.locator("#feedback-section")).to_be_hidden()

    draw(page, 1, at=(180, 0))
    draw(page, 1, at=(-60, 0))  # begins on a box
    expect(page.locator("#result")).to_be_empty()


def test_selects_a_digit_in_an_image(site, page):
    before = site.feedback()
    image = Image.new("RGB", (600, 260), "white")
    for left, digit in ((20, 4), (320, 2)):
        for stroke in DIGITS[digit]:
            ImageDraw.Draw(image).line([(left + x * 0.85, y * 0.85) for x, y in stroke], (20, 30, 90), 20, joint="curve")
    page.set_input_files("#image-file", {"name": "42.png", "mimeType": "image/png", "buffer": png_of(image)})
    expect(page.locator("#image-tools")).to_be_visible()
    reads(page, "Number: 42")
    page.locator("#number-digits button").nth(1).click()
    inside(page, 2)
    page.locator("#marks div").nth(0).click()
    inside(page, 4)
    page.click("#feedback-btn")
    expect(page.locator("#feedback-status")).to_have_text(THANKS)
    assert site.feedback()[len(before) :] == [(4, 4)]


def test_a_phone_number_fits_the_wide_canvas(page, draw):
    number, button = "6412570264", page.get_by_role("button", name="Wide")
    for width, is_wide in ((1000, "false"), (1280, "true")):  # as the window has room
        page.set_viewport_size({"width": width, "height": 720})
        expect(button).to_have_attribute("aria-pressed", is_wide)
    write(page, draw, number, width=640)
    with page.expect_request("**/api/predict*") as asked:
        reads(page, f"Number: {number}")
    assert (asked.value.post_data_json["width"], asked.value.post_data_json["height"]) == (640, 280)
    page.locator("#marks div").nth(8).click()
    inside(page, 6)
    page.reload()
    expect(page.locator("#inside-status")).to_contain_text("it reads no digit")
    expect(button).to_have_attribute("aria-disabled", "true")  # the ink needs it
    reads(page, f"Number: {number}")

    page.click("#clear-btn")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    page.click("#undo-stroke-btn")
    expect(button).to_have_attribute("aria-pressed", "true")
    page.click("#clear-btn")
    page.reload()
    expect(button).to_have_attribute("aria-pressed", "false")
    draw(page, 5)
    reads(page, "Digit: 5")
