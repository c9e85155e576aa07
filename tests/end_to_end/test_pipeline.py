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

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stack(clone, tmp_path_factory, wait_for):
    """`make run`, with the repository's model live."""
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
def refused(stack):
    """`dvc repro` with the perceptron instead, few epochs of it and a fifth of the synthetic drawings, beside the running stack;
    and what it said."""
    set_param(stack, r"network: convolutional ", "network: perceptron ")
    set_param(stack, r"(?m)^  epochs: \d+$", "  epochs: 2")
    for name, many in {"digits": 30_000, "non_digits": 20_000, "held_out_digits": 5000, "held_out_non_digits": 2000}.items():
        set_param(stack, rf"(?m)^  {name}: {many}\b", f"  {name}: {many // 5}")
    set_param(stack, r"milliseconds: 100 ", "milliseconds: 5000 ")  # the machine has other things to do
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
    result = result_of(changed)
    assert result["passed"]
    assert version_of(changed, "live") == load_card(changed.folder / "artifacts" / "candidate")["version"]
    assert version_of(changed, "candidate") is None
    assert not (changed.folder / "state" / "trial").exists(), "the stack was in reach"

    # Over HTTP it read exactly what it reads without a service.
    measured = json.loads((changed.folder / "artifacts" / "metrics.json").read_text())
    assert result["mnist"]["drawings"] == 10_000
    assert result["mnist"]["accuracy"] == measured["accuracy"]
    assert result["synthetic"]["accuracy"] == measured["synthetic_accuracy"]

    network, card = load(changed.folder / "artifacts" / "model")
    assert network.shapes[1:3] == [(784,), (50,)]
    assert (card["recipe"]["recipe"], card["recipe"]["network"], card["training"]["epochs"]) == ("default", "perceptron", 2)
    assert 0.8 < card["test"]["accuracy"] < 0.98


def test_dvc_has_nothing_left_to_do_and_shows_what_the_change_did(changed):
    assert "up to date" in changed.run("dvc", "repro").stdout
    differences = json.loads(changed.run("dvc", "metrics", "diff", "--json").stdout)
    difference = differences["artifacts/metrics.json"]["accuracy"]
    assert difference["diff"] < 0
    assert difference["old"] >= 0.9965
    assert differences["artifacts/test_result.json"]["mnist.accuracy"]["diff"] == difference["diff"]

    changed.run("dvc", "plots", "show")
    page = (changed.folder / "dvc_plots" / "index.html").read_text()
    for plot in ("loss", "test digits", "synthetic test digits read right, by form", "mnist_errors.png", "synthetic_errors.png"):
        assert plot in page


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


def bytes_of(clone, folder):
    """All files of a model that the pipeline has made."""
    return {file.name: file.read_bytes() for file in (clone.folder / "artifacts" / folder).iterdir()}


def rows_of(clone):
    columns = ("--drop", ".*", "--keep", "Experiment|State|^accuracy$|train.epochs|train.learning_rate")
    table = clone.run("dvc", "exp", "show", "--csv", *columns).stdout
    return {row["Experiment"]: row for row in csv.DictReader(io.StringIO(table))}


@pytest.fixture(scope="module")
def shared(changed, s3_server, tmp_path_factory):
    """The clone, committed and pushed: to a bucket in an object store, and to a Git repository that both machines know."""
    clone = dataclasses.replace(changed, ports=changed.ports | s3_server.environment)
    clone.run("scripts/setup.sh", "s3")
    for key, value in (("user.name", "somebody"), ("user.email", "somebody@localhost")):
        clone.run("git", "config", key, value)
    clone.run("dvc", "remote", "add", "--default", "storage", f"s3://{s3_server.new_bucket()}/doodle")
    clone.run("git", "commit", "--quiet", "--all", "--message", "A perceptron")
    origin = tmp_path_factory.mktemp("shared") / "origin.git"
    clone.run("git", "clone", "--quiet", "--bare", ".", str(origin))
    clone.run("git", "remote", "add", "origin", str(origin))
    clone.run("dvc", "push")
    return clone


