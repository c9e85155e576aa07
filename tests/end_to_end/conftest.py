"""Run page and service in this process with the repository's model, and `make run` in a fresh clone."""

import os
import shutil
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from app_server import serving
from frontend.__main__ import create_app as create_page
from inference.app import create_app
from inference.settings import Settings
from stores.models import open_models
from stores.prediction_log import open_prediction_log
from threadpoolctl import threadpool_limits

PROJECT = Path(__file__).parents[2]
FIRST_RUN_SECONDS = 900  # set-up usually takes half a minute


class Site:
    """Page and service, which start and stop independently."""

    def __init__(self, free_port, folder):
        self._api_port, self._page_port = free_port(), free_port()
        self.url, self._api = (f"http://127.0.0.1:{port}" for port in (self._page_port, self._api_port))
        self._settings = Settings(models=str(folder / "models"), prediction_log=f"sqlite:///{folder / 'journal.sqlite'}")
        models = open_models(self._settings.models)
        models.promote(models.publish(PROJECT / "artifacts" / "model")["version"])

    def serving_page(self):
        return serving(create_page(self._api), self._page_port)

    @contextmanager
    def serving_api(self):
        with threadpool_limits(1, user_api="blas"), serving(create_app(self._settings), self._api_port):
            yield

    def feedback(self):
        """Return (predicted digit, actual digit) of all feedback."""
        log = open_prediction_log(self._settings.prediction_log)
        try:
            return [(feedback.predicted_digit, feedback.actual_digit) for feedback in log.feedback(1000)]
        finally:
            log.close()


@pytest.fixture(scope="session")
def make_site(free_port, tmp_path_factory):
    return lambda: Site(free_port, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def site(make_site):
    """Return a running site, shared by the tests that stop nothing."""
    site = make_site()
    with site.serving_api(), site.serving_page():
        yield site


@pytest.fixture(scope="module")
def page_url(site):
    return site.url


@pytest.fixture
def page(page_url, new_page):
    page = new_page()
    page.goto(page_url)
    return page


@dataclass
class Clone:
    """A clone of the project."""

    folder: Path
    ports: dict[str, str]

    def address(self, port: str) -> str:
        return f"http://localhost:{self.ports[port]}"

    @property
    def api(self) -> str:
        return self.address("DOODLE_PORT")

    @property
    def environment(self) -> dict[str, str]:
        outside = ("VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL")
        return {name: value for name, value in os.environ.items() if name not in outside} | self.ports

    def run(self, *command: str, code: int = 0, timeout: float = 1200) -> subprocess.CompletedProcess:
        """Run a command in the clone with its .venv active. Assert its exit code."""
        environment = self.environment | {"PATH": f"{self.folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        options = {"capture_output": True, "text": True, "timeout": timeout, "check": False}
        done = subprocess.run(command, cwd=self.folder, env=environment, **options)
        assert done.returncode == code, f"{' '.join(command)}: {done.returncode} {done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done

    @contextmanager
    def serving(self, log: Path, wait_for):
        """Run `make run` in its own process group; at the end stop it with Ctrl-C."""
        with log.open("wb") as output:
            options = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.STDOUT, "start_new_session": True}
            process = subprocess.Popen(["make", "run"], cwd=self.folder, env=self.environment, **options)
        try:
            wait_for(self.address("DOODLE_FRONTEND_PORT"), FIRST_RUN_SECONDS, process)
            wait_for(f"{self.api}/readyz", 30, process)
            yield process
        except BaseException:
            print(log.read_text(errors="replace")[-8000:])
            raise
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
                try:
                    process.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    raise


@pytest.fixture(scope="session")
def clone(clone_project, tmp_path_factory, require, free_port):
    """Return a fresh clone, with MNIST if this folder has it."""
    git = require("git")
    require("make")
    folder = clone_project(tmp_path_factory.mktemp("newcomer") / "doodle")
    author = ["-c", "user.name=tester", "-c", "user.email=tester@localhost"]
    for command in (["init", "--quiet"], ["add", "--all"], [*author, "commit", "--quiet", "--message=Doodle"]):
        subprocess.run([git, *command], cwd=folder, check=True)
    if (PROJECT / "mnist").exists():
        shutil.copytree(PROJECT / "mnist", folder / "mnist")
    ports = ("DOODLE_PORT", "DOODLE_FRONTEND_PORT", "DOODLE_EXPORTER_PORT")
    return Clone(folder, {name: str(free_port()) for name in ports})
