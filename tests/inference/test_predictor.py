"""ModelSource by itself, where each look at the disk can be taken one at a time."""

import json

import numpy as np
import pytest
from digitnet.checkpoint import sealed, write_atomically
from digitnet.losses import softmax
from inference.metrics import Metrics
from inference.predictor import ModelSource, NoModelError
from stores.folder_models import FolderModels
from stores.models import CANDIDATE, LIVE, UnreachableError


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def source(tmp_path, metrics):
    return ModelSource(FolderModels(tmp_path), metrics)


@pytest.fixture
def loads(metrics):
    """loads("refused") -> how many so far."""
    return lambda outcome: metrics.registry.get_sample_value("doodle_model_loads_total", {"outcome": outcome})


@pytest.fixture
def live(live_folder, tmp_path):
    """live() -> the folder of the live version."""
    return lambda: live_folder(tmp_path)


def rewrite_card(folder, **changes):
    """As a careless maker would: its checksum agrees."""
    card = json.loads((folder / "model.json").read_text())
    write_atomically(folder / "model.json", json.dumps(sealed(card | changes)).encode())


def test_nothing_is_read_before_it_is_asked_to(source, publish_model, tmp_path):
    publish_model(tmp_path)
    with pytest.raises(NoModelError, match="there is no model yet"):
        _ = source.model


def test_no_model_is_no_failed_load_and_is_logged_once_with_the_store(source, loads, tmp_path, caplog):
    caplog.set_level("INFO")
    source.refresh()
    source.refresh()
    assert (loads("loaded"), loads("refused")) == (0, 0)
    assert caplog.messages == [f"event=no_model pointer=live in={tmp_path}"]


def test_it_reads_a_picture_into_a_digit_and_ten_probabilities(source, publish_model, tmp_path):
    publish_model(tmp_path)
    source.refresh()
    reading = source.model.read(np.random.default_rng(0).random((28, 28), np.float32))
    assert (reading.probabilities.shape, reading.probabilities.dtype) == ((10,), np.float32)
    assert reading.answer()["digit"] == reading.probabilities.argmax()


WITH_A_CLASS_FOR_NO_DIGIT = ["flatten", {"dense": {"units": 11}}]


@pytest.mark.parametrize(
    ("about", "is_digit"),
    [
        ({"no_digit_threshold": 0.0}, False),
        ({"no_digit_threshold": 1}, True),
        ({}, True),
    ],
    ids=str,
)
def test_what_is_likelier_no_digit_than_the_card_allows_is_none(source, publish_model, tmp_path, about, is_digit):
    publish_model(tmp_path, about=about, layers=WITH_A_CLASS_FOR_NO_DIGIT)
    source.refresh()
    reading = source.model.read(np.random.default_rng(0).random((28, 28), np.float32))
    assert reading.is_digit is is_digit
    assert reading.probabilities.shape == (10,)
    assert reading.probabilities.sum() == pytest.approx(1.0)


def test_a_network_without_a_class_for_it_takes_all_ink_for_a_digit(source, publish_model, tmp_path):
    publish_model(tmp_path, about={"no_digit_threshold": 0.0})
    source.refresh()
    assert source.model.read(np.random.default_rng(0).random((28, 28), np.float32)).is_digit


@pytest.mark.parametrize("about", [{"temperature": 2.5}, {}], ids=str)
def test_it_is_as_sure_as_the_card_s_temperature_lets_it_be(source, publish_model, tmp_path, about):
    publish_model(tmp_path, about=about)
    source.refresh()
    picture = np.random.default_rng(0).random((28, 28), np.float32)
    (logits,) = source.model.network.predict_logits(picture[None])
    divisor = about.get("temperature", 1.0)
    np.testing.assert_allclose(source.model.read(picture).probabilities, softmax(logits[:, None] / divisor)[:, 0], rtol=1e-5)


@pytest.mark.parametrize("layers", [["flatten", {"dense": {"units": 10}}], WITH_A_CLASS_FOR_NO_DIGIT], ids=["ten", "eleven"])
def test_nothing_is_no_digit_whatever_the_network_says(source, publish_model, tmp_path, layers):
    publish_model(tmp_path, layers=layers)
    source.refresh()
    assert not source.model.read(np.zeros((28, 28), np.float32)).is_digit


def test_a_model_that_is_the_same_is_not_loaded_again(source, publish_model, tmp_path, loads):
    publish_model(tmp_path)
    source.refresh()
    before = source.model
    source.refresh()
    assert source.model is before
    assert loads("loaded") == 1


def test_a_bad_model_is_refused_once_not_at_every_look(source, publish_model, tmp_path, live, loads):
    publish_model(tmp_path)
    (live() / "weights.npz").write_bytes(b"no weights")
    source.refresh()
    source.refresh()
    assert loads("refused") == 1


def test_a_request_keeps_the_model_that_it_began_with(source, publish_model, tmp_path):
    picture = np.random.default_rng(0).random((28, 28), np.float32)
    first = publish_model(tmp_path, seed=1)
    source.refresh()
    held = source.model
    before = held.read(picture).probabilities
    publish_model(tmp_path, seed=2)
    source.refresh()
    assert held.version == first["version"] != source.model.version
    np.testing.assert_array_equal(held.read(picture).probabilities, before)


