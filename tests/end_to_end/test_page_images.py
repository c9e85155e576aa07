"""Images on the real page: files, drops, the clipboard, crops, and every panel below."""

import base64
import io
import json

import pytest
from browser import DIGITS
from PIL import Image, ImageDraw
from playwright.sync_api import expect
from pngs import png_of
from pointers import ChromiumPointer

THANKS = "Thank you! Your answer was saved."
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# Dispatch an event with a file, as a browser does for a drop or a paste.
GIVE = """([kind, name, content]) => {
    const data = new DataTransfer();
    const bytes = Uint8Array.from(atob(content), character => character.charCodeAt(0));
    if (name !== "") data.items.add(new File([bytes], name, {type: "image/png"}));
    const options = {bubbles: true, cancelable: true};
    const event = kind === "paste" ? new ClipboardEvent(kind, {...options, clipboardData: data})
                                   : new DragEvent(kind, {...options, dataTransfer: data});
    document.querySelector("h1").dispatchEvent(event);
    return event.defaultPrevented;
}"""
# Keep the last image sent, since Playwright does not see the bytes of a file.
KEEP_SENT = """(() => {
    const fetch = window.fetch;
    window.fetch = (url, options) => {
        if (options?.body instanceof Blob) window.sent = options.body;
        return fetch(url, options);
    };
})()"""
SENT = """async () => {
    const bytes = new Uint8Array(await window.sent.arrayBuffer());
    return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(""));
}"""


def sheet(*digits, side=300):
    """Return an image of digits side by side, in blue ink on white paper."""
    image = Image.new("RGB", (side * len(digits), side), "white")
    scale = side / 280
    for left, digit in enumerate(digits):
        for stroke in DIGITS[digit]:
            points = [(side * left + x * scale, y * scale) for x, y in stroke]
            ImageDraw.Draw(image).line(points, (20, 30, 90), 22, joint="curve")
    return image


def choose(page, content, name="digit.png", media_type="image/png"):
    page.set_input_files("#image-file", {"name": name, "mimeType": media_type, "buffer": content})


def give(page, kind, content=b"", name="digit.png"):
    return page.evaluate(GIVE, [kind, name, base64.b64encode(content).decode()])


def posted(path):
    return lambda answer: f"/api/{path}" in answer.url and answer.request.method == "POST"


def reads(page, digit):
    expect(page.locator("#inside-status")).to_contain_text(f"it reads a {digit}")


def predicted(page, answer):
    """Predict; return the file that the page sent."""
    page.click("#predict-btn")
    expect(page.locator("#result")).to_have_text(answer)
    return base64.b64decode(page.evaluate(SENT))


@pytest.fixture
def open_page(page_url, new_page):
    def open_page(**options):
        page = new_page(**options)
        page.add_init_script(KEEP_SENT)
        page.goto(page_url)
        return page

    return open_page


@pytest.fixture
def page(open_page):
    """Open the page in a window without room for a wide canvas."""
    return open_page(viewport={"width": 1000, "height": 720})


@pytest.fixture
def pointer(page):
    return ChromiumPointer(page)


def test_reads_a_file_as_it_is_and_stores_feedback(site, page, draw):
    content, before = png_of(sheet(5)), site.feedback()
    file = {"name": "5.png", "mimeType": "image/png", "buffer": content}
    page.on("filechooser", lambda dialog: dialog.set_files(file))
    draw(page, 7)
    reads(page, 7)
    page.get_by_role("button", name="Use Image…").focus()
    page.keyboard.press("Enter")
    reads(page, 5)
    expect(page.locator("#image-note")).to_have_text(f"Sent only to this service, {page.url.split('/')[2]}.")
    assert predicted(page, "Digit: 5") == content
    page.click("#feedback-btn")
    expect(page.locator("#feedback-status")).to_have_text(THANKS)
    assert site.feedback()[len(before) :] == [(5, 5)]

    page.keyboard.press("Control+z")  # the drawing before the image
    reads(page, 7)
    choose(page, content)
    reads(page, 5)
    page.click("#clear-btn")
    expect(page.locator("#placeholder")).to_be_visible()
    choose(page, content)
    reads(page, 5)
    draw(page, 4)
    reads(page, 4)
    expect(page.get_by_role("group", name="Drawing tools")).to_be_visible()


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_takes_an_image_from_a_drop_and_from_the_clipboard(page, kind):
    if kind == "drop":
        give(page, "dragover", name="digit.png")
        expect(page.locator("#board")).to_have_attribute("data-drop", "")
    assert give(page, kind, png_of(sheet(4))) is True  # otherwise the browser would open the file
    expect(page.locator("#board[data-drop]")).to_have_count(0)
    reads(page, 4)
    if kind == "paste":
        give(page, "paste", name="")
        expect(page.locator("#error")).to_contain_text("Nothing to Paste: ")


