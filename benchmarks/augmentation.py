"""Measure the effect of each augmentation: train the default recipe with all of them, without each one, and without any.

    python benchmarks/augmentation.py [--epochs 5] [--seeds 7 8]

Run it in the project's top folder after `dvc repro`. Each figure is the mean over the seeds on the validation splits; no test
digit is used. Prints a table in Markdown.
"""

import argparse
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from digitnet.checkpoint import load
from digitnet.images.augment import Augmentation
from threadpoolctl import threadpool_limits
from trainer.data.digits import answers, load_splits, load_synthetic
from trainer.evaluation.ood_detection import caught, scores
from trainer.settings import TrainSettings
from trainer.training.train import train
from trainer.workspace import Workspace

LOST = 0.005  # share of rejected digits at which the rejected non-digits are counted


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8])
    arguments = parser.parse_args()
    settings = TrainSettings.read().model_copy(update={"epochs": arguments.epochs})
    print("| augmentation | MNIST, errors | MNIST, loss | synthetic, errors | synthetic, loss | non-digits missed |", flush=True)
    print("|---|---|---|---|---|---|", flush=True)
    for name, augmentation in variants(settings.augmentation):
        changed = settings.model_copy(update={"augmentation": augmentation})
        measured = [_measured(changed.model_copy(update={"seed": seed})) for seed in arguments.seeds]
        errors, loss, drawn_errors, drawn_loss, missed = np.mean(measured, axis=0)
        print(f"| {name} | {errors:.2%} | {loss:.4f} | {drawn_errors:.2%} | {drawn_loss:.4f} | {missed:.1%} |", flush=True)


def variants(whole):
    yield "all of it", whole
    for name, strength in asdict(whole).items():
        if strength:
            yield f"without {name}", replace(whole, **{name: 0.0})
    yield "none", Augmentation()


def _measured(settings):
    workspace = Workspace()
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1, user_api="blas"):
        folder = Path(folder)
        written = (folder / name for name in ("history.csv", "unfinished.npz", "progress.json"))
        train(settings, workspace.digits, workspace.synthetic, folder, *written)
        network, _ = load(folder)
        synthetic = load_synthetic(workspace.synthetic)
        mnist = answers(network, load_splits(workspace.digits)["validation"])
        drawn = answers(network, synthetic.digits("validation"))
        others = answers(network, synthetic.non_digits("validation"))
    digits = np.concatenate([mnist.logits, drawn.logits])
    missed = 1.0 - caught(scores(digits)["class"], scores(others.logits)["class"], LOST)
    return 1.0 - mnist.right.mean(), mnist.loss, 1.0 - drawn.right.mean(), drawn.loss, float(missed)


if __name__ == "__main__":
    main()
