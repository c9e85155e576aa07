"""Require a Docker engine."""

import subprocess

import pytest


@pytest.fixture(scope="session")
def engine(require, missing):
    """A Docker engine with Compose v2."""
    require("docker")
    for command in (["info"], ["compose", "version"]):
        if subprocess.run(["docker", *command], capture_output=True, check=False).returncode != 0:
            missing(f"`docker {' '.join(command)}` fails: there is no engine with Compose v2 here (tests/stack/engine.sh)")
