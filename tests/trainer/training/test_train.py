"""Training learns, is reproducible, and resumes exactly after a stop."""

import csv
import json
import re

import numpy as np
import pytest
from digitnet.checkpoint import load, load_snapshots, npz_arrays, npz_bytes
from digitnet.images.normalize import in_unit_range
from digitnet.network import NO_DIGIT
from digitnet.training import Callback
from digitnet.training import train as run_loop
from trainer.data.digits import Split, joined, load_splits, load_synthetic
from trainer.settings import TrainSettings
from trainer.training.callbacks import measure
from trainer.training.ranks import OneRank
from trainer.training.train import CheckpointCallback, Run, Stopped

STEPS = 3 * (325 // 16)


class Trainer:
    """Train into folders with the current params.yaml."""

    def __init__(self, data, folder, params, train_in):
        self.train_in, self.data, self.folder, self.params = train_in, data, folder, folder / "params.yaml"
        self.params.write_text(params)

    def change(self, **lines):
        """Set values in params.yaml by name."""
        text = self.params.read_text()
        for name, value in lines.items():
            text, count = re.subn(rf"^(\s*{name}: ).*$", rf"\g<1>{value}", text, count=1, flags=re.MULTILINE)
            assert count
        self.params.write_text(text)

    def settings(self):
        return TrainSettings.read(self.params)

    def run(self, name, *stop_requested):
        """Train into a folder of this name and return the card."""
        return self.train_in(self.folder / name, self.params, self.data, *stop_requested)

    def new_run(self):
        splits = load_splits(self.data / "digits.npz")
        synthetic = load_synthetic(self.data / "synthetic.npz")
        return Run(self.settings(), splits["training"], splits["validation"], synthetic)


@pytest.fixture
def trainer(data, tmp_path, params, train_in):
    return Trainer(data, tmp_path, params, train_in)


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory, params, train_in):
    """Train without a stop and return the folder."""
    trainer = Trainer(data, tmp_path_factory.mktemp("whole"), params, train_in)
    trainer.run("whole")
    return trainer.folder / "whole"


@pytest.fixture(scope="module")
def validation(data):
    return load_splits(data / "digits.npz")["validation"]


def stop_after(steps):
    """Return a function that requests a stop after `steps` calls."""
    asked = iter([False] * steps)
    return lambda: next(asked, True)


def history(folder):
    with open(folder / "history.csv", newline="") as file:
        return list(csv.DictReader(file))


def weights(folder):
    return (folder / "trained" / "weights.npz").read_bytes()


def test_learns_and_describes_the_training_in_the_card(trainer, validation):
    card = trainer.run("a")
    network, loaded_card = load(trainer.folder / "a" / "trained")
    assert loaded_card == json.loads(json.dumps(card))
    assert 0.9 <= card["training"]["validation_accuracy"] == measure(network, validation)[1]
    assert (card["recipe"]["recipe"], card["recipe"]["network"], card["recipe"]["seed"]) == ("default", "perceptron", 3)
    assert card["recipe"]["augmentation"]["rotation"] == 5
    assert [card["data"][name] for name in ("training_pictures", "synthetic_digits", "non_digits")] == [325, 40, 10]
    assert card["training"]["epochs"] == 3
    assert card["training"]["seconds"] > 0
    rows = history(trainer.folder / "a")
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert float(rows[-1]["train_loss"]) < float(rows[0]["train_loss"])
    assert all(0.0 <= float(row["validation_accuracy"]) <= 1.0 for row in rows)


def test_saves_the_average_of_the_last_weights(trainer, validation):
    """An average over all steps includes early weights, so its loss is higher."""
    for steps in (1, 1000):
        trainer.change(averaged_steps=steps)
        trainer.run(str(steps))
    last, averaged = (load(trainer.folder / name / "trained")[0] for name in ("1", "1000"))
    assert measure(last, validation)[0] < measure(averaged, validation)[0]


