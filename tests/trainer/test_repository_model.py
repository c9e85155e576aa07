"""The repository's model is complete, small, made by the recipe `best`, and as accurate as documented."""

import hashlib
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml
from digitnet.checkpoint import load
from digitnet.decision import Decision
from digitnet.images.ink import image_from_pixels
from digitnet.images.strokes import image_from_strokes
from trainer.data.strokes import Forms

PROJECT = Path(__file__).parents[2]
ARTIFACTS = PROJECT / "artifacts"
NOT_IN_GIT = {"artifacts/trained", "artifacts/candidate"}
LOCAL = {"artifacts/stages.json", "artifacts/progress.json", "artifacts/unfinished.npz"}  # by stages run here


@pytest.fixture(autouse=True, scope="module")
def as_committed():
    """Skip if another model was trained here."""
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", "artifacts", "dvc.lock"], cwd=PROJECT, check=False)
    if changed.returncode == 1:
        pytest.skip("artifacts/ holds another model than the repository's: git checkout -- artifacts dvc.lock")


@pytest.fixture(scope="module")
def metrics():
    return json.loads((ARTIFACTS / "metrics.json").read_text())


def test_is_complete_small_tested_and_made_by_dvc_lock(metrics):
    _, card = load(ARTIFACTS / "model")
    assert card["recipe"]["recipe"] == "best"
    assert card["test"] == {name: value for name, value in metrics.items() if not isinstance(value, list)}
    result = json.loads((ARTIFACTS / "test_result.json").read_text())
    assert result["passed"]
    assert result["version"] == card["version"]
    assert result["mnist"]["accuracy"] == metrics["accuracy"]
    assert result["synthetic"]["accuracy"] == metrics["synthetic_accuracy"]
    assert sum(file.stat().st_size for file in (ARTIFACTS / "model").iterdir()) <= 3_000_000
    lock = yaml.safe_load((PROJECT / "dvc.lock").read_text())["stages"]
    assert lock["evaluate"]["params"]["params.yaml"]["recipe"] == lock["train"]["params"]["params.yaml"]["recipe"] == "best"
    outs = [out for stage in ("train", "evaluate", "test", "end") for out in lock[stage]["outs"]]
    kept = {out["path"]: out["md5"] for out in outs if out["path"] not in NOT_IN_GIT}
    assert set(kept) == {f"artifacts/{path.name}" for path in ARTIFACTS.iterdir()} - NOT_IN_GIT - LOCAL
    for path, md5 in kept.items():
        assert md5_of(PROJECT / path) == md5, path


def md5_of(path):
    """Return DVC's md5; for a folder that of a JSON list of its files."""
    if path.is_dir():
        listing = [{"md5": md5_of(file), "relpath": file.name} for file in sorted(path.iterdir())]
        return hashlib.md5(json.dumps(listing).encode()).hexdigest() + ".dir"
    return hashlib.md5(path.read_bytes()).hexdigest()


def test_accuracy_meets_its_targets_and_the_documents(metrics):
    assert metrics["accuracy"] >= 0.9965
    assert metrics["synthetic_accuracy"] >= 0.99
    assert metrics["rejected"]["mnist_digits"] < 0.005
    assert metrics["rejected"]["non_digits"] > 0.85
    assert metrics["calibration"]["mnist_error_after"] < 0.005
    for document in ("README.md", "docs/accuracy.md"):
        assert f"{metrics['accuracy']:.2%}" in (PROJECT / document).read_text()


def test_brush_place_and_size_hardly_affect_strokes(metrics):
    drawn = [row for row in metrics["robustness"] if row["source"] == "strokes" and row["change"] != "rotation"]
    (as_it_is,) = [row["accuracy"] for row in drawn if row["change"] == "none"]
    assert {row["change"] for row in drawn} == {"none", "size", "place", "brush"}
    assert all(row["accuracy"] >= as_it_is - 0.005 for row in drawn)


@pytest.fixture(scope="module")
def read():
    """read(images): return the predicted digits, and whether each image is a digit."""
    network, card = load(ARTIFACTS / "model")

    def read(images):
        images = np.stack(images)
        found = Decision.of(card).predictions(network.predict_logits(images), images)
        return found.digit, found.is_digit

    return read


def test_predicts_new_handwriting_and_rejects_non_digits(read):
    """With the current code, not only the recorded figures."""
    forms, generator, labels = Forms(), np.random.default_rng(20261125), np.arange(300) % 10
    digits, is_digit = read([image_from_strokes(forms.digit(label, generator)[0]) for label in labels])
    assert np.mean((digits == labels) & is_digit) >= 0.98
    _, is_digit = read([image_from_strokes(forms.non_digit(generator)[0]) for _ in range(300)])
    assert np.mean(is_digit) <= 0.05


@pytest.mark.slow
def test_rejects_photo_like_images(read):
    generator = np.random.default_rng(20261125)
    # 600 images make the share precise enough.
    _, is_digit = read([image_from_pixels(random_ellipses(generator)) for _ in range(600)])
    assert np.mean(is_digit) <= 0.2


def random_ellipses(generator):
    """Return overlapping gray ellipses on an even background, uint8 (120, 120)."""
    y, x = np.indices((120, 120))
    image = np.full((120, 120), generator.integers(0, 256), np.uint8)
    for _ in range(6):
        (center_y, center_x), (height, width) = generator.uniform(30, 90, 2), generator.uniform(8, 40, 2)
        inside = ((y - center_y) / height) ** 2 + ((x - center_x) / width) ** 2 < 1.0
        image[inside & (y > 5) & (y < 115) & (x > 5) & (x < 115)] = generator.integers(0, 256)
    return image
