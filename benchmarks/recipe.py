"""digitnet's side of the race over the whole recipe: python benchmarks/recipe.py

Runs the pipeline from MNIST's files to a measured network: all stages up to evaluate with the current params.yaml, as `dvc repro`
runs them, in a new folder. It does so for each line of input. Each run prints a line of JSON: the seconds, the errors on
the 10,000 test digits, and the seconds of each stage.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
STAGES = ("fetch", "preprocess", "synthesize", "corrupt", "train", "evaluate")


def recipe() -> dict[str, float]:
    """Run all stages once, and return the figures."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DOODLE_", "OPENBLAS_"))}
    seconds = {}
    with tempfile.TemporaryDirectory(prefix="doodle-bench-") as name:
        folder = Path(name)
        for shared in ("params.yaml", "mnist", "mnist.dvc", "feedback"):
            (folder / shared).symlink_to(PROJECT / shared)
        for made in ("data", "artifacts"):
            (folder / made).mkdir()
        for stage in STAGES:
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "trainer", stage], cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise SystemExit(f"recipe: {stage} ended with {done.returncode}: {done.stderr[-3000:]}")
            seconds[f"{stage}_seconds"] = time.perf_counter() - began
        metrics = json.loads((folder / "artifacts" / "metrics.json").read_text(encoding="utf-8"))
    return {"seconds": sum(seconds.values()), "errors": metrics["errors"]} | seconds


def main() -> int:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps(recipe()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
