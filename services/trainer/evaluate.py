"""evaluate: measure the trained network on the test splits, which nothing before this stage has looked at.

Only what was measured becomes a model: this stage writes artifacts/model, with its figures in the model card.
"""

import csv
import io
import json
from pathlib import Path

import numpy as np
from digitnet.checkpoint import load, save, write_atomically
from digitnet.drawing import in_unit_range
from digitnet.network import DIGITS, NO_DIGIT, Network

from trainer.digits import Split, Synthetic, load_splits, load_synthetic, loss_and_predictions


def evaluate(
    digits_file: Path,
    synthetic_file: Path,
    trained_folder: Path,
    model_folder: Path,
    metrics_file: Path,
    confusion_file: Path,
    forms_file: Path,
    rejected_non_digits: float,
) -> dict:
    """Write the model, its metrics, each test digit's actual and predicted value, and the accuracy by form; return the metrics.

    The threshold for no digit is set on the validation split: `rejected_non_digits` of what is none lies beyond it.
    """
    network, card = load(trained_folder)
    splits, synthetic = load_splits(digits_file), load_synthetic(synthetic_file)
    test = splits["test"]
    loss, predicted = loss_and_predictions(network, test)
    right = predicted == test.labels
    metrics = {
        "accuracy": float(right.mean()),
        "loss": loss,
        "errors": int(np.count_nonzero(~right)),
        "test_pictures": len(test),
        "accuracy_by_digit": {str(digit): float(right[test.labels == digit].mean()) for digit in range(DIGITS)},
    }
    by_form = _accuracy_by_form(network, synthetic)
    if by_form:
        pictures = sum(count for count, _ in by_form.values())
        metrics["synthetic_accuracy"] = sum(count * accuracy for count, accuracy in by_form.values()) / pictures
    about = {**card, "test": metrics}
    if network.classes > NO_DIGIT:
        threshold = _threshold(network, synthetic.non_digits("validation"), rejected_non_digits)
        about["no_digit_threshold"] = threshold
        metrics["rejected"] = {
            "mnist_digits": _rejected(network, test, threshold),
            "synthetic_digits": _rejected(network, synthetic.digits("test"), threshold),
            "non_digits": _rejected(network, synthetic.non_digits("test"), threshold),
        }
    save(model_folder, network, splits["validation"].golden_pictures(), about)
    write_atomically(metrics_file, (json.dumps(metrics, indent=2) + "\n").encode())
    write_atomically(confusion_file, _csv(["actual", "predicted"], zip(test.labels.tolist(), predicted.tolist())))
    rows = ((name, count, round(accuracy, 4)) for name, (count, accuracy) in by_form.items())
    write_atomically(forms_file, _csv(["form", "pictures", "accuracy"], rows))
    return metrics


def _accuracy_by_form(network: Network, synthetic: Synthetic) -> dict[str, tuple[int, float]]:
    """For each form of a digit that the synthetic test split has: how many pictures, and the share read right."""
    split, forms = synthetic.splits["test"], synthetic.forms["test"]
    if not len(split):
        return {}
    _, predicted = loss_and_predictions(network, Split(split.pictures, np.minimum(split.labels, network.classes - 1)))
    accuracies = {}
    for form in np.unique(forms[split.labels != NO_DIGIT]):
        of_form = forms == form
        right = predicted[of_form] == split.labels[of_form]
        accuracies[synthetic.form_names[form]] = int(right.size), float(right.mean())
    return accuracies


def _threshold(network: Network, non_digits: Split, share: float) -> float:
    """The probability of no digit that this share of what is none goes beyond.

    So few digits are taken for none that a threshold set by their share would be one of chance.
    """
    return float(np.quantile(_no_digit(network, non_digits), 1.0 - share)) if len(non_digits) else 1.0


def _rejected(network, split, threshold):
    return float(np.mean(_no_digit(network, split) > threshold)) if len(split) else 0.0


def _no_digit(network, split):
    return network.read(in_unit_range(split.pictures))[1]


def _csv(header, rows):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
