"""Evaluate: what it measures is what the network does, what it chooses it chooses on the validation splits."""

import csv
import io
import json

import numpy as np
import pytest
from digitnet.checkpoint import load, load_card, npz_arrays, npz_bytes
from digitnet.losses import softmax
from digitnet.network import NO_DIGIT
from drift.reference import Reference
from PIL import Image
from trainer import evaluate as evaluate_module
from trainer.digits import Answers, Split, Synthetic, load_disturbed, load_splits, load_synthetic
from trainer.evaluate import evaluate
from trainer.settings import read_train_settings
from trainer.train import train


@pytest.fixture
def measured(tmp_path, digits_file, synthetic_file, disturbed_file, params_file):
    """measured(): train, evaluate, and the folder with the results."""

    def measured():
        artifacts = tmp_path / "artifacts"
        trained = artifacts / "trained"
        settings = read_train_settings(params_file)
        history, unfinished, progress = artifacts / "history.csv", tmp_path / "unfinished.npz", tmp_path / "progress.json"
        train(settings, digits_file, synthetic_file, trained, history, unfinished, progress)
        evaluate(digits_file, synthetic_file, disturbed_file, trained, artifacts / "model", artifacts, rejected_digits=0.1)
        return artifacts

    return measured


def metrics_of(folder):
    return json.loads((folder / "metrics.json").read_text())


def table(file):
    return list(csv.DictReader(io.StringIO(file.read_text())))


def logits_of(folder, split):
    network, card = load(folder / "model")
    return network.predict_logits(split.pictures / np.float32(255)), card


def test_it_measures_on_the_test_digits_and_makes_the_model(measured, digits_file):
    folder = measured()
    network, card = load(folder / "model")
    metrics = metrics_of(folder)
    test = load_splits(digits_file)["test"]
    predicted = network.predict(test.pictures / np.float32(255))[:, :10].argmax(axis=1)
    assert metrics["accuracy"] == np.mean(predicted == test.labels)
    assert metrics["errors"] == np.count_nonzero(predicted != test.labels)
    assert card["test"] == {name: value for name, value in metrics.items() if not isinstance(value, list)}
    trained, trained_card = load(folder / "trained")
    assert network.parameters.tobytes() == trained.parameters.tobytes()
    assert card["version"] != trained_card["version"]  # the temperature and the threshold are part of it
    rows = (folder / "confusion.csv").read_text().splitlines()
    assert rows == ["actual,predicted", *(f"{actual},{guess}" for actual, guess in zip(test.labels, predicted))]


def test_it_measures_each_form_of_the_synthetic_digits(measured, synthetic_file):
    folder = measured()
    network, _ = load(folder / "model")
    test = load_synthetic(synthetic_file).digits("test")
    right = network.predict(test.pictures / np.float32(255))[:, :10].argmax(axis=1) == test.labels
    rows = {row["form"]: (int(row["pictures"]), float(row["accuracy"])) for row in table(folder / "forms.csv")}
    assert rows == {
        name: (10, pytest.approx(right[test.labels % 2 == number].mean(), abs=1e-4))
        for number, name in enumerate(["0 bar", "1 other bar"])
    }
    metrics = metrics_of(folder)
    assert metrics["synthetic_accuracy"] == pytest.approx(right.mean())


def test_the_threshold_is_where_so_many_held_out_digits_are_lost(measured, digits_file, synthetic_file):
    folder = measured()
    network, card = load(folder / "model")
    synthetic = load_synthetic(synthetic_file)

    def rejected(*splits):
        no_digit = [network.read(split.pictures / np.float32(255))[1] for split in splits]
        return np.concatenate(no_digit) > card["no_digit_threshold"]

    assert rejected(load_splits(digits_file)["validation"], synthetic.digits("validation")).sum() == 6  # of sixty
    metrics = metrics_of(folder)
    assert metrics["rejected"]["non_digits"] == np.mean(rejected(synthetic.non_digits("test")))
    assert metrics["rejected"]["non_digits"] > metrics["rejected"]["mnist_digits"]


def test_a_network_of_ten_units_rejects_nothing(measured, params_file):
    params_file.write_text(params_file.read_text().replace("network: perceptron", "network: classic"))
    folder = measured()
    assert "no_digit_threshold" not in load_card(folder / "model")
    metrics = metrics_of(folder)
    assert "rejected" not in metrics
    assert 0.0 < metrics["synthetic_accuracy"] <= 1.0


def test_the_confusion_matrix_counts_each_test_digit_once(measured, digits_file):
    folder = measured()
    confusion = np.array(metrics_of(folder)["confusion"])
    test = load_splits(digits_file)["test"]
    assert confusion.shape == (10, 10)
    assert confusion.sum(axis=1).tolist() == np.bincount(test.labels, minlength=10).tolist()
    assert np.trace(confusion) == len(test) - metrics_of(folder)["errors"]


def test_the_temperature_is_fitted_to_what_was_held_out_and_makes_no_other_answer(measured, digits_file, synthetic_file):
    folder = measured()
    held_out = [load_splits(digits_file)["validation"], load_synthetic(synthetic_file).digits("validation")]
    logits = np.concatenate([logits_of(folder, split)[0][:, :10] for split in held_out]).astype(float)
    labels = np.concatenate([split.labels for split in held_out])

    def loss(temperature):
        return -np.log(softmax(logits.T / temperature)[labels, np.arange(len(labels))]).mean()

    temperature = load_card(folder / "model")["temperature"]
    assert temperature == metrics_of(folder)["calibration"]["temperature"]
    assert loss(temperature) <= min(loss(0.99 * temperature), loss(1.01 * temperature))