@pytest.mark.parametrize("stops", [[0, 1, 15], [STEPS // 3, 0, 1, STEPS // 3 - 2]], ids=["soon", "about the epochs' ends"])
def test_stops_do_not_change_weights_and_snapshots(trainer, whole, stops):
    stopped, steps = trainer.folder / "stopped", 0
    for more in stops:
        steps += more
        with pytest.raises(Stopped, match=f"after step {steps} of {STEPS}"):
            trainer.run("stopped", stop_after(more))
    assert not (stopped / "trained").exists()
    trainer.run("stopped")
    assert weights(stopped) == weights(whole)
    for row, expected in zip(history(stopped), history(whole), strict=True):
        assert row | {"seconds": ""} == expected | {"seconds": ""}
    assert not (stopped / "unfinished.npz").exists()
    found, expected = (load_snapshots(folder / "trained", *load(folder / "trained")) for folder in (stopped, whole))
    for name, values in expected.arrays().items():
        np.testing.assert_array_equal(getattr(found, name), values)


def test_another_seed_does_not_resume_and_dropout_repeats_after_a_stop(trainer, whole):
    trainer.change(network="forgetful")
    with pytest.raises(Stopped):
        trainer.run("a", stop_after(30))
    trainer.change(seed=4)
    trainer.run("a")
    with pytest.raises(Stopped):
        trainer.run("stopped", stop_after(17))
    trainer.run("stopped")
    assert weights(trainer.folder / "stopped") == weights(trainer.folder / "a") != weights(whole)


def test_saves_snapshots(trainer, whole, validation):
    network, card = load(whole / "trained")
    snapshots = load_snapshots(whole / "trained", network, card)
    assert (snapshots.step[0], snapshots.step[-1]) == (0, STEPS)
    # The first snapshot is the initial network and the last the saved one. Their figures can be measured again.
    fresh = trainer.settings().make_network()
    fresh.initialize(np.random.default_rng(trainer.settings().seed))
    assert np.corrcoef(snapshots.parameters[0], fresh.parameters)[0, 1] > 0.99  # quantized, so not exact
    assert snapshots.validation_accuracy[-1] == pytest.approx(measure(network, validation)[1])
    for index in range(len(snapshots)):
        then = snapshots.network(index, network)
        stored = snapshots.validation_loss[index], snapshots.validation_accuracy[index]
        assert stored == pytest.approx(measure(then, validation), abs=0.05)
        # So can the map of the digits.
        features = then.predict_features(in_unit_range(validation.images[:300]))
        np.testing.assert_allclose(snapshots.plane(index).place(features), snapshots.map_points[index], atol=1e-4)
    assert snapshots.train_loss[-1] < snapshots.train_loss[1]
    np.testing.assert_array_equal(snapshots.mapped, validation.labels[:300])
    has_parameters = np.array([layer.parameter_count > 0 for layer in network.layers])
    for measured in (snapshots.gradient_norm, snapshots.update_ratio):
        assert np.isnan(measured[0]).all()
        assert (measured[1:, has_parameters] > 0.0).all()
        assert np.isnan(measured[:, ~has_parameters]).all()


def test_update_ratio_is_the_relative_step_size(trainer):
    """Plain gradient descent moves by learning rate times gradient."""
    trainer.change(optimizer="{sgd: {momentum: 0.0}}", schedule="constant")
    run = trainer.new_run()
    network, settings, before = run.network, run.settings, []

    class Before(Callback):
        def before_update(self, progress):
            before.append(network.parameters.copy())

    callbacks = [Before(), run.averaging, run.snapshots]
    run_loop(network, run.optimizer, run.batches, settings.epochs, settings.learning_rate, callbacks=callbacks)
    snapshots = run.snapshots.snapshots()
    dense = np.flatnonzero([layer.parameter_count > 0 for layer in run.network.layers])
    expected = snapshots.learning_rate[-1] * snapshots.gradient_norm[-1] / run.network.layer_norms(before[-1])
    np.testing.assert_allclose(snapshots.update_ratio[-1, dense], expected[dense], rtol=1e-3)


def progress_that_says(text):
    return npz_bytes({"progress": np.frombuffer(text, np.uint8)})


@pytest.mark.parametrize("content", [b"", npz_bytes({}), *map(progress_that_says, (b"5", b"{}", b'{"a"', b"\xff"))])
def test_error_names_a_damaged_unfinished_run(trainer, tmp_path, content):
    run, file = trainer.new_run(), tmp_path / "unfinished.npz"
    file.write_bytes(content)
    checkpoint = CheckpointCallback(file, run, OneRank())
    with pytest.raises(ValueError, match=r"unfinished\.npz, saved by a stopped training, cannot be read .*: delete it to start"):
        checkpoint.resume()


def test_rejects_a_batch_larger_than_the_data(trainer):
    trainer.change(batch_size=400)
    with pytest.raises(ValueError, match="batch_size 400 exceeds the 325 training images"):
        trainer.run("a")


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_reports_divergence_and_saves_no_model(trainer):
    # Without ReLU no unit can die, so the weights grow without limit.
    linear = "[flatten, {dense: {units: 16}}, {dense: {units: 11}}]"
    trainer.change(learning_rate=100.0, optimizer="{sgd: {momentum: 0.99}}", network="linear")
    trainer.params.write_text(f"{trainer.params.read_text()}\n".replace("\nnetworks:", f"\nnetworks:\n  linear: {linear}"))
    with pytest.raises(ValueError, match=r"training diverged in epoch 1: lower train\.learning_rate"):
        trainer.run("a")
    assert not (trainer.folder / "a" / "trained").exists()


def test_batches_mix_all_sources_and_are_reproducible(trainer):
    batches, again = trainer.new_run().batches, trainer.new_run().batches
    images, labels, _ = batches.make(STEPS - 1)
    assert (images.shape, images.dtype, labels.shape) == ((22, 28, 28), np.float32, (22,))
    assert np.count_nonzero(labels == NO_DIGIT) == 2
    again.make(0)
    *arrays, dropout = batches.make(STEPS - 1)
    *others, other_dropout = again.make(STEPS - 1)
    for first, second in zip(arrays, others, strict=True):
        np.testing.assert_array_equal(first, second)
    assert dropout.random() == other_dropout.random()
    trainer.change(network="classic")
    _, labels, _ = trainer.new_run().batches.make(0)
    assert labels.size == 20
    assert NO_DIGIT not in labels, "a network without a no-digit class trains on digits only"


def test_trains_on_accepted_non_digits_as_non_digits(trainer, data):
    splits, drawn = load_splits(data / "digits.npz"), Split(np.full((16, 28, 28), 99, np.uint8), np.full(16, NO_DIGIT))
    synthetic = load_synthetic(data / "synthetic.npz")
    batches = Run(trainer.settings(), joined(splits["training"], drawn), splits["validation"], synthetic).batches
    assert batches.digits.digest() == splits["training"].digest()
    assert batches.non_digits.digest() == joined(synthetic.non_digits("training"), drawn).digest()
    assert len(batches) == 325 // 16, "they do not lengthen the epoch"
    batches.make(len(batches) - 1)


def test_rejects_missing_synthetic_images(trainer, data, tmp_path):
    arrays, changed = npz_arrays((data / "synthetic.npz").read_bytes()), tmp_path / "synthetic.npz"
    for name in ("pictures", "labels", "forms"):
        arrays[f"training_{name}"] = arrays[f"training_{name}"][:40]  # the digits alone
    changed.write_bytes(npz_bytes(arrays))
    splits = load_splits(data / "digits.npz")
    with pytest.raises(ValueError, match="synthesize made none of that kind"):
        Run(trainer.settings(), splits["training"], splits["validation"], load_synthetic(changed))
