"""Make the pictures of the page in docs/images from a running page: `make pictures`.

Start the service and the page on free ports, with the repository's model and an empty store. Draw with the mouse in Chromium, and
write doodle.gif for the README and the screenshots for the user manual.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import httpx
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from trainer.data.forms import read_forms

PROJECT = Path(__file__).parents[1]
IMAGES = PROJECT / "docs" / "images"
DRAWINGS = {"4": "4 open with a corner", "5": "5 bar of its own", "7": "7 plain", "A": "A pointed"}  # names in forms.yaml
CANVAS, HEIGHT, TOP = 280, 185, 48  # the canvas's side, the drawing's height and its upper edge, in the canvas's units
POINTER_RADIUS = 7
AWAY = (0.0, 0.0)  # the mouse, where it covers nothing


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running_page() -> Iterator[str]:
    """Start the service and the page, yield the page's address, and stop both."""
    ports = {name: str(free_port()) for name in ("DOODLE_PORT", "DOODLE_FRONTEND_PORT")}
    with tempfile.TemporaryDirectory() as state:
        stores = {"DOODLE_MODELS": f"{state}/models", "DOODLE_JOURNAL": f"sqlite:///{state}/log.sqlite"}
        options = {"env": os.environ | ports | stores, "cwd": PROJECT, "stdout": subprocess.DEVNULL}
        publish = [sys.executable, "-m", "trainer", "models", "publish", "artifacts/model", "--promote"]
        subprocess.run(publish, check=True, **options)
        programs = [subprocess.Popen([sys.executable, "-m", name], **options) for name in ("inference", "frontend")]
        try:
            address = f"http://127.0.0.1:{ports['DOODLE_FRONTEND_PORT']}"
            wait_for(f"{address}/api/readyz")
            yield address
        finally:
            for program in programs:
                program.terminate()
            for program in programs:
                program.wait(20)


