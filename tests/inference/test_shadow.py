"""Shadow mode: the candidate also predicts each live drawing, and disagreements are recorded."""

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest
from inference.metrics import Metrics
from inference.predictor import ModelSource, Prediction
from inference.shadow import KEPT, Shadow
from stores.models import CANDIDATE
from stores.models.folder import FolderModels

IMAGE = np.zeros((28, 28), np.float32)


def source(digit, is_digit=True, version="candidate"):
    """Return a source whose model always gives this prediction."""
    return SimpleNamespace(loaded=SimpleNamespace(version=version, predict=lambda _: prediction(digit, is_digit)))


def prediction(digit, is_digit=True):
    probabilities = np.full(10, 0.05, np.float32)
    probabilities[digit] = 0.55
    no_digit = {"probability": 0.1 if is_digit else 0.9, "threshold": 0.5}
    return Prediction(probabilities, digit, is_digit, no_digit=no_digit)


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def counted(metrics):
    """counted(): return the numbers of agreements and disagreements."""
    name = "doodle_shadow_predictions_total"
    return lambda: tuple(metrics.registry.get_sample_value(name, {"outcome": each}) for each in ("agree", "disagree"))


@pytest.mark.parametrize(
    ("live", "candidate", "agrees"),
    [
        ((5, True), (5, True), True),
        ((5, True), (3, True), False),
        ((5, True), (5, False), False),
        ((5, False), (5, True), False),
        ((5, False), (3, False), True),  # both predict no digit, so the guesses do not matter
    ],
)
def test_same_answers_agree(metrics, counted, live, candidate, agrees):
    shadow = Shadow(source(*candidate), metrics)
    asyncio.run(shadow.compare("id", IMAGE, "live", prediction(*live)))
    assert counted() == ((1, 0) if agrees else (0, 1))
    assert len(shadow.disagreements()) == (not agrees)


def test_a_disagreement_has_both_answers(metrics):
    shadow = Shadow(source(3), metrics)
    asyncio.run(shadow.compare("id", IMAGE, "live", prediction(5)))
    (entry,) = shadow.disagreements()
    assert entry.pop("time") > 1e9
    assert entry == {
        "prediction_id": "id",
        "live": {"model_version": "live", **prediction(5).answer()},
        "candidate": {"model_version": "candidate", **prediction(3).answer()},
    }


def test_compares_nothing_without_another_candidate(metrics, counted, tmp_path):
    for none in (ModelSource(FolderModels(tmp_path), metrics, CANDIDATE), source(3, version="live")):
        asyncio.run(Shadow(none, metrics).compare("id", IMAGE, "live", prediction(5)))
    assert counted() == (0, 0)


def test_keeps_the_newest_disagreements(metrics):
    shadow = Shadow(source(3), metrics)
    for number in range(KEPT + 5):
        asyncio.run(shadow.compare(f"id-{number}", IMAGE, "live", prediction(5)))
    assert [entry["prediction_id"] for entry in shadow.disagreements()] == [f"id-{n}" for n in range(5, KEPT + 5)]


def test_the_candidate_predicts_each_live_drawing(publish_model, serve, samples, tmp_path):
    candidate, live = (publish_model(tmp_path, seed)["version"] for seed in range(2))  # the last one is live
    FolderModels(tmp_path).point(CANDIDATE, candidate)
    generator = np.random.default_rng(0)
    drawings = [{"strokes": generator.integers(20, 260, (1, 8, 2)).tolist()} for _ in range(20)]
    with serve(tmp_path) as client:
        answers = [client.post("/predict", json=drawing).json() for drawing in drawings]
        others = [client.post("/candidate/predict", json=drawing).json() for drawing in drawings]
        listed = client.get("/candidate/disagreements").json()["disagreements"]
        counted = [samples(client)["doodle_shadow_predictions_total", (outcome,)] for outcome in ("agree", "disagree")]
    assert {answer["model_version"] for answer in answers} == {live}
    differ = [(one, other) for one, other in zip(answers, others) if one["digit"] != other["digit"]]
    assert differ  # two untrained networks rarely agree
    assert [entry["prediction_id"] for entry in listed] == [answer["prediction_id"] for answer, _ in differ]
    assert [entry["candidate"]["digit"] for entry in listed] == [other["digit"] for _, other in differ]
    assert counted == [20 - len(differ), len(differ)]
