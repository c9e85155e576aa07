"""serve, test and end: a candidate is tested over HTTP in a real service, then released or rejected."""

import json
import os
import shutil
import signal
import subprocess
import sys
from unittest.mock import Mock

import numpy as np
import pytest
from digitnet.checkpoint import load, load_card, load_golden, save
from digitnet.images.normalize import in_bytes
from digitnet.images.strokes import image_from_strokes
from stores.models import CANDIDATE, LIVE
from stores.models.folder import FolderModels
from trainer.__main__ import main
from trainer.data import corrupt, synthesize
from trainer.data.strokes import Forms
from trainer.release import api, staging_server, test
from trainer.release.api import Api, ReleaseError
from trainer.release.candidate import end, serve
from trainer.release.staging_server import StagingServer
from trainer.release.test import examine
from trainer.settings import ReleaseTestSettings

KEY = "0123456789abcdef"


def spoil(source, folder):
    """Save the model of `source` with random parameters; return its version."""
    network, card = load(source)
    network.parameters[:] = np.random.default_rng(1).normal(size=network.parameters.shape) * 0.1
    about = {name: card[name] for name in ("temperature", "no_digit_threshold", "test")}
    return save(folder, network, load_golden(source).images, about)["version"]


@pytest.fixture(scope="module")
def made(tmp_path_factory, params, write_mnist):
    """Return a project with an evaluated candidate and no release."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "params.yaml").write_text(params.replace("epochs: 3", "epochs: 12"))
    forms, generator, labels = Forms(), np.random.default_rng(4), (np.arange(460) % 10).astype(np.uint8)
    images = [in_bytes(image_from_strokes(forms.digit(label, generator)[0])) for label in labels.tolist()]
    write_mnist(folder, np.stack(images), labels, 400)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for module in (synthesize, corrupt):  # processes would take longer
            patch.setattr(module, "map_in_processes", lambda function, *given: list(map(function, *given)))
        for stage in ("preprocess", "synthesize", "corrupt", "train", "evaluate"):
            assert main([stage]) == 0
    return folder


@pytest.fixture
def project(made, tmp_path, monkeypatch, free_port, caplog):
    """Return a copy of the project, without a running stack."""
    folder = shutil.copytree(made, tmp_path / "project")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DOODLE_PORT", str(free_port()))
    monkeypatch.setattr(api, "POLL_INTERVAL", 0.02)
    caplog.set_level("INFO")
    yield folder
    StagingServer(folder / "state" / "staging").stop()


@pytest.fixture
def candidate(project):
    return load_card(project / "artifacts" / "candidate")["version"]


@pytest.fixture
def staging(project):
    return StagingServer(project / "state" / "staging")


@pytest.fixture
def models(project):
    return FolderModels(project / "state" / "models")


def result():
    with open("artifacts/test_result.json") as file:
        return json.load(file)


class TestStages:
    def test_releases_the_first_candidate_and_stops_its_server(self, project, candidate, models, staging, monkeypatch):
        assert main(["serve"]) == 0
        left = staging.api.url  # a killed run left it, and it ignores SIGTERM
        os.kill(json.loads((project / "state" / "staging" / "service.json").read_text())["pid"], signal.SIGSTOP)
        monkeypatch.setattr(staging_server, "STOP_SECONDS", 0.2)
        assert main(["serve"]) == 0
        url = staging.api.url
        assert url != left
        assert not Api(left).is_up
        monkeypatch.setattr(staging_server, "STOP_SECONDS", 20.0)
        assert json.loads((project / "data" / "served.json").read_text()) == {"version": candidate}
        assert (staging.api.version(CANDIDATE), staging.api.version(LIVE)) == (candidate, None)
        assert main(["test"]) == 0
        assert (result()["passed"], result()["version"], result()["live"]) == (True, candidate, None)
        assert not (project / "artifacts" / "model").exists()
        assert models.alias(LIVE) is None
        assert main(["end"]) == 0
        assert load(project / "artifacts" / "model")[1] == load_card(project / "artifacts" / "candidate")
        assert (models.alias(CANDIDATE), models.alias(LIVE)) == (None, candidate)
        assert staging.api is None
        assert not Api(url).is_up

    def test_rejects_a_worse_candidate(self, project, candidate, models, staging, caplog):
        artifacts = project / "artifacts"
        released = shutil.copytree(artifacts / "candidate", artifacts / "model")
        shutil.rmtree(artifacts / "trained")
        spoil(artifacts / "candidate", artifacts / "trained")
        assert main(["evaluate"]) == 0
        worse = load_card(artifacts / "candidate")["version"]
        assert main(["test"]) == 1, "it starts a server if there is none"
        assert f"{worse} is rejected; {candidate} stays live: " in caplog.text
        assert "than the live model; the limit is 5.00%" in caplog.text
        assert staging.api is None, "dvc does not run end after a failed test"
        assert (models.alias(CANDIDATE), models.alias(LIVE)) == (None, candidate)
        assert not result()["passed"]
        assert any("than the live model" in problem for problem in result()["problems"])
        assert main(["end"]) == 1
        assert f"{worse} was rejected: " in caplog.records[-1].getMessage()
        assert (models.alias(LIVE), load_card(released)["version"]) == (candidate, candidate)


@pytest.fixture(scope="module")
def served(made, tmp_path_factory):
    """Start a server with the candidate and a random live model. Yield its URL and the live version."""
    folder = tmp_path_factory.mktemp("served")
    staging, models = StagingServer(folder / "staging"), FolderModels(folder / "models")
    version = spoil(made / "artifacts" / "candidate", folder / "live")
    models.promote(models.publish(folder / "live")["version"])
    models.point(CANDIDATE, models.publish(made / "artifacts" / "candidate")["version"])
    yield staging.start(str(models)).url, version
    staging.stop()


class TestExamination:
    @pytest.fixture
    def examined(self, made, served, tmp_path, monkeypatch):
        """examined(change, measured, milliseconds): examine with changed answers, card figures or time limit."""
        monkeypatch.chdir(tmp_path)
        (tmp_path / "artifacts").mkdir()
        card, api = load_card(made / "artifacts" / "candidate"), Api(served[0])
        predict = api.predict

        def examined(change=lambda alias, answer: answer, measured=None, milliseconds=2000.0):
            monkeypatch.setattr(test, "load_card", lambda _: card | {"test": card["test"] | (measured or {})})
            api.predict = lambda alias, *more: [change(alias, answer) for answer in predict(alias, *more)]
            files = made / "mnist", made / "data" / "synthetic.npz", tmp_path / "artifacts" / "test_result.json"
            settings = ReleaseTestSettings(margin=0.05, significance=0.01, milliseconds=milliseconds)
            return examine(settings, api, made / "artifacts" / "candidate", *files)

        return examined

    def test_measures_over_http_as_evaluate_does(self, examined, made, served):
        found = examined()
        assert found == result()
        measured = json.loads((made / "artifacts" / "metrics.json").read_text())
        assert (found["passed"], found["live"]) == (True, served[1])
        assert 0.3 < found["mnist"]["accuracy"] == measured["accuracy"]
        assert 0.3 < found["synthetic"]["accuracy"] == measured["synthetic_accuracy"]
        assert (found["mnist"]["drawings"], found["synthetic"]["drawings"]) == (60, 30)
        assert found["golden_difference"] < 1e-5, "float32 rounds sums, and their order depends on the processor"
        assert 0.0 < found["milliseconds"]["median"] <= found["milliseconds"]["p99"]
        assert found["mnist"]["live_accuracy"] < found["mnist"]["accuracy"]
        assert found["mnist"]["only_candidate_right"] > found["mnist"]["only_live_right"]
        assert found["mnist"]["p_equal"] < 0.01

    def test_rejects_a_candidate_that_evaluate_measured_differently(self, examined):
        rejected = {"mnist_digits": 0.77, "synthetic_digits": 0.77, "non_digits": 0.77}
        with pytest.raises(ReleaseError) as caught:
            examined(measured={"accuracy": 0.999, "synthetic_accuracy": 0.999, "rejected": rejected})
        for what in ("accuracy on MNIST's digits", "accuracy on synthetic digits", "MNIST's digits rejected"):
            assert f"{what}: " in str(caught.value)
        assert str(caught.value).count("over HTTP, but evaluate measured 77.0000%") == 3
        assert "non-digits rejected: " in str(caught.value)

    def test_rejects_a_slow_candidate(self, examined, served):
        with pytest.raises(ReleaseError, match=rf"{served[1]} stays live: 99 of 100 .* took .*the limit is 0\.001 ms"):
            examined(milliseconds=0.001)
        assert "99 of 100 answers took" in result()["problems"][0]

    def test_rejects_wrong_probabilities_on_golden_inputs(self, examined):
        with pytest.raises(ReleaseError, match=r"golden images: a probability differs by 0\.0[12]\d* from"):
            examined(lambda _, answer: answer._replace(probabilities=[0.99 * each for each in answer.probabilities]))
        assert result()["golden_difference"] > 0.005

    @pytest.mark.parametrize("alias", ["live", "candidate"])
    def test_aborts_if_a_model_changes_during_the_test(self, examined, alias):
        with pytest.raises(ReleaseError, match=f"answered as {alias} with ffffffffffff.*run dvc repro again"):
            examined(lambda asked, answer: answer._replace(model_version="ffffffffffff") if asked == alias else answer)
        assert not os.path.exists("artifacts/test_result.json")


RESULT = '{"version": "%s", "passed": %s, "problems": ["bad"]}'


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (None, "VERSION has not been tested: run dvc repro"),
        (RESULT % ("ffff", "true"), "VERSION has not been tested; "),
        (RESULT % ("VERSION", "false"), "VERSION was rejected: bad"),
        (RESULT % ("VERSION", "true"), "VERSION is released, but .* does not serve it: read its log"),
        *((damaged, "result.json has no result of the test of VERSION") for damaged in ("", "[]", '{"passed": true}')),
    ],
)
def test_end_releases_only_a_passed_candidate(save_model, tmp_path, result, reason):
    version, registry, staging = save_model(tmp_path / "candidate")["version"], Mock(), Mock()
    stack = Mock(serves=lambda alias, asked, times: (alias, asked) == (CANDIDATE, version), takes_up=lambda *_: False)
    if result is not None:
        (tmp_path / "result.json").write_text(result.replace("VERSION", version))
    with pytest.raises(ValueError, match=reason.replace("VERSION", version)):
        end(registry, stack, staging, tmp_path / "candidate", tmp_path / "result.json", tmp_path / "model")
    staging.stop.assert_called_once()
    assert (tmp_path / "model").exists() == registry.publish.called == (result == RESULT % ("VERSION", "true"))


class TestStaging:
    def test_ignores_a_stack_of_another_folder(self, save_model, tmp_path, caplog):
        """That stack has another store."""
        caplog.set_level("INFO")
        version, staging = save_model(tmp_path / "candidate")["version"], Mock(api=None)
        stack = Mock(is_up=True, takes_up=lambda *_: False)
        assert serve(Mock(), stack, staging, tmp_path / "candidate") == staging.start.return_value
        assert f"has loaded {version}; starting a staging server" in caplog.text

    def test_a_compose_stack_without_its_api_is_an_error(self, save_model, tmp_path):
        save_model(tmp_path / "candidate")
        with pytest.raises(ValueError, match=r"no service at http://x has loaded .*: check docker compose ps"):
            serve(Mock(models=None), Mock(is_up=False, url="http://x"), Mock(api=None), tmp_path / "candidate")

    def test_error_says_what_to_do_without_a_server(self, project, models, caplog, monkeypatch, free_port):
        port = free_port()
        monkeypatch.delenv("DOODLE_PORT")
        (project / ".env").write_text(f"# as for Compose\nDOODLE_PORT={port}\n")
        monkeypatch.setattr(staging_server.importlib.util, "find_spec", lambda _: None)
        assert main(["serve"]) == 1
        assert f"no service at http://127.0.0.1:{port} has" in caplog.text
        assert "start the stack, then try again" in caplog.text
        assert models.alias(CANDIDATE) is None

    def test_a_failed_start_leaves_its_log(self, project, staging, caplog):
        (project / "inference.py").write_text("raise SystemExit('no such setting')")
        assert main(["serve"]) == 1
        assert "does not start: read " in caplog.text
        assert (project / "state" / "staging" / "service.log").read_text() == "no such setting\n"
        assert staging.api is None

    def test_does_not_stop_a_process_with_a_reused_pid(self, tmp_path):
        (tmp_path / "lock").touch()
        with subprocess.Popen(["sleep", "60"]) as stranger:
            (tmp_path / "service.json").write_text(json.dumps({"pid": stranger.pid, "url": "http://127.0.0.1:1"}))
            StagingServer(tmp_path).stop()
            with pytest.raises(subprocess.TimeoutExpired):
                stranger.wait(0.1)
            stranger.kill()


# A fake docker: a Compose stack in STACK, whose trainer has artifacts as /artifacts and its own store.
DOCKER = """#!/bin/sh
case $1 in
ps) echo "0123456789ab $STACK" ;;
exec) shift 2 && cd "$STACK" && DOODLE_MODELS=volume exec $(echo "$@" | sed s,/artifacts,artifacts,) ;;
esac
"""


@pytest.mark.parametrize("kind", ["make run", "docker compose"])
def test_tests_and_releases_a_candidate_in_a_running_stack(project, candidate, staging, wait_for, monkeypatch, caplog, kind):
    """The stack is `python -m inference` and the trainer's `watch`, with an API key."""
    live = spoil(project / "artifacts" / "candidate", project / "artifacts" / "model")
    monkeypatch.setenv("DOODLE_API_KEY", KEY)
    stack = Api(f"http://127.0.0.1:{os.environ['DOODLE_PORT']}", KEY)
    store = "state/models" if kind == "make run" else "volume"
    models, environment = (
        FolderModels(project / store),
        os.environ | {"DOODLE_MODELS": store, "DOODLE_MODEL_CHECK_SECONDS": "0.1"},
    )
    if kind == "docker compose":
        (project / "docker").write_text(DOCKER)
        (project / "docker").chmod(0o755)
        monkeypatch.setenv("PATH", f"{project}:{os.environ['PATH']}")
        monkeypatch.setenv("STACK", str(project))
    with (project / "stack.log").open("wb") as log:
        programs = [[sys.executable, "-m", *name.split()] for name in ("inference", "trainer watch")]
        processes = [subprocess.Popen(program, stderr=log, env=environment) for program in programs]
    try:
        wait_for(f"{stack.url}/readyz")
        assert main(["serve"]) == 0
        assert (stack.version(CANDIDATE), stack.version(LIVE)) == (candidate, live)
        assert main(["test"]) == 0
        assert result()["live"] == live
        assert main(["end"]) == 0
        assert stack.version(LIVE) == candidate
        assert staging.api is None, "it must use the stack"
        assert models.alias(CANDIDATE) is None
        assert (project / "state" / "models").exists() == (kind == "make run")
        assert models.rollback() == live
        monkeypatch.setenv("DOODLE_API_KEY", "another-key-altogether")
        assert main(["serve"]) == 1
        assert "set DOODLE_API_KEY to the service's key" in caplog.text
        assert models.alias(CANDIDATE) is None
        assert KEY not in caplog.text
    finally:
        for process in processes:
            process.terminate()
            process.wait(15)
