"""A newcomer's clone, set up and started by `make run` once for all tests here."""

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from stores.models import open_models

PROJECT = Path(__file__).parents[2]
FIRST_RUN_SECONDS = 900  # set up: half a minute as a rule, but machines and package indexes differ


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
    def exporter(self) -> str:
        return f"http://localhost:{self.ports['DOODLE_EXPORTER_PORT']}"

    @property
    def environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL")}

    @property
    def models(self) -> Path:
        return self.folder / "state" / "models"

    def run(self, *command: str, code: int = 0, timeout: float = 1200) -> subprocess.CompletedProcess:
        """A command in the clone with its .venv active; another exit code than this one as the test's failure."""
        path = f"{self.folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment | self.ports | {"PATH": path}, capture_output=True, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"{' '.join(command)}: {done.returncode} {done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done

    def make_run(self, log: Path) -> subprocess.Popen:
        """`make run`, in a process group of its own as a terminal gives it, so that interrupt() is Ctrl-C."""
        with log.open("wb") as output:
            return subprocess.Popen(
                ["make", "run"],
                cwd=self.folder,
                env=self.environment | self.ports,
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
def clone(clone_project, tmp_path_factory, require, free_port, wait_for):
    """A clone in which `make run` has served once. MNIST is taken along where this folder has it: fetch has its own tests."""
    git = require("git")
    require("make")
    folder = clone_project(tmp_path_factory.mktemp("newcomer") / "doodle")
    somebody = ["-c", "user.name=somebody", "-c", "user.email=somebody@localhost"]
    for command in (["init", "--quiet"], ["add", "--all"], [*somebody, "commit", "--quiet", "--message=Doodle"]):
        subprocess.run([git, *command], cwd=folder, check=True)
    if (PROJECT / "mnist").exists():
        shutil.copytree(PROJECT / "mnist", folder / "mnist")

    ports = ("DOODLE_PORT", "DOODLE_FRONTEND_PORT", "DOODLE_EXPORTER_PORT")
    clone = Clone(folder, {name: str(free_port()) for name in ports})
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
def page_url(service, free_port, tmp_path_factory):
    """The address of the page, before the real service with this project's model: without a clone, for what needs no more."""
    folder = tmp_path_factory.mktemp("page")
    models = open_models(str(folder / "models"))
    models.promote(models.publish(PROJECT / "artifacts" / "model")["version"])
    api_port, page_port = free_port(), free_port()
    api, page = f"http://127.0.0.1:{api_port}", f"http://127.0.0.1:{page_port}"
    state = {"DOODLE_MODELS": folder / "models", "DOODLE_JOURNAL": f"sqlite:///{folder / 'journal.sqlite'}"}
    with (
        service("inference", {"DOODLE_PORT": api_port, **state}, f"{api}/readyz"),
        service("frontend", {"DOODLE_FRONTEND_PORT": page_port, "DOODLE_API_URL": api}, page),
    ):
        yield page


@pytest.fixture(scope="session")
def stop_with_ctrl_c():
    return interrupt
