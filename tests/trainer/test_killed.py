"""The trainer is killed at any moment, again and again: what a pointer names is sound, no file is half there, and in the end the
model is the one that a run makes which nobody disturbed."""

import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
from digitnet.checkpoint import WEIGHTS_FILE, load, load_snapshots, npz_arrays
from polling import PATIENCE
from stores.folder_models import UNFINISHED, FolderModels
from stores.models import LIVE, POINTERS

pytestmark = pytest.mark.slow

KILLS = 20
EPOCHS = 16

# As tests/trainer/test_watch.py has it: the stages before train have left their small results already.
WATCH = """
import sys
import trainer.stages as stages, trainer.watch as watch, trainer.__main__ as program

for name in ("fetch", "preprocess", "synthesize", "disturb"):
    stages.STAGES[name] = lambda workspace: None
watch.LOOK_SECONDS = 0.05
sys.argv = ["trainer", "watch"]
sys.exit(program.main())
"""


def assert_is_sound(models):
    for pointer in POINTERS:
        assert models.pointer(pointer) in (None, *models.versions())
    for version in models.versions():
        models.snapshots(version)  # which loads it, too


def assert_are_whole(artifacts):
    """Those that are there. (Others may be, by names that nobody looks for.)"""
    for card in artifacts.glob("*/model.json"):  # before it is there, there is no model
        load_snapshots(card.parent, *load(card.parent))
    for file in artifacts.glob("[!.]*.json"):
        json.loads(file.read_bytes())
    for file in artifacts.glob("[!.]*.npz"):
        npz_arrays(file.read_bytes())


class Trainer:
    """`python -m trainer watch` in a folder of its own, with all that it makes."""

    def __init__(self, folder, data, params):
        self.folder, self.data = folder, data
        self.workspace, self.models, self.log = folder / "workspace", FolderModels(folder / "models"), folder / "trainer.log"
        self.artifacts, self.process = self.workspace / "artifacts", None
        folder.mkdir()
        (folder / "params.yaml").write_text(params)
        self.begin_anew()

    def begin_anew(self):
        """Nothing is there but what it learns from."""
        for made in (self.workspace, self.models.folder):
            shutil.rmtree(made, ignore_errors=True)
        shutil.copytree(self.data, self.workspace / "data")

    def start(self):
        """Until it is at work."""
        environment = {"DOODLE_ARTIFACTS": "artifacts", "DOODLE_WORKSPACE": "workspace", "DOODLE_MODELS": "models"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", WATCH], cwd=self.folder, env=os.environ | environment, stdout=log, stderr=log
            )
        self.wait_for("event=")

    def said(self):
        return self.log.read_text()

    def wait_for(self, words):
        deadline = time.monotonic() + PATIENCE
        while words not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.002)

    def kill(self):
        assert self.process.poll() is None, self.said()
        self.process.kill()
        assert self.process.wait() == -signal.SIGKILL

    def run_to_the_end(self):
        self.start()
        self.wait_for("event=watching")
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0

    def live_weights(self):
        return (self.models.folder / "versions" / self.models.pointer(LIVE) / WEIGHTS_FILE).read_bytes()


@pytest.fixture
def new_trainer(tmp_path, params, digits_file, synthetic_file, disturbed_file):
    """new_trainer(name): one that has nothing to publish, and small data to train on."""
    data, made = tmp_path / "data", []
    data.mkdir()
    for file in (digits_file, synthetic_file, disturbed_file):
        file.rename(data / file.name)

    def new_trainer(name):
        made.append(Trainer(tmp_path / name, data, params.replace("epochs: 3", f"epochs: {EPOCHS}")))
        return made[-1]

    yield new_trainer
    for trainer in made:
        if trainer.process is not None and trainer.process.poll() is None:
            trainer.process.kill()
            trainer.process.wait()


def test_killed_at_random_moments_it_ends_with_the_very_model_of_an_undisturbed_run(new_trainer, documented):
    undisturbed, trainer = new_trainer("undisturbed"), new_trainer("killed")
    began = time.monotonic()
    undisturbed.run_to_the_end()
    weights = undisturbed.live_weights()
    takes, chance, resumed, made = time.monotonic() - began, random.Random(20), 0, 0
    for _ in range(KILLS):
        trainer.start()
        time.sleep(chance.uniform(0.0, takes / 2))
        trainer.kill()
        assert_is_sound(trainer.models)
        assert_are_whole(trainer.artifacts)
        resumed += "going on after step" in trainer.said()
        if trainer.models.pointer(LIVE) is not None:
            assert trainer.live_weights() == weights
            trainer.begin_anew()
            made += 1
    trainer.run_to_the_end()
    assert trainer.live_weights() == weights
    assert_is_sound(trainer.models)
    assert_are_whole(trainer.artifacts)
    assert resumed
    assert made
    documented(
        "faults",
        "the trainer is killed at 20 random points of training and publishing",
        "nothing: a pointer names no model, or a sound one",
        "with its next start; training goes on after the last whole epoch, and ends with the same weights, bit for bit",
        "nothing but the epoch that was under way",
    )


