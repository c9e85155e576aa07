"""evaluate: measure the trained network on the test splits, which nothing before this stage has looked at.

Only what was measured becomes a candidate: this stage writes artifacts/candidate, with its figures in the model card. What has
to be chosen, the threshold for no digit and the temperature, is chosen on the validation splits.

Beside the model it leaves metrics.json, tables for plots (CSV), and images of the errors (PNG), by the names below.
"""

import json
import logging
from dataclasses import fields
from pathlib import Path

import numpy as np
from digitnet.checkpoint import load, load_snapshots, save, write_atomically
from digitnet.decision import Decision
from digitnet.network import DIGITS, NO_DIGIT, Network
from drift.reference import Reference, measured

from trainer.data.contact_sheet import contact_sheet
from trainer.data.digits import Answers, Split, Synthetic, answers, load_disturbed, load_splits, load_synthetic
from trainer.evaluation.calibration import fit_temperature, reliability
from trainer.evaluation.ood_detection import compared
from trainer.evaluation.tables import csv_bytes

log = logging.getLogger(__name__)

METRICS = "metrics.json"
CONFUSION, FORMS, RELIABILITY, ROC, ROBUSTNESS = (
    f"{name}.csv" for name in ("confusion", "forms", "reliability", "rejection", "robustness")
)
MNIST_ERRORS, SYNTHETIC_ERRORS = "mnist_errors.png", "synthetic_errors.png"

LOST = np.linspace(0.0, 0.05, 51)  # shares of the digits that one may be ready to lose: where the ROC is plotted
LOST_IN_METRICS = 0.01
LEARNT_FROM = 5_000  # images of each training split that the distance in feature space is measured from
MOST_ERRORS = 96  # on a contact sheet


def evaluate(
    digits_file: Path,
    synthetic_file: Path,
    disturbed_file: Path,
    trained_folder: Path,
    model_folder: Path,
    artifacts: Path,
    rejected_digits: float,
) -> dict:
    """Measure, write the model, and what was measured into `artifacts`, and return the metrics.

    The threshold for no digit is set on the validation splits: so many of their digits, as a share, lie beyond it.
    """
    network, card = load(trained_folder)
    splits, synthetic = load_splits(digits_file), load_synthetic(synthetic_file)
    seen = {name: (answers(network, splits[name]), answers(network, synthetic.splits[name])) for name in ("validation", "test")}
    (mnist, written), validation = seen["test"], seen["validation"]
    is_digit = written.labels != NO_DIGIT

    held_out = _digits(*validation)
    temperature = fit_temperature(held_out.logits[:, :DIGITS], held_out.labels)
    metrics = _accuracies(mnist, written) | {"calibration": _calibration(temperature, mnist, written)}
    chosen = {"temperature": temperature}
    tables = {
        CONFUSION: (("actual", "predicted"), zip(mnist.labels.tolist(), mnist.predicted.tolist())),
        ROC: (("digits_rejected",), []),  # dvc wants the file where there is nothing to reject, too
    }
    if network.classes > DIGITS:
        chosen["no_digit_threshold"] = _threshold(held_out.no_digit, rejected_digits)
        decision = Decision.of(chosen)
        rejected = ~written.predictions(decision).is_digit
        metrics["rejected"] = {
            "mnist_digits": _share(~mnist.predictions(decision).is_digit),
            "synthetic_digits": _share(rejected[is_digit]),
            "non_digits": _share(rejected[~is_digit]),
        }
    if not is_digit.all():
        metrics["rejection"], tables[ROC] = _rejection(network, splits, synthetic, mnist, written)
    tables[FORMS] = _by_form(written, synthetic)
    tables[ROBUSTNESS] = _robustness(network, disturbed_file, Decision.of(chosen))
    tables[RELIABILITY] = _reliability_table(_digits(mnist, written), temperature)

    about = {**card, **chosen, "test": metrics, "drift_references": _drift_references(splits, synthetic, validation, chosen)}
    save(model_folder, network, splits["validation"].golden_images(), about, load_snapshots(trained_folder, network, card))
    listed = {
        "confusion": np.bincount(mnist.labels * DIGITS + mnist.predicted, minlength=DIGITS**2).reshape(DIGITS, -1).tolist(),
    }
    for name, table in (("forms", FORMS), ("robustness", ROBUSTNESS), ("reliability", RELIABILITY), ("rejection_roc", ROC)):
        header, rows = tables[table]
        listed[name] = [dict(zip(header, row)) for row in rows]
    for name, (header, rows) in tables.items():
        write_atomically(artifacts / name, csv_bytes(header, rows))
    write_atomically(artifacts / MNIST_ERRORS, _errors(mnist, splits["test"]))
    write_atomically(artifacts / SYNTHETIC_ERRORS, _errors(written, synthetic.splits["test"]))
    write_atomically(artifacts / METRICS, _json(metrics | listed))
    return metrics


def _drift_references(splits, synthetic, answered, chosen):
    """What digits look like that it reads well, by the form that drawings come in, and what it makes of them, as it is served:
    strokes as the synthetic digits, which the same pen draws, and pixels as MNIST's; of those held out for validation.

    None of a form of which there are too few, as in a trial run.
    """
    references = {}
    for form, split, said in zip(("pixels", "strokes"), (splits["validation"], synthetic.splits["validation"]), answered):
        is_digit = split.labels != NO_DIGIT
        images = split.images[is_digit]
        found = Decision.of(chosen).predictions(said.logits[is_digit], images)
        try:
            drawings = measured(images, found.digit, found.probabilities.max(axis=1), ~found.is_digit)
            references[form] = Reference.of(drawings).to_dict()
        except ValueError as error:
            log.warning("no reference for the drift of %s: %s", form, error)
    return references