def test_the_reliability_table_has_every_test_digit(measured, digits_file, synthetic_file):
    rows = table(measured() / "reliability.csv")
    digits = len(load_splits(digits_file)["test"]) + len(load_synthetic(synthetic_file).digits("test"))
    assert sum(int(row["answers"]) for row in rows) == digits
    assert all(row["confidence"] == row["perfect"] for row in rows)


def test_each_score_has_a_curve_from_none_lost_upwards(measured):
    folder = measured()
    figures, rows = metrics_of(folder)["rejection"], table(folder / "rejection.csv")
    assert list(figures) == ["class", "energy", "confidence", "features"]
    assert [float(row["digits_rejected"]) for row in rows] == pytest.approx(np.arange(51) / 1000)
    for score, figure in figures.items():
        curve = [float(row[score]) for row in rows]
        assert curve == sorted(curve)
        assert figure["non_digits_rejected"] == pytest.approx(curve[10], abs=1e-4)
        assert 0.0 <= figure["area_under_roc"] <= 1.0
    assert figures["class"]["area_under_roc"] > 0.9  # noise and bars are easily told apart


@pytest.mark.parametrize(
    ("name", "file"),
    [("forms", "forms"), ("robustness", "robustness"), ("reliability", "reliability"), ("rejection_roc", "rejection")],
)
def test_the_metrics_have_each_table_row_by_row(measured, name, file):
    folder = measured()
    rows = table(folder / f"{file}.csv")
    assert rows
    assert [{key: str(value) for key, value in row.items()} for row in metrics_of(folder)[name]] == rows


def test_a_network_of_ten_units_has_the_other_scores(measured, params_file):
    params_file.write_text(params_file.read_text().replace("network: perceptron", "network: classic"))
    assert list(metrics_of(measured())["rejection"]) == ["energy", "confidence", "features"]


def test_where_synthesize_wrote_no_other_things_there_is_nothing_to_reject(measured, synthetic_file):
    arrays = npz_arrays(synthetic_file.read_bytes())
    digits = arrays["test_labels"] != NO_DIGIT
    for name in ("labels", "pictures", "forms"):
        arrays[f"test_{name}"] = arrays[f"test_{name}"][digits]
    synthetic_file.write_bytes(npz_bytes(arrays))
    folder = measured()
    assert "rejection" not in metrics_of(folder)
    assert metrics_of(folder)["rejection_roc"] == []
    assert table(folder / "rejection.csv") == []


def test_each_condition_is_measured_by_itself(measured, disturbed_file):
    folder = measured()
    conditions, condition, split = load_disturbed(disturbed_file)
    logits, card = logits_of(folder, split)
    right = logits[:, :10].argmax(axis=1) == split.labels
    rejected = softmax(logits.T)[NO_DIGIT] > card["no_digit_threshold"]
    rows = metrics_of(folder)["robustness"]
    assert [(row["source"], row["change"], row["value"]) for row in rows] == conditions
    for number, row in enumerate(rows):
        chosen = condition == number
        assert row["pictures"] == chosen.sum()
        assert row["accuracy"] == pytest.approx(right[chosen].mean(), abs=1e-4)
        assert row["rejected"] == pytest.approx(rejected[chosen].mean(), abs=1e-4)
    names = [row["condition"] for row in table(folder / "robustness.csv")]
    assert "MNIST, as it is" in names
    assert len(set(names)) == len(names)


def test_there_is_a_picture_of_the_errors(measured):
    folder = measured()
    for name in ("mnist_errors.png", "synthetic_errors.png"):
        with Image.open(folder / name) as sheet:
            sheet.verify()


def test_what_disturb_left_damaged_is_named(measured, disturbed_file):
    disturbed_file.write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"disturbed\.npz is damaged or foreign: .*; delete it and run dvc repro"):
        measured()


class TestDriftReferences:
    """What drawings are held against once the model is served."""

    @pytest.fixture
    def made(self, monkeypatch):
        """made(counts): the references of splits with so many pictures of each digit, by form, and the answers to them."""
        generator = np.random.default_rng(4)

        def made(counts):
            splits, answered = {}, []
            for form, count in counts.items():
                labels = np.append(np.repeat(np.arange(10), count), [NO_DIGIT] * 30)
                pictures = generator.integers(0, 256, (labels.size, 28, 28), dtype=np.uint8)
                logits = generator.normal(size=(labels.size, 11)).astype(np.float32)
                logits[np.arange(labels.size), labels] += 8.0
                splits[form] = Split(pictures, labels)
                answered.append(Answers(logits, logits, labels))
            synthetic = Synthetic({"validation": splits["strokes"]}, {}, [])
            chosen = {"temperature": 1.5, "no_digit_threshold": 0.5}
            return evaluate_module._drift_references({"validation": splits["pixels"]}, synthetic, answered, chosen)

        return made

    def test_there_is_one_for_each_form_of_its_digits_alone(self, made):
        references = made({"pixels": 30, "strokes": 40})
        assert {form: Reference.from_dict(said).drawings for form, said in references.items()} == {"pixels": 300, "strokes": 400}
        json.dumps(references)
        assert Reference.from_dict(references["strokes"]).of_digit.tolist() == [40] * 10

    def test_of_a_form_with_too_few_digits_there_is_none(self, made):
        assert list(made({"pixels": 2, "strokes": 40})) == ["strokes"]

    def test_the_card_has_them_and_a_trial_run_s_says_that_there_are_none(self, measured):
        assert load_card(measured() / "model")["drift_references"] == {}
