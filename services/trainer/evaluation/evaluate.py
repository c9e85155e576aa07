"""evaluate: measure the trained network on the test splits, which no earlier stage reads.

It fits temperature and no-digit threshold on the validation splits. It writes artifacts/candidate with the measurements in its
card, metrics.json, tables for plots (CSV), and contact sheets of the errors (PNG).
"""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from digitnet.arrays import Floats, Integers
from digitnet.checkpoint import load, load_snapshots, save, write_atomically
from digitnet.decision import Decision
from digitnet.network import DIGITS, NO_DIGIT, Network
from drift.reference import Reference, measured

from trainer.data.digits import (
    Answers,
    Split,
    Synthetic,
    answers,
    joined_answers,
    load_corrupted,
    load_splits,
    load_synthetic,
    share,
)
from trainer.evaluation.calibration import fit_temperature, reliability
from trainer.evaluation.ood_detection import compared
from trainer.reports import contact_sheet, csv_bytes

log = logging.getLogger(__name__)

LOST = np.linspace(0.0, 0.05, 51)  # shares of rejected digits at which the ROC is plotted
LOST_IN_METRICS = 0.01
KNOWN = 5_000  # images of each training split, for the distance in feature space
MOST_ERRORS = 96  # on a contact sheet

Rows = list[dict[str, Any]]  # of a table, by column


def evaluate(
    digits_file: Path,
    synthetic_file: Path,
    corrupted_file: Path,
    trained_folder: Path,
    model_folder: Path,
    artifacts: Path,
    rejected_digits: float,
) -> dict[str, Any]:
    """Measure the network, write the candidate and the reports, and return the metrics.

    `rejected_digits` is the share of the validation digits that the threshold may reject.
    """
    network, card = load(trained_folder)
    splits, synthetic = load_splits(digits_file), load_synthetic(synthetic_file)
    held_out = {"pixels": answers(network, splits["validation"]), "strokes": answers(network, synthetic.splits["validation"])}
    chosen = _decision_numbers(_digits(joined_answers(*held_out.values())), rejected_digits)
    decision = Decision.of(chosen)

    mnist, written = answers(network, splits["test"]), answers(network, synthetic.splits["test"])
    metrics = _accuracies(mnist, written) | {"calibration": _calibration(decision.temperature, mnist, written)}
    if network.classes > DIGITS:
        metrics["rejected"] = _rejected(decision, mnist, written)
    tables: dict[str, Rows] = {
        "forms": _forms(written, synthetic),
        "robustness": _robustness(network, corrupted_file, decision),
        "reliability": _reliability(_digits(joined_answers(mnist, written)), decision.temperature),
        "rejection_roc": [],
    }
    if (written.labels == NO_DIGIT).any():
        known = [part.only(slice(KNOWN)) for part in (splits["training"], synthetic.digits("training"))]
        metrics["rejection"], tables["rejection_roc"] = _rejection(network, known, joined_answers(mnist, written))

    about = {**card, **chosen, "test": metrics, "drift_references": _drift_references(held_out, decision)}
    save(model_folder, network, splits["validation"].golden_images(), about, load_snapshots(trained_folder, network, card))
    for name, rows in tables.items():
        write_atomically(artifacts / f"{name.removesuffix('_roc')}.csv", csv_bytes(rows, ["digits_rejected"]))
    confusion = [{"actual": actual, "predicted": guess} for actual, guess in zip(mnist.labels.tolist(), mnist.predicted.tolist())]
    write_atomically(artifacts / "confusion.csv", csv_bytes(confusion))
    write_atomically(artifacts / "mnist_errors.png", _errors(mnist))
    write_atomically(artifacts / "synthetic_errors.png", _errors(written))
    matrix = np.bincount(mnist.labels * DIGITS + mnist.predicted, minlength=DIGITS**2)  # actual digits in rows, by prediction
    listed = metrics | {"confusion": matrix.reshape(DIGITS, DIGITS).tolist()} | tables
    lines = [f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in listed.items()]
    write_atomically(artifacts / "metrics.json", ("{\n" + ",\n".join(lines) + "\n}\n").encode())
    return metrics


def _digits(measured: Answers) -> Answers:
    return measured.only(measured.labels != NO_DIGIT)


def _decision_numbers(digits: Answers, rejected_digits: float) -> dict[str, float]:
    """Fit temperature and threshold to held-out digits, and return them as a Decision's part of a model card."""
    numbers = {"temperature": fit_temperature(digits.logits[:, :DIGITS], digits.labels)}
    if digits.logits.shape[1] > DIGITS:
        no_digit = digits.predictions(Decision()).no_digit
        numbers["no_digit_threshold"] = float(np.quantile(no_digit, 1.0 - rejected_digits)) if no_digit.size else 1.0
    return numbers


