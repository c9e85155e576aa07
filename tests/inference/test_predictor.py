"""ModelSource, refreshed step by step."""

import json
import shutil
from contextlib import ExitStack
from unittest.mock import patch

import numpy as np
import pytest
from digitnet.checkpoint import sealed, write_atomically
from digitnet.losses import softmax
from fastapi import HTTPException
from inference.metrics import Metrics
from inference.predictor import ModelSource
from stores.models import CANDIDATE, LIVE, UnreachableError
from stores.models.folder import FolderModels

TEN = ["flatten", {"dense": {"units": 10}}]
IMAGE = np.random.default_rng(0).random((28, 28), np.float32)


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def source(tmp_path, metrics):
    return ModelSource(FolderModels(tmp_path), metrics)


@pytest.fixture
def publish(publish_model, tmp_path):
    return lambda *args, **options: publish_model(tmp_path, *args, **options)


@pytest.fixture
def loads(metrics):
    """loads(): return how many models were loaded and rejected."""
    name = "doodle_model_loads_total"
    return lambda: tuple(metrics.registry.get_sample_value(name, {"outcome": each}) for each in ("loaded", "refused"))


@pytest.fixture
def failing(source):
    """`with failing("load"):` this call of the store fails."""
    return lambda call: patch.object(source._models, call, side_effect=UnreachableError("the store cannot be reached"))


def test_logs_a_missing_model_once(source, loads, failing, tmp_path, caplog):
    with pytest.raises(HTTPException, match="there is no model yet"):
        _ = source.model
    caplog.set_level("INFO")
    source.refresh()
    source.refresh()
    with failing("alias"):
        source.refresh()
    assert loads() == (0, 0)
    assert caplog.messages == [
        f"event=no_model alias=live store={tmp_path}",
        'event=models_unreachable alias=live kept=none reason="the store cannot be reached"',
    ]


@pytest.mark.parametrize(("about", "divisor"), [({"temperature": 2.5}, 2.5), ({}, 1.0)], ids=str)
def test_the_card_s_temperature_divides_the_logits(source, publish, about, divisor):
    publish(about=about)
    source.refresh()
    (logits,) = source.model.network.predict_logits(IMAGE[None])
    np.testing.assert_allclose(source.model.predict(IMAGE).probabilities, softmax(logits[:, None] / divisor)[:, 0], rtol=1e-5)


def test_loads_the_same_model_once(source, publish, loads, metrics, failing):
    card = publish()
    assert not source.loaded
    source.refresh()
    before = source.model
    source.refresh()
    with failing("alias"):
        source.refresh()
    source.refresh()
    assert source.model is before
    assert loads() == (1, 0)
    assert metrics.registry.get_sample_value("doodle_model_loaded") == 1
    assert metrics.registry.get_sample_value("doodle_model_info", {"version": card["version"]}) == 1


def test_follows_the_alias(source, publish, tmp_path, metrics):
    first = publish(seed=1)
    source.refresh()
    held = source.model
    before = held.predict(IMAGE).probabilities
    second = publish(seed=2)
    source.refresh()
    assert source.model.version == second["version"]
    assert (source.model.predict(IMAGE).probabilities != before).any()
    assert held.version == first["version"], "a request keeps its model"
    np.testing.assert_array_equal(held.predict(IMAGE).probabilities, before)
    assert metrics.registry.get_sample_value("doodle_model_info", {"version": first["version"]}) is None
    FolderModels(tmp_path).point(LIVE, first["version"])
    FolderModels(tmp_path).point(CANDIDATE, second["version"])
    source.refresh()
    assert source.model.version == first["version"]
    shutil.rmtree(tmp_path)
    source.refresh()
    assert source.model.version == first["version"], "the model stays in memory"


@pytest.mark.parametrize("call", ["alias", "state", "load", "golden_images"])
def test_keeps_the_model_while_the_store_is_down(source, publish, loads, failing, caplog, call):

    caplog.set_level("INFO")
    first = publish(seed=1)
    source.refresh()
    second = publish(seed=2)
    with failing(call):
        source.refresh()
        source.refresh()
        assert source.model.version == first["version"]
    source.refresh()
    assert source.model.version == second["version"]
    assert loads() == (2, 0)
    events = [message.partition(" ")[0] for message in caplog.messages]
    assert events == ["event=model_loaded", "event=models_unreachable", "event=model_loaded"]


def test_a_starting_replica_falls_back_to_the_version_that_was_live_before(source, publish, live_folder, tmp_path, loads):
    first = publish(seed=1)
    FolderModels(tmp_path).promote(publish(seed=3)["version"])  # which was live only after the first
    (tmp_path / "history").write_text(first["version"] + "\n")
    weights = live_folder(tmp_path) / "weights.npz"
    sound = weights.read_bytes()
    weights.write_bytes(b"damage")
    source.refresh()
    source.refresh()
    assert source.model.version == first["version"]
    assert loads() == (1, 1)
    weights.write_bytes(sound)
    source.refresh()
    assert source.model.version == FolderModels(tmp_path).alias(LIVE)


def test_says_why_there_is_no_model(source, publish, live_folder, tmp_path, failing):
    publish()
    (live_folder(tmp_path) / "weights.npz").write_bytes(b"damage")
    for why, faults in (("cannot be reached", ("fallback",)), ("is damaged, and no other version is sound", ())):
        with ExitStack() as stack:
            for call in faults:
                stack.enter_context(failing(call))
            source.refresh()
        with pytest.raises(HTTPException, match=why):
            _ = source.model


def test_reads_snapshots_after_a_repair(source, publish, live_folder, tmp_path):
    publish(snapshots=True)
    source.refresh()
    file = live_folder(tmp_path) / "snapshots.npz"
    sound = file.read_bytes()
    file.write_bytes(b"damaged")
    assert source.snapshots(source.model) is None
    file.write_bytes(sound)
    assert source.snapshots(source.model) is source.snapshots(source.model) is not None


@pytest.mark.parametrize("content", [b"neither here nor there", b"000000000000\n"], ids=["damaged", "of nothing"])
def test_rejects_a_damaged_alias_once(source, publish, tmp_path, loads, content):
    card = publish()
    source.refresh()
    (tmp_path / "live").write_bytes(content)
    source.refresh()
    source.refresh()
    assert source.model.version == card["version"]
    assert loads() == (1, 1)


@pytest.mark.parametrize("shape", [[1, 56, 14], []], ids=str)
def test_rejects_another_input_shape(source, publish, live_folder, tmp_path, loads, shape):
    card = publish(layers=TEN)  # the parameter count fits each shape
    changed = sealed(card | {"network": card["network"] | {"input_shape": shape}})  # a valid checksum
    write_atomically(live_folder(tmp_path) / "model.json", json.dumps(changed).encode())
    source.refresh()
    source.refresh()
    assert loads() == (0, 1)


@pytest.mark.parametrize(("name", "content"), [("weights.npz", b"no weights"), ("model.json", b"[" * 100_000)])
def test_rejects_a_damaged_model_once_and_loads_it_after_a_repair(source, publish, live_folder, tmp_path, loads, name, content):

    first = publish(seed=1)
    source.refresh()
    second = publish(seed=2)
    (live_folder(tmp_path) / name).write_bytes(content)
    source.refresh()
    source.refresh()
    assert source.model.version == first["version"]
    assert loads() == (1, 1)
    assert publish(seed=2) == second
    source.refresh()
    assert source.model.version == second["version"]
    assert loads() == (2, 1)
