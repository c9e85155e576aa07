"""Training: it learns, it repeats, and a run that was stopped ends as one that was not."""

import csv
import json

import numpy as np
import pytest
from digitnet.checkpoint import load, load_card, npz_arrays, npz_bytes
from digitnet.network import NO_DIGIT
from trainer.digits import load_splits, load_synthetic
from trainer.evaluate import evaluate
from trainer.settings import read_train_settings
from trainer.train import Stopped, Training, measure, train

STEPS = 3 * (325 // 16)


@pytest.fixture
def run(tmp_path, digits_file, synthetic_file, params_file):
    """Train into a folder of its own name; the settings may be read anew each time."""

    def run(name, stop_requested=lambda: False):
        folder = tmp_path / name
        return train(
            read_train_settings(params_file),
            digits_file,
            synthetic_file,
            folder / "trained",
            folder / "history.csv",
            folder / "unfinished.npz",
            stop_requested,
        )

    return run


class StopAfter:
    """Asks training to stop before its n-th step."""

    def __init__(self, steps):
        self.steps = steps

    def __call__(self):
        self.steps -= 1
        return self.steps < 0


def history(folder):
    with open(folder / "history.csv", newline="") as file:
        return list(csv.DictReader(file))


def weights(folder):
    return (folder / "trained" / "weights.npz").read_bytes()


def test_it_learns_what_can_be_learnt(run, tmp_path, digits_file):
    card = run("a")
    network, loaded_card = load(tmp_path / "a" / "trained")
    assert loaded_card == json.loads(json.dumps(card))
    assert card["training"]["validation_accuracy"] >= 0.9
    assert measure(network, load_splits(digits_file)["validation"])[1] == card["training"]["validation_accuracy"]


def test_the_card_says_how_it_was_made(run):
    card = run("a")
    assert card["recipe"]["network"] == "perceptron"
    assert card["recipe"]["seed"] == 3
    assert card["recipe"]["augmentation"]["rotation"] == 5
    assert card["data"]["training_pictures"] == 325
    assert (card["data"]["synthetic_digits"], card["data"]["non_digits"]) == (40, 10)
    assert card["training"]["epochs"] == 3
    assert card["training"]["seconds"] > 0


def test_the_history_has_a_row_for_each_epoch(run, tmp_path):
    run("a")
    rows = history(tmp_path / "a")
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert float(rows[-1]["train_loss"]) < float(rows[0]["train_loss"])
    assert all(0.0 <= float(row["validation_accuracy"]) <= 1.0 for row in rows)


def test_a_seed_gives_the_same_weights_twice(run, tmp_path, params_file):
    run("a")
    run("b")
    assert weights(tmp_path / "a") == weights(tmp_path / "b")
    params_file.write_text(params_file.read_text().replace("seed: 3", "seed: 4"))
    run("c")
    assert weights(tmp_path / "a") != weights(tmp_path / "c")


@pytest.mark.parametrize("steps", [0, 1, 17, STEPS // 3, STEPS // 3 + 1, STEPS - 1])
def test_a_run_that_was_stopped_goes_on_to_the_same_weights(run, tmp_path, steps):
    run("whole")
    with pytest.raises(Stopped, match=f"after step {steps} of {STEPS}"):
        run("stopped", StopAfter(steps))
    assert not (tmp_path / "stopped" / "trained").exists()
    run("stopped")
    assert weights(tmp_path / "stopped") == weights(tmp_path / "whole")
    for stopped, whole in zip(history(tmp_path / "stopped"), history(tmp_path / "whole"), strict=True):
        for column in set(whole) - {"seconds"}:
            assert stopped[column] == whole[column]
    assert not (tmp_path / "stopped" / "unfinished.npz").exists()


def test_a_run_may_be_stopped_again_and_again(run, tmp_path):
    run("whole")
    stops = 0
    while True:
        try:
            run("stopped", StopAfter(7))
            break
        except Stopped:
            stops += 1
    assert stops == (STEPS - 1) // 7
    assert weights(tmp_path / "stopped") == weights(tmp_path / "whole")


def test_what_another_recipe_left_is_not_gone_on_with(run, tmp_path, params_file):
    with pytest.raises(Stopped):
        run("a", StopAfter(30))
    params_file.write_text(params_file.read_text().replace("seed: 3", "seed: 4"))
    run("a")
    run("b")
    assert weights(tmp_path / "a") == weights(tmp_path / "b")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a file", b"\x93NUMPY"])
def test_a_damaged_half_finished_run_says_what_to_do(run, tmp_path, content):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "unfinished.npz").write_bytes(content)
    with pytest.raises(
        ValueError, match=r"unfinished\.npz, left by a stopped training, cannot be read .*: delete it to start over"
    ):
        run("a")


def test_a_batch_larger_than_the_data_is_refused(run, params_file):
    params_file.write_text(params_file.read_text().replace("batch_size: 16", "batch_size: 400"))
    with pytest.raises(ValueError, match="batch_size 400 is more than the 325 training pictures"):
        run("a")


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_a_run_that_diverges_says_so_and_leaves_no_model(run, tmp_path, params_file):
    # Without ReLU between them no unit can die, and each layer drives the other up.
    text = params_file.read_text().replace("learning_rate: 0.01", "learning_rate: 100.0").replace("relu, ", "")
    params_file.write_text(text.replace("optimizer: adam", "optimizer: {sgd: {momentum: 0.99}}"))
    with pytest.raises(ValueError, match=r"training diverged in epoch 1: lower train\.learning_rate"):
        run("a")
    assert not (tmp_path / "a" / "trained").exists()


def test_a_batch_has_all_three_sorts_and_is_the_same_whenever_it_is_made(digits_file, synthetic_file, params_file):
    splits = load_splits(digits_file)

    def training():
        return Training(
            read_train_settings(params_file), splits["training"], splits["validation"], load_synthetic(synthetic_file)
        )

    run, again = training(), training()
    pictures, labels = run.make_batch(STEPS - 1)
    assert (pictures.shape, pictures.dtype, labels.shape) == ((22, 28, 28), np.float32, (22,))
    assert np.count_nonzero(labels == NO_DIGIT) == 2
    again.make_batch(0)
    for first, second in zip(run.make_batch(STEPS - 1), again.make_batch(STEPS - 1)):
        np.testing.assert_array_equal(first, second)


def test_a_network_of_ten_units_is_shown_digits_alone(run, digits_file, synthetic_file, params_file):
    params_file.write_text(params_file.read_text().replace("network: perceptron", "network: classic"))
    splits = load_splits(digits_file)
    training = Training(
        read_train_settings(params_file), splits["training"], splits["validation"], load_synthetic(synthetic_file)
    )
    _, labels = training.make_batch(0)
    assert labels.size == 20
    assert NO_DIGIT not in labels
    assert run("a")["network"]["layers"][-1] == {"dense": {"units": 10}}


def test_synthetic_pictures_that_are_not_there_are_missed(run, params_file, synthetic_file, tmp_path):
    arrays = npz_arrays(synthetic_file.read_bytes())
    for name in ("pictures", "labels", "forms"):
        arrays[f"training_{name}"] = arrays[f"training_{name}"][:40]  # the digits alone
    synthetic_file.write_bytes(npz_bytes(arrays))
    with pytest.raises(ValueError, match="synthesize made none of that sort"):
        run("a")


class TestEvaluate:
    @pytest.fixture
    def measured(self, run, tmp_path, digits_file, synthetic_file):
        """measured(): train, evaluate, and the folder with the results."""

        def measured():
            run("a")
            folder = tmp_path / "a"
            evaluate(
                digits_file,
                synthetic_file,
                folder / "trained",
                folder / "model",
                folder / "metrics.json",
                folder / "confusion.csv",
                folder / "forms.csv",
                rejected_non_digits=0.8,
            )
            return folder

        return measured

    def test_it_measures_on_the_test_digits_and_makes_the_model(self, measured, digits_file):
        folder = measured()
        network, card = load(folder / "model")
        metrics = json.loads((folder / "metrics.json").read_text())
        test = load_splits(digits_file)["test"]
        predicted = network.predict(test.pictures / np.float32(255))[:, :10].argmax(axis=1)
        assert metrics["accuracy"] == np.mean(predicted == test.labels)
        assert metrics["errors"] == np.count_nonzero(predicted != test.labels)
        assert metrics == card["test"]
        assert card["version"] == load_card(folder / "trained")["version"]
        rows = (folder / "confusion.csv").read_text().splitlines()
        assert rows == ["actual,predicted", *(f"{actual},{guess}" for actual, guess in zip(test.labels, predicted))]

    def test_it_measures_each_form_of_the_synthetic_digits(self, measured, synthetic_file):
        folder = measured()
        network, _ = load(folder / "model")
        test = load_synthetic(synthetic_file).digits("test")
        right = network.predict(test.pictures / np.float32(255))[:, :10].argmax(axis=1) == test.labels
        with open(folder / "forms.csv", newline="") as file:
            rows = {row["form"]: (int(row["pictures"]), float(row["accuracy"])) for row in csv.DictReader(file)}
        assert rows == {
            name: (10, pytest.approx(right[test.labels % 2 == number].mean(), abs=1e-4))
            for number, name in enumerate(["0 bar", "1 other bar"])
        }
        metrics = json.loads((folder / "metrics.json").read_text())
        assert metrics["synthetic_accuracy"] == pytest.approx(right.mean())

    def test_the_threshold_is_where_so_much_of_what_is_held_out_and_no_digit_is_rejected(self, measured, synthetic_file):
        folder = measured()
        network, card = load(folder / "model")
        rejected = {
            split: network.read(load_synthetic(synthetic_file).non_digits(split).pictures / np.float32(255))[1]
            > card["no_digit_threshold"]
            for split in ("validation", "test")
        }
        assert np.count_nonzero(rejected["validation"]) == 8  # of ten
        metrics = json.loads((folder / "metrics.json").read_text())
        assert metrics["rejected"]["non_digits"] == np.mean(rejected["test"])
        assert metrics["rejected"]["non_digits"] > metrics["rejected"]["mnist_digits"]

    def test_a_network_of_ten_units_rejects_nothing(self, measured, params_file):
        params_file.write_text(params_file.read_text().replace("network: perceptron", "network: classic"))
        folder = measured()
        assert "no_digit_threshold" not in load_card(folder / "model")
        metrics = json.loads((folder / "metrics.json").read_text())
        assert "rejected" not in metrics
        assert 0.0 < metrics["synthetic_accuracy"] <= 1.0