def test_a_version_that_is_mended_is_taken(source, publish_model, tmp_path, live, loads):
    card = publish_model(tmp_path)
    (live() / "weights.npz").write_bytes(b"no weights")
    source.refresh()
    publish_model(tmp_path)
    source.refresh()
    assert source.model.version == card["version"]
    assert (loads("refused"), loads("loaded")) == (1, 1)


@pytest.mark.parametrize("call", ["pointer", "state", "load", "golden_pictures"])
def test_while_the_store_is_away_the_model_stays_and_then_the_next_is_taken(
    source, publish_model, tmp_path, loads, monkeypatch, caplog, call
):
    """However far a look gets: that it could not be asked says nothing of the model, so nothing is refused, or forgotten."""
    caplog.set_level("INFO")
    first = publish_model(tmp_path, seed=1)
    source.refresh()
    second = publish_model(tmp_path, seed=2)

    def away(*_):
        raise UnreachableError("the store cannot be reached")

    with monkeypatch.context() as patch:
        patch.setattr(source._models, call, away)
        source.refresh()
        source.refresh()
        assert source.model.version == first["version"]
    source.refresh()
    assert source.model.version == second["version"]
    assert (loads("refused"), loads("loaded")) == (0, 2)
    events = [record.getMessage().partition(" ")[0] for record in caplog.records]
    assert events == ["event=model_loaded", "event=models_unreachable", "event=model_loaded", "event=models_reachable_again"]


def test_what_is_served_is_not_loaded_anew_when_the_store_is_back(source, publish_model, tmp_path, loads, monkeypatch):
    publish_model(tmp_path)
    source.refresh()
    with monkeypatch.context() as patch:
        patch.setattr(source._models, "pointer", lambda _: (_ for _ in ()).throw(UnreachableError("away")))
        source.refresh()
    source.refresh()
    assert loads("loaded") == 1


def test_snapshots_of_a_store_that_is_away_are_asked_for_again(source, publish_model, tmp_path, monkeypatch):
    publish_model(tmp_path, snapshots=True)
    source.refresh()

    def away(_):
        raise UnreachableError("the store cannot be reached")

    with monkeypatch.context() as patch:
        patch.setattr(source._models, "snapshots", away)
        assert source.with_snapshots(source.model).snapshots is None
    assert source.with_snapshots(source.model).snapshots is not None


def test_a_damaged_pointer_is_refused_once_and_the_model_stays(source, publish_model, tmp_path, loads):
    card = publish_model(tmp_path)
    source.refresh()
    (tmp_path / "live").write_bytes(b"neither here nor there")
    source.refresh()
    source.refresh()
    assert source.model.version == card["version"]
    assert loads("refused") == 1


def test_a_pointer_to_nothing_is_refused_once_and_the_model_stays(source, publish_model, tmp_path, loads):
    card = publish_model(tmp_path)
    source.refresh()
    (tmp_path / "live").write_text("000000000000\n")
    source.refresh()
    source.refresh()
    assert source.model.version == card["version"]
    assert loads("refused") == 1


def test_the_way_back_to_an_older_version_is_one_pointer(source, publish_model, tmp_path):
    first, second = publish_model(tmp_path, seed=1), publish_model(tmp_path, seed=2)
    source.refresh()
    assert source.model.version == second["version"]
    FolderModels(tmp_path).point(LIVE, first["version"])
    source.refresh()
    assert source.model.version == first["version"]


def test_a_candidate_is_not_served(source, publish_model, tmp_path):
    first, second = publish_model(tmp_path, seed=1), publish_model(tmp_path, seed=2)
    FolderModels(tmp_path).point(LIVE, first["version"])
    FolderModels(tmp_path).point(CANDIDATE, second["version"])
    source.refresh()
    assert source.model.version == first["version"]


@pytest.mark.parametrize("test", [None, 0.98, [], "good"])
def test_what_a_card_says_of_its_test_is_never_a_reason_to_fail(source, publish_model, tmp_path, test):
    card = publish_model(tmp_path, about={"test": test})
    source.refresh()
    assert source.model.version == card["version"]


@pytest.mark.parametrize("shape", [[1, 56, 14], [1, 14, 56], [1, 28, 28, 1], [28], []], ids=str)
def test_a_network_that_does_not_read_pictures_of_28_by_28_is_refused(source, publish_model, tmp_path, live, loads, shape):
    card = publish_model(tmp_path, layers=["flatten", {"dense": {"units": 10}}])  # as many parameters in each of these shapes
    rewrite_card(live(), network=card["network"] | {"input_shape": shape})
    source.refresh()
    source.refresh()
    assert loads("refused") == 1


@pytest.mark.parametrize(
    "card", [b"", b"[]", b"null", b"\xff\xfe", b"[" * 100_000], ids=["empty", "a list", "null", "no text", "endless"]
)
def test_a_card_that_is_none_is_refused(source, publish_model, tmp_path, live, loads, card):
    publish_model(tmp_path)
    write_atomically(live() / "model.json", card)
    source.refresh()
    source.refresh()
    assert loads("refused") == 1


def test_the_metrics_show_the_model(source, publish_model, tmp_path, metrics):
    card = publish_model(tmp_path)
    source.refresh()
    assert metrics.registry.get_sample_value("doodle_model_loaded") == 1
    assert metrics.registry.get_sample_value("doodle_model_info", {"version": card["version"]}) == 1