def _accuracies(mnist: Answers, written: Answers) -> dict[str, Any]:
    digits = _digits(written)
    return {
        "accuracy": float(mnist.right.mean()),
        "loss": mnist.loss,
        "errors": int(np.count_nonzero(~mnist.right)),
        "test_pictures": len(mnist.labels),
        "accuracy_by_digit": {str(digit): float(mnist.right[mnist.labels == digit].mean()) for digit in range(DIGITS)},
    } | ({"synthetic_accuracy": float(digits.right.mean())} if len(digits.labels) else {})


def _rejected(decision: Decision, mnist: Answers, written: Answers) -> dict[str, float]:
    """Return the rejected share of each kind of image."""
    rejected, is_digit = ~written.predictions(decision).is_digit, written.labels != NO_DIGIT
    return {
        "mnist_digits": share(~mnist.predictions(decision).is_digit),
        "synthetic_digits": share(rejected[is_digit]),
        "non_digits": share(rejected[~is_digit]),
    }


def _calibration(temperature: float, mnist: Answers, written: Answers) -> dict[str, float]:
    """Return the expected calibration error before and after temperature scaling."""
    figures = {"temperature": temperature}
    for name, digits in (("mnist", mnist), ("synthetic", _digits(written))):
        for when, divisor in (("before", 1.0), ("after", temperature)):
            figures[f"{name}_error_{when}"] = reliability(digits.logits, digits.labels, divisor).expected_calibration_error
    return figures


def _reliability(digits: Answers, temperature: float) -> Rows:
    bins = reliability(digits.logits, digits.labels, temperature)
    return _rows({"confidence": bins.confidence, "accuracy": bins.accuracy, "perfect": bins.confidence, "answers": bins.count})


def _rejection(network: Network, known: list[Split], measured: Answers) -> tuple[dict[str, dict[str, float]], Rows]:
    """Return how well each score separates digits from non-digits: metrics, and the receiver operating characteristic (ROC)."""
    scores = compared(network, known, measured, np.append(LOST, LOST_IN_METRICS))
    figures = {
        name: {"area_under_roc": score.area_under_roc, "non_digits_rejected": float(score.caught[-1])}
        for name, score in scores.items()
    }
    return figures, _rows({"digits_rejected": LOST} | {name: score.caught[:-1] for name, score in scores.items()})


def _forms(written: Answers, synthetic: Synthetic) -> Rows:
    forms, rows = synthetic.forms["test"], list[dict[str, Any]]()
    for form in np.unique(forms[written.labels != NO_DIGIT]):
        right = written.right[forms == form]
        rows.append({"form": synthetic.form_names[form], "pictures": right.size, "accuracy": round(share(right), 4)})
    return rows


def _robustness(network: Network, corrupted_file: Path, decision: Decision) -> Rows:
    """Return a row for each corruption: number of images, accuracy and rejected share."""
    corruptions, corruption, split = load_corrupted(corrupted_file)
    corrupted, rows = answers(network, split), list[dict[str, Any]]()
    rejected = ~corrupted.predictions(decision).is_digit
    for number, (source, change, value) in enumerate(corruptions):
        chosen = corruption == number
        name = ", ".join(filter(None, (source, change.replace("none", "as it is"), value)))
        shares = {"accuracy": round(share(corrupted.right[chosen]), 4), "rejected": round(share(rejected[chosen]), 4)}
        rows.append(dict(condition=name, source=source, change=change, value=value, pictures=int(chosen.sum()), **shares))
    return rows


def _drift_references(held_out: Mapping[str, Answers], decision: Decision) -> dict[str, Any]:
    """Return the drift reference of each form of input (pixels, strokes) with enough held-out digits."""
    references = {}
    for form, all_answers in held_out.items():
        digits = _digits(all_answers)
        predictions = digits.predictions(decision)
        confidences = predictions.probabilities.max(axis=1)
        try:
            drawings = measured(digits.split.images, predictions.digit, confidences, ~predictions.is_digit)
            references[form] = Reference.of(drawings).to_dict()
        except ValueError as error:
            log.warning("no drift reference for %s: %s", form, error)
    return references


def _errors(measured: Answers) -> bytes:
    """Return a contact sheet of misread digits, each with its label and prediction."""
    wrong = np.flatnonzero(~measured.right & (measured.labels != NO_DIGIT))[:MOST_ERRORS]
    captions = [f"{measured.labels[index]} as {measured.predicted[index]}" for index in wrong]
    return contact_sheet(measured.split.images[wrong], captions)


def _rows(columns: Mapping[str, Floats | Integers]) -> Rows:
    """Return columns, each (n,), as rows. Four decimals are enough for a plot."""
    return [dict(zip(columns, row)) for row in zip(*(np.round(column, 4).tolist() for column in columns.values()))]
