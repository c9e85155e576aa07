"""Training with mpirun gives the weights of one process, and an error or signal at one rank ends all ranks."""

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from digitnet.checkpoint import WEIGHTS_FILE, npz_arrays, npz_bytes
from threadpoolctl import threadpool_limits
from trainer.__main__ import main
from trainer.settings import TrainSettings
from trainer.training.ranks import Ranks, RefusedError
from trainer.training.train import train

MPIRUN = Path(sys.executable).parent / "mpirun"
EPOCH = 325 // 16  # steps
WAIT_SECONDS = 60.0  # a rank that waits for a dead one would never end

# `python -m trainer train --distributed` with a fault at one rank and step. Each rank records its state after each epoch.
PROGRAM = """
import hashlib, os, sys
import trainer.__main__ as program
from digitnet.parallel import DataParallel
from mpi4py import MPI
from trainer.training.batches import TrainingBatches
from trainer.training.train import CheckpointCallback

rank, step, deed = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
start, compute, after_epoch = TrainingBatches.start, DataParallel.loss_and_gradients, CheckpointCallback.after_epoch
present = 0

def started(self, first_step, rows):
    global present
    present = first_step
    start(self, first_step, rows)

def disturbed(self, *batch):
    global present
    if present == step and MPI.COMM_WORLD.rank == rank:
        if deed == "error":
            raise OSError("the disk is full")
        os.kill(os.getpid(), int(deed))
    present += 1
    return compute(self, *batch)

def telling(self, progress):
    state, row = b"".join(map(bytes, self._run.arrays().values())), self._run.history.rows[-1]
    with open(f"has-{MPI.COMM_WORLD.rank}", "a") as file:
        print(hashlib.sha256(state).hexdigest(), row["validation_loss"], file=file)
    after_epoch(self, progress)

TrainingBatches.start, DataParallel.loss_and_gradients, CheckpointCallback.after_epoch = started, disturbed, telling
sys.exit(program.main(["train", "--distributed"]))
"""


class Folder:
    """A folder for training, with params.yaml and data."""

    def __init__(self, path, params, data):
        self.path, self.artifacts, self.params = path, path / "artifacts", path / "params.yaml"
        self.weights_file = self.artifacts / "trained" / WEIGHTS_FILE
        shutil.copytree(data, path / "data")
        self.params.write_text(params)

    def train_on(self, ranks, disturbance=(0, -1, 0)):
        return run(MPIRUN, "-n", ranks, sys.executable, "-c", PROGRAM, *disturbance, cwd=self.path)

    def train_single(self, train_in):
        """Train on one process without MPI."""
        with threadpool_limits(1, user_api="blas"):  # as the program does
            train_in(self.artifacts, self.params, self.path / "data")

    def has(self):
        return {path.name for path in self.artifacts.iterdir()} & {"trained", "unfinished.npz"}


def run(*command, cwd):
    command = list(map(str, command))
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=WAIT_SECONDS, stdin=subprocess.DEVNULL)


@pytest.fixture
def new_folder(tmp_path, params, data):
    """new_folder(name): make a folder whose network has dropout and whose batches have four shards."""
    params = params.replace("network: perceptron", "network: forgetful").replace("shards: 2", "shards: 4")
    return lambda name: Folder(tmp_path / name, params, data)


@pytest.fixture
def folder(new_folder):
    return new_folder("together")


@pytest.fixture
def single(new_folder, train_in):
    """Train the same on one process."""
    single = new_folder("single")
    single.train_single(train_in)
    return single


