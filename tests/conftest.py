"""What tests of several parts share: tools that may be missing, ports, services run as users run them, clones, and a browser."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import redis
import yaml
from digitnet import checkpoint
from digitnet.network import Network
from digitnet.packing import pack, unpack
from digitnet.snapshots import Snapshots
from patience import PATIENCE, eventually
from playwright.sync_api import expect, sync_playwright
from redis.backoff import NoBackoff
from redis.retry import Retry
from xdist.scheduler import LoadFileScheduling

pytest_plugins = ["doc_tables", "model_stores", "object_store"]

PROJECT = Path(__file__).parents[1]
CHROMIUM_OPTIONS = [
    "--no-sandbox",  # CI runs as root, where Chromium's own sandbox does not start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# On a canvas of 280 x 280, as a hand would.
DIGITS = {
    1: [[(140, 50), (138, 120), (140, 230)]],
    4: [[(150, 50), (80, 160), (200, 160)], [(165, 110), (160, 235)]],
    5: [[(190, 55), (100, 58), (92, 130), (140, 118), (185, 140), (192, 185), (165, 228), (115, 235), (82, 215)]],
    7: [[(80, 60), (200, 60), (160, 140), (130, 230)]],
}

SMALL_NETWORK = ["flatten", {"dense": {"units": 10}}]
ALL_KEPT = {"appendonly": "yes", "appendfsync": "always"}  # Redis, as in the stack
# What the stack does with Redis's file before it starts it; in Compose's files $$ is a $.
COMPOSE = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8").replace("$$", "$"))
REDIS_ENTRYPOINT = COMPOSE["services"]["redis"]["entrypoint"]

expect.set_options(timeout=15_000)  # two cores may be busy with more than this


class ByFile(LoadFileScheduling):
    """How tests are shared out where several processes run them: a file's stay together, and so do all of end_to_end, whose clone
    takes half a minute to set up. Of the longest file the halves do."""

    def _split_scope(self, nodeid):
        if "test_by_description" in nodeid:
            return f"by description, {'no ' * ('do not fit' in nodeid)}fit"
        return "end_to_end" if "end_to_end/" in nodeid else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config, log):
    return ByFile(config, log)


def require(*names):
    """The path of the first of these commands that is installed; the test needs one of them."""
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    missing(f"{' or '.join(names)} is not installed")


def missing(reason):
    """Skip, saying what this machine lacks; but fail where DOODLE_TEST_REQUIRE=all says that nothing may be missing."""
    if os.environ.get("DOODLE_TEST_REQUIRE") == "all":
        pytest.fail(f"{reason}, and DOODLE_TEST_REQUIRE=all")
    pytest.skip(reason)


def free_port():
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url, seconds=30.0, process=None):
    """Until the address answers with 200. Fails with the reason if it does not, or if the process ends first."""
    deadline, reason = time.monotonic() + seconds, "never tried"
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            pytest.fail(f"the process ended with {process.returncode} before {url} answered")
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError) as error:
            reason = error
        time.sleep(0.05)
    pytest.fail(f"{url} did not answer within {seconds} s: {reason}")


@contextmanager
def service(module, environment, ready_url):
    """`python -m module`, ready when the address answers; at the end it must stop within seconds, and cleanly, when asked."""
    process = subprocess.Popen(
        [sys.executable, "-m", module], cwd=PROJECT, env={**os.environ, **{k: str(v) for k, v in environment.items()}}
    )
    try:
        wait_for(ready_url, process=process)
        yield process
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


class RedisServer:
    """redis-server in a process and folder of its own, on a free port, started as the stack starts it."""

    def __init__(self, executable, folder, port):
        self.folder, self.port, self.url = folder, port, f"redis://127.0.0.1:{port}/0"
        self.client = redis.Redis(port=port, protocol=2, retry=Retry(NoBackoff(), 0))
        self._executable, self.process = executable, None

    def start(self, *arguments, until_loaded=True, **settings):
        """`arguments` go on the command line as they are; `settings` by name, with _ for -."""
        named = {"save": "", **ALL_KEPT} | {name.replace("_", "-"): value for name, value in settings.items()}
        options = [text for name, value in named.items() for text in (f"--{name}", str(value))]
        where = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", self.folder, "--logfile", self.folder / "log"]
        self.process = subprocess.Popen([*REDIS_ENTRYPOINT, self._executable, *where, *options, *arguments], cwd=self.folder)
        deadline = time.monotonic() + PATIENCE
        while not self._answers(until_loaded):
            assert self.process.poll() is None, f"redis-server ended by itself:\n{(self.folder / 'log').read_text()}"
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.01)

    def _answers(self, until_loaded):
        try:
            return self.client.ping()
        except redis.exceptions.BusyLoadingError:
            return not until_loaded
        except redis.AuthenticationError:
            return True
        except redis.ConnectionError:
            return False

    def kill(self):
        """kill -9: nothing is flushed, nobody is told."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def pause(self):
        """From now on it accepts connections and requests but answers none."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)


@pytest.fixture(scope="session", name="require")
def require_fixture():
    return require


@pytest.fixture(scope="session", name="missing")
def missing_fixture():
    return missing


@pytest.fixture(scope="session", name="free_port")
def free_port_fixture():
    return free_port


@pytest.fixture(scope="session", name="service")
def service_fixture():
    return service


@pytest.fixture(scope="session", name="wait_for")
def wait_for_fixture():
    return wait_for


@pytest.fixture(scope="session", name="eventually")
def eventually_fixture():
    """eventually(condition, "what it waits for"): poll until it holds."""
    return eventually


@pytest.fixture(scope="session")
def new_redis(tmp_path_factory):
    """new_redis(): a Redis server that is not running yet."""
    return lambda: RedisServer(require("redis-server"), tmp_path_factory.mktemp("redis"), free_port())


@pytest.fixture(scope="session")
def save_model():
    """save_model(folder, seed): a small network as the trainer would leave it; each seed is another. Returns its card."""

    def save_model(folder: Path, seed: int = 0, about: dict | None = None, layers=SMALL_NETWORK, snapshots: bool = False) -> dict:
        network, generator = Network(layers), np.random.default_rng(seed)
        network.initialize(generator)
        golden_pictures = generator.integers(0, 256, (4, 28, 28), dtype=np.uint8)
        about = {"test": {"accuracy": 0.5}} if about is None else about
        return checkpoint.save(folder, network, golden_pictures, about, some_snapshots(network) if snapshots else None)

    def some_snapshots(network):
        """Of three moments: it knew nothing, then the opposite, and then what it knows."""
        rising = np.arange(3, dtype=np.float32)
        by_layer = np.where([layer.parameter_count > 0 for layer in network.layers], rising[:, None], np.float32("nan"))
        by_layer[0] = np.nan
        packed, widths = pack(network, np.stack([0.0 * network.parameters, -network.parameters]))
        return Snapshots(
            step=np.array([0, 10, 20]),
            learning_rate=np.array([np.nan, 0.1, 0.01], np.float32),
            train_loss=np.array([np.nan, 2.0, 1.0], np.float32),
            validation_loss=3.0 - rising,
            validation_accuracy=rising / 2.0,
            gradient_norm=by_layer,
            update_ratio=by_layer / 100.0,
            dead_units=np.full_like(by_layer, np.nan),
            packed=packed,
            widths=widths,
            parameters=unpack(network, packed, widths),
            mapped=np.array([7, 3, 0, 9], np.uint8),
            map_points=rising[:, None, None] * np.array([[0, 1], [1, 0], [0, -1], [-1, 0]], np.float32),
            map_origin=np.ones((3, *network.shapes[-2]), np.float32) * rising[:, None],
            map_axes=np.linspace(-1, 1, 3 * network.shapes[-2][0] * 2, dtype=np.float32).reshape(3, -1, 2),
        )

    return save_model


@pytest.fixture(scope="session")
def load_script():
    """load_script("scripts/drift.py"): a program of the project's as a module; none of them is in a package."""

    def load_script(path: str):
        spec = importlib.util.spec_from_file_location(f"script_{Path(path).stem}", PROJECT / path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load_script


@pytest.fixture(scope="session")
def clone_project(require):
    """clone_project(folder): this project's files, as Git has them or would, and nothing that was made from them."""
    git = require("git")

    def clone_project(folder: Path) -> Path:
        files = subprocess.run(
            [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=PROJECT, capture_output=True, check=True
        ).stdout
        for name in filter(None, files.decode().split("\0")):
            if (PROJECT / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(PROJECT / name, folder / name)
        # Git keeps no more of a file's mode than that: whoever clones has what their umask leaves, 022 as a rule.
        subprocess.run(["chmod", "-R", "u=rwX,go=rX", folder], check=True)
        return folder

    return clone_project


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
                page.mouse.move(*point, steps=3)  # straight on: more would be the same line
            page.mouse.up()

    return draw
