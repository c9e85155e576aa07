"""Compare the scores for out-of-distribution detection on the validation splits, to choose one.

    python benchmarks/scores.py

Run it in the project's top folder after `dvc repro`: it reads data/ and artifacts/model. It compares held-out digits, MNIST's and
synthetic ones, with held-out synthetic non-digits. Prints a table in Markdown. artifacts/metrics.json has the same for the test
splits, which influenced no choice.
"""

import argparse
from pathlib import Path

import numpy as np
from digitnet.checkpoint import load
from trainer.data.digits import answers, joined_answers, load_splits, load_synthetic
from trainer.evaluation.evaluate import KNOWN
from trainer.evaluation.ood_detection import compared

LOST = (0.001, 0.01)  # shares of rejected digits


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--model", type=Path, default=Path("artifacts/model"))
    arguments = parser.parse_args()
    network, _ = load(arguments.model)
    splits, synthetic = load_splits(arguments.data / "digits.npz"), load_synthetic(arguments.data / "synthetic.npz")

    learned_from = [part.only(slice(KNOWN)) for part in (splits["training"], synthetic.digits("training"))]
    held_out = joined_answers(*(answers(network, part) for part in (splits["validation"], synthetic.splits["validation"])))

    shares = " | ".join(f"non-digits rejected where {share:.1%} of the digits are lost" for share in LOST)
    print(f"| score | area under the ROC | {shares} |")
    print("|---" * (2 + len(LOST)) + "|")
    for name, score in compared(network, learned_from, held_out, np.array(LOST)).items():
        print(f"| {name} | {score.area_under_roc:.4f} | {' | '.join(f'{share:.1%}' for share in score.caught)} |")


if __name__ == "__main__":
    main()
