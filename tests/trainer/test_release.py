"""serve, test, end, as dvc calls them: on a small MNIST of our own, and a service in a process of its own."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from digitnet.checkpoint import load, load_card, load_golden, save, sealed
from digitnet.drawing import in_bytes, picture_from_strokes
from stores.folder_models import FolderModels
from stores.journal import Feedback
from stores.models import CANDIDATE, LIVE
from trainer import trial
from trainer.__main__ import main
from trainer.api import Api
from trainer.decisions import Decisions
from trainer.idx import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, images_to_bytes, labels_to_bytes
from trainer.settings import read_test_settings
from trainer.strokes import Forms
from trainer.test import TestError, examine
from trainer.trial import OwnService

MAKING = ("preprocess", "synthesize", "disturb", "train", "evaluate")


@pytest.fixture(scope="module")
def made(tmp_path_factory, params):
    """A project in which a candidate was made and measured, and none was released."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "params.yaml").write_text(params.replace("epochs: 3", "epochs: 30"))
    forms, generator = Forms(), np.random.default_rng(4)
    labels = (np.arange(460) % 10).astype(np.uint8)
    pictures = np.stack([in_bytes(picture_from_strokes(forms.digit(int(label), generator)[0])) for label in labels])
    (folder / "mnist").mkdir()
    pins = ["meta:", "  files:"]
    for name, content in {
        TRAIN_IMAGES: images_to_bytes(pictures[:400]),
        TRAIN_LABELS: labels_to_bytes(labels[:400]),
        TEST_IMAGES: images_to_bytes(pictures[400:]),
        TEST_LABELS: labels_to_bytes(labels[400:]),
    }.items():
        (folder / "mnist" / name).write_bytes(content)
        pins.append(f"    {name}: {hashlib.md5(content).hexdigest()}")
    (folder / "mnist.dvc").write_text("\n".join(pins))
    for stage in MAKING:
        subprocess.run([sys.executable, "-m", "trainer", stage], cwd=folder, check=True)
    return folder


@pytest.fixture
def project(made, tmp_path, monkeypatch, free_port, caplog):
    """A copy of it to work in, with nobody listening where a stack would."""
    folder = tmp_path / "project"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DOODLE_PORT", str(free_port()))
    caplog.set_level("INFO")
    yield folder
    OwnService(folder / "state" / "trial").stop()


@pytest.fixture
def candidate(project):
    return load_card(project / "artifacts" / "candidate")["version"]


@pytest.fixture
def own(project):
    return OwnService(project / "state" / "trial")


def result():
    with open("artifacts/test_result.json") as file:
        return json.load(file)


def spoil(source, folder, **about):
    """Another model: the one in `source` with its parameters at random; `about` goes into its card."""
    network, card = load(source)
    network.parameters[:] = np.random.default_rng(1).normal(size=network.parameters.shape) * 0.1
    kept = {name: card[name] for name in ("temperature", "no_digit_threshold", "test")}
    return save(folder, network, load_golden(source).pictures, {**kept, **about})["version"]


