"""Training: it learns, it repeats, and a run that was stopped ends as one that was not."""

import csv
import json
import re

import numpy as np
import pytest
from digitnet.checkpoint import load, load_snapshots, npz_arrays, npz_bytes
from digitnet.drawing import in_unit_range
from digitnet.network import NO_DIGIT
from digitnet.parallel import DataParallel
from trainer.digits import Split, joined, load_splits, load_synthetic
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
            folder / "progress.json",
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
    assert card["recipe"]["recipe"] == "default"
    assert card["recipe"]["network"] == "perceptron"
    assert card["recipe"]["seed"] == 3
    assert card["recipe"]["augmentation"]["rotation"] == 5
    assert card["data"]["training_pictures"] == 325
    assert (card["data"]["synthetic_digits"], card["data"]["non_digits"]) == (40, 10)
    assert card["training"]["epochs"] == 3
    assert card["training"]["seconds"] > 0


def test_what_is_kept_is_the_average_of_the_last_weights(run, tmp_path, digits_file, params_file):
    """Over one step it is no average; over all steps it still has the first ones in it, and reads worse."""
    for steps in (1, 1000):
        params_file.write_text(re.sub(r"averaged_steps: \d+", f"averaged_steps: {steps}", params_file.read_text()))
        run(str(steps))
    last, averaged = (load(tmp_path / name / "trained")[0] for name in ("1", "1000"))
    validation = load_splits(digits_file)["validation"]
    assert measure(last, validation)[0] < measure(averaged, validation)[0]


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


def recorded(folder):
    network, card = load(folder / "trained")
    return load_snapshots(folder / "trained", network, card), network


def test_it_leaves_snapshots_of_its_course(run, tmp_path, digits_file, params_file):
    card = run("a")
    snapshots, network = recorded(tmp_path / "a")
    assert (snapshots.step[0], snapshots.step[-1]) == (0, STEPS)
    # The first is the network as it was drawn, the last the one that is kept; what is said of both can be measured again.
    settings = read_train_settings(params_file)
    fresh = settings.make_network()
    fresh.initialize(np.random.default_rng(settings.seed))
    assert np.corrcoef(snapshots.parameters[0], fresh.parameters)[0, 1] > 0.99  # packed, so not to the last bit
    validation = load_splits(digits_file)["validation"]
    assert snapshots.validation_accuracy[-1] == pytest.approx(card["training"]["validation_accuracy"])
    for moment in range(len(snapshots)):
        then = measure(snapshots.network(moment, network), validation)
        assert (snapshots.validation_loss[moment], snapshots.validation_accuracy[moment]) == pytest.approx(then, abs=0.05)
    assert snapshots.train_loss[-1] < snapshots.train_loss[1]
    # So can where the digits are on each moment's map.
    np.testing.assert_array_equal(snapshots.mapped, validation.labels[:300])
    for moment in range(len(snapshots)):
        features = snapshots.network(moment, network).predict_features(in_unit_range(validation.pictures[:300]))
        np.testing.assert_allclose(snapshots.plane(moment).place(features), snapshots.map_points[moment], atol=1e-4)
    has_parameters = np.array([layer.parameter_count > 0 for layer in network.layers])
    for measured in (snapshots.gradient_norm, snapshots.update_ratio):
        assert np.isnan(measured[0]).all()
        assert (measured[1:, has_parameters] > 0.0).all()
        assert np.isnan(measured[:, ~has_parameters]).all()


def test_a_run_that_was_stopped_leaves_the_same_snapshots(run, tmp_path):
    run("whole")
    for steps in (0, 15, 40):
        with pytest.raises(Stopped):
            run("stopped", StopAfter(steps))
    run("stopped")
    (whole, _), (stopped, _) = recorded(tmp_path / "whole"), recorded(tmp_path / "stopped")
    for name, values in whole.arrays().items():
        np.testing.assert_array_equal(getattr(stopped, name), values)


def test_the_update_ratio_is_how_far_a_step_moved(digits_file, synthetic_file, params_file):
    """Plain gradient descent moves by the learning rate times the gradient."""
    plain = re.sub(r"optimizer: .*", "optimizer: {sgd: {momentum: 0.0}}", params_file.read_text())
    params_file.write_text(re.sub(r"schedule: \w+", "schedule: constant", plain))
    splits = load_splits(digits_file)
    run = Training(read_train_settings(params_file), splits["training"], splits["validation"], load_synthetic(synthetic_file))
    with DataParallel(run.network, 1) as parallel:
        for step in range(run.steps):
            before = run.network.parameters.copy()
            run.run_step(parallel, *run.make_batch(step))
    snapshots = run.recorder.snapshots()
    dense = np.flatnonzero([layer.parameter_count > 0 for layer in run.network.layers])
    expected = snapshots.learning_rate[-1] * snapshots.gradient_norm[-1] / run.network.norms(before)
    np.testing.assert_allclose(snapshots.update_ratio[-1, dense], expected[dense], rtol=1e-3)


def test_what_dropout_draws_is_the_same_after_a_stop_too(run, tmp_path, params_file):
    run("without")
    params_file.write_text(params_file.read_text().replace("network: perceptron", "network: forgetful"))
    run("whole")
    assert weights(tmp_path / "whole") != weights(tmp_path / "without")
    with pytest.raises(Stopped):
        run("stopped", StopAfter(17))
    run("stopped")
    assert weights(tmp_path / "stopped") == weights(tmp_path / "whole")


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


def progress_that_says(text):
    return npz_bytes({"progress": np.frombuffer(text, np.uint8)})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 half a file",
        b"\x93NUMPY",
        npz_bytes({}),
        *map(progress_that_says, (b"5", b"[]", b"{}", b'{"a"', b"\xff")),
    ],
)
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


def test_what_users_drew_that_is_no_digit_is_shown_as_such_and_never_as_a_digit(digits_file, synthetic_file, params_file):
    splits, drawn = load_splits(digits_file), Split(np.full((7, 28, 28), 99, np.uint8), np.full(7, NO_DIGIT))
    synthetic = load_synthetic(synthetic_file)
    run = Training(read_train_settings(params_file), joined(splits["training"], drawn), splits["validation"], synthetic)
    assert run.training.digest() == splits["training"].digest()
    assert run.non_digits.digest() == joined(synthetic.non_digits("training"), drawn).digest()


def test_synthetic_pictures_that_are_not_there_are_missed(run, params_file, synthetic_file, tmp_path):
    arrays = npz_arrays(synthetic_file.read_bytes())
    for name in ("pictures", "labels", "forms"):
        arrays[f"training_{name}"] = arrays[f"training_{name}"][:40]  # the digits alone
    synthetic_file.write_bytes(npz_bytes(arrays))
    with pytest.raises(ValueError, match="synthesize made none of that sort"):
        run("a")
