"""The measurements of one rank for benchmarks/distributed.py. Rank 0 prints them as a line of JSON.

    mpirun -n 2 python benchmarks/distributed_rank.py steps --shards 2     or without mpirun, on one process
    mpirun -n 2 python benchmarks/distributed_rank.py messages | overlap
    python benchmarks/distributed_rank.py parts

Times are in seconds: the median of the repetitions, on the slowest rank.
"""

import argparse
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np
from digitnet.losses import softmax_cross_entropy
from digitnet.mnist import read_images, read_labels
from digitnet.network import NO_DIGIT
from digitnet.parallel import SINGLE_PROCESS, DataParallel
from digitnet.prefetching import prefetched
from digitnet.training import loss_and_gradients
from threadpoolctl import threadpool_limits
from trainer.data.digits import Split, Synthetic
from trainer.data.idx import TRAIN_IMAGES, TRAIN_LABELS
from trainer.settings import PARAMS_FILE, TrainSettings
from trainer.training.ranks import Ranks
from trainer.training.train import Run

PROJECT = Path(__file__).resolve().parents[1]
STEPS = {"default": 32, "best": 8}  # by recipe; each is taken twice
PARTS = (1, 2, 4, 8, 16, 32, 64)  # of a batch
BYTES = tuple(4**power for power in range(1, 13))  # of a message: 4 to 16 million
PIECE_BYTES = 100_000  # of the gradient, where it is sent in pieces
Seconds = dict[str, float]


