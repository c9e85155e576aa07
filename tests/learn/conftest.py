"""Open pages of the learning path in a browser. Their figures need no service."""

import base64
import zlib
from pathlib import Path

import numpy as np
import pytest
from app_server import serving
from frontend.__main__ import create_app

MNIST_DIGITS = Path(__file__).parents[2] / "services" / "frontend" / "learn" / "js" / "mnist-digits.js"


@pytest.fixture(scope="session")
def page_digits():
    """Return the learning path's digits: images (900, 28, 28) in [0, 1] and labels (900,)."""
    packed = MNIST_DIGITS.read_text(encoding="utf-8").split('"')[1]
    content = np.frombuffer(zlib.decompress(base64.b64decode(packed)), np.uint8)
    pixels = content[900:, None] >> np.array([6, 4, 2, 0], np.uint8) & 3
    return pixels.reshape(900, 28, 28) / 3, content[:900].astype(np.int64)


@pytest.fixture(scope="module")
def learn_url():
    with serving(create_app("http://127.0.0.1:9")) as address:
        yield f"http://{address}/learn"


@pytest.fixture
def open_chapter(learn_url, new_page):
    """open_chapter("1-neuron", **options): open the chapter and wait for its figure."""

    def open_chapter(stem, **options):
        page = new_page(**options)
        page.goto(f"{learn_url}/{stem}.html")
        page.locator("#picture > *").first.wait_for()
        return page

    return open_chapter


@pytest.fixture(scope="session")
def slide():
    """slide(page, "weight w₁", 0.5): set the slider of this name."""

    def slide(page, name, value):
        page.get_by_role("slider", name=name, exact=True).fill(str(value))

    return slide


@pytest.fixture(scope="session")
def press():
    """press(page, "Step", "Undo"): click the buttons of these names."""

    def press(page, *names):
        for name in names:
            page.get_by_role("button", name=name, exact=True).click()

    return press
