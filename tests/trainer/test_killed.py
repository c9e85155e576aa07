"""The trainer is killed at any moment, again and again: each pointer names a sound model, no file is half there, and the last
model is the one of a run that nobody disturbed."""

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
sys.exit(program.main(["watch"]))
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
    """`python -m trainer watch` in a folder, with all that it makes."""

    def __init__(self, folder, data, params):
        self.folder, self.data, self.log = folder, data, folder / "trainer.log"
        self.workspace, self.models = folder / "workspace", FolderModels(folder / "models")
        folder.mkdir()
        (folder / "params.yaml").write_text(params.replace("epochs: 3", f"epochs: {EPOCHS}"))
        self.begin_anew()

    def begin_anew(self):
        """Nothing is there but the data."""
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

    def wait_for(self, words):
        deadline = time.monotonic() + PATIENCE
        while words not in (said := self.log.read_text()):
            assert self.process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.002)

    def kill(self):
        assert self.process.poll() is None, self.log.read_text()
        self.process.kill()
        assert self.process.wait() == -signal.SIGKILL

    def run_to_the_end(self):
        self.start()
        self.wait_for("event=watching")
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0

    def live_weights(self):
        return (self.models.folder / "versions" / self.models.pointer(LIVE) / WEIGHTS_FILE).read_bytes()


def test_killed_at_random_moments_it_ends_with_the_model_of_an_undisturbed_run(tmp_path, data, params, documented):
    undisturbed, trainer = (Trainer(tmp_path / name, data, params) for name in ("undisturbed", "killed"))
    began = time.monotonic()
    undisturbed.run_to_the_end()
    weights = undisturbed.live_weights()
    takes, chance, resumed, made = time.monotonic() - began, random.Random(20), 0, 0
    for _ in range(KILLS):
        trainer.start()
        time.sleep(chance.uniform(0.0, takes / 2))
        trainer.kill()
        assert_is_sound(trainer.models)
        assert_are_whole(trainer.workspace / "artifacts")
        resumed += "going on after step" in trainer.log.read_text()
        if trainer.models.pointer(LIVE) is not None:
            assert trainer.live_weights() == weights
            trainer.begin_anew()
            made += 1
    trainer.run_to_the_end()
    assert trainer.live_weights() == weights
    assert_is_sound(trainer.models)
    assert_are_whole(trainer.workspace / "artifacts")
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
def publish():
    """publish(folder, last, copies): how PUBLISHER ended; last 0 is never."""
    one_thread = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # others would be missing in a fork
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", PUBLISHER], env=one_thread, **pipes)

    def publish(folder, last, copies):
        process.stdin.write(f"{folder} {last} {copies}\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    yield publish
    process.communicate()


@pytest.mark.parametrize("case", ["the first", "the next", "the same measured anew"])
def test_killed_before_or_within_any_change_of_publishing_the_next_run_completes_it(
    tmp_path, save_model, publish, documented, case
):
    prepared, copies, old = tmp_path / "prepared", case == "the first", None
    model, candidate = (prepared / "workspace" / "artifacts" / name for name in ("model", "candidate"))
    if not copies:
        about = {"test": {"accuracy": 0.1}}
        old = save_model(model, 2 if case == "the next" else 1, about)["version"]
        FolderModels(prepared / "models").publish(model)
        FolderModels(prepared / "models").promote(old)
        time.sleep(0.01)  # what comes is newer than the pointer
    if case == "the next":
        save_model(candidate, 1)
    card = save_model(candidate if copies else model, 1, {"test": {"accuracy": 0.9}}, snapshots=case != "the next")

    for last in itertools.count(1):
        folder = shutil.copytree(prepared, tmp_path / str(last))
        models = FolderModels(folder / "models")
        ended = publish(folder, last, copies)
        assert ended in (0, -signal.SIGKILL)
        assert models.pointer(LIVE) in (old, card["version"])
        assert_is_sound(models)
        assert_are_whole(folder / "workspace" / "artifacts")

        assert publish(folder, 0, copies) == 0
        assert_is_sound(models)
        assert models.pointer(LIVE) == card["version"]
        assert models.card(card["version"]) == card
        if old not in (None, card["version"]):
            assert models.rollback() == old
        if ended == 0:
            break
    assert last > 15  # to make a file, write it and put it in its place: three changes each
    assert not list((folder / "models" / "versions").glob(f"{UNFINISHED}*"))
    documented(
        "faults",
        "the trainer is killed while it publishes: before each change that it makes to a file, and within each write",
        "nothing: live names what it named before, or the new model, whole",
        "with its next start",
        "nothing",
    )
