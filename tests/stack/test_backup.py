"""A backup, also one of an older release, restores models, predictions and feedback. The stack runs behind a proxy."""

import json
import subprocess
from pathlib import Path

import httpx
import pytest

NOBODY = "http://127.0.0.1:9"
RELEASED = Path(__file__).with_name("release-0.1.0.tar.gz")


@pytest.fixture(scope="module")
def stack(new_stack, tmp_path_factory):
    """Start a stack whose Docker client sets a proxy that does not answer."""
    stack = new_stack()
    stack.build()
    folder = tmp_path_factory.mktemp("docker")
    (folder / "config.json").write_text(json.dumps({"proxies": {"default": {"httpProxy": NOBODY, "httpsProxy": NOBODY}}}))
    stack.environment["DOCKER_CONFIG"] = str(folder)
    stack.up()  # waits for all health checks
    return stack


@pytest.fixture(scope="module")
def script(stack):
    """script(name, file): run the script as make does. Return its exit code and output."""

    def script(name, file):
        command = [stack.folder / "scripts" / f"{name}.sh", file]
        done = subprocess.run(command, env=stack.environment, capture_output=True, text=True, timeout=180, check=False)
        return done.returncode, done.stdout + done.stderr

    return script


def test_a_proxy_of_docker_s_clients_gets_no_request_of_the_stack(stack, wait_until):
    assert f"HTTP_PROXY={NOBODY}" in stack.container("trainer")["Config"]["Env"]
    assert stack.predict(f"{stack.page}/api")["digit"] == 1
    ask = "import urllib.request; print(urllib.request.urlopen('http://inference:7000/healthz').status)"
    assert stack.compose("exec", "-T", "trainer", "python", "-c", ask).strip() == "200"
    wait_until(lambda: {each["health"] for each in stack.targets()} == {"up"}, "Prometheus reaches all services")


def live(stack):
    return httpx.get(f"{stack.api}/model", timeout=10).json()["version"]


def test_an_empty_stack_goes_on_where_the_saved_one_was(stack, script, tmp_path, wait_until):
    version = stack.publish_another("network.parameters *= 1.001")
    stack.compose("exec", "-T", "trainer", "python", "-m", "trainer", "models", "promote", version)
    wait_until(lambda: live(stack) == version, "the other model is live")
    answered = [stack.predict()["prediction_id"] for _ in range(20)]
    said = {"prediction_id": answered[0], "actual_digit": 7}
    httpx.post(f"{stack.api}/feedback", json=said, timeout=10).raise_for_status()
    wait_until(lambda: len(stack.logged(answered)) == 20, "all predictions are in the log")

    file = tmp_path / "doodle.tar.gz"
    code, printed = script("backup", file)
    assert code == 0, printed
    assert file.stat().st_mode & 0o077 == 0
    stack.up()  # it would fail beside a service that is not healthy again
    stack.predict()
    later = httpx.post(f"{stack.api}/feedback", json={"prediction_id": answered[1], "actual_digit": 1}, timeout=10)
    assert later.status_code == 200, "the programs that paused go on"

    code, printed = script("restore", file)
    assert (code, "docker compose down" in printed) == (1, True)
    stack.down()
    code, printed = script("restore", file)
    assert (code, "docker compose down --volumes" in printed) == (1, True)
    stack.down("--volumes")
    (tmp_path / "half.tar.gz").write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert script("restore", tmp_path / "half.tar.gz")[0] == 1
    code, printed = script("restore", file)
    assert code == 0, printed
    stack.up()
    assert live(stack) == version
    assert len(stack.logged(answered)) == 20
    assert stack.feedback() == [(answered[0], 7)]
    assert stack.predict()["digit"] == 1


def test_an_upgrade_from_release_0_1_0_keeps_models_predictions_and_feedback(stack, script, monkeypatch, wait_until):
    """RELEASED is a backup of a small stack of commit 0cf884f, with the public images' users."""
    monkeypatch.setitem(stack.environment, "DOODLE_RETENTION_DAYS", "0")  # the records get older than 90 days
    stack.down("--volumes")
    code, printed = script("restore", RELEASED)
    assert code == 0, printed
    stack.compose("run", "--rm", "-T", "backup", "chown -R redis redis")  # a stand-in's Redis has another user id
    stack.up()
    assert live(stack) == "9d6a7d49508b"
    answered = ["436da1308efb453abe198946e3b819be", "439534c8a8cb48f88f30339edbbaf004", "11a02abd18834f33816c46962945b6d8"]
    assert stack.logged(answered) == answered
    assert sorted(stack.feedback()) == [(answered[0], 1), (answered[1], 7)]
    assert "1 undecided" in stack.compose("exec", "-T", "trainer", "python", "-m", "trainer", "feedback", "review")
    new = stack.predict()["prediction_id"]
    wait_until(lambda: stack.logged([new]) == [new], "a new prediction is in the log")