@pytest.mark.parametrize(
    ("name", "media_type", "title"),
    [("notes.txt", "text/plain", "Not an Image: "), ("photo.heic", "image/heic", "HEIC Not Supported: ")],
)
def test_explains_a_file_that_is_no_image_and_keeps_the_canvas(page, name, media_type, title):
    choose(page, png_of(sheet(5)))
    reads(page, 5)
    choose(page, b"no pixels", name, media_type)
    expect(page.get_by_role("alert")).to_contain_text(title)
    predicted(page, "Digit: 5")
    expect(page.get_by_role("alert")).to_be_empty()


def test_crops_one_of_several_digits_by_pointer_and_keyboard(page, pointer):
    choose(page, png_of(sheet(5, 7, 4)))
    crop, box = page.get_by_role("button", name="Crop"), page.locator("#crop-box")
    crop.click()
    pointer.mouse([(98, 97), (120, 120), (182, 183)])
    reads(page, 7)
    sent = Image.open(io.BytesIO(predicted(page, "Digit: 7")))
    assert sent.size == (270, 276)  # at the file's own resolution
    assert sent.getpixel((2, 2))[:3] == (255, 255, 255)

    pointer.mouse([(140, 140), (200, 140), (233, 140)])  # moves the box to the 4
    reads(page, 4)
    pointer.mouse([(188, 95), (170, 95), (96, 95)])  # its corner; two digits
    expect(page.locator("#inside-status")).to_contain_text("it reads no digit")
    box.focus()
    for _ in range(11):
        page.keyboard.press("Shift+ArrowLeft")
    reads(page, 7)
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#pen-status")).to_contain_text("Crop box: ")
    page.keyboard.press("Enter")
    expect(page.locator("#result")).to_have_text("Digit: 7")

    page.keyboard.press("Escape")
    expect(crop).to_be_focused()
    expect(box).to_be_hidden()
    predicted(page, "Number: 574")
    expect(box).to_be_hidden()  # the user has closed it
    crop.click()
    predicted(page, "Digit: 7")


def test_a_finger_crops_a_photo_that_the_camera_turned(open_page):
    page = open_page(**PHONE)
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned clockwise by 90 degrees
    photo = io.BytesIO()
    sheet(5, 4).rotate(90, expand=True).save(photo, "JPEG", exif=exif)
    choose(page, photo.getvalue(), "photo.jpg", "image/jpeg")
    page.get_by_role("button", name="Crop").tap()
    finger = ChromiumPointer(page)
    finger.swipe([(5, 72), (70, 140), (137, 208)])
    reads(page, 5)
    assert Image.open(io.BytesIO(predicted(page, "Digit: 5"))).size == (283, 292)
    assert page.evaluate("[scrollX, document.documentElement.scrollWidth]") == [0, 390]


def test_unit_training_and_snapshots_follow_an_image(page):
    choose(page, png_of(sheet(5)))
    reads(page, 5)
    for path, act in [
        ("learn", lambda: page.click("#step-btn")),
        ("snapshots", lambda: page.click("#timeline > summary")),
        ("unit", lambda: (page.locator("#layers canvas").first.focus(), page.keyboard.press("ArrowRight"))),
        ("explain?options=", lambda: page.click("#unit-off")),  # explanations without edits may be on their way
    ]:
        with page.expect_response(posted(path)) as got:
            act()
        assert (got.value.status, got.value.request.headers["content-type"]) == (200, "image/png"), path
    expect(page.locator("#lesson-status")).to_contain_text("After 1 step")
    expect(page.locator("#moment-readings button").first).to_be_visible()
    expect(page.locator("#changes")).not_to_be_empty()
    assert json.loads(page.evaluate("url => new URL(url).searchParams.get('options')", got.value.url))["changes"]
