"""Find commands and free ports, start services, load scripts, and copy the project."""

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

import pytest

PROJECT = Path(__file__).parents[1]


def require(*names):
    """Return the path of the first of these commands that is installed; skip the test if none is."""
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    missing(f"{' or '.join(names)} is not installed")


def missing(reason):
    """Skip the test for this reason, or fail it if DOODLE_TEST_REQUIRE=all."""
    if os.environ.get("DOODLE_TEST_REQUIRE") == "all":
        pytest.fail(f"{reason}, and DOODLE_TEST_REQUIRE=all")
    pytest.skip(reason)


def free_port():
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url, seconds=30.0, process=None):
    """Wait until the URL answers 200. Fail if it does not, or if the process ends first."""
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
    """Run `python -m module` until `ready_url` answers. At the end it must stop cleanly on SIGTERM."""
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


def load_script(path: str):
    """Load a program that is in no package, such as scripts/drift.py, as a module."""
    spec = importlib.util.spec_from_file_location(f"script_{Path(path).stem}", PROJECT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def clone_project(folder: Path) -> Path:
    """Copy this project's tracked and unignored files there."""
    listing = [require("git"), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listing, cwd=PROJECT, capture_output=True, check=True).stdout
    for name in filter(None, files.decode().split("\0")):
        if (PROJECT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, folder / name)
    # As in a clone with umask 077, the strictest: Git keeps only the executable bit.
    subprocess.run(["chmod", "-R", "u=rwX,go=", folder], check=True)
    return folder


def fixture_of(function):
    """Return a fixture with the function's name that returns the function."""
    return pytest.fixture(scope="session", name=function.__name__)(lambda: function)


require_, missing_, free_port_, service_, wait_for_ = map(fixture_of, (require, missing, free_port, service, wait_for))
load_script_, clone_project_ = map(fixture_of, (load_script, clone_project))
