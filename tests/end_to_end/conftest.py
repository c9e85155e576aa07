"""A newcomer's clone, set up and started by `make run` once for all tests here, and a real browser."""

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

PROJECT = Path(__file__).parents[2]
CHROMIUM_OPTIONS = [
    "--no-sandbox",  # CI runs as root, where Chromium's own sandbox does not start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FIRST_RUN_SECONDS = 900  # set up, fetch, train: one minute and a half as a rule, but machines differ

# On a canvas of 280 x 280, as a hand would.
DIGITS = {
    1: [[(140, 50), (138, 120), (140, 230)]],
    4: [[(150, 50), (80, 160), (200, 160)], [(165, 110), (160, 235)]],
    5: [[(190, 55), (100, 58), (92, 130), (140, 118), (185, 140), (192, 185), (165, 228), (115, 235), (82, 215)]],
    7: [[(80, 60), (200, 60), (160, 140), (130, 230)]],
}


expect.set_options(timeout=15_000)  # two cores may be busy with more than this


@dataclass
class Clone:
    """The project in a folder of its own."""

    folder: Path
    ports: dict[str, str]

    @property
    def page(self) -> str:
        return f"http://localhost:{self.ports['DOODLE_FRONTEND_PORT']}"

    @property
    def api(self) -> str:
        return f"http://localhost:{self.ports['DOODLE_PORT']}"

    @property
    def model(self) -> Path:
        return self.folder / "artifacts" / "model"

    def make_run(self, log: Path) -> subprocess.Popen:
        """`make run`, in a process group of its own as a terminal gives it, so that interrupt() is Ctrl-C."""
        environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL")}
        with log.open("wb") as output:
            return subprocess.Popen(
                ["make", "run"],
                cwd=self.folder,
                env=environment | self.ports,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


def interrupt(process: subprocess.Popen) -> int:
    """Ctrl-C, and the exit code."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        return process.wait(timeout=20)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="session")
def clone(tmp_path_factory, require, free_port, wait_for):
    """A clone in which `make run` has served once. What this folder has fetched and trained already is taken along."""
    git = require("git")
    require("make")
    folder = tmp_path_factory.mktemp("newcomer") / "doodle"
    files = subprocess.run(
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=PROJECT, capture_output=True, check=True
    ).stdout
    for name in filter(None, files.decode().split("\0")):
        if (PROJECT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, folder / name)
    subprocess.run([git, "init", "--quiet"], cwd=folder, check=True)
    for name in ("mnist", "data", "artifacts"):
        if (PROJECT / name).exists():
            shutil.copytree(PROJECT / name, folder / name)

    clone = Clone(folder, {"DOODLE_PORT": str(free_port()), "DOODLE_FRONTEND_PORT": str(free_port())})
    log = folder.parent / "first-run.log"
    process = clone.make_run(log)
    try:
        wait_for(clone.page, FIRST_RUN_SECONDS, process)
        wait_for(f"{clone.api}/readyz", 30, process)
    except BaseException:
        print(log.read_text(errors="replace")[-8000:])
        raise
    finally:
        interrupt(process)
    return clone


@pytest.fixture(scope="session")
def stop_with_ctrl_c():
    return interrupt


@pytest.fixture(scope="module")  # not longer: while Playwright runs, its event loop is in the way of other tests' own
def chromium(require, missing):
    executable = require("chromium", "chromium-browser", "google-chrome")
    try:
        playwright = sync_playwright().start()
    except Exception as error:  # its driver is a program of its own, which may lack a library
        missing(f"Playwright does not start here: {error}")
    browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_OPTIONS)
    yield browser
    browser.close()
    playwright.stop()


@pytest.fixture
def new_page(chromium):
    """new_page(**options): a page in a fresh browser context, whose scripts must raise no error."""
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
    """draw(page, digit): with the mouse, stroke by stroke."""

    def draw(page, digit):
        canvas = page.locator("#doodle-canvas")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        for stroke in DIGITS[digit]:
            points = [(box["x"] + x * box["width"] / 280, box["y"] + y * box["height"] / 280) for x, y in stroke]
            page.mouse.move(*points[0])
            page.mouse.down()
            for point in points[1:]:
                page.mouse.move(*point, steps=10)
            page.mouse.up()

    return draw
