"""Open pages of the learning path in a browser. Their figures need no service."""

import pytest
from app_server import serving
from frontend.__main__ import create_app


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
