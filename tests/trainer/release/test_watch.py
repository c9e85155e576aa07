"""`watch` seeds or trains the first model, stops on a signal and survives kills."""

import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from digitnet.checkpoint import WEIGHTS_FILE, copy, load, load_card, load_snapshots, npz_arrays
from polling import WAIT_SECONDS, eventually
from stores.models import ALIASES, LIVE
from stores.models.folder import UNFINISHED, FolderModels
from threadpoolctl import threadpool_limits
from trainer.release.registry import StoreRegistry, seed

PROJECT = Path(__file__).parents[3]

# `python -m trainer watch` with a short interval. The stages before train are replaced.
WATCH = """
import sys, time
import trainer.stages as stages, trainer.cli as program

stages.POLL_INTERVAL = 0.05
if sys.argv[1:]:
    for name in ("fetch", "preprocess", "synthesize", "corrupt"):
        stages.STAGES[name] = lambda workspace: None
    stages.STAGES["preprocess"] = lambda workspace: time.sleep(float(sys.argv[1]))
sys.exit(program.main(["watch"]))
"""


class Trainer:
    """`watch` in a folder with artifacts, workspace and model store."""

    def __init__(self, folder):
        self.folder, self.arguments, self.process = folder, (), None
        self.models, self.log = FolderModels(folder / "models"), folder / "trainer.log"
        self.artifacts = folder / "workspace" / "artifacts"

    def start(self, **more):
        environment = {"DOODLE_ARTIFACTS": "artifacts", "DOODLE_WORKSPACE": "workspace", "DOODLE_MODELS": "models"} | more
        command = [sys.executable, "-c", WATCH, *map(str, self.arguments)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, env=os.environ | environment, stdout=log, stderr=log)

    def make_ready(self, data, params, epochs=3, preprocess_seconds=0):
        """Remove all models and prepare small data for training."""
        for made in (self.artifacts.parent, self.models.folder):
            shutil.rmtree(made, ignore_errors=True)
        shutil.copytree(data, self.artifacts.parent / "data")
        (self.folder / "params.yaml").write_text(params.replace("epochs: 3", f"epochs: {epochs}"))
        self.arguments = (preprocess_seconds,)

    def output(self):
        return self.log.read_text()

    def wait_for(self, words):
        eventually(lambda: words in self.output() or self.process.poll() is not None, f"it logs {words}")
        assert words in self.output()

    def live(self):
        return self.models.alias(LIVE)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(WAIT_SECONDS) == 0
        assert "Traceback" not in self.output()


@pytest.fixture
def trainer(tmp_path):
    trainer = Trainer(tmp_path)
    yield trainer
    if trainer.process is not None:
        trainer.process.kill()
        trainer.process.wait()


@pytest.mark.parametrize("kind", ["folder", pytest.param("s3", marks=pytest.mark.slow)])
def test_seeds_an_empty_store_repairs_it_and_reports_health(trainer, save_model, tmp_path, request, kind):
    """Run the image's health check, which does not access the store."""
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
    save_model(tmp_path / "artifacts" / "model", 2)
    before = touched()
    eventually(lambda: touched() > before, "it polls again")
    assert (trainer.live(), trainer.models.versions()) == (first, [first]), "another model in the folder changes nothing"
    assert f"event=watching models={trainer.models} live={first}" in trainer.output()
    assert "making=one" not in trainer.output()

    place.write(LIVE, b"damage")
    eventually(lambda: place.read(LIVE) != b"damage", "it repairs the alias")
    assert trainer.live() == first
    trainer.stop()
    os.utime(live_file, (time.time() - 31, time.time() - 31))
    assert not is_healthy()


def test_trains_a_first_model_or_explains_why_not(trainer, data, params):
    trainer.start()  # without a model and mnist.dvc
    assert trainer.process.wait(WAIT_SECONDS) == 1
    assert "mnist.dvc has no md5 of each file" in trainer.output().splitlines()[-1]
    assert "Traceback" not in trainer.output()
    trainer.make_ready(data, params)
    trainer.start()
    eventually(lambda: trainer.live() is not None, "a model is live")
    output = trainer.output()
    for stage in ("fetch", "preprocess", "synthesize", "train", "evaluate"):
        assert f"event=stage name={stage}\n" in output
    for epoch in (1, 2, 3):
        assert f"epoch {epoch}/3  loss " in output
    assert (trainer.artifacts / "metrics.json").exists()
    assert load_card(trainer.artifacts / "model")["version"] == trainer.live()
    assert not (trainer.folder / "artifacts").exists()
    trainer.stop()


@pytest.mark.parametrize(("preprocess_seconds", "words"), [(60, "name=preprocess"), (0, "epoch 2/500")])
def test_stops_on_a_signal_and_saves_unfinished_training(trainer, data, params, preprocess_seconds, words):
    trainer.make_ready(data, params, 500, preprocess_seconds)
    trainer.start()
    trainer.wait_for(words)
    trainer.stop()
    assert trainer.live() is None
    assert (trainer.artifacts / "unfinished.npz").exists() == (preprocess_seconds == 0)


