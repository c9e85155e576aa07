"""A newcomer's stack: the repository's own model is served at once, and so is each that the pipeline makes from then on."""

import json

import httpx
import pytest


@pytest.fixture(scope="module")
def beside(new_stack):
    stack = new_stack()
    print(f"docker compose up --wait, from a clean clone, images built: {stack.up():.0f} s")
    return stack


def test_the_repository_s_model_is_served_and_nothing_is_trained(beside):
    card = json.loads((beside.folder / "artifacts" / "model" / "model.json").read_text())
    assert httpx.get(f"{beside.api}/model").json() == card
    assert "event=stage" not in beside.log("trainer")
    assert beside.predict()["digit"] == 1


def test_the_exporter_shows_the_results_that_came_with_it(beside):
    measured = json.loads((beside.folder / "artifacts" / "metrics.json").read_text())
    assert beside.exported()["doodle_pipeline_test_accuracy_ratio"] == measured["accuracy"]


def test_the_exporter_shows_what_the_pipeline_measures_next(beside, wait_until):
    (beside.folder / "artifacts" / "metrics.json").write_text(json.dumps({"accuracy": 0.5}))
    wait_until(lambda: beside.exported()["doodle_pipeline_test_accuracy_ratio"] == 0.5, "the new figure is exported")


def test_a_new_model_is_live_without_a_restart(beside, save_model, wait_until):
    version = save_model(beside.folder / "artifacts" / "model")["version"]
    wait_until(lambda: beside.predict()["model_version"] == version, "the new model answers")


def test_a_new_candidate_is_asked_only_by_who_asks_for_it_and_gone_once_it_is_refused(beside, save_model, wait_until):
    """As evaluate and test leave them in this folder, beside the stack."""
    live = beside.predict()["model_version"]
    version = save_model(beside.folder / "artifacts" / "candidate", seed=1)["version"]
    card = f"{beside.api}/candidate/model"
    wait_until(lambda: httpx.get(card).json().get("version") == version, "it can be asked")
    assert beside.predict()["model_version"] == live
    result = {"version": version, "passed": False, "problems": ["worse"]}
    (beside.folder / "artifacts" / "test_result.json").write_text(json.dumps(result))
    wait_until(lambda: httpx.get(card).status_code == 503, "it is gone")
    assert beside.predict()["model_version"] == live


def test_down_v_leaves_nothing(beside, docker):
    """Last in this file: there is nothing left to ask afterwards."""
    of_this_stack = ["--filter", f"label=com.docker.compose.project={beside.name}", "--quiet"]
    assert docker("volume", "ls", *of_this_stack)
    removed = beside.down("--volumes")
    assert docker("container", "ls", "--all", *of_this_stack) == ""
    assert docker("volume", "ls", *of_this_stack) == ""
    assert not removed or docker("network", "ls", *of_this_stack) == ""