def assert_close(folder, other):
    """Assert equal weights up to rounding, which depends on the order of sums."""
    weights, others = (npz_arrays(each.weights_file.read_bytes()) for each in (folder, other))
    assert weights.keys() == others.keys()
    for name, values in weights.items():
        np.testing.assert_allclose(values, others[name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("ranks", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_all_ranks_get_the_weights_of_one_process(folder, single, ranks):
    ended = folder.train_on(ranks)
    assert ended.returncode == 0, ended.stderr
    first, *others = ((folder.path / f"has-{rank}").read_text() for rank in range(ranks))
    assert len(set(first.splitlines())) == 3
    assert all(each == first for each in others), "equal bit for bit after each epoch"
    assert folder.has() == {"trained"}
    assert_close(folder, single)
    for line in ("training forgetful", "epoch 1/3", "epoch 3/3", "trained version"):
        assert ended.stderr.count(line) == 1, "logged by one rank"


@pytest.mark.slow
def test_without_mpirun_it_equals_single_training_bit_for_bit(folder, single):
    ended = run(sys.executable, "-m", "trainer", "train", "--distributed", cwd=folder.path)
    assert ended.returncode == 0, ended.stderr
    assert folder.weights_file.read_bytes() == single.weights_file.read_bytes()


@pytest.mark.slow
def test_a_signal_stops_all_ranks_and_any_number_resumes(folder, single, train_in, caplog):
    stopped = folder.train_on(2, (1, EPOCH + 5, signal.SIGTERM.value))
    assert stopped.returncode == 130, stopped.stderr
    words = f"training stopped after step {EPOCH + 5} of {3 * EPOCH}; the same command resumes it"
    assert stopped.stderr.count(words) == 1
    assert folder.has() == {"unfinished.npz"}
    stopped = folder.train_on(3, (0, 2 * EPOCH, signal.SIGINT.value))
    assert stopped.returncode == 130, stopped.stderr
    assert f"resuming after step {EPOCH + 5}" in stopped.stderr
    assert folder.has() == {"unfinished.npz"}
    caplog.set_level("INFO")
    folder.train_single(train_in)
    assert f"resuming after step {2 * EPOCH}" in caplog.text
    assert folder.has() == {"trained"}
    assert_close(folder, single)


@pytest.mark.slow
def test_training_resumes_bit_for_bit_after_a_killed_rank(new_folder):
    folder, undisturbed = new_folder("killed"), new_folder("undisturbed")
    killed = folder.train_on(2, (1, EPOCH + 5, signal.SIGKILL.value))
    assert killed.returncode not in (0, 130)
    assert folder.has() == {"unfinished.npz"}
    ended = folder.train_on(2)
    assert f"resuming after step {EPOCH} of" in ended.stderr, "the last whole epoch"
    assert folder.has() == {"trained"}
    assert undisturbed.train_on(2).returncode == 0
    assert folder.weights_file.read_bytes() == undisturbed.weights_file.read_bytes()


@pytest.mark.slow
def test_an_error_of_one_rank_ends_all_and_is_logged_once(folder):
    ended = folder.train_on(2, (1, 5, "error"))
    assert ended.returncode not in (0, 130)
    lines = re.findall(r"^(.*)the disk is full; this ends the training on all ranks$", ended.stderr, re.MULTILINE)
    assert [each[:10] for each in lines] == ["rank 1 on "]
    assert not (folder.artifacts / "trained").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("changed", "what"), [("params.yaml", r"params\.yaml"), ("digits.npz", r"data \(run dvc pull\)")])
def test_rejects_ranks_with_different_params_or_data(new_folder, changed, what):
    folder, other = new_folder("first"), new_folder("second")
    if changed == "params.yaml":
        other.params.write_text(other.params.read_text().replace("seed: 3", "seed: 4"))
    else:
        arrays = npz_arrays((other.path / "data" / changed).read_bytes())
        arrays["training_pictures"][7, 7, 7] ^= 1
        (other.path / "data" / changed).write_bytes(npz_bytes(arrays))
    program = (sys.executable, "-m", "trainer", "train", "--distributed")
    ended = run(MPIRUN, "-n", 1, "-wdir", folder.path, *program, ":", "-n", 1, "-wdir", other.path, *program, cwd=folder.path)
    assert ended.returncode == 1
    assert re.fullmatch(f"rank 1 on .*: differs from rank 0 on .* in {what}", ended.stderr.strip())
    assert not (folder.artifacts / "trained").exists()
    assert not other.artifacts.exists()


@pytest.mark.parametrize(
    ("others", "complaint"),
    [
        ([("same", None), ("other", None)], "rank 2: differs from rank 0 on here in what"),
        ([(None, "no file"), (None, "no space")], "rank 1: no file; rank 2: no space"),
    ],
)
def test_error_names_the_ranks(others, complaint):
    communicator = SimpleNamespace(rank=0, size=3, allgather=lambda own: [own] * 3)
    ranks = Ranks(communicator, None, "here", lambda: False)
    assert ranks.assert_same_on_all_ranks("what", lambda: "same", str) == "same"
    communicator.allgather = lambda own: [own, *((f"rank {rank}", *each) for rank, each in enumerate(others, start=1))]
    with pytest.raises(RefusedError, match=re.escape(complaint)):
        ranks.assert_same_on_all_ranks("what", lambda: "same", str)


def test_rejects_more_ranks_than_shards(params_file):
    with pytest.raises(RefusedError) as caught:
        train(TrainSettings.read(params_file), *[Path()] * 6, ranks=SimpleNamespace(size=3))
    assert str(caught.value) == "3 ranks are too many: start at most 2, train.shards of params.yaml"


@pytest.mark.parametrize(
    ("arguments", "variable", "complaint"),
    [
        (["train"], "PMI_SIZE", "mpirun started several processes, .*: use `train --distributed`"),
        (["train"], "OMPI_COMM_WORLD_SIZE", "mpirun started several processes, .*: use `train --distributed`"),
        (["train", "--distributed"], "NONE", r"--distributed needs MPI \(.*\): run .*setup\.sh trainer mpi, or pip install"),
    ],
)
def test_rejects_mpirun_without_distributed_and_distributed_without_mpi(
    tmp_path, monkeypatch, caplog, arguments, variable, complaint
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, "4")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert main(arguments) == 1
    (record,) = caplog.records
    assert re.match(complaint, record.message)
    assert list(tmp_path.iterdir()) == []
