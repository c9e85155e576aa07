"""Make the static pictures at the top of docs/learn's chapters, docs/images/learn/*.png, from the live ones: `make pictures`."""

import os
import shutil
import subprocess
import sys
from io import BytesIO

from pictures import PROJECT, free_port, wait_for
from PIL import Image
from playwright.sync_api import Page, sync_playwright

FOLDER = PROJECT / "docs" / "images" / "learn"
SIZE = {"width": 1000, "height": 900}
COLORS, WIDTH, TALLEST = 64, 640, 420  # of a picture, after the cut of its lower part
# The figures that compute for a while, and the sign that they are done.
BUTTONS = {"10-whole-network": "Train", "4-backpropagation": "All"}
SIGNS = {"10-whole-network": ".says[data-step='3600']", "11-reading-the-reader": ".says[data-digit]"}
PATIENCE = 600_000  # milliseconds


def picture_of(page: Page, address: str, stem: str) -> Image.Image:
    page.goto(f"{address}/learn/{stem}.html")
    page.locator("#picture .stays").first.wait_for()
    if stem in BUTTONS:
        page.get_by_role("button", name=BUTTONS[stem], exact=True).click()
    if stem in SIGNS:
        page.locator(SIGNS[stem]).wait_for(timeout=PATIENCE)
    image = Image.open(BytesIO(page.locator("#picture").screenshot())).convert("RGB")
    image = image.resize((WIDTH, image.height * WIDTH // image.width), Image.Resampling.LANCZOS)
    return image.crop((0, 0, WIDTH, min(image.height, TALLEST))).quantize(COLORS, dither=Image.Dither.NONE)


def main() -> int:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("learn_pictures: Chromium is missing. On Debian: apt install chromium")
    FOLDER.mkdir(exist_ok=True)
    port = str(free_port())
    server = subprocess.Popen([sys.executable, "-m", "frontend"], cwd=PROJECT, env=os.environ | {"DOODLE_FRONTEND_PORT": port})
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/learn/index.html")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport=SIZE, reduced_motion="reduce")
            for chapter in sorted((PROJECT / "docs" / "learn").glob("[0-9]*.md")):
                path = FOLDER / f"{chapter.stem}.png"
                picture_of(page, address, chapter.stem).save(path, optimize=True)
                print(f"{path.relative_to(PROJECT)}: {path.stat().st_size:,} bytes")
            browser.close()
    finally:
        server.terminate()
        server.wait(20)
    return 0


if __name__ == "__main__":
    sys.exit(main())