class TestWithNoStackInReach:
    def test_the_first_candidate_passes_and_is_released_and_nothing_is_left_running(self, project, candidate, own):
        assert main(["serve"]) == 0
        assert json.loads((project / "data" / "served.json").read_text()) == {"version": candidate}
        assert own.api.version(CANDIDATE) == candidate
        assert own.api.version(LIVE) is None
        assert main(["test"]) == 0
        assert result()["passed"]
        assert result()["version"] == candidate
        assert result()["live"] is None
        assert not (project / "artifacts" / "model").exists()
        url = own.api.url
        assert main(["end"]) == 0
        assert load(project / "artifacts" / "model")[1] == load_card(project / "artifacts" / "candidate")
        assert own.api is None
        assert not Api(url).is_up

    def test_it_is_as_good_over_http_as_evaluate_found_it_to_be(self, project, candidate):
        assert main(["test"]) == 0
        measured = json.loads((project / "artifacts" / "metrics.json").read_text())
        assert 0.3 < result()["mnist"]["accuracy"] == measured["accuracy"]
        assert result()["mnist"]["drawings"] == 60
        assert 0.3 < result()["synthetic"]["accuracy"] == measured["synthetic_accuracy"]
        assert result()["synthetic"]["drawings"] == 30
        assert result()["golden_difference"] < 1e-6
        assert 0.0 < result()["milliseconds"]["median"] <= result()["milliseconds"]["p99"]

    def test_what_was_released_last_is_what_the_next_is_compared_with(self, project, candidate, caplog):
        before = spoil(project / "artifacts" / "candidate", project / "artifacts" / "model")
        assert main(["serve"]) == main(["test"]) == main(["end"]) == 0
        assert result()["live"] == before
        assert result()["mnist"]["live_accuracy"] < result()["mnist"]["accuracy"]
        assert result()["mnist"]["only_candidate_right"] > result()["mnist"]["only_live_right"]
        assert result()["mnist"]["p_equal"] < 0.01
        assert load_card(project / "artifacts" / "model")["version"] == candidate

    def test_one_that_is_worse_than_it_is_refused_and_stays_so(self, project, candidate, own, caplog):
        shutil.copytree(project / "artifacts" / "candidate", project / "artifacts" / "model")
        released = (project / "artifacts" / "model" / "model.json").read_bytes()
        worse = self.made_worse(project)
        assert main(["serve"]) == 0
        assert main(["test"]) == 1
        assert f"{worse} is refused; {candidate} stays live: " in caplog.text
        assert "fewer than what is live, 5.00% are allowed" in caplog.text
        assert own.api is None, "dvc does not run end after a test that failed"
        assert not result()["passed"]
        assert any("fewer than what is live" in problem for problem in result()["problems"])
        assert main(["end"]) == 1
        assert f"{worse} was refused: " in caplog.records[-1].getMessage()
        assert (project / "artifacts" / "model" / "model.json").read_bytes() == released

    def made_worse(self, project):
        """A candidate at random whose card says truly how good it is."""
        artifacts = project / "artifacts"
        shutil.rmtree(artifacts / "trained")
        spoil(artifacts / "candidate", artifacts / "trained")
        shutil.rmtree(artifacts / "candidate")
        assert main(["evaluate"]) == 0
        return load_card(artifacts / "candidate")["version"]

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"accuracy": 0.999}, "MNIST's digits read right: "),
            ({"synthetic_accuracy": 0.999}, "synthetic digits read right: "),
            ({"rejected": {"mnist_digits": 0.77}}, "MNIST's digits rejected: "),
            ({"rejected": {"non_digits": 0.77}}, "non-digits rejected: "),
        ],
    )
    def test_one_that_is_not_what_evaluate_measured_is_refused(self, project, caplog, change, said):
        card_file = project / "artifacts" / "candidate" / "model.json"
        card = json.loads(card_file.read_text())
        card["test"] |= change
        card_file.write_text(json.dumps(sealed(card)))  # by a maker who measured badly
        assert main(["test"]) == 1
        assert said in caplog.text
        assert "over HTTP, but evaluate measured" in caplog.text

    def test_one_that_is_too_slow_is_refused(self, project, caplog):
        params = project / "params.yaml"
        params.write_text(params.read_text().replace("milliseconds: 2000", "milliseconds: 0.001"))
        assert main(["test"]) == 1
        assert "0.001 ms are allowed" in caplog.text
        assert "of 100 answers 99 took" in result()["problems"][0]

    def test_it_needs_no_more_than_the_test_to_try_it_again(self, project, candidate, own):
        """Where only the test has changed dvc does not run serve, and what it started has long ended."""
        assert main(["serve"]) == 0
        own.stop()
        assert main(["test"]) == 0
        assert own.api.version(CANDIDATE) == candidate

    def test_a_service_that_a_killed_run_left_behind_is_ended_by_the_next(self, project, own):
        assert main(["serve"]) == 0
        left = own.api.url
        assert main(["serve"]) == 0
        assert own.api.url != left
        assert not Api(left).is_up

    def test_end_ends_it_even_where_nothing_was_tested(self, project, candidate, own, caplog):
        assert main(["serve"]) == 0
        assert main(["end"]) == 1
        assert f"{candidate} has not been tested: run dvc repro" in caplog.text
        assert own.api is None

    def test_another_version_s_result_releases_nothing(self, project, candidate, caplog):
        (project / "artifacts" / "test_result.json").write_text(
            json.dumps({"version": "ffffffffffff", "passed": True, "problems": []})
        )
        assert main(["end"]) == 1
        assert f"{candidate} has not been tested, " in caplog.text
        assert not (project / "artifacts" / "model").exists()

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"passed": true}'])
    def test_a_damaged_result_releases_nothing(self, project, caplog, content):
        (project / "artifacts" / "test_result.json").write_text(content)
        assert main(["end"]) == 1
        assert "artifacts/test_result.json is damaged or foreign" in caplog.text
        assert not (project / "artifacts" / "model").exists()

    def test_a_process_that_got_the_number_of_one_that_ended_is_left_alone(self, project, own):
        assert main(["serve"]) == 0
        about = project / "state" / "trial" / "service.json"
        own.stop()
        with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
            try:
                about.write_text(json.dumps(json.loads(about.read_text()) | {"pid": stranger.pid}))
                own.stop()
                time.sleep(0.2)
                assert stranger.poll() is None
            finally:
                stranger.kill()

    def test_one_that_does_not_hear_is_ended_all_the_same(self, project, own, monkeypatch):
        api = own.start(project / "artifacts" / "candidate", project / "artifacts" / "model")
        monkeypatch.setattr(trial, "PATIENCE_SECONDS", 1.0)
        os.kill(json.loads((project / "state" / "trial" / "service.json").read_text())["pid"], signal.SIGSTOP)
        own.stop()
        assert own.api is None
        assert not api.is_up

    def test_where_no_service_can_be_started_it_says_what_to_do(self, project, caplog, monkeypatch):
        monkeypatch.setattr(trial.importlib.util, "find_spec", lambda _: None)
        assert main(["serve"]) == 1
        assert "nobody answers at http://127.0.0.1:" in caplog.text
        assert "bring the stack up, then try again" in caplog.text

    def test_a_service_that_does_not_start_is_no_riddle(self, project, own, caplog, monkeypatch):
        monkeypatch.setenv("DOODLE_MODEL_CHECK_SECONDS", "often")
        assert main(["serve"]) == 1
        assert "state/trial/service.log says why" in caplog.text
        assert "DOODLE_MODEL_CHECK_SECONDS" in (project / "state" / "trial" / "service.log").read_text()


