"""Page and service as processes, with the repository's model; and a newcomer's clone for `make run`."""

import os
import shutil
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from stores.journal import open_journal
from stores.models import open_models

PROJECT = Path(__file__).parents[2]
FIRST_RUN_SECONDS = 900  # set up: half a minute as a rule, but machines and package indexes differ


class Site:
    """Page and service as processes of their own, so that one can be stopped without the other."""

    def __init__(self, service, free_port, folder):
        self._service, self._models = service, folder / "models"
        self._journal = f"sqlite:///{folder / 'journal.sqlite'}"
        self._api_port, self._page_port = free_port(), free_port()
        self.url, self._api = f"http://127.0.0.1:{self._page_port}", f"http://127.0.0.1:{self._api_port}"
        models = open_models(str(self._models))
        models.promote(models.publish(PROJECT / "artifacts" / "model")["version"])

    def start_page(self):
        return self._service("frontend", {"DOODLE_FRONTEND_PORT": self._page_port, "DOODLE_API_URL": self._api}, self.url)

    def start_api(self):
        state = {"DOODLE_MODELS": self._models, "DOODLE_JOURNAL": self._journal}
        return self._service("inference", {"DOODLE_PORT": self._api_port, **state}, f"{self._api}/readyz")

    def feedback(self):
        """What users said so far: the answer, and what they drew."""
        journal = open_journal(self._journal)
        try:
            return [(feedback.predicted_digit, feedback.actual_digit) for feedback in journal.feedback(1000)]
        finally:
            journal.close()


@pytest.fixture(scope="session")
def make_site(service, free_port, tmp_path_factory):
    return lambda: Site(service, free_port, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def site(make_site):
    """The one before which all tests draw that stop nothing."""
    site = make_site()
    with site.start_api(), site.start_page():
        yield site


@pytest.fixture(scope="session")
def page_url(site):
    return site.url


@dataclass
class Clone:
    """The project in a folder of its own."""

    folder: Path
    ports: dict[str, str]

    def address(self, port: str) -> str:
        return f"http://localhost:{self.ports[port]}"

    @property
    def page(self) -> str:
        return self.address("DOODLE_FRONTEND_PORT")

    @property
    def api(self) -> str:
        return self.address("DOODLE_PORT")

    @property
    def environment(self) -> dict[str, str]:
        outside = ("VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL")
        return {name: value for name, value in os.environ.items() if name not in outside} | self.ports

    def run(self, *command: str, code: int = 0, timeout: float = 1200) -> subprocess.CompletedProcess:
        """A command in the clone with its .venv active; another exit code than this one is the test's failure."""
        environment = self.environment | {"PATH": f"{self.folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        options = {"capture_output": True, "text": True, "timeout": timeout, "check": False}
        done = subprocess.run(command, cwd=self.folder, env=environment, **options)
        assert done.returncode == code, f"{' '.join(command)}: {done.returncode} {done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done

    @contextmanager
    def serving(self, log: Path, wait_for):
        """`make run` until it serves, in a process group of its own as a terminal gives it; at the end Ctrl-C ends it."""
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["make", "run"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            wait_for(self.page, FIRST_RUN_SECONDS, process)
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
                finally:
                    if process.poll() is None:
                        os.killpg(process.pid, signal.SIGKILL)
                        process.wait()


@pytest.fixture(scope="session")
def clone(clone_project, tmp_path_factory, require, free_port):
    """A newcomer's clone. MNIST is taken along where this folder has it: fetch has its own tests."""
    git = require("git")
    require("make")
    folder = clone_project(tmp_path_factory.mktemp("newcomer") / "doodle")
    somebody = ["-c", "user.name=somebody", "-c", "user.email=somebody@localhost"]
    for command in (["init", "--quiet"], ["add", "--all"], [*somebody, "commit", "--quiet", "--message=Doodle"]):
        subprocess.run([git, *command], cwd=folder, check=True)
    if (PROJECT / "mnist").exists():
        shutil.copytree(PROJECT / "mnist", folder / "mnist")
    ports = ("DOODLE_PORT", "DOODLE_FRONTEND_PORT", "DOODLE_EXPORTER_PORT")
    return Clone(folder, {name: str(free_port()) for name in ports})