@pytest.fixture(scope="module")
def swept(shared):
    """After a sweep of two, which run beside each other; one more is a slip of the pen. And what the sweep said."""
    queue = ("dvc", "exp", "run", "--queue", "--set-param", "train.epochs=1", "--set-param")
    shared.run(*queue, "train.learning_rate=0.002,0.008", "--name", "shorter", "evaluate")
    shared.run(*queue, "train.learning_rate=-1", "--name", "slip", "evaluate")
    done = shared.run("make", "sweep", "JOBS=2", code=2)
    return shared, done.stdout + done.stderr


def test_a_sweep_is_two_commands_and_a_row_for_each_experiment(swept):
    clone, said = swept
    rows = rows_of(clone)
    assert {name: (rows[name]["State"], rows[name]["train.learning_rate"]) for name in ("shorter-1", "shorter-2", "slip")} == {
        "shorter-1": ("Success", "0.002"),
        "shorter-2": ("Success", "0.008"),
        "slip": ("Failed", "-1"),
    }
    assert re.search(r"\[shorter-1\] *\| Success *\| 0\.\d+ .*\| 0\.002 ", said)
    assert "some failed: `dvc queue logs NAME` says why" in said
    assert "train.learning_rate must be a number from 1e-09 to 100.0, not -1" in clone.run("dvc", "queue", "logs", "slip").stdout

    difference = json.loads(clone.run("dvc", "metrics", "diff", "HEAD", "shorter-1", "--json").stdout)["artifacts/metrics.json"]
    assert difference["accuracy"]["new"] == pytest.approx(float(rows["shorter-1"]["accuracy"]), abs=1e-4)
    clone.run("dvc", "plots", "diff", "HEAD", "shorter-1", "--out", "both")
    page = (clone.folder / "both" / "index.html").read_text()
    assert '"rev": "shorter-1"' in page
    assert '"rev": "HEAD"' in page


def test_the_running_stack_sees_nothing_of_a_sweep(swept):
    clone, _ = swept
    assert version_of(clone, "live") == load_card(clone.folder / "artifacts" / "model")["version"]
    assert version_of(clone, "candidate") is None
    assert clone.run("git", "status", "--porcelain", "--untracked-files=no").stdout == ""


@pytest.fixture(scope="module")
def other(shared, tmp_path_factory):
    """Another machine: a clone, and what it pulls."""
    folder = tmp_path_factory.mktemp("other") / "doodle"
    shared.run("git", "clone", "--quiet", shared.run("git", "remote", "get-url", "origin").stdout.strip(), str(folder))
    (folder / ".venv").symlink_to(shared.folder / ".venv")
    other = dataclasses.replace(shared, folder=folder)
    other.run("dvc", "pull")
    return other


def test_another_machine_has_from_the_object_store_what_this_one_made(shared, other):
    assert "up to date" in other.run("dvc", "repro").stdout
    for folder in ("trained", "candidate", "model"):
        assert bytes_of(other, folder) == bytes_of(shared, folder)
    assert load_card(other.folder / "artifacts" / "model")["version"] == version_of(shared, "live")


def test_an_experiment_of_another_machine_is_a_row_here_and_the_same_bytes(swept, other):
    here, _ = swept
    for key, value in (("user.name", "somebody"), ("user.email", "somebody@localhost")):
        other.run("git", "config", key, value)
    change = ("--set-param", "train.epochs=1", "--set-param", "train.learning_rate=0.006")
    other.run("dvc", "exp", "run", "--queue", "--name", "there", *change, "evaluate")
    other.run("scripts/sweep.sh")  # not make, which would look after a .venv that is not its own
    other.run("dvc", "exp", "push", "origin", "there")
    other.run("dvc", "exp", "apply", "there")

    here.run("dvc", "exp", "pull", "origin", "there")
    rows = rows_of(here)
    assert {"shorter-1", "shorter-2", "there"} <= set(rows)
    assert rows["there"] == rows_of(other)["there"] | {"State": rows["there"]["State"]}  # which only its own queue knows
    here.run("dvc", "exp", "apply", "there")
    for folder in ("trained", "candidate"):
        assert bytes_of(here, folder) == bytes_of(other, folder)
