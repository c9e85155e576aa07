"""A stack in a fresh clone serves the repository's model, takes an upgrade, and serves each model of the host's pipeline."""

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
def fresh_stack(new_stack):
    fresh_stack = new_stack()
    print(f"docker compose up --wait, from a clean clone, images built: {fresh_stack.up():.0f} s")
    return fresh_stack


def test_serves_the_repository_s_model_from_a_checkout_under_umask_077(fresh_stack, wait_until):
    artifacts = fresh_stack.folder / "artifacts"
    assert (artifacts / "model" / "model.json").stat().st_mode & 0o077 == 0
    card = json.loads((artifacts / "model" / "model.json").read_text())
    assert httpx.get(f"{fresh_stack.api}/model").json().items() >= card.items()
    assert "event=stage" not in fresh_stack.log("trainer")
    assert "doodle-canvas" in httpx.get(fresh_stack.page).text
    assert fresh_stack.predict(f"{fresh_stack.page}/api")["digit"] == 1
    accuracy = json.loads((artifacts / "metrics.json").read_text())["accuracy"]
    assert fresh_stack.exported()["doodle_pipeline_test_accuracy_ratio"] == accuracy
    wait_until(lambda: {each["health"] for each in fresh_stack.targets()} == {"up"}, "Prometheus scrapes all services")


def test_an_upgrade_replaces_the_containers_whose_files_changed(fresh_stack):
    changes = {
        "services/frontend/nginx.conf": ('{"status": "ok"}', '{"status": "upgraded"}'),
        "services/frontend/index.html": ("</title>", ", upgraded</title>"),
        "monitoring/prometheus/rules/alerts.yml": ("alert: DoodleJournalDown", "alert: DoodleUpgraded"),
    }
    for name, (old, new) in changes.items():
        file = fresh_stack.folder / name
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))
    before = {service: fresh_stack.container(service) for service in fresh_stack.services()}
    fresh_stack.up("--build")
    after = {service: fresh_stack.container(service) for service in before}
    rebuilt = {service for service in before if after[service]["Image"] != before[service]["Image"]}
    assert rebuilt >= {"frontend", "prometheus"}  # BuildKit may rebuild others: https://github.com/docker/buildx/issues/414
    assert {service for service in before if after[service]["Id"] != before[service]["Id"]} == rebuilt
    assert httpx.get(f"{fresh_stack.page}/healthz").json() == {"status": "upgraded"}
    assert ", upgraded</title>" in httpx.get(fresh_stack.page).text
    assert "DoodleUpgraded" in httpx.get(f"{fresh_stack.url('DOODLE_PROMETHEUS_PORT')}/api/v1/rules").text


@pytest.fixture(scope="module")
def readable_artifacts(fresh_stack):
    """Let the containers read the host's results, as docs/operate.md says."""
    run("chmod", "-R", "a+rX", fresh_stack.folder / "artifacts")


@pytest.mark.usefixtures("readable_artifacts")
def test_exports_new_results(fresh_stack, wait_until):
    (fresh_stack.folder / "artifacts" / "metrics.json").write_text(json.dumps({"accuracy": 0.5}))
    wait_until(lambda: fresh_stack.exported()["doodle_pipeline_test_accuracy_ratio"] == 0.5, "the new figure is exported")