def test_a_poisoned_batch_that_somebody_accepted_unseen_does_not_reach_what_is_released(project, candidate, caplog):
    """As many wrong labels as there are right ones. (Flagged and rejected, as they should be, they would not be learnt from.)"""
    for stage in ("serve", "test", "end"):
        assert main([stage]) == 0
    released = load_card(project / "artifacts" / "model")
    forms, generator = Forms(), np.random.default_rng(6)
    drawn = [(digit, in_bytes(picture_from_strokes(forms.digit(digit, generator)[0]))) for digit in np.arange(400) % 10]
    Decisions(project / "feedback").accept(
        Feedback(f"{number:08x}", 1e9, None, None, int(digit + 1) % 10, None, picture.tobytes())
        for number, (digit, picture) in enumerate(drawn)
    )
    shutil.rmtree(project / "artifacts" / "trained")
    for stage in ("preprocess", "train", "evaluate", "serve"):
        assert main([stage]) == 0
    poisoned = load_card(project / "artifacts" / "candidate")
    assert poisoned["data"]["training_pictures"] == released["data"]["training_pictures"] + 400
    assert poisoned["test"]["accuracy"] < released["test"]["accuracy"]
    assert main(["test"]) == 1
    assert main(["end"]) == 1
    assert f"{poisoned['version']} is refused; {released['version']} stays live" in caplog.text
    assert load_card(project / "artifacts" / "model") == released


class Lying(Api):
    """A service that does not answer as it should: `change` makes of each answer another one."""

    def __init__(self, url, change):
        super().__init__(url)
        self.change = change

    def read(self, pointer, bodies, connections=1):
        return [self.change(pointer, answer) for answer in super().read(pointer, bodies, connections)]


class TestAServiceThatIsNotAsItShouldBe:
    @pytest.fixture
    def examined(self, project, own):
        """examined(change): test the candidate in a service whose answers are changed."""
        live = project / "artifacts" / "model"
        spoil(project / "artifacts" / "candidate", live)
        url = own.start(project / "artifacts" / "candidate", live).url

        def examined(change):
            folder = project / "artifacts" / "candidate"
            files = project / "mnist", project / "data" / "synthetic.npz", project / "artifacts" / "test_result.json"
            return examine(read_test_settings(), Lying(url, change), folder, *files)

        return examined

    def test_as_it_is_it_passes(self, examined):
        assert examined(lambda _, answer: answer)["passed"]

    def test_probabilities_that_are_not_those_of_the_model_s_maker_are_noticed(self, examined):
        with pytest.raises(TestError, match=r"golden inputs: a probability is 0\.0[12]\d* off"):
            examined(lambda _, answer: answer._replace(probabilities=[0.99 * each for each in answer.probabilities]))
        assert result()["golden_difference"] > 0.005

    @pytest.mark.parametrize("pointer", ["live", "candidate"])
    def test_a_model_that_is_changed_meanwhile_is_noticed(self, examined, pointer):
        def change(asked, answer):
            return answer._replace(model_version="ffffffffffff") if asked == pointer else answer

        with pytest.raises(TestError, match=f"answered as {pointer} with ffffffffffff.*run dvc repro again"):
            examined(change)
        assert not os.path.exists("artifacts/test_result.json"), "that was no test"

    def test_a_digit_that_is_called_none_is_noticed(self, examined):
        with pytest.raises(TestError, match=r"MNIST's digits rejected: 100\.0000% over HTTP"):
            examined(lambda _, answer: answer._replace(is_digit=False))


