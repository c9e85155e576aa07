"""Evaluate measures the network and fits its decision on the validation splits."""

import csv
import io
import json
import shutil

import numpy as np
import pytest
from digitnet.checkpoint import load, load_card, npz_arrays, npz_bytes
from digitnet.decision import Decision
from digitnet.losses import softmax
from digitnet.network import NO_DIGIT
from drift.reference import Reference
from PIL import Image
from trainer.data.digits import Answers, Split, load_corrupted, load_splits, load_synthetic
from trainer.evaluation import evaluate as evaluate_module
from trainer.evaluation.evaluate import evaluate


def trained(folder, params, train_in, data):
    """Train a network and return its folder."""
    (folder / "params.yaml").write_text(params)
    train_in(folder, folder / "params.yaml", data)
    return folder / "trained"


def evaluated(data, trained, folder):
    files = (data / name for name in ("digits.npz", "synthetic.npz", "corrupted.npz"))
    return evaluate(*files, trained, folder / "model", folder, rejected_digits=0.1)


@pytest.fixture(scope="module")
def perceptron(tmp_path_factory, params, train_in, data):
    return trained(tmp_path_factory.mktemp("perceptron"), params, train_in, data)


@pytest.fixture(scope="module")
def measured(data, perceptron, tmp_path_factory):
    """Evaluate the network and return the folder of results."""
    folder = tmp_path_factory.mktemp("measured")
    evaluated(data, perceptron, folder)
    return folder


@pytest.fixture(scope="module")
def metrics(measured):
    return json.loads((measured / "metrics.json").read_text())


@pytest.fixture(scope="module")
def splits(data):
    return load_splits(data / "digits.npz")


@pytest.fixture(scope="module")
def synthetic(data):
    return load_synthetic(data / "synthetic.npz")


def table(file):
    return list(csv.DictReader(io.StringIO(file.read_text())))


def logits_of(folder, split):
    network, card = load(folder / "model")
    return network.predict_logits(split.images / np.float32(255)), card


def test_measures_the_test_digits_and_saves_the_model(measured, metrics, perceptron, splits):
    network, card = load(measured / "model")
    test = splits["test"]
    predicted = network.predict(test.images / np.float32(255))[:, :10].argmax(axis=1)
    assert metrics["accuracy"] == np.mean(predicted == test.labels)
    assert metrics["errors"] == np.count_nonzero(predicted != test.labels)
    assert card["test"] == {name: value for name, value in metrics.items() if not isinstance(value, list)}
    before, trained_card = load(perceptron)
    assert network.parameters.tobytes() == before.parameters.tobytes()
    assert card["version"] != trained_card["version"]  # it includes temperature and threshold
    rows = (measured / "confusion.csv").read_text().splitlines()
    assert rows == ["actual,predicted", *(f"{actual},{guess}" for actual, guess in zip(test.labels, predicted))]
    confusion = np.array(metrics["confusion"])
    assert confusion.shape == (10, 10)
    assert confusion.sum(axis=1).tolist() == np.bincount(test.labels, minlength=10).tolist()
    assert np.trace(confusion) == len(test) - metrics["errors"]
    for name in ("mnist_errors.png", "synthetic_errors.png"):
        with Image.open(measured / name) as sheet:
            sheet.verify()


def test_measures_each_synthetic_form(measured, metrics, synthetic):
    test = synthetic.digits("test")
    right = logits_of(measured, test)[0][:, :10].argmax(axis=1) == test.labels
    rows = [(row["form"], int(row["pictures"]), float(row["accuracy"])) for row in table(measured / "forms.csv")]
    of_form = [pytest.approx(right[test.labels % 2 == number].mean(), abs=1e-4) for number in (0, 1)]
    assert sorted(rows) == [("0 bar", 10, of_form[0]), ("1 other bar", 10, of_form[1])]
    assert metrics["synthetic_accuracy"] == pytest.approx(right.mean())


def test_threshold_rejects_the_given_share_of_validation_digits(measured, metrics, splits, synthetic):
    network, card = load(measured / "model")

    def rejected(*splits):
        no_digit = [network.predict(split.images / np.float32(255))[:, NO_DIGIT] for split in splits]
        return np.concatenate(no_digit) > card["no_digit_threshold"]

    assert rejected(splits["validation"], synthetic.digits("validation")).sum() == 6  # of 60
    assert metrics["rejected"]["non_digits"] == np.mean(rejected(synthetic.non_digits("test")))
    assert metrics["rejected"]["non_digits"] > metrics["rejected"]["mnist_digits"]


def test_fits_the_temperature_to_validation_digits(measured, metrics, splits, synthetic):
    held_out = [splits["validation"], synthetic.digits("validation")]
    logits = np.concatenate([logits_of(measured, split)[0][:, :10] for split in held_out]).astype(float)
    labels = np.concatenate([split.labels for split in held_out])

    def loss(temperature):
        return -np.log(softmax(logits.T / temperature)[labels, np.arange(len(labels))]).mean()

    temperature = load_card(measured / "model")["temperature"]
    assert temperature == metrics["calibration"]["temperature"]
    assert loss(temperature) <= min(loss(0.99 * temperature), loss(1.01 * temperature))
    rows = table(measured / "reliability.csv")
    assert sum(int(row["answers"]) for row in rows) == len(splits["test"]) + len(synthetic.digits("test"))
    assert all(row["confidence"] == row["perfect"] for row in rows)