@pytest.fixture
def stage(fresh_stack, readable_artifacts):
    """stage(name): run the stage on the host in the stack's folder and return its log."""

    def stage(name, code=0):
        env = fresh_stack.environment | {"PYTHONPATH": "packages:services"}
        done = subprocess.run(
            [sys.executable, "-m", "trainer", name],
            cwd=fresh_stack.folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done.stderr

    return stage


def version(fresh_stack, alias):
    return httpx.get(f"{fresh_stack.api}/{alias}/model").json().get("version")


def test_clears_a_failed_candidate_and_keeps_the_live_model(fresh_stack, stage, save_model, wait_until):
    live, pins = fresh_stack.predict()["model_version"], fresh_stack.folder / "mnist.dvc"
    candidate = save_model(fresh_stack.folder / "artifacts" / "candidate", seed=1)["version"]
    assert f"{candidate} is the candidate of {fresh_stack.api}" in stage("serve")
    assert (version(fresh_stack, "candidate"), version(fresh_stack, "live")) == (candidate, live)
    assert fresh_stack.predict()["model_version"] == live
    content = pins.read_text()
    pins.write_text("")
    assert "mnist.dvc" in stage("test", code=1)
    pins.write_text(content)
    wait_until(lambda: version(fresh_stack, "candidate") is None, "it is gone", 2)
    assert f"{candidate} has not been tested" in stage("end", code=1)
    assert version(fresh_stack, "live") == live


def test_releases_a_passed_candidate_without_a_restart(fresh_stack, stage, save_model):
    before = version(fresh_stack, "live")
    candidate = save_model(fresh_stack.folder / "artifacts" / "candidate", seed=2)["version"]
    stage("serve")
    result = {"version": candidate, "passed": True, "problems": []}
    (fresh_stack.folder / "artifacts" / "test_result.json").write_text(json.dumps(result))
    assert f"{candidate} is live at {fresh_stack.api}" in stage("end")
    assert fresh_stack.predict()["model_version"] == candidate
    assert json.loads((fresh_stack.folder / "artifacts" / "model" / "model.json").read_text())["version"] == candidate
    save_model(fresh_stack.folder / "artifacts" / "model", seed=3)
    fresh_stack.compose("restart", "--timeout", "5", "trainer")
    fresh_stack.up()
    fresh_stack.compose("exec", "-T", "trainer", "python", "-m", "trainer", "models", "rollback")
    fresh_stack.compose("restart", "--timeout", "5", "trainer")
    fresh_stack.up()
    assert version(fresh_stack, "live") == before


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
def test_dvc_repro_rejects_a_worse_model_and_releases_it_with_a_wider_margin(fresh_stack, wait_until):
    """The walk-through of docs/train.md, with the perceptron."""
    params, live = fresh_stack.folder / "params.yaml", fresh_stack.predict()["model_version"]
    for pattern, less in SMALL.items():
        text, count = re.subn(pattern, less, params.read_text())
        assert count == 1, pattern
        params.write_text(text)
    environment = fresh_stack.environment | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    run("git", "init", "--quiet", cwd=fresh_stack.folder)

    def repro():
        options = {"cwd": fresh_stack.folder, "env": environment, "capture_output": True, "text": True, "check": False}
        done = subprocess.run(["dvc", "repro"], **options)
        return done.returncode, done.stdout + done.stderr

    code, said = repro()
    made = json.loads((fresh_stack.folder / "artifacts" / "candidate" / "model.json").read_text())["version"]
    assert code != 0
    assert f"{made} is rejected; {live} stays live" in said
    wait_until(lambda: (version(fresh_stack, "candidate"), version(fresh_stack, "live")) == (None, live), "it is taken down", 2)
    params.write_text(params.read_text().replace("margin: 0.005 ", "margin: 0.2 "))
    code, said = repro()
    assert (code, fresh_stack.predict()["model_version"]) == (0, made), said
    assert not (fresh_stack.folder / "state").exists(), "the stack's store was used"


def test_down_v_removes_everything(fresh_stack, docker):
    """This test removes the fresh_stack, so it runs last."""
    of_this_stack = ["--filter", f"label=com.docker.compose.project={fresh_stack.name}", "--quiet"]
    assert docker("volume", "ls", *of_this_stack)
    removed = fresh_stack.down("--volumes")
    assert docker("container", "ls", "--all", *of_this_stack) == ""
    assert docker("volume", "ls", *of_this_stack) == ""
    assert not removed or docker("network", "ls", *of_this_stack) == ""