class TestBesideAStack:
    """`python -m inference` and `python -m trainer watch`, as `make run` has them."""

    @pytest.fixture
    def live(self, project):
        """A model that reads nothing is live, and was released."""
        return spoil(project / "artifacts" / "candidate", project / "artifacts" / "model")

    @pytest.fixture
    def start(self, project, wait_for):
        """start(module, arguments): its process."""
        started = []

        def start(*arguments):
            log = (project / f"{arguments[0]}.log").open("wb")
            started.append(subprocess.Popen([sys.executable, "-m", *arguments], cwd=project, stdout=log, stderr=log))
            return started[-1]

        yield start
        for process in started:
            process.terminate()
            process.wait(15)

    @pytest.fixture
    def stack(self, live, start, wait_for):
        start("inference")
        start("trainer", "watch")
        api = Api(f"http://127.0.0.1:{os.environ['DOODLE_PORT']}")
        wait_for(f"{api.url}/readyz")
        return api

    @pytest.fixture
    def models(self, project):
        return FolderModels(project / "state" / "models")

    def test_the_candidate_is_tried_there_and_then_live_there(self, project, stack, live, candidate, own, models):
        assert stack.version(LIVE) == live
        assert main(["serve"]) == 0
        assert own.api is None, "there was a stack"
        assert stack.version(CANDIDATE) == candidate
        assert stack.version(LIVE) == live
        assert main(["test"]) == 0
        assert result()["live"] == live
        assert main(["end"]) == 0
        assert stack.version(LIVE) == candidate
        assert models.pointer(CANDIDATE) is None
        assert models.rollback() == live

    def test_the_stages_bring_the_key_that_the_stack_asks_for(self, live, monkeypatch, request, candidate, own, caplog):
        monkeypatch.setenv("DOODLE_API_KEY", "0123456789abcdef")
        stack = Api(request.getfixturevalue("stack").url, "0123456789abcdef")
        assert main(["serve"]) == main(["test"]) == main(["end"]) == 0
        assert stack.version(LIVE) == candidate
        assert own.api is None, "there was a stack"
        monkeypatch.setenv("DOODLE_API_KEY", "another-key-altogether")
        assert main(["serve"]) == 1
        assert "let DOODLE_API_KEY be the same here as there" in caplog.text
        assert "0123456789abcdef" not in caplog.text

    def test_one_that_is_refused_is_no_candidate_any_more_and_what_is_live_stays(
        self, project, live, candidate, start, wait_for, models, caplog
    ):
        params = project / "params.yaml"
        params.write_text(params.read_text().replace("milliseconds: 2000", "milliseconds: 0.001"))
        start("inference")
        start("trainer", "watch")
        stack = Api(f"http://127.0.0.1:{os.environ['DOODLE_PORT']}")
        wait_for(f"{stack.url}/readyz")
        assert main(["serve"]) == 0
        assert main(["test"]) == 1
        assert f"{live} stays live" in caplog.text
        assert trial.until(lambda: stack.version(CANDIDATE) is None)
        assert stack.version(LIVE) == live
        models.promote(candidate)  # as somebody may who wants it all the same
        assert trial.until(lambda: stack.version(LIVE) == candidate)

    def test_a_stack_of_another_folder_is_left_alone(self, project, live, candidate, start, wait_for, own, monkeypatch, caplog):
        """It answers, but there is nobody who would bring it the candidate."""
        FolderModels(project / "state" / "models").promote(
            FolderModels(project / "state" / "models").publish(project / "artifacts" / "model")["version"]
        )
        start("inference")
        stack = Api(f"http://127.0.0.1:{os.environ['DOODLE_PORT']}")
        wait_for(f"{stack.url}/readyz")
        monkeypatch.setattr(trial, "PATIENCE_SECONDS", 3.0)
        assert main(["serve"]) == 0
        assert "has not taken up" in caplog.text
        assert own.api.version(CANDIDATE) == candidate
        assert main(["test"]) == main(["end"]) == 0
        assert stack.version(LIVE) == live
        assert own.api is None

    def test_a_port_that_env_names_is_where_the_stack_is_looked_for(self, project, candidate, monkeypatch, free_port, caplog):
        port = free_port()
        monkeypatch.delenv("DOODLE_PORT")
        (project / ".env").write_text(f"# as for Compose\nDOODLE_PORT={port}\n")
        assert main(["serve"]) == 0
        assert f"nobody answers at http://127.0.0.1:{port}; so" in caplog.text
