"""A newcomer's clone, set up and started by `make run` once for all tests here."""

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
FIRST_RUN_SECONDS = 900  # set up, fetch, train: one minute and a half as a rule, but machines differ


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
    def models(self) -> Path:
        return self.folder / "state" / "models"

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
def clone(clone_project, tmp_path_factory, require, free_port, wait_for):
    """A clone in which `make run` has served once. What this folder has fetched and trained already is taken along."""
    git = require("git")
    require("make")
    folder = clone_project(tmp_path_factory.mktemp("newcomer") / "doodle")
    subprocess.run([git, "init", "--quiet"], cwd=folder, check=True)
    for name in ("mnist", "data", "artifacts"):
        if (PROJECT / name).exists():
            shutil.copytree(PROJECT / name, folder / name, dirs_exist_ok=True)

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
def stop_with_ctrl_c():
    return interrupt
