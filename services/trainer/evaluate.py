"""evaluate: measure the trained network on MNIST's test digits, which nothing before this stage has looked at.

Only what was measured becomes a model: this stage writes artifacts/model, with its figures in the model card.
"""

import csv
import io
import json
from pathlib import Path

import numpy as np
from digitnet.checkpoint import load, save, write_atomically

from trainer.digits import load_splits, loss_and_predictions


def evaluate(digits_file: Path, trained_folder: Path, model_folder: Path, metrics_file: Path, confusion_file: Path) -> dict:
    """Write the model, its metrics and each test digit's actual and predicted value; return the metrics."""
    network, card = load(trained_folder)
    splits = load_splits(digits_file)
    test = splits["test"]
    loss, predicted = loss_and_predictions(network, test)
    right = predicted == test.labels
    metrics = {
        "accuracy": float(right.mean()),
        "loss": loss,
        "errors": int(np.count_nonzero(~right)),
        "test_pictures": len(test),
        "accuracy_by_digit": {str(digit): float(right[test.labels == digit].mean()) for digit in range(10)},
    }
    save(model_folder, network, splits["validation"].golden_pictures(), {**card, "test": metrics})
    write_atomically(metrics_file, (json.dumps(metrics, indent=2) + "\n").encode())
    write_atomically(confusion_file, _confusion_csv(test.labels, predicted))
    return metrics


def _confusion_csv(labels, predicted):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["actual", "predicted"])
    writer.writerows(zip(labels.tolist(), predicted.tolist()))
    return text.getvalue().encode()
