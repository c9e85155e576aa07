"""A newcomer's stack: the repository's own model is served at once, and so is each that the pipeline releases on the host."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from commands import run


@pytest.fixture(scope="module")
def beside(new_stack):
    stack = new_stack()
    print(f"docker compose up --wait, from a clean clone, images built: {stack.up():.0f} s")
    return stack


def test_the_repository_s_model_is_served_and_nothing_is_trained(beside):
    card = json.loads((beside.folder / "artifacts" / "model" / "model.json").read_text())
    assert httpx.get(f"{beside.api}/model").json().items() >= card.items()
    assert "event=stage" not in beside.log("trainer")
    assert beside.predict()["digit"] == 1


def test_the_exporter_shows_the_results_that_came_with_it(beside):
    measured = json.loads((beside.folder / "artifacts" / "metrics.json").read_text())
    assert beside.exported()["doodle_pipeline_test_accuracy_ratio"] == measured["accuracy"]


def test_the_exporter_shows_what_the_pipeline_measures_next(beside, wait_until):
    (beside.folder / "artifacts" / "metrics.json").write_text(json.dumps({"accuracy": 0.5}))
    wait_until(lambda: beside.exported()["doodle_pipeline_test_accuracy_ratio"] == 0.5, "the new figure is exported")


@pytest.fixture
def stage(beside):
    """stage(name): run it on the host, in the folder of the stack, with nothing configured but the port. Returns its log."""

    def stage(name, code=0):
        environment = beside.environment | {"PYTHONPATH": "packages:services"}
        done = subprocess.run(
            [sys.executable, "-m", "trainer", name],
            cwd=beside.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done.stderr

    return stage


def version(stack, alias):
    return httpx.get(f"{stack.api}/{alias}/model").json().get("version")


def test_a_candidate_that_fails_its_test_is_taken_down_and_what_is_live_stays(beside, stage, save_model, wait_until):
    live, pins = beside.predict()["model_version"], beside.folder / "mnist.dvc"
    candidate = save_model(beside.folder / "artifacts" / "candidate", seed=1)["version"]
    assert f"{candidate} is the candidate of {beside.api}" in stage("serve")
    assert (version(beside, "candidate"), version(beside, "live")) == (candidate, live)
    assert beside.predict()["model_version"] == live
    right = pins.read_text()
    pins.write_text("")
    assert "mnist.dvc" in stage("test", code=1)
    pins.write_text(right)
    wait_until(lambda: version(beside, "candidate") is None, "it is gone", 2)
    assert f"{candidate} has not been tested" in stage("end", code=1)
    assert version(beside, "live") == live


def test_a_candidate_that_passed_is_live_without_a_restart_and_an_old_file_is_not(beside, stage, save_model):
    before = version(beside, "live")
    candidate = save_model(beside.folder / "artifacts" / "candidate", seed=2)["version"]
    stage("serve")
    result = {"version": candidate, "passed": True, "problems": []}
    (beside.folder / "artifacts" / "test_result.json").write_text(json.dumps(result))
    assert f"{candidate} is live at {beside.api}" in stage("end")
    assert beside.predict()["model_version"] == candidate
    assert json.loads((beside.folder / "artifacts" / "model" / "model.json").read_text())["version"] == candidate
    save_model(beside.folder / "artifacts" / "model", seed=3)
    beside.compose("restart", "--timeout", "5", "trainer")
    beside.up()
    beside.compose("exec", "-T", "trainer", "python", "-m", "trainer", "models", "rollback")
    beside.compose("restart", "--timeout", "5", "trainer")
    beside.up()
    assert version(beside, "live") == before


SMALL = {
    r"network: convolutional ": "network: perceptron ",
    r"(?m)^  epochs: \d+$": "  epochs: 2",
    r"(?m)^  digits: 30000\b": "  digits: 6000",
    r"(?m)^  non_digits: 20000\b": "  non_digits: 4000",
    r"(?m)^  held_out_digits: 5000\b": "  held_out_digits: 1000",
    r"(?m)^  held_out_non_digits: 2000\b": "  held_out_non_digits: 400",
    r"milliseconds: 100 ": "milliseconds: 5000 ",  # the machine has other things to do
}


@pytest.mark.slow
def test_dvc_repro_in_this_folder_is_refused_or_live_within_two_seconds_with_nothing_configured(beside, wait_until):
    """The README's way, with a perceptron instead: first it is refused, then its loss is allowed."""
    params, live = beside.folder / "params.yaml", beside.predict()["model_version"]
    for pattern, less in SMALL.items():
        text, count = re.subn(pattern, less, params.read_text())
        assert count == 1, pattern
        params.write_text(text)
    environment = beside.environment | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    run("git", "init", "--quiet", cwd=beside.folder)

    def repro():
        done = subprocess.run(["dvc", "repro"], cwd=beside.folder, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    code, said = repro()
    made = json.loads((beside.folder / "artifacts" / "candidate" / "model.json").read_text())["version"]
    assert code != 0
    assert f"{made} is rejected; {live} stays live" in said
    wait_until(lambda: (version(beside, "candidate"), version(beside, "live")) == (None, live), "it is taken down", 2)
    params.write_text(params.read_text().replace("margin: 0.005 ", "margin: 0.2 "))
    code, said = repro()
    assert (code, beside.predict()["model_version"]) == (0, made), said
    assert not (beside.folder / "state").exists(), "the stack's store was used"


def test_down_v_leaves_nothing(beside, docker):
    """Last in this file: there is nothing left to ask afterwards."""
    of_this_stack = ["--filter", f"label=com.docker.compose.project={beside.name}", "--quiet"]
    assert docker("volume", "ls", *of_this_stack)
    removed = beside.down("--volumes")
    assert docker("container", "ls", "--all", *of_this_stack) == ""
    assert docker("volume", "ls", *of_this_stack) == ""
    assert not removed or docker("network", "ls", *of_this_stack) == ""
