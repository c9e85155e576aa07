"""evaluate: measure the trained network on the test splits, which nothing before this stage has looked at.

Only what was measured becomes a model: this stage writes artifacts/model, with its figures in the model card.
"""

import csv
import io
import json
from pathlib import Path

import numpy as np
from digitnet.checkpoint import load, save, write_atomically
from digitnet.network import DIGITS, NO_DIGIT

from trainer.digits import answers, load_splits, load_synthetic


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
    mnist, written = answers(network, splits["test"]), answers(network, synthetic.splits["test"])
    is_written_digit = written.labels != NO_DIGIT
    metrics = {
        "accuracy": float(mnist.right.mean()),
        "loss": mnist.loss,
        "errors": int(np.count_nonzero(~mnist.right)),
        "test_pictures": len(mnist.labels),
        "accuracy_by_digit": {str(digit): float(mnist.right[mnist.labels == digit].mean()) for digit in range(DIGITS)},
    }
    if is_written_digit.any():
        metrics["synthetic_accuracy"] = float(written.right[is_written_digit].mean())
    about = {**card, "test": metrics}
    if network.classes > NO_DIGIT:
        threshold = _threshold(answers(network, synthetic.non_digits("validation")).no_digit, rejected_non_digits)
        about["no_digit_threshold"] = threshold
        rejected = written.no_digit > threshold
        metrics["rejected"] = {
            "mnist_digits": _share(mnist.no_digit > threshold),
            "synthetic_digits": _share(rejected[is_written_digit]),
            "non_digits": _share(rejected[~is_written_digit]),
        }
    save(model_folder, network, splits["validation"].golden_pictures(), about)
    write_atomically(metrics_file, (json.dumps(metrics, indent=2) + "\n").encode())
    write_atomically(confusion_file, _csv(["actual", "predicted"], zip(mnist.labels.tolist(), mnist.predicted.tolist())))
    forms = synthetic.forms["test"]
    right_by_form = {form: written.right[forms == form] for form in np.unique(forms[is_written_digit])}
    rows = ((synthetic.form_names[form], right.size, round(float(right.mean()), 4)) for form, right in right_by_form.items())
    write_atomically(forms_file, _csv(["form", "pictures", "accuracy"], rows))
    return metrics


def _threshold(no_digit: np.ndarray, share: float) -> float:
    """The probability of no digit that this share of what is none goes beyond; `no_digit` has theirs, (n,).

    So few digits are taken for none that a threshold set by their share would be one of chance.
    """
    return float(np.quantile(no_digit, 1.0 - share)) if no_digit.size else 1.0


def _share(chosen):
    return float(chosen.mean()) if chosen.size else 0.0


def _csv(header, rows):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
