"""Doodle's version is pyproject.toml's, with the project installed and without."""

import tomllib
from importlib.metadata import PackageNotFoundError

from deployment import version


def test_is_that_of_pyproject_installed_or_not(pytestconfig, monkeypatch):
    expected = tomllib.loads((pytestconfig.rootpath / "pyproject.toml").read_text())["project"]["version"]
    assert version.doodle_version.__wrapped__() == expected, "an installed version is stale: make .venv/test.stamp"

    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(version, "version", missing)
    assert version.doodle_version.__wrapped__() == expected


def test_citation_has_it_too(pytestconfig):
    assert f"\nversion: {version.doodle_version()}\n" in (pytestconfig.rootpath / "CITATION.cff").read_text()
