"""What others wrote: pinned to a hash each, installed by it everywhere, and looked at in the hosted workflow."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[2]


def read(name):
    """The packages of a lock: (name, the requirement, its hashes)."""
    text = re.sub(r"\\\n", " ", (PROJECT / name).read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    requirements = [(line.partition("--hash")[0], re.findall(r"--hash=(\S+)", line)) for line in lines]
    return [(canonicalize_name(Requirement(asked).name), Requirement(asked), hashes) for asked, hashes in requirements]


@pytest.fixture(scope="module")
def locked():
    return read("requirements.lock")


def test_each_package_is_one_version_by_its_hashes(locked):
    assert len(locked) > 80
    installer = read("requirements-uv.lock")
    assert [name for name, _, _ in installer] == ["uv"]
    for name, requirement, hashes in locked + installer:
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), name
        assert requirement.url is None, name
        assert hashes, name
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", each) for each in hashes), name


def test_all_that_the_project_asks_for_is_locked(locked):
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(each for extra in project["optional-dependencies"].values() for each in extra)]
    names = {name for name, _, _ in locked}
    assert {canonicalize_name(Requirement(each).name) for each in asked} <= names


def test_nothing_is_installed_but_by_its_hash():
    """pip checks uv's own hashes."""
    for name in ("services/Dockerfile", "scripts/setup.sh", "scripts/audit.sh"):
        text = re.sub(r"\\\n", " ", (PROJECT / name).read_text())
        installs = re.findall(r"uv pip install[^\n;&]*", text) + re.findall(r"\$uv pip install[^\n;&]*", text)
        assert installs, name
        for install in installs:
            assert "--require-hashes" in install or "--no-deps --no-build-isolation --editable ." in install, (name, install)
    for name in ("services/Dockerfile", "scripts/setup.sh"):
        text = re.sub(r"\\\n", " ", (PROJECT / name).read_text())
        [install] = re.findall(r"(?<!uv )pip install [^\n;&]*", text)
        assert "--require-hashes --requirement requirements-uv.lock" in install, (name, install)


def test_the_hosted_workflow_names_each_action_by_its_commit():
    """A tag can be moved; the comment names the release of the commit."""
    uses = re.findall(r"uses: (.*)", (PROJECT / ".github/workflows/ci.yml").read_text())
    assert uses
    assert [each for each in uses if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []


def test_the_hosted_workflow_looks_for_what_is_known_against_them_and_lists_their_licences():
    jobs = yaml.safe_load((PROJECT / ".github/workflows/ci.yml").read_text())["jobs"]
    assert "make audit" in [step.get("run") for step in jobs["supply-chain"]["steps"]]
    makefile, audit = (PROJECT / "Makefile").read_text(), (PROJECT / "scripts/audit.sh").read_text()
    assert re.search(r"^audit:.*\n\t@scripts/audit\.sh$", makefile, re.MULTILINE)
    assert re.search(r"pip-audit@\d+\.\d+\.\d+ --requirement requirements\.lock --require-hashes", audit)
    assert re.search(r"pip-licenses@\d+\.\d+\.\d+ ", audit)
    assert "GPL" not in re.search(r"ALLOWED=.*(?:\nALLOWED=.*)*", audit)[0]


def test_make_lint_looks_for_what_is_unsafe():
    assert "S" in tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]["select"]
    assert (
        "bandit --quiet --configfile pyproject.toml --recursive packages services scripts" in (PROJECT / "Makefile").read_text()
    )
