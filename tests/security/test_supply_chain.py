"""Third-party code is pinned by hash or commit, and only the trainer starts programs."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[2]


def read(name):
    """Return (name, requirement, hashes) of each package in a lock file."""
    text = re.sub(r"\\\n", " ", (PROJECT / name).read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    requirements = [(Requirement(line.partition("--hash")[0]), re.findall(r"--hash=(\S+)", line)) for line in lines]
    return [(canonicalize_name(asked.name), asked, hashes) for asked, hashes in requirements]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-uv.lock"])
def test_locks_pin_versions_and_hashes(lock):
    for name, requirement, hashes in read(lock):
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), name
        assert requirement.url is None, name
        assert hashes, name
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", each) for each in hashes), name


def test_every_dependency_is_locked():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(each for extra in project["optional-dependencies"].values() for each in extra)]
    assert {canonicalize_name(Requirement(each).name) for each in asked} <= {name for name, _, _ in read("requirements.lock")}


def test_workflow_pins_actions_by_commit():
    """A tag can move. The comment names the release."""
    uses = re.findall(r"uses: (.*)", (PROJECT / ".github/workflows/ci.yml").read_text())
    assert uses
    assert [each for each in uses if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []


def test_only_the_trainer_starts_programs():
    files = [path for folder in ("packages", "services") for path in (PROJECT / folder).rglob("*.py")]
    starting = {path.relative_to(PROJECT / "services").parts[0] for path in files if "subprocess" in path.read_text("utf-8")}
    assert starting == {"trainer"}