def new_run(recipe: str, shards: int, parts: int = 1) -> Run:
    """Make the training of params.yaml, or with 1 / `parts` of its batch. It uses only MNIST: all images cost the same."""
    with tempfile.TemporaryDirectory(prefix="doodle-bench-") as name:
        params = Path(name) / "params.yaml"
        params.write_text(re.sub(r"(?m)^recipe: \w+", f"recipe: {recipe}", (PROJECT / PARAMS_FILE).read_text(encoding="utf-8")))
        settings = TrainSettings.read(params)
    sizes = {name: max(getattr(settings, name) // parts, 1) for name in ("batch_size", "synthetic_digits", "non_digits")}
    images, labels = read_images(PROJECT / "mnist" / TRAIN_IMAGES), read_labels(PROJECT / "mnist" / TRAIN_LABELS)
    digits = Split(images[:8000], labels[:8000].astype(np.int64))
    others = Split(digits.images[:2000], np.repeat([1, NO_DIGIT], 1000))
    synthetic = Synthetic({"training": others}, {}, [])
    return Run(settings.model_copy(update={"shards": shards, **sizes}), digits, digits.only(slice(300)), synthetic)


class Timed:
    """A group that times its sums: first the wait for all ranks, then the message."""

    def __init__(self, group, barrier: Callable[[], None]):
        self.rank, self.size, self._group, self._barrier = group.rank, group.size, group, barrier
        self.wait = self.message = 0.0

    def sum_(self, array, *numbers):
        began = time.perf_counter()
        self._barrier()
        there = time.perf_counter()
        sums = self._group.sum_(array, *numbers)
        self.wait, self.message = there - began, time.perf_counter() - there
        return sums


def steps(communicator, shards: int) -> dict[str, Seconds]:
    """Time a step of each recipe: its parts one after the other, and as in training, with prefetched batches."""
    found = {}
    for recipe, count in STEPS.items():
        run = new_run(recipe, shards)
        group = Timed(_group(communicator), communicator.Barrier if communicator else lambda: None)
        with DataParallel(run.network, shards, group) as parallel:
            make, times = partial(run.batches.make, rows=parallel.rows(run.batches.rows)), []
            for step in range(count):
                began = time.perf_counter()
                batch = make(step)
                made = time.perf_counter()
                parallel.loss_and_gradients(*batch)
                computed = time.perf_counter()
                _update(run)
                ended = time.perf_counter()
                between = computed - made - group.wait - group.message
                times.append((made - began, between, group.wait, group.message, ended - computed))
            names = ("making", "gradient", "waiting", "message", "update")
            parts = dict(zip(names, map(statistics.median, zip(*times[2:]))))
            began = 0.0
            for step, batch in enumerate(prefetched(make, range(count + 2))):
                if step == 2:
                    began = time.perf_counter()
                parallel.loss_and_gradients(*batch)
                _update(run)
            parts["step"] = (time.perf_counter() - began) / count
        found[recipe] = {"bytes": run.network.gradients.nbytes, "rows": run.batches.rows} | _slowest(communicator, parts)
    return found


def parts(_communicator, _shards: int) -> dict:
    """Time the work of a rank on one thread.

    Measure the gradient and the images of a part of a batch, for several numbers of parts. Also measure the work that does not
    shrink with the part: the batch's random numbers, and the update.
    """
    found = {}
    for recipe in STEPS:
        run = new_run(recipe, 1)
        batch = run.batches.make(0)
        lines = {"parts": list(PARTS), "gradient": [], "making": []}
        for count in PARTS:
            rows = slice(run.batches.rows // count)
            images, labels = (each[rows] for each in batch[:2])
            times = 3 + count // 4
            gradient = partial(loss_and_gradients, run.network, images, labels)
            lines["gradient"].append(_median_of(times, lambda gradient=gradient: gradient(np.random.default_rng(0))))
            lines["making"].append(_median_of(times, lambda rows=rows, run=run: run.batches.make(0, rows)))
        drawing, update = (lambda run=run: run.batches.make(0, slice(0, 0))), (lambda run=run: _update(run))
        found[recipe] = lines | {"drawing": _median_of(20, drawing), "update": _median_of(20, update)}
    ones = np.ones(2**20, np.float32)
    return found | {"seconds_to_add_a_byte": _median_of(20, lambda: np.add(ones, ones, out=ones)) / ones.nbytes}


def messages(communicator, _shards: int) -> dict[str, list[float]]:
    """Time an Allreduce by message size."""
    seconds = []
    for size in BYTES:
        array = np.ones(size // 4, np.float32)
        seconds.append(_median_of(20 if size < 1e6 else 8, lambda array=array: _group(communicator).sum_(array), communicator))
    return {"bytes": list(BYTES), "seconds": seconds}


def overlap(communicator, _shards: int) -> dict[str, Seconds]:
    """Compare ways to overlap the Allreduce with backward, layer by layer. The ways take turns in one run."""
    from mpi4py import MPI

    found = {}
    for recipe, count in STEPS.items():
        run = new_run(recipe, 1, parts=communicator.size)
        network, (images, labels, _) = run.network, run.batches.make(0)
        first = next(place for place, layer in enumerate(network.layers) if layer.parameter_count)

        def grad_logits(network=network, images=images, labels=labels):
            for layer in network.layers:
                layer.generator = np.random.default_rng(0)
            return softmax_cross_entropy(network.forward(images), labels)[1]

        def at_once(network=network, grad_logits=grad_logits):
            network.backward(grad_logits())
            communicator.Allreduce(MPI.IN_PLACE, network.gradients)

        def meanwhile(least, network=network, grad_logits=grad_logits, first=first):
            sent, end = [], network.gradients.size
            backward = network.backward_through_layers(grad_logits(), down_to=first + 1)
            for part, _ in zip(reversed(network.parts), backward):
                if (end - part.start) * 4 >= least:
                    sent.append(communicator.Iallreduce(MPI.IN_PLACE, network.gradients[part.start : end]))
                    end = part.start
            MPI.Request.Waitall([*sent, communicator.Iallreduce(MPI.IN_PLACE, network.gradients[:end])])

        ways = {"at once": at_once, "layer by layer": partial(meanwhile, 4), "in pieces": partial(meanwhile, PIECE_BYTES)}
        times = {way: [] for way in ways}
        for _ in range(count):
            for way, work in ways.items():
                communicator.Barrier()
                began = time.perf_counter()
                work()
                times[way].append(max(communicator.allgather(time.perf_counter() - began)))
        found[recipe] = {way: statistics.median(each[1:]) for way, each in times.items()}
    return found


MEASURED = {work.__name__: work for work in (steps, parts, messages, overlap)}


def _group(communicator):
    if communicator is None:
        return SINGLE_PROCESS
    from mpi4py import MPI

    return Ranks(communicator, MPI.IN_PLACE, "", lambda: False)


def _update(run):
    run.optimizer.update(run.network.parameters, run.network.gradients, 1e-4)
    run.averaging.average.update(run.network.parameters)


def _median_of(times: int, work: Callable[[], object], communicator=None) -> float:
    work()
    found = []
    for _ in range(times):
        if communicator:
            communicator.Barrier()
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return _slowest(communicator, {"": statistics.median(found)})[""]


def _slowest(communicator, seconds: Seconds) -> Seconds:
    ranks: Iterable[Seconds] = communicator.allgather(seconds) if communicator else [seconds]
    return {name: max(each[name] for each in ranks) for name in seconds}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measured", choices=MEASURED)
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--alone", action="store_true", help="without MPI")
    chosen = parser.parse_args()
    communicator = None
    if not chosen.alone:
        from mpi4py import MPI

        communicator = MPI.COMM_WORLD
    with threadpool_limits(1, user_api="blas"):
        found = MEASURED[chosen.measured](communicator, chosen.shards)
    if communicator is None or communicator.rank == 0:
        print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
