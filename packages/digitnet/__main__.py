"""Train a small convolutional network on MNIST for one epoch, and test it: python -m digitnet [FOLDER]"""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from digitnet.mnist import read_mnist
from digitnet.network import Network
from digitnet.optimizers import Adam
from digitnet.parallel import DataParallel
from digitnet.schedules import one_cycle
from digitnet.training import Callback, Progress, train

LAYERS: list[str | dict[str, Any]] = [
    {"conv2d": {"filters": 16, "kernel_size": 5}},
    {"maxpool2d": {"size": 2}},
    "relu",
    {"conv2d": {"filters": 48, "kernel_size": 3}},
    "relu",
    {"conv2d": {"filters": 48, "kernel_size": 3}},
    {"maxpool2d": {"size": 2}},
    "relu",
    "flatten",
    {"dense": {"units": 128}},
    "relu",
    {"dense": {"units": 10}},
]
BATCH_SIZE = 64


class Printer(Callback):
    """Print the loss and accuracy of every hundredth batch."""

    def after_update(self, progress: Progress) -> None:
        if progress.step % 100 == 0 or progress.step == progress.steps:
            accuracy = progress.correct / progress.examples
            print(f"batch {progress.step:3} of {progress.steps}  loss {progress.loss:.3f}  accuracy {accuracy:6.1%}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m digitnet", description=__doc__)
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path("mnist"), help="the folder of MNIST's four IDX files (mnist)"
    )
    folder = parser.parse_args(arguments).folder
    try:
        images, labels = read_mnist(folder, "train")
        test_images, test_labels = read_mnist(folder, "t10k")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1

    generator = np.random.default_rng(2)
    order = generator.permutation(len(images))
    batches = [(images[chosen], labels[chosen]) for chosen in np.split(order, range(BATCH_SIZE, len(order), BATCH_SIZE))]
    network = Network(LAYERS)
    network.initialize(generator)
    began, optimizer = time.perf_counter(), Adam(network.parameters.size, weight_decay=0.05)
    with DataParallel(network, shards=2) as parallel:
        train(network, optimizer, batches, 1, 0.005, one_cycle, [Printer()], parallel.loss_and_gradients)
    accuracy = np.mean(network.predict_logits(test_images).argmax(axis=1) == test_labels)
    print(f"accuracy {accuracy:.2%} on {len(test_labels):,} test digits, after {time.perf_counter() - began:.0f} s")
    return 0


if __name__ == "__main__":
    if "OMP_NUM_THREADS" not in os.environ:  # BLAS threads would compete with ours; NumPy reads this once, at import
        os.execve(sys.executable, sys.orig_argv, os.environ | {"OMP_NUM_THREADS": "1"})  # nosec B606 # noqa: S606
    sys.exit(main())