def test_each_score_has_a_rising_rejection_curve(measured, metrics):
    figures, rows = metrics["rejection"], table(measured / "rejection.csv")
    assert list(figures) == ["class", "energy", "confidence", "features"]
    assert [float(row["digits_rejected"]) for row in rows] == pytest.approx(np.arange(51) / 1000)
    for score, figure in figures.items():
        curve = [float(row[score]) for row in rows]
        assert curve == sorted(curve)
        assert figure["non_digits_rejected"] == pytest.approx(curve[10], abs=1e-4)
        assert 0.0 <= figure["area_under_roc"] <= 1.0
    assert figures["class"]["area_under_roc"] > 0.9  # noise and bars differ clearly


def test_metrics_contain_the_tables(measured, metrics):
    for name in ("forms", "robustness", "reliability", "rejection"):
        rows = table(measured / f"{name}.csv")
        assert rows
        found = metrics["rejection_roc" if name == "rejection" else name]
        assert [{key: str(value) for key, value in row.items()} for row in found] == rows


def test_measures_each_corruption(measured, metrics, data):
    corruptions, corruption, split = load_corrupted(data / "corrupted.npz")
    logits, card = logits_of(measured, split)
    right = logits[:, :10].argmax(axis=1) == split.labels
    rejected = softmax(logits.T)[NO_DIGIT] > card["no_digit_threshold"]
    rows = metrics["robustness"]
    assert [(row["source"], row["change"], row["value"]) for row in rows] == corruptions
    for number, row in enumerate(rows):
        chosen = corruption == number
        assert row["pictures"] == chosen.sum()
        assert row["accuracy"] == pytest.approx(right[chosen].mean(), abs=1e-4)
        assert row["rejected"] == pytest.approx(rejected[chosen].mean(), abs=1e-4)
    names = [row["condition"] for row in table(measured / "robustness.csv")]
    assert "MNIST, as it is" in names
    assert len(set(names)) == len(names)


def test_a_network_without_a_no_digit_class_rejects_nothing(data, params, train_in, tmp_path):
    params = params.replace("network: perceptron", "network: classic")
    metrics = evaluated(data, trained(tmp_path, params, train_in, data), tmp_path)
    assert "no_digit_threshold" not in load_card(tmp_path / "model")
    assert "rejected" not in metrics
    assert 0.0 < metrics["synthetic_accuracy"] <= 1.0
    assert list(metrics["rejection"]) == ["energy", "confidence", "features"]


def test_works_without_non_digits_and_names_a_damaged_file(data, perceptron, tmp_path):
    copied = shutil.copytree(data, tmp_path / "data")
    arrays = npz_arrays((copied / "synthetic.npz").read_bytes())
    digits = arrays["test_labels"] != NO_DIGIT
    for name in ("labels", "pictures", "forms"):
        arrays[f"test_{name}"] = arrays[f"test_{name}"][digits]
    (copied / "synthetic.npz").write_bytes(npz_bytes(arrays))
    assert "rejection" not in evaluated(copied, perceptron, tmp_path)
    assert json.loads((tmp_path / "metrics.json").read_text())["rejection_roc"] == table(tmp_path / "rejection.csv") == []
    (copied / "corrupted.npz").write_bytes(b"PK")
    with pytest.raises(
        ValueError, match=r"corrupted\.npz is damaged, or another program wrote it: .*; delete it and run dvc repro"
    ):
        evaluated(copied, perceptron, tmp_path)


def drift_references(**counts):
    """Make drift references from `counts` images of each digit, by form."""
    generator, answered = np.random.default_rng(4), {}
    for form, count in counts.items():
        labels = np.append(np.repeat(np.arange(10), count), [NO_DIGIT] * 30)
        logits = generator.normal(size=(labels.size, 11)).astype(np.float32)
        logits[np.arange(labels.size), labels] += 8.0
        images = generator.integers(0, 256, (labels.size, 28, 28), dtype=np.uint8)
        answered[form] = Answers(Split(images, labels), logits, logits)
    return evaluate_module._drift_references(answered, Decision(1.5, 0.5))


def test_makes_a_drift_reference_for_each_form_with_enough_digits(measured):
    references = drift_references(pixels=30, strokes=40)
    assert {form: Reference.from_dict(each).drawings for form, each in references.items()} == {"pixels": 300, "strokes": 400}
    json.dumps(references)
    assert Reference.from_dict(references["strokes"]).of_digit.tolist() == [40] * 10
    assert list(drift_references(pixels=2, strokes=40)) == ["strokes"]
    assert load_card(measured / "model")["drift_references"] == {}
