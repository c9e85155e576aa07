"""ModelSource by itself, where each look at the disk can be taken one at a time."""

import json

import numpy as np
import pytest
from digitnet.checkpoint import write_atomically
from inference.metrics import Metrics
from inference.predictor import ModelSource, NoModelError


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def source(tmp_path, metrics):
    return ModelSource(tmp_path, metrics)


@pytest.fixture
def loads(metrics):
    """loads("refused") -> how many so far."""
    return lambda outcome: metrics.registry.get_sample_value("doodle_model_loads_total", {"outcome": outcome})


def rewrite_card(folder, **changes):
    card = json.loads((folder / "model.json").read_text())
    write_atomically(folder / "model.json", json.dumps(card | changes).encode())


def test_nothing_is_read_before_it_is_asked_to(source, save_model, tmp_path):
    save_model(tmp_path)
    with pytest.raises(NoModelError, match=str(tmp_path)):
        _ = source.model


def test_no_model_is_no_failed_load(source, loads):
    source.refresh()
    assert (loads("loaded"), loads("refused")) == (0, 0)


def test_it_reads_a_picture_into_a_digit_and_ten_probabilities(source, save_model, tmp_path):
    save_model(tmp_path)
    source.refresh()
    reading = source.model.read(np.random.default_rng(0).random((28, 28), np.float32))
    assert (reading.probabilities.shape, reading.probabilities.dtype) == ((10,), np.float32)
    assert reading.digit == reading.probabilities.argmax()
    assert type(reading.digit) is int


def test_a_model_that_is_the_same_is_not_loaded_again(source, save_model, tmp_path, loads):
    save_model(tmp_path)
    source.refresh()
    before = source.model
    source.refresh()
    assert source.model is before
    assert loads("loaded") == 1


def test_a_bad_model_is_refused_once_not_at_every_look(source, save_model, tmp_path, loads):
    save_model(tmp_path)
    (tmp_path / "weights.npz").write_bytes(b"no weights")
    source.refresh()
    source.refresh()
    assert loads("refused") == 1


def test_a_request_keeps_the_model_that_it_began_with(source, save_model, tmp_path):
    picture = np.random.default_rng(0).random((28, 28), np.float32)
    first = save_model(tmp_path, seed=1)
    source.refresh()
    held = source.model
    before = held.read(picture).probabilities
    save_model(tmp_path, seed=2)
    source.refresh()
    assert held.version == first["version"] != source.model.version
    np.testing.assert_array_equal(held.read(picture).probabilities, before)


def test_a_publication_that_is_only_half_done_is_not_a_refusal(source, save_model, tmp_path, loads):
    folder, other = tmp_path, tmp_path / "other"
    save_model(folder, seed=1)
    source.refresh()
    card = save_model(other, seed=2)
    write_atomically(folder / "weights.npz", (other / "weights.npz").read_bytes())
    source.refresh()  # a look between the two files of one publication, as checkpoint.save writes them
    write_atomically(folder / "model.json", (other / "model.json").read_bytes())
    source.refresh()
    assert source.model.version == card["version"]
    assert loads("refused") == 0


@pytest.mark.parametrize("test", [None, 0.98, [], "good"])
def test_what_a_card_says_of_its_test_is_never_a_reason_to_fail(source, save_model, tmp_path, test):
    card = save_model(tmp_path, about={"test": test})
    source.refresh()
    assert source.model.version == card["version"]


@pytest.mark.parametrize("shape", [[1, 56, 14], [1, 14, 56], [1, 28, 28, 1], [28], []], ids=str)
def test_a_network_that_does_not_read_pictures_of_28_by_28_is_refused(source, save_model, tmp_path, loads, shape):
    card = save_model(tmp_path, layers=["flatten", {"dense": {"units": 10}}])  # as many parameters in each of these shapes
    rewrite_card(tmp_path, network=card["network"] | {"input_shape": shape})
    source.refresh()
    source.refresh()
    assert loads("refused") == 1


@pytest.mark.parametrize(
    "card", [b"", b"[]", b"null", b"\xff\xfe", b"[" * 100_000], ids=["empty", "a list", "null", "no text", "endless"]
)
def test_a_card_that_is_none_is_refused(source, save_model, tmp_path, loads, card):
    save_model(tmp_path)
    write_atomically(tmp_path / "model.json", card)
    source.refresh()
    source.refresh()
    assert loads("refused") == 1


def test_the_metrics_show_the_model(source, save_model, tmp_path, metrics):
    card = save_model(tmp_path)
    source.refresh()
    assert metrics.registry.get_sample_value("doodle_model_loaded") == 1
    assert metrics.registry.get_sample_value("doodle_model_info", {"version": card["version"]}) == 1