@pytest.mark.slow
def test_random_kills_do_not_change_the_trained_model(trainer, data, params, documented):
    trainer.make_ready(data, params, epochs=16)

    def run_to_the_end():
        trainer.start()
        trainer.wait_for("event=watching")
        trainer.stop()

    def live_weights():
        return (trainer.models.folder / "versions" / trainer.live() / WEIGHTS_FILE).read_bytes()

    began = time.monotonic()
    run_to_the_end()
    duration, generator, weights, resumed, made = time.monotonic() - began, random.Random(20), live_weights(), 0, 0
    trainer.make_ready(data, params, epochs=16)
    for _ in range(20):
        trainer.start()
        trainer.wait_for("event=")
        time.sleep(generator.uniform(0.0, duration / 2))
        assert trainer.process.poll() is None, trainer.output()
        trainer.process.kill()
        assert trainer.process.wait() == -signal.SIGKILL
        assert_is_sound(trainer.models, trainer.artifacts)
        resumed += "resuming after step" in trainer.output()
        if trainer.live() is not None:
            assert live_weights() == weights
            trainer.make_ready(data, params, epochs=16)
            made += 1
    run_to_the_end()
    assert live_weights() == weights
    assert_is_sound(trainer.models, trainer.artifacts)
    assert resumed
    assert made
    documented(
        "faults",
        "the trainer is killed during training or publishing",
        "nothing: live names the old model, or the whole new one",
        "at its next start, which resumes after the last complete epoch and ends with equal weights",
        "the epoch in progress",
    )


def assert_is_sound(models, artifacts):
    """Assert that aliases name valid models and that all files are complete. Temporary files are ignored."""
    for alias in ALIASES:
        assert models.alias(alias) in (None, *models.versions())
    for version in models.versions():
        models.snapshots(version)  # also loads the model
    for card in artifacts.glob("*/model.json"):  # a model exists once its card does
        load_snapshots(card.parent, *load(card.parent))
    for file in artifacts.glob("[!.]*.json"):
        json.loads(file.read_bytes())
    for file in artifacts.glob("[!.]*.npz"):
        npz_arrays(file.read_bytes())


CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.fsync"}


def publish(folder, last=0, seeds=False):
    """Publish in a fork, as `watch` does (`seeds`) or as `end` does, and return its exit code.

    The fork kills itself before its `last`-th change on disk, or in the middle of that write.
    """
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    fsync, changes = os.fsync, itertools.count(1)

    def before(event, args):
        is_change = event in CHANGES or (event == "open" and args[2] & (os.O_WRONLY | os.O_RDWR))
        if last and is_change and next(changes) == last:
            if event == "os.fsync":
                os.truncate(args[0], os.fstat(args[0]).st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    def counted_fsync(file):
        before("os.fsync", (file,))
        fsync(file)

    try:
        os.fsync = counted_fsync
        sys.addaudithook(before)
        artifacts = folder / "workspace" / "artifacts"
        if seeds:
            copy(artifacts / "candidate", artifacts / "model")
            seed(FolderModels(folder / "models"), [artifacts / "model"])
        else:
            StoreRegistry(str(folder / "models")).publish(artifacts / "candidate", LIVE)
        os._exit(0)
    finally:
        os._exit(1)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["the first", "the next", "the same measured anew"])
def test_publishing_completes_after_a_kill_at_any_change(tmp_path, save_model, documented, case):
    prepared, seeds, old = tmp_path / "prepared", case == "the first", None
    model, candidate = (prepared / "workspace" / "artifacts" / name for name in ("model", "candidate"))
    if not seeds:
        old = save_model(model, 2 if case == "the next" else 1, {"test": {"accuracy": 0.1}})["version"]
        FolderModels(prepared / "models").publish(model)
        FolderModels(prepared / "models").promote(old)
    card = save_model(candidate, 1, {"test": {"accuracy": 0.9}}, snapshots=case != "the next")

    for last in itertools.count(1):
        folder = shutil.copytree(prepared, tmp_path / str(last))
        models, artifacts = FolderModels(folder / "models"), folder / "workspace" / "artifacts"
        with threadpool_limits(1):  # a fork has no other threads
            ended = publish(folder, last, seeds)
            assert ended in (0, -signal.SIGKILL)
            assert models.alias(LIVE) in (old, card["version"])
            assert_is_sound(models, artifacts)
            assert publish(folder, seeds=seeds) == 0
        assert_is_sound(models, artifacts)
        assert models.alias(LIVE) == card["version"]
        assert models.card(card["version"]) == card
        if old not in (None, card["version"]):
            assert models.rollback() == old
        if ended == 0:
            break
    assert last > 15  # three changes per file: create, write, rename
    assert not list((folder / "models" / "versions").glob(f"{UNFINISHED}*"))
    documented(
        "faults",
        "the trainer is killed during training or publishing",
        "nothing: live names the old model, or the whole new one",
        "at its next start, which resumes after the last complete epoch and ends with equal weights",
        "the epoch in progress",
    )
