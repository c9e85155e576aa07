"""Doodle's version, which pyproject.toml declares once for all programs."""

import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


@cache
def doodle_version() -> str:
    """Return the version of the installed project, or of pyproject.toml where only the sources are, as in the images."""
    try:
        return version("doodle")
    except PackageNotFoundError:
        return str(tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["version"])
