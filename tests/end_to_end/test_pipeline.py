"""The README's "Change something": one line in params.yaml, and the pipeline makes, measures and compares another model."""

import csv
import dataclasses
import io
import json
import re

import pytest
from digitnet.checkpoint import load


@pytest.fixture(scope="module")
def changed(clone):
    """The clone after `dvc repro` with the perceptron instead, and few epochs of it."""
    params = clone.folder / "params.yaml"
    text = params.read_text()
    for pattern, replacement in ((r"network: convolutional ", "network: perceptron "), (r"(?m)^  epochs: \d+$", "  epochs: 2")):
        text, count = re.subn(pattern, replacement, text)
        assert count == 1
    params.write_text(text)
    clone.run("dvc", "repro")
    return clone


def test_the_new_model_is_the_one_that_was_asked_for(changed):
    network, card = load(changed.folder / "artifacts" / "model")
    assert network.shapes[1:3] == [(784,), (50,)]
    assert (card["recipe"]["recipe"], card["recipe"]["network"], card["training"]["epochs"]) == ("default", "perceptron", 2)
    assert 0.8 < card["test"]["accuracy"] < 0.98


def test_a_second_repro_has_nothing_to_do(changed):
    assert "up to date" in changed.run("dvc", "repro").stdout


def test_metrics_diff_says_what_the_change_did(changed):
    difference = json.loads(changed.run("dvc", "metrics", "diff", "--json").stdout)["artifacts/metrics.json"]
    assert difference["accuracy"]["diff"] < 0
    assert difference["accuracy"]["old"] >= 0.9965


def test_all_plots_are_drawn(changed):
    changed.run("dvc", "plots", "show")
    page = (changed.folder / "dvc_plots" / "index.html").read_text()
    for title in (
        "loss",
        "test digits",
        "synthetic test digits read right, by form",
        "changed test digits read right",
        "how often the network is right, by how sure it is",
        "mnist_errors.png",
        "synthetic_errors.png",
    ):
        assert title in page


def test_a_change_in_backpropagation_is_trained_anew(changed):
    layers = changed.folder / "packages" / "digitnet" / "layers.py"
    original = layers.read_text()
    layers.write_text(original + "\n# a change\n")
    try:
        status = json.loads(changed.run("dvc", "status", "--json").stdout)
    finally:
        layers.write_text(original)
    assert {"train", "evaluate"} <= set(status)
    assert not {"preprocess", "synthesize"} & set(status)


def test_an_experiment_is_a_command_and_a_row_to_compare(changed):
    for key, value in (("user.name", "somebody"), ("user.email", "somebody@localhost")):
        changed.run("git", "config", key, value)
    changed.run("dvc", "exp", "run", "--name", "shorter", "--set-param", "train.epochs=1")
    table = changed.run("dvc", "exp", "show", "--csv", "--drop", ".*", "--keep", "Experiment|accuracy$|train.epochs").stdout
    rows = {row["Experiment"]: row for row in csv.DictReader(io.StringIO(table))}
    assert rows["shorter"]["train.epochs"] == "1"
    difference = json.loads(changed.run("dvc", "metrics", "diff", "HEAD", "shorter", "--json").stdout)["artifacts/metrics.json"]
    assert difference["accuracy"]["new"] == pytest.approx(float(rows["shorter"]["accuracy"]), abs=1e-4)
    changed.run("dvc", "plots", "diff", "HEAD", "shorter", "--out", "both")
    page = (changed.folder / "both" / "index.html").read_text()
    assert '"rev": "shorter"' in page
    assert '"rev": "HEAD"' in page


def test_another_machine_has_from_the_remote_what_this_one_made(changed, tmp_path):
    changed.run("dvc", "commit", "--force", "mnist.dvc")
    changed.run("git", "commit", "--quiet", "--all", "--message", "shorter")
    changed.run("dvc", "remote", "add", "--default", "--local", "storage", str(tmp_path / "storage"))
    changed.run("dvc", "push")

    changed.run("git", "clone", "--quiet", ".", str(tmp_path / "other"))
    other = dataclasses.replace(changed, folder=tmp_path / "other")
    (other.folder / ".venv").symlink_to(changed.folder / ".venv")
    other.run("dvc", "remote", "add", "--default", "--local", "storage", str(tmp_path / "storage"))
    other.run("dvc", "pull")
    assert "up to date" in other.run("dvc", "repro").stdout
    made = [(each.folder / "artifacts" / "trained" / "weights.npz").read_bytes() for each in (changed, other)]
    assert made[0] == made[1]
