"""The trainer of a running stack: makes a model where there is none, publishes what the pipeline makes, ends when told to."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from digitnet.checkpoint import load_card
from polling import PATIENCE, eventually
from stores.folder_models import FolderModels
from stores.models import LIVE

PROJECT = Path(__file__).parents[2]


class Trainer:
    """`python -m trainer watch` in a project's top folder, with artifacts, workspace and store of its own."""

    def __init__(self, folder, program=("-m", "trainer", "watch")):
        self.folder, self.program = folder, program
        self.models, self.log = FolderModels(folder / "models"), folder / "trainer.log"
        self.process = None

    def start(self, **more):
        environment = {"DOODLE_ARTIFACTS": "artifacts", "DOODLE_WORKSPACE": "workspace", "DOODLE_MODELS": "models"} | more
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.program], cwd=self.folder, env=os.environ | environment, stdout=log, stderr=log
            )

    def said(self):
        return self.log.read_text()

    def live(self):
        return self.models.pointer(LIVE)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@pytest.fixture
def trainer(tmp_path):
    trainer = Trainer(tmp_path)
    yield trainer
    if trainer.process is not None:
        trainer.process.kill()
        trainer.process.wait()


def test_it_publishes_the_model_that_is_there_and_each_that_comes(trainer, save_model, tmp_path):
    first = save_model(tmp_path / "artifacts" / "model", 1)["version"]
    trainer.start()
    eventually(lambda: trainer.live() == first, "the first is live")
    second = save_model(tmp_path / "artifacts" / "model", 2)["version"]
    eventually(lambda: trainer.live() == second, "the second is live")
    third = save_model(tmp_path / "workspace" / "artifacts" / "model", 3)["version"]
    eventually(lambda: trainer.live() == third, "one made in the workspace is live")
    assert trainer.stop() == 0
    assert "Traceback" not in trainer.said()


def test_it_publishes_into_an_object_store(trainer, s3_place, save_model, tmp_path):
    first = save_model(tmp_path / "artifacts" / "model", 1)["version"]
    trainer.models = s3_place.models
    trainer.start(DOODLE_MODELS=s3_place.url)
    eventually(lambda: trainer.live() == first, "the first is live")
    second = save_model(tmp_path / "workspace" / "artifacts" / "model", 2)["version"]
    eventually(lambda: trainer.live() == second, "the second is live")
    assert trainer.models.history() == [first]
    assert trainer.stop() == 0
    assert "Traceback" not in trainer.said()


def test_its_health_is_that_something_is_live(trainer, place, save_model, tmp_path):
    """By the image's own check, which asks no store."""
    found = re.search(r'HEALTHCHECK [^\[]*CMD (\["sh".*\])', (PROJECT / "services" / "Dockerfile").read_text())
    live_file = tmp_path / "live"

    def is_healthy():
        return subprocess.run(json.loads(found[1]), env=os.environ | {"DOODLE_LIVE_FILE": str(live_file)}).returncode == 0

    save_model(tmp_path / "artifacts" / "model", 1)
    assert not is_healthy()
    trainer.start(DOODLE_MODELS=place.url, DOODLE_LIVE_FILE=str(live_file))
    eventually(is_healthy, "it is healthy")
    touched = live_file.stat().st_mtime_ns
    eventually(lambda: live_file.stat().st_mtime_ns > touched, "it looks again")
    place.write(LIVE, b"damage")
    time.sleep(1.5)
    touched = live_file.stat().st_mtime_ns
    time.sleep(2.5)
    assert live_file.stat().st_mtime_ns == touched
    os.utime(live_file, (time.time() - 31, time.time() - 31))
    assert not is_healthy()
    assert trainer.stop() == 0


def test_with_a_live_model_and_no_other_it_only_watches(trainer, save_model, tmp_path):
    version = save_model(tmp_path / "elsewhere", 1)["version"]
    trainer.models.publish(tmp_path / "elsewhere")
    trainer.models.point(LIVE, version)
    trainer.start()
    eventually(lambda: f"event=watching folders=artifacts,workspace/artifacts live={version}" in trainer.said(), "it watches")
    assert "making_one" not in trainer.said()
    assert trainer.stop() == 0


def test_what_it_cannot_do_it_says_in_a_line_and_ends_with_1(trainer):
    trainer.start()  # no model, and no mnist.dvc that would say which data to fetch
    assert trainer.process.wait(PATIENCE) == 1
    assert "mnist.dvc cannot be read" in trainer.said().splitlines()[-1]
    assert "Traceback" not in trainer.said()


# The stages themselves have tests of their own, and the stack's tests run them in the stack: here they are small.
WITH_SMALL_STAGES = """
import sys, time
import trainer.stages as stages, trainer.__main__ as program
from trainer.settings import read_train_settings
from trainer.train import train

stages.STAGES["fetch"] = lambda workspace: None
stages.STAGES["preprocess"] = lambda workspace: time.sleep({preprocess_seconds})
stages.STAGES["synthesize"] = lambda workspace: None
sys.argv = ["trainer", "watch"]
sys.exit(program.main())
"""


@pytest.fixture
def maker(trainer, tmp_path, params_file, digits_file, synthetic_file):
    """maker(epochs): a trainer that has nothing to publish, and small data to train on."""
    (tmp_path / "workspace" / "data").mkdir(parents=True)
    digits_file.rename(tmp_path / "workspace" / "data" / "digits.npz")
    synthetic_file.rename(tmp_path / "workspace" / "data" / "synthetic.npz")

    def make(epochs=3, preprocess_seconds=0):
        params_file.write_text(params_file.read_text().replace("epochs: 3", f"epochs: {epochs}"))
        trainer.program = ("-c", WITH_SMALL_STAGES.format(preprocess_seconds=preprocess_seconds))
        return trainer

    return make


def test_where_nothing_is_live_it_makes_a_model_and_says_how_far_it_is(maker, tmp_path):
    trainer = maker()
    trainer.start()
    eventually(lambda: trainer.live() is not None, "a model is live")
    said = trainer.said()
    for stage in ("fetch", "preprocess", "synthesize", "train", "evaluate"):
        assert f"event=stage name={stage}\n" in said
    for epoch in (1, 2, 3):
        assert f"epoch {epoch}/3  loss " in said
    assert (tmp_path / "workspace" / "artifacts" / "metrics.json").exists()
    assert load_card(tmp_path / "workspace" / "artifacts" / "model")["version"] == trainer.live()
    assert not (tmp_path / "artifacts").exists()
    assert trainer.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_a_training_that_was_ended_goes_on_after_a_restart(maker, number):
    trainer = maker(epochs=200)
    trainer.start()
    eventually(lambda: "epoch 2/200" in trainer.said(), "training is under way")
    trainer.process.send_signal(number)
    assert trainer.process.wait(PATIENCE) == (0 if number == signal.SIGTERM else -number)
    assert trainer.live() is None
    trainer.start()
    eventually(lambda: "going on after step" in trainer.said(), "it goes on")
    assert trainer.stop() == 0


def test_it_ends_at_once_when_told_to_before_training(maker):
    trainer = maker(preprocess_seconds=60)
    trainer.start()
    eventually(lambda: "name=preprocess" in trainer.said(), "it is at work")
    assert trainer.stop() == 0