# Forks one process after the other, so that there is no start to wait for. Each publishes as `watch` does, having copied the
# candidate where a model was just made, and kills itself before the n-th change to anything on the disk; or within a write, when
# half of it is there.
PUBLISHER = """
import os, signal, sys
from pathlib import Path
from digitnet.checkpoint import copy
from stores.folder_models import FolderModels
from trainer.publish import publishers
from trainer.workspace import Workspace

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.fsync"}
count = 0

def changes_something(event, args):
    return event in CHANGES or event == "open" and args[2] & (os.O_WRONLY | os.O_RDWR)

def publish(folder, last, copies):
    fsync = os.fsync

    def before(event, args):
        global count
        if last and changes_something(event, args):
            count += 1
            if count == last:
                if event == "os.fsync":
                    os.truncate(args[0], os.fstat(args[0]).st_size // 2)
                os.kill(os.getpid(), signal.SIGKILL)

    def counted_fsync(file):
        before("os.fsync", (file,))
        fsync(file)

    os.fsync = counted_fsync
    sys.addaudithook(before)
    workspace = Workspace(folder / "workspace")
    following = publishers(workspace.artifacts, FolderModels(folder / "models"))
    if copies:
        copy(workspace.candidate, workspace.model)
    for each in following:
        each.look()

for line in sys.stdin:
    folder, last, copies = line.split()
    child = os.fork()
    if child == 0:
        publish(Path(folder), int(last), copies == "True")
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture
def publisher():
    """publisher(folder, last, copies): how that ended, see PUBLISHER; last 0 is never."""
    process = subprocess.Popen(
        [sys.executable, "-c", PUBLISHER],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # threads would be missing in a fork
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def run(folder, last, copies):
        process.stdin.write(f"{folder} {last} {copies}\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    yield run
    process.communicate()


class Release:
    """A folder in which a model is about to be published. `old` is live already."""

    def __init__(self, folder):
        self.folder, self.models, self.artifacts = folder, FolderModels(folder / "models"), folder / "workspace" / "artifacts"

    def make_live(self, version):
        self.models.publish(self.artifacts / "model")
        self.models.promote(version)
        time.sleep(0.01)  # what comes is newer than the pointer


@pytest.fixture(params=["the first", "the next", "the same measured anew"])
def release(request, tmp_path, save_model):
    """What is to be published, whether it has to be copied from the candidate's folder first, which is live, and the new card."""
    release = Release(tmp_path / "prepared")
    model, candidate = release.artifacts / "model", release.artifacts / "candidate"
    if request.param == "the first":
        return release, True, None, save_model(candidate, 1, snapshots=True)
    if request.param == "the next":
        old = save_model(model, 2)["version"]
        release.make_live(old)
        save_model(candidate, 1)
        return release, False, old, save_model(model, 1)
    old = save_model(model, 1, {"test": {"accuracy": 0.1}})["version"]
    release.make_live(old)
    return release, False, old, save_model(model, 1, {"test": {"accuracy": 0.9}}, snapshots=True)


def test_killed_before_or_within_any_change_that_publishing_makes_the_next_one_ends_it(release, tmp_path, publisher, documented):
    prepared, copies, old, card = release
    for last in itertools.count(1):
        shutil.copytree(prepared.folder, tmp_path / str(last))
        tried = Release(tmp_path / str(last))
        ended = publisher(tried.folder, last, copies)
        assert ended in (0, -signal.SIGKILL)
        assert tried.models.pointer(LIVE) in (old, card["version"])
        assert_is_sound(tried.models)
        assert_are_whole(tried.artifacts)

        assert publisher(tried.folder, 0, copies) == 0
        assert_is_sound(tried.models)
        assert tried.models.pointer(LIVE) == card["version"]
        assert tried.models.card(card["version"]) == card
        if old not in (None, card["version"]):
            assert tried.models.rollback() == old
        if ended == 0:
            break
    assert last > 15  # to make a file, write it and put it in its place: three changes each
    assert not list((tried.folder / "models" / "versions").glob(f"{UNFINISHED}*"))
    documented(
        "faults",
        "the trainer is killed while it publishes: before each change that it makes to a file, and within each write",
        "nothing: live names what it named before, or the new model, whole",
        "with its next start",
        "nothing",
    )