def wait_for(url: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not _answers(url):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{url} does not answer")
        time.sleep(0.2)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.TransportError:
        return False


class Hand:
    """Draws on a page with the mouse, and remembers where the mouse is."""

    def __init__(self, page: Page):
        self.page, self.at = page, AWAY

    def move(self, x: float, y: float) -> None:
        self.page.mouse.move(x, y)
        self.at = (x, y)

    def click(self, selector: str) -> None:
        locator = self.page.locator(selector)
        locator.scroll_into_view_if_needed()
        box = locator.bounding_box()
        self.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.down()
        self.page.mouse.up()

    def draw(self, what: str) -> Iterator[None]:
        """Draw a form of forms.yaml; yield after each few points."""
        (form,) = (form for form in read_forms() if form.name == DRAWINGS[what])
        box = self.page.locator("#doodle-canvas").bounding_box()
        unit = box["width"] / CANVAS
        for stroke in form.strokes:
            path = (stroke.curve @ stroke.points) * HEIGHT * unit + (box["x"] + 82 * unit, box["y"] + TOP * unit)
            self.move(*path[0])
            self.page.mouse.down()
            for place, point in enumerate(path[1:], 1):
                self.move(*point)
                if place % 8 == 0:
                    yield
            self.page.mouse.up()
            yield


class Film:
    """Collects screenshots with their durations, and writes them as an animated GIF."""

    def __init__(self, hand: Hand, width: int):
        self._hand, self._width = hand, width
        self._frames: list[tuple[Image.Image, int]] = []

    def shoot(self, milliseconds: int) -> None:
        frame = Image.open(BytesIO(self._hand.page.screenshot())).convert("RGB")
        x, y = self._hand.at
        if (x, y) != AWAY:  # screenshots have no mouse pointer
            box = (x - POINTER_RADIUS, y - POINTER_RADIUS, x + POINTER_RADIUS, y + POINTER_RADIUS)
            ImageDraw.Draw(frame).ellipse(box, fill="white", outline="black", width=2)
        height = frame.height * self._width // frame.width
        self._frames.append((frame.resize((self._width, height), Image.Resampling.LANCZOS), milliseconds))

    def scroll(self, selector: str, frames: int = 4) -> None:
        """Scroll until the element is at the top of the window."""
        page = self._hand.page
        distance = page.locator(selector).bounding_box()["y"] - 16
        for _ in range(frames):
            page.evaluate("distance => window.scrollBy({top: distance, behavior: 'instant'})", distance / frames)
            self.shoot(80)

    def save(self, path: Path) -> None:
        """Use one palette for all frames, without dithering, so that equal areas compress to nothing."""
        images = [image for image, _ in self._frames]
        sheet = Image.new("RGB", (images[0].width, images[0].height * len(images)))
        for row, image in enumerate(images):
            sheet.paste(image, (0, row * image.height))
        palette = sheet.quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        first, *more = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
        durations = [milliseconds for _, milliseconds in self._frames]
        first.save(path, save_all=True, append_images=more, duration=durations, loop=0, optimize=True)
        size, seconds = path.stat().st_size / 1e6, sum(durations) / 1000
        print(f"{path.relative_to(PROJECT)}: {len(images)} frames, {seconds:.1f} s, {size:.2f} MB")


def predicted(page: Page, hand: Hand, what: str, answer: str) -> None:
    for _ in hand.draw(what):
        pass
    hand.click("#predict-btn")
    expect(page.locator("#result")).to_have_text(answer)
    expect(page.locator("#inside-body")).to_be_visible()
    page.wait_for_timeout(500)


def film(page: Page) -> None:
    hand = Hand(page)
    shots = Film(hand, 800)
    shots.shoot(500)
    for _ in hand.draw("5"):
        page.wait_for_timeout(60)  # the page shows the prediction of the drawing so far
        shots.shoot(90)
    hand.click("#predict-btn")
    expect(page.locator("#result")).to_have_text("Digit: 5")
    page.wait_for_timeout(400)
    shots.shoot(900)
    hand.click("#feedback-btn")
    expect(page.locator("#feedback-btn")).to_be_hidden()
    shots.shoot(700)
    hand.move(*AWAY)
    shots.scroll("#inside")
    shots.shoot(1100)
    shots.scroll("#layers")
    shots.shoot(900)
    shots.scroll(".training")
    page.select_option("#lesson-label", "3")
    shots.shoot(400)
    for _ in range(6):
        hand.click("#step-btn")
        page.wait_for_timeout(150)
        shots.shoot(120)
    page.wait_for_timeout(500)
    shots.shoot(1500)
    shots.save(IMAGES / "doodle.gif")


def photo_of(*digits: str, side: int = 300) -> bytes:
    """Return a PNG of digits in blue ink on paper, side by side."""
    forms = {form.name: form for form in read_forms()}
    large = Image.new("RGB", (4 * side * len(digits), 4 * side), "#e9e4d6")  # reduced at the end, which smooths the lines
    pen, radius = ImageDraw.Draw(large), side / 8
    for place, digit in enumerate(digits):
        for stroke in forms[DRAWINGS[digit]].strokes:
            path = ((stroke.curve @ stroke.points) * 0.6 + (place + 0.3, 0.2)) * 4 * side
            pen.line([(x, y) for x, y in path], "#1d2a66", round(2 * radius))
            for x, y in path:
                pen.ellipse((x - radius, y - radius, x + radius, y + radius), "#1d2a66")
    content = BytesIO()
    large.reduce(4).save(content, "PNG")
    return content.getvalue()


def cropped(page: Page) -> None:
    """Use a photo of three digits, and crop it to the one in the middle."""
    page.set_input_files("#image-file", {"name": "photo.png", "mimeType": "image/png", "buffer": photo_of("5", "7", "4")})
    page.click("#crop-btn")
    box = page.locator("#doodle-canvas").bounding_box()
    unit = box["width"] / CANVAS
    page.mouse.move(box["x"] + 98 * unit, box["y"] + 98 * unit)
    page.mouse.down()
    page.mouse.move(box["x"] + 182 * unit, box["y"] + 182 * unit, steps=4)
    page.mouse.up()
    page.click("#predict-btn")
    expect(page.locator("#result")).to_have_text("Digit: 7")


def screenshots(browser: Browser, address: str) -> None:
    def opened(width: int, height: int, scale: float = 1.0) -> tuple[Page, Hand]:
        page = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=scale)
        page.goto(address)
        return page, Hand(page)

    def save(name: str, shown: Page | Locator) -> None:
        image = Image.open(BytesIO(shown.screenshot())).convert("RGB")
        image.quantize(256, dither=Image.Dither.NONE).save(IMAGES / name, optimize=True)
        print(f"docs/images/{name}: {image.width} x {image.height}")

    for name, what, answer in (("page.png", "5", "Digit: 5"), ("no-digit.png", "A", "Not sure that is a digit")):
        page, hand = opened(1120, 860, 1.5)
        predicted(page, hand, what, answer)
        hand.move(*AWAY)
        page.wait_for_timeout(300)  # for the button to lose its hover color
        save(name, page)

    page, hand = opened(1120, 860, 1.5)
    cropped(page)
    hand.move(*AWAY)
    page.wait_for_timeout(300)
    save("crop.png", page)

    page, hand = opened(360, 740)
    predicted(page, hand, "5", "Digit: 5")
    page.evaluate("window.scrollTo(0, 0)")
    hand.move(*AWAY)
    page.wait_for_timeout(300)
    save("phone.png", page)

    page, hand = opened(1024, 1265)
    predicted(page, hand, "5", "Digit: 5")
    page.select_option("#lesson-label", "3")
    hand.click("#ten-steps-btn")
    expect(page.locator("#lesson-results")).to_be_visible()
    hand.click("#step-btn")
    page.wait_for_timeout(1000)
    page.locator("#inside").evaluate("element => element.scrollIntoView({behavior: 'instant'})")
    hand.move(*AWAY)
    save("inside.png", page)

    page.click("#timeline summary")
    expect(page.locator("#timeline-body")).to_be_visible()
    page.fill("#moment", "6")
    page.wait_for_timeout(1000)
    save("timeline.png", page.locator("#timeline"))

    page, hand = opened(1280, 800)
    predicted(page, hand, "5", "Digit: 5")
    canvas = page.locator("#layers canvas").nth(3)
    canvas.scroll_into_view_if_needed()
    canvas.click(position={"x": 351, "y": 61})
    expect(page.locator("#unit")).to_be_visible()
    canvas.evaluate("element => element.scrollIntoView({block: 'center', behavior: 'instant'})")
    page.wait_for_timeout(500)
    save("unit.png", page)


def main() -> int:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("pictures: Chromium is missing. On Debian: apt install chromium")
    with running_page() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1000, "height": 840})
        page.goto(address)
        film(page)
        screenshots(browser, address)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
