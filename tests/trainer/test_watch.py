"""The trainer of a running stack: makes a model where there is none, publishes new models, ends when told to."""

import json
import os
import re
import shutil
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

# `python -m trainer watch`, which looks more often. The stages before train have left their small results already.
WATCH = """
import sys, time
import trainer.stages as stages, trainer.watch as watch, trainer.__main__ as program

watch.LOOK_SECONDS = 0.05
if sys.argv[1:]:
    for name in ("fetch", "preprocess", "synthesize", "disturb"):
        stages.STAGES[name] = lambda workspace: None
    stages.STAGES["preprocess"] = lambda workspace: time.sleep(float(sys.argv[1]))
sys.exit(program.main(["watch"]))
"""


class Trainer:
    """`watch` in a folder with artifacts, workspace and store."""

    def __init__(self, folder):
        self.folder, self.arguments = folder, ()
        self.models, self.log = FolderModels(folder / "models"), folder / "trainer.log"
        self.process = None

    def start(self, **more):
        environment = {"DOODLE_ARTIFACTS": "artifacts", "DOODLE_WORKSPACE": "workspace", "DOODLE_MODELS": "models"} | more
        with self.log.open("ab") as log:
            command = [sys.executable, "-c", WATCH, *map(str, self.arguments)]
            self.process = subprocess.Popen(command, cwd=self.folder, env=os.environ | environment, stdout=log, stderr=log)

    def said(self):
        return self.log.read_text()

    def live(self):
        return self.models.pointer(LIVE)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE) == 0
        assert "Traceback" not in self.said()


@pytest.fixture
def trainer(tmp_path):
    trainer = Trainer(tmp_path)
    yield trainer
    if trainer.process is not None:
        trainer.process.kill()
        trainer.process.wait()


@pytest.mark.parametrize("kind", ["folder", pytest.param("s3", marks=pytest.mark.slow)])
def test_publishes_each_model_that_comes_and_its_health_is_that_something_is_live(trainer, save_model, tmp_path, request, kind):
    """By the image's own check, which asks no store."""
    check = re.search(r'HEALTHCHECK [^\[]*CMD (\["sh".*\])', (PROJECT / "services" / "Dockerfile").read_text())[1]
    place, live_file = request.getfixturevalue(f"{kind}_place"), tmp_path / "live"

    def is_healthy():
        return subprocess.run(json.loads(check), env=os.environ | {"DOODLE_LIVE_FILE": str(live_file)}).returncode == 0

    def touched():
        return live_file.stat().st_mtime_ns

    trainer.models = place.models
    first = save_model(tmp_path / "artifacts" / "model", 1)["version"]
    assert not is_healthy()
    trainer.start(DOODLE_MODELS=place.url, DOODLE_LIVE_FILE=str(live_file))
    eventually(lambda: trainer.live() == first, "the first is live")
    eventually(is_healthy, "it is healthy")
    before = touched()
    eventually(lambda: touched() > before, "it looks again")
    second = save_model(tmp_path / "artifacts" / "model", 2)["version"]
    eventually(lambda: trainer.live() == second, "the second is live")
    third = save_model(tmp_path / "workspace" / "artifacts" / "model", 3)["version"]
    eventually(lambda: trainer.live() == third, "one made in the workspace is live")
    assert trainer.models.history() == [first, second]
    assert f"event=watching folders=artifacts,workspace/artifacts live={first}" in trainer.said()
    assert "making_one" not in trainer.said()

    place.write(LIVE, b"damage")
    time.sleep(0.3)
    before = touched()
    time.sleep(0.5)
    assert touched() == before
    os.utime(live_file, (time.time() - 31, time.time() - 31))
    assert not is_healthy()
    trainer.stop()


def test_ends_with_1_and_the_reason_on_a_line(trainer):
    trainer.start()  # no model, and no mnist.dvc that would say which data to fetch
    assert trainer.process.wait(PATIENCE) == 1
    assert "mnist.dvc cannot be read" in trainer.said().splitlines()[-1]
    assert "Traceback" not in trainer.said()


@pytest.fixture
def maker(trainer, tmp_path, params_file, data):
    """maker(epochs): a trainer that has nothing to publish, and small data to train on."""
    shutil.copytree(data, tmp_path / "workspace" / "data")

    def make(epochs=3, preprocess_seconds=0):
        params_file.write_text(params_file.read_text().replace("epochs: 3", f"epochs: {epochs}"))
        trainer.arguments = (preprocess_seconds,)
        return trainer

    return make


def test_makes_a_model_where_nothing_is_live_and_says_how_far_it_is(maker, tmp_path):
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
    trainer.stop()


def test_told_to_stop_while_it_trains_it_leaves_what_it_needs_to_go_on(maker, tmp_path):
    trainer = maker(epochs=500)
    trainer.start()
    eventually(lambda: "epoch 2/500" in trainer.said(), "training is under way")
    trainer.stop()
    assert (tmp_path / "workspace" / "artifacts" / "unfinished.npz").exists()
    assert trainer.live() is None


def test_ends_at_once_when_told_to_before_training(maker):
    trainer = maker(preprocess_seconds=60)
    trainer.start()
    eventually(lambda: "name=preprocess" in trainer.said(), "it is at work")
    trainer.stop()
