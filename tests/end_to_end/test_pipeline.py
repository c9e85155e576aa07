"""Change params.yaml and run the pipeline: it trains, measures, tests and releases a model."""

import csv
import dataclasses
import io
import json
import re

import httpx
import pytest
from digitnet.checkpoint import load, load_card

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stack(clone, tmp_path_factory, wait_for):
    """Run `make run` with the repository's model live."""
    with clone.serving(tmp_path_factory.mktemp("pipeline") / "run.log", wait_for):
        yield clone


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
def rejected(stack):
    """Run `dvc repro` with a small perceptron next to the running stack. Return the clone and the output."""
    set_param(stack, r"network: convolutional ", "network: perceptron ")
    set_param(stack, r"(?m)^  epochs: \d+$", "  epochs: 2")
    for name, many in {"digits": 30_000, "non_digits": 20_000, "held_out_digits": 5000, "held_out_non_digits": 2000}.items():
        set_param(stack, rf"(?m)^  {name}: {many}\b", f"  {name}: {many // 5}")
    set_param(stack, r"milliseconds: 100 ", "milliseconds: 5000 ")  # the machine may be busy
    done = stack.run("dvc", "repro", code=255)
    return stack, done.stdout + done.stderr


@pytest.fixture(scope="module")
def changed(rejected):
    """Allow the loss and run `dvc repro`: it only tests and releases. Return the clone."""
    clone, _ = rejected
    set_param(clone, r"margin: 0\.005 ", "margin: 0.2 ")
    output = clone.run("dvc", "repro").stdout
    assert [line for line in output.splitlines() if line.startswith("Running stage")] == [
        "Running stage 'test':",
        "Running stage 'end':",
    ]
    return clone


def test_releases_the_candidate_once_the_margin_allows_it(changed):
    result = result_of(changed)
    assert result["passed"]
    assert version_of(changed, "live") == load_card(changed.folder / "artifacts" / "candidate")["version"]
    assert version_of(changed, "candidate") is None
    assert not (changed.folder / "state" / "staging").exists(), "it used the running stack"

    # Accuracy over HTTP equals the offline one.
    measured = json.loads((changed.folder / "artifacts" / "metrics.json").read_text())
    assert result["mnist"]["drawings"] == 10_000
    assert result["mnist"]["accuracy"] == measured["accuracy"]
    assert result["synthetic"]["accuracy"] == measured["synthetic_accuracy"]

    network, card = load(changed.folder / "artifacts" / "model")
    assert network.shapes[1:3] == [(784,), (50,)]
    assert (card["recipe"]["recipe"], card["recipe"]["network"], card["training"]["epochs"]) == ("default", "perceptron", 2)
    assert 0.8 < card["test"]["accuracy"] < 0.98


def test_dvc_shows_the_change_and_retrains_after_a_change_of_code(changed):
    assert "up to date" in changed.run("dvc", "repro").stdout
    differences = json.loads(changed.run("dvc", "metrics", "diff", "--json").stdout)
    difference = differences["artifacts/metrics.json"]["accuracy"]
    assert difference["diff"] < 0
    assert difference["old"] >= 0.9965
    assert differences["artifacts/test_result.json"]["mnist.accuracy"]["diff"] == difference["diff"]

    changed.run("dvc", "plots", "show")
    page = (changed.folder / "dvc_plots" / "index.html").read_text()
    for plot in ("loss", "test digits", "accuracy on synthetic test digits, by form", "mnist_errors.png", "synthetic_errors.png"):
        assert plot in page

    with (changed.folder / "packages" / "digitnet" / "layers.py").open("a") as layers:
        layers.write("# a change\n")
    status = json.loads(changed.run("dvc", "status", "--json").stdout)
    changed.run("git", "checkout", "--quiet", layers.name)
    assert {"train", "evaluate", "serve", "test"} <= set(status)
    assert not {"preprocess", "synthesize"} & set(status)


@pytest.fixture(scope="module")
def shared(changed, s3_server):
    """Commit the clone and push its data to a bucket."""
    clone = dataclasses.replace(changed, ports=changed.ports | s3_server.environment)
    clone.run("scripts/setup.sh", "s3")
    for key, value in (("user.name", "tester"), ("user.email", "tester@localhost")):
        clone.run("git", "config", key, value)
    clone.run("dvc", "remote", "add", "--default", "storage", f"s3://{s3_server.new_bucket()}/doodle")
    clone.run("git", "commit", "--quiet", "--all", "--message", "A perceptron")
    clone.run("dvc", "push")
    return clone


def test_a_sweep_runs_experiments_and_leaves_the_running_stack_alone(shared):
    queue = ("dvc", "exp", "run", "--queue", "--set-param", "train.epochs=1", "--set-param")
    shared.run(*queue, "train.learning_rate=0.002,0.008", "--name", "shorter", "evaluate")
    shared.run(*queue, "train.learning_rate=-1", "--name", "slip", "evaluate")
    done = shared.run("make", "sweep", "JOBS=2", code=2)
    output = done.stdout + done.stderr
    columns = ("--drop", ".*", "--keep", "Experiment|State|^accuracy$|train.learning_rate")
    table = shared.run("dvc", "exp", "show", "--csv", *columns).stdout
    rows = {row["Experiment"]: row for row in csv.DictReader(io.StringIO(table))}
    for name, state, rate in (("shorter-1", "Success", "0.002"), ("shorter-2", "Success", "0.008"), ("slip", "Failed", "-1")):
        assert (rows[name]["State"], rows[name]["train.learning_rate"]) == (state, rate)
    assert re.search(r"\[shorter-1\] *\| Success *\| 0\.\d+ .*\| 0\.002 ", output)
    assert "some experiments failed. `dvc queue logs NAME` shows why" in output
    assert "train.learning_rate must be a number from 1e-09 to 100.0, not -1" in shared.run("dvc", "queue", "logs", "slip").stdout
    assert version_of(shared, "live") == load_card(shared.folder / "artifacts" / "model")["version"]
    assert version_of(shared, "candidate") is None
    assert shared.run("git", "status", "--porcelain", "--untracked-files=no").stdout == ""


def test_another_machine_pulls_the_same_data(shared, tmp_path):
    other = dataclasses.replace(shared, folder=tmp_path / "doodle")
    shared.run("git", "clone", "--quiet", ".", str(other.folder))
    (other.folder / ".venv").symlink_to(shared.folder / ".venv")
    other.run("dvc", "pull")
    assert "up to date" in other.run("dvc", "repro").stdout
    here, there = (
        {file.relative_to(clone.folder): file.read_bytes() for file in clone.folder.glob("artifacts/*/*") if file.is_file()}
        for clone in (shared, other)
    )
    assert there == here
    assert load_card(other.folder / "artifacts" / "model")["version"] == version_of(shared, "live")
