"""Measure the variance of results over seeds: run the pipeline up to a measured candidate, once for each seed.

    python benchmarks/seeds.py --recipe best --seeds 7 8 9 --keep /tmp/best

Run it in the project's top folder. A seed decides all random choices: the held-out digits, the synthetic images, the first
weights, the order of images, and their augmentation. Each run keeps its own folder under --keep, with a model to serve; a
run that already has metrics is skipped. Prints a table in Markdown, with the mean at its end.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from trainer.stages import STAGES_TO_CANDIDATE

COLUMNS = {
    "MNIST test digits": lambda metrics: metrics["accuracy"],
    "synthetic digits": lambda metrics: metrics["synthetic_accuracy"],
    "MNIST digits rejected": lambda metrics: metrics["rejected"]["mnist_digits"],
    "synthetic non-digits rejected": lambda metrics: metrics["rejected"]["non_digits"],
    "calibration error": lambda metrics: metrics["calibration"]["mnist_error_after"],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8, 9])
    parser.add_argument("--keep", type=Path, required=True)
    arguments = parser.parse_args()
    print(f"| seed | {' | '.join(COLUMNS)} | seconds |", flush=True)
    print("|---" * (len(COLUMNS) + 2) + "|", flush=True)
    rows = []
    for seed in arguments.seeds:
        rows.append(_run(arguments.recipe, seed, arguments.keep / f"{arguments.recipe}-{seed}"))
        _print(seed, rows[-1])
    _print("mean", np.mean(rows, axis=0))


def _run(recipe, seed, folder):
    """Return the figures of COLUMNS, and the seconds of the training."""
    artifacts = folder / "artifacts"
    if not (artifacts / "metrics.json").exists():
        (folder / "mnist").mkdir(parents=True, exist_ok=True)
        shutil.copy("mnist.dvc", folder)
        for file in Path("mnist").glob("*"):
            shutil.copy(file, folder / "mnist")
        params = Path("params.yaml").read_text(encoding="utf-8")
        params = re.sub(r"(?m)^seed: \d+", f"seed: {seed}", params)
        (folder / "params.yaml").write_text(re.sub(r"(?m)^recipe: \w+", f"recipe: {recipe}", params), encoding="utf-8")
        environment = {name: value for name, value in os.environ.items() if name != "DOODLE_WORKSPACE"}
        with (folder / "log").open("w") as log:
            for stage in STAGES_TO_CANDIDATE:
                subprocess.run([sys.executable, "-m", "trainer", stage], cwd=folder, env=environment, stderr=log, check=True)
    metrics = json.loads((artifacts / "metrics.json").read_text())
    card = json.loads((artifacts / "candidate" / "model.json").read_text())
    return [*(column(metrics) for column in COLUMNS.values()), card["training"]["seconds"]]


def _print(name, row):
    *shares, seconds = row
    print(f"| {name} | {' | '.join(f'{share:.2%}' for share in shares)} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