def _accuracies(mnist, written):
    is_digit = written.labels != NO_DIGIT
    accuracies = {
        "accuracy": float(mnist.right.mean()),
        "loss": mnist.loss,
        "errors": int(np.count_nonzero(~mnist.right)),
        "test_pictures": len(mnist.labels),
        "accuracy_by_digit": {str(digit): float(mnist.right[mnist.labels == digit].mean()) for digit in range(DIGITS)},
    }
    if is_digit.any():
        accuracies["synthetic_accuracy"] = float(written.right[is_digit].mean())
    return accuracies


def _threshold(no_digit: np.ndarray, share: float) -> float:
    """The probability of no digit that this share of the digits goes beyond; `no_digit` has theirs, (n,).

    Not one that a share of the non-digits goes beyond: the better a network knows those that synthesize writes, the further
    from the digits that would be, and letters that people write lie in between.
    """
    return float(np.quantile(no_digit, 1.0 - share)) if no_digit.size else 1.0


def _calibration(temperature, mnist, written):
    """The expected calibration error without and with the temperature, on the test splits."""
    errors = {}
    for name, digits in (("mnist", mnist), ("synthetic", _digits(written))):
        for when, divisor in (("before", 1.0), ("after", temperature)):
            measured = reliability(digits.logits[:, :DIGITS], digits.labels, divisor)
            errors[f"{name}_error_{when}"] = measured.expected_calibration_error
    return {"temperature": temperature, **errors}


def _reliability_table(digits, temperature):
    measured = reliability(digits.logits[:, :DIGITS], digits.labels, temperature)
    columns = (measured.confidence, measured.accuracy, measured.confidence, measured.count)
    return ("confidence", "accuracy", "perfect", "answers"), _rows(columns)


def _rejection(network: Network, splits: dict[str, Split], synthetic: Synthetic, mnist: Answers, written: Answers):
    """How well each score tells the test splits' digits from what is none: figures for the metrics, and the ROC as a table."""
    learnt_from = [splits["training"].only(slice(LEARNT_FROM)), synthetic.digits("training").only(slice(LEARNT_FROM))]
    by_score = compared(network, learnt_from, (mnist, written), np.append(LOST, LOST_IN_METRICS))
    figures = {
        name: {"area_under_roc": score.area_under_roc, "non_digits_rejected": float(score.caught[-1])}
        for name, score in by_score.items()
    }
    columns = {"digits_rejected": LOST} | {name: score.caught[:-1] for name, score in by_score.items()}
    return figures, (tuple(columns), _rows(columns.values()))


def _by_form(written, synthetic):
    forms = synthetic.forms["test"]
    right_by_form = {form: written.right[forms == form] for form in np.unique(forms[written.labels != NO_DIGIT])}
    rows = [(synthetic.form_names[form], right.size, round(float(right.mean()), 4)) for form, right in right_by_form.items()]
    return ("form", "pictures", "accuracy"), rows


def _robustness(network, disturbed_file, decision):
    """For each of disturb's conditions: its name in one and in three parts, how many images, how many of them are read right
    and how many are taken for no digit. As all of these tables: the names of its columns, and its rows."""
    conditions, condition, split = load_disturbed(disturbed_file)
    measured, rows = answers(network, split), []
    rejected = ~measured.predictions(decision).is_digit
    for number, (source, change, value) in enumerate(conditions):
        of_condition = condition == number
        figures = (_share(values[of_condition]) for values in (measured.right, rejected))
        name = ", ".join(filter(None, (source, change.replace("none", "as it is"), value)))
        rows.append((name, source, change, value, int(of_condition.sum()), *(round(figure, 4) for figure in figures)))
    return ("condition", "source", "change", "value", "pictures", "accuracy", "rejected"), rows


def _errors(measured, split):
    """The digits that were misread, each with what it is and what it was read as."""
    wrong = np.flatnonzero(~measured.right & (measured.labels != NO_DIGIT))[:MOST_ERRORS]
    captions = [f"{measured.labels[index]} as {measured.predicted[index]}" for index in wrong]
    return contact_sheet(split.images[wrong], captions)


def _rows(columns):
    """Columns of a table, each (n,), as its rows: four decimals are enough for a plot."""
    return list(zip(*(np.round(column, 4).tolist() for column in columns)))


def _digits(*measured: Answers) -> Answers:
    """The answers to digits among them."""
    is_digit = np.concatenate([part.labels for part in measured]) != NO_DIGIT
    return Answers(*(np.concatenate([getattr(part, field.name) for part in measured])[is_digit] for field in fields(Answers)))


def _share(chosen):
    return float(chosen.mean()) if chosen.size else 0.0


def _json(metrics):
    """A line for each metric, and in lists one for each row. (dvc metrics shows the numbers, and leaves lists to the plots.)"""
    lines = []
    for name, value in metrics.items():
        text = json.dumps(value, ensure_ascii=False)
        if isinstance(value, list):
            text = "[\n    " + ",\n    ".join(json.dumps(row, ensure_ascii=False) for row in value) + "\n  ]"
        lines.append(f"  {json.dumps(name)}: {text}")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()
