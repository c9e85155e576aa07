"""The README's "Change something": one line in params.yaml, and the pipeline makes, measures, tests and releases a model."""

import csv
import dataclasses
import io
import json
import re
import time

import httpx
import pytest
from digitnet.checkpoint import load, load_card


@pytest.fixture(scope="module")
def stack(clone, tmp_path_factory, wait_for, stop_with_ctrl_c):
    """`make run`, with the repository's model live."""
    process = clone.make_run(tmp_path_factory.mktemp("pipeline") / "run.log")
    try:
        wait_for(clone.page, 60, process)
        wait_for(f"{clone.api}/readyz", 30, process)
        yield clone
    finally:
        stop_with_ctrl_c(process)


def set_param(clone, pattern, replacement):
    params = clone.folder / "params.yaml"
    text, count = re.subn(pattern, replacement, params.read_text())
    assert count == 1
    params.write_text(text)


def result_of(clone):
    return json.loads((clone.folder / "artifacts" / "test_result.json").read_text())


def version_of(clone, name):
    return httpx.get(f"{clone.api}/{name}/model").json().get("version")


@pytest.fixture(scope="module")
def refused(stack):
    """`dvc repro` with the perceptron instead, few epochs of it and a fifth of the synthetic drawings, beside the running stack;
    and what it said."""
    set_param(stack, r"network: convolutional ", "network: perceptron ")
    set_param(stack, r"(?m)^  epochs: \d+$", "  epochs: 2")
    for name, many in {"digits": 30_000, "non_digits": 20_000, "held_out_digits": 5000, "held_out_non_digits": 2000}.items():
        set_param(stack, rf"(?m)^  {name}: {many}\b", f"  {name}: {many // 5}")
    done = stack.run("dvc", "repro", code=255)
    return stack, done.stdout + done.stderr


def test_a_candidate_that_is_worse_is_refused_and_the_stack_goes_on_as_it_was(refused):
    clone, said = refused
    released, candidate = (load_card(clone.folder / "artifacts" / name)["version"] for name in ("model", "candidate"))
    assert f"{candidate} is the candidate of {clone.api.replace('localhost', '127.0.0.1')}" in said
    assert f"{candidate} is refused; {released} stays live: of MNIST's digits it reads " in said
    assert " fewer than what is live, 0.50% are allowed (p = " in said
    assert version_of(clone, "live") == released
    result = result_of(clone)
    assert (result["passed"], result["version"], result["live"]) == (False, candidate, released)
    assert result["mnist"]["p_within_margin"] < 0.01
    assert result["mnist"]["live_accuracy"] >= 0.9965
    deadline = time.monotonic() + 10
    while version_of(clone, "candidate") is not None:
        assert time.monotonic() < deadline, "it is a candidate still"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def changed(refused):
    """The clone after somebody allows the loss: nothing is trained again, and the perceptron is live."""
    clone, _ = refused
    set_param(clone, r"margin: 0\.005 ", "margin: 0.2 ")
    said = clone.run("dvc", "repro").stdout
    assert [line for line in said.splitlines() if line.startswith("Running stage")] == [
        "Running stage 'test':",
        "Running stage 'end':",
    ]
    return clone


def test_once_it_is_allowed_it_is_live_in_the_running_stack(changed):
    assert result_of(changed)["passed"]
    assert version_of(changed, "live") == load_card(changed.folder / "artifacts" / "candidate")["version"]
    assert version_of(changed, "candidate") is None
    assert not (changed.folder / "state" / "trial").exists(), "the stack was in reach"


def test_it_read_over_http_exactly_what_it_read_without_a_service(changed):
    measured = json.loads((changed.folder / "artifacts" / "metrics.json").read_text())
    assert result_of(changed)["mnist"]["drawings"] == 10_000
    assert result_of(changed)["mnist"]["accuracy"] == measured["accuracy"]
    assert result_of(changed)["synthetic"]["accuracy"] == measured["synthetic_accuracy"]


def test_the_new_model_is_the_one_that_was_asked_for(changed):
    network, card = load(changed.folder / "artifacts" / "model")
    assert network.shapes[1:3] == [(784,), (50,)]
    assert (card["recipe"]["recipe"], card["recipe"]["network"], card["training"]["epochs"]) == ("default", "perceptron", 2)
    assert 0.8 < card["test"]["accuracy"] < 0.98


def test_a_second_repro_has_nothing_to_do(changed):
    assert "up to date" in changed.run("dvc", "repro").stdout


def test_metrics_diff_says_what_the_change_did(changed):
    differences = json.loads(changed.run("dvc", "metrics", "diff", "--json").stdout)
    difference = differences["artifacts/metrics.json"]
    assert difference["accuracy"]["diff"] < 0
    assert difference["accuracy"]["old"] >= 0.9965
    assert differences["artifacts/test_result.json"]["mnist.accuracy"]["diff"] == difference["accuracy"]["diff"]


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
    assert {"train", "evaluate", "serve", "test"} <= set(status)
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
