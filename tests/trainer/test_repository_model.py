"""The model that comes with the repository: whole, small, made by the recipe `best`, and as good as the documents say."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
import yaml
from digitnet.checkpoint import load

PROJECT = Path(__file__).parents[2]
ARTIFACTS = PROJECT / "artifacts"
MOST_BYTES = 3_000_000


@pytest.fixture(autouse=True, scope="module")
def as_committed():
    """Whoever trains a model of their own has that one in its place."""
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", "artifacts", "dvc.lock"], cwd=PROJECT, check=False)
    if changed.returncode == 1:
        pytest.skip("artifacts/ holds another model than the repository's: git checkout -- artifacts dvc.lock")


@pytest.fixture(scope="module")
def metrics():
    return json.loads((ARTIFACTS / "metrics.json").read_text())


@pytest.fixture(scope="module")
def lock():
    return yaml.safe_load((PROJECT / "dvc.lock").read_text())["stages"]


def test_it_is_whole_and_says_how_it_was_made(metrics):
    _, card = load(ARTIFACTS / "model")
    assert card["recipe"]["recipe"] == "best"
    assert card["test"] == {name: value for name, value in metrics.items() if not isinstance(value, list)}


def test_it_is_small():
    assert sum(file.stat().st_size for file in (ARTIFACTS / "model").iterdir()) <= MOST_BYTES


def test_it_reads_as_well_as_it_should(metrics):
    assert metrics["accuracy"] >= 0.9965
    assert metrics["synthetic_accuracy"] >= 0.99
    assert metrics["rejected"]["mnist_digits"] < 0.005
    assert metrics["rejected"]["non_digits"] > 0.85
    assert metrics["calibration"]["mnist_error_after"] < 0.005


def test_brush_and_place_and_size_cost_strokes_next_to_nothing(metrics):
    drawn = [row for row in metrics["robustness"] if row["source"] == "strokes" and row["change"] != "rotation"]
    (as_it_is,) = [row["accuracy"] for row in drawn if row["change"] == "none"]
    assert {row["change"] for row in drawn} == {"none", "size", "place", "brush"}
    assert all(row["accuracy"] >= as_it_is - 0.005 for row in drawn)


def test_dvc_lock_is_that_of_the_run_that_made_it(lock):
    assert lock["evaluate"]["params"]["params.yaml"]["recipe"] == lock["train"]["params"]["params.yaml"]["recipe"] == "best"
    outs = lock["evaluate"]["outs"] + lock["train"]["outs"]
    kept = {out["path"]: out["md5"] for out in outs if out["path"] != "artifacts/trained"}
    assert set(kept) == {f"artifacts/{path.name}" for path in ARTIFACTS.iterdir() if path.name != "trained"}
    for path, md5 in kept.items():
        assert md5_of(PROJECT / path) == md5, path


def md5_of(path):
    """As DVC has it: of a folder, that of a JSON list of its files."""
    if path.is_dir():
        listing = [{"md5": md5_of(file), "relpath": file.name} for file in sorted(path.iterdir())]
        return hashlib.md5(json.dumps(listing).encode()).hexdigest() + ".dir"
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("document", ["README.md", "docs/accuracy.md"])
def test_the_documents_say_what_was_measured(document, metrics):
    assert f"{metrics['accuracy']:.2%}" in (PROJECT / document).read_text()
