"""A store, results and a prediction log with known content, and helpers that read metrics."""

import itertools
import json
import os
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import numpy as np
import pytest
from drift.reference import Reference, measured
from prometheus_client.parser import text_string_to_metric_families
from stores.models.folder import FolderModels
from stores.prediction_log import Feedback, Prediction, open_prediction_log

ABOUT = {
    "test": {"accuracy": 0.75},
    "training": {"finished_at": "2026-01-02T03:04:05+00:00", "seconds": 61.5},
    "data": {"sha256": "0123456789ab" + 52 * "c"},
}
METRICS = {"accuracy": 0.9938, "loss": 0.0175, "accuracy_by_digit": {str(digit): 0.99 + digit / 1000 for digit in range(10)}}
HISTORY = """\
epoch,learning_rate,train_loss,train_accuracy,validation_loss,validation_accuracy,seconds
1,0.003,0.58,0.8177,0.1,0.9674,6.2
2,4e-07,0.012,0.9961,0.0267,0.9936,12.71
"""
STAGES = {
    "train": {"finished_at": 1_767_323_000.5, "seconds": 61.5, "succeeded": True},
    "test": {"finished_at": 1_767_323_040.0, "seconds": 12.0, "succeeded": False},
}
TRAINING = {"step": 859, "epoch": 2.0, "epochs": 8, "loss": 0.25, "accuracy": 0.9375, "pictures_per_second": 9500.0}
RESULTS_WRITTEN = 1_767_323_045.0
NEWEST_PREDICTION = 1_767_409_445.5


def make_prediction(prediction_id: str, number: int, **more) -> Prediction:
    usual = {"time": 1e9, "form": "strokes", "confidence": 0.9, "model_version": "0123456789ab", "picture": bytes(784)}
    return Prediction(prediction_id=prediction_id, digit=number % 10, is_digit=True, **usual | more)


def make_feedback(number: int, actual: int | None, predicted: int | None = 3) -> Feedback:
    return Feedback(f"feedback-{number}", 1e9, None, predicted, actual, None, bytes(784))


@pytest.fixture(scope="session")
def feedback():
    """feedback(number, actual, predicted): make a piece of feedback."""
    return make_feedback


def samples_of(families) -> dict[tuple[str, ...], float]:
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


@pytest.fixture(scope="session")
def read():
    """read(text): parse a scrape into {(name, *label values): value}."""
    return lambda text: samples_of(text_string_to_metric_families(text))


@pytest.fixture(scope="session")
def ask():
    """ask(app, path): return status, headers and body of a WSGI app's answer."""

    def ask(app, path: str = "/metrics", method: str = "GET", **environ: str) -> tuple[str, dict[str, str], str]:
        answer = []
        environ = {"PATH_INFO": path, "REQUEST_METHOD": method, **environ}
        setup_testing_defaults(environ)
        body = b"".join(app(environ, lambda status, headers: answer.extend((status, dict(headers))))).decode()
        return *answer, body

    return ask


@pytest.fixture(scope="session")
def collect():
    """collect(collector): return its samples, and the error that ended them or None."""

    def collect(collector) -> tuple[dict[tuple[str, ...], float], Exception | None]:
        families = []
        try:
            for family in collector.collect():
                families.append(family)
        except Exception as error:
            return samples_of(families), error
        return samples_of(families), None

    return collect


@pytest.fixture
def models(tmp_path) -> FolderModels:
    return FolderModels(tmp_path / "models")


@pytest.fixture
def publish(save_model, models, tmp_path):
    """publish(seed, about, …): publish a small model with this card and return its version."""

    def publish(seed: int = 0, about: dict = ABOUT, **more) -> str:
        save_model(tmp_path / "model", seed, about | more)
        return models.publish(tmp_path / "model")["version"]

    return publish


@pytest.fixture
def artifacts(tmp_path) -> Path:
    """Return a folder with the results of a pipeline run."""
    folder = tmp_path / "artifacts"
    folder.mkdir()
    (folder / "metrics.json").write_text(json.dumps(METRICS))
    os.utime(folder / "metrics.json", (RESULTS_WRITTEN, RESULTS_WRITTEN))
    (folder / "history.csv").write_text(HISTORY)
    (folder / "stages.json").write_text(json.dumps(STAGES))
    (folder / "progress.json").write_text(json.dumps(TRAINING))
    return folder


@pytest.fixture
def log_url(tmp_path) -> str:
    return f"sqlite:///{tmp_path}/journal.sqlite"


@pytest.fixture
def log(log_url):
    """Return an empty prediction log."""
    opened = open_prediction_log(log_url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def fill():
    """fill(log): add three predictions and one piece of feedback."""

    def fill(log) -> None:
        log.add_predictions([make_prediction(f"prediction-{i}", i, time=NEWEST_PREDICTION - 2 + i) for i in range(3)])
        log.add_feedback(make_feedback(2, 5))

    return fill


@pytest.fixture(scope="session")
def bars():
    """bars(count, seed): vertical bars of random width and position, uint8 (count, 28, 28)."""

    def bars(count: int, seed: int) -> np.ndarray:
        generator = np.random.default_rng(seed)
        drawn = np.zeros((count, 28, 28), np.uint8)
        for image in drawn:
            left, width, top, bottom = generator.integers((8, 2, 3, 20), (14, 6, 6, 25))
            image[top:bottom, left : left + width] = generator.integers(200, 256)
        return drawn

    return bars


@pytest.fixture(scope="session")
def reference(bars) -> dict:
    """Return a drift reference made from bars."""
    count = 1000
    confidences = np.random.default_rng(1).uniform(0.9, 1.0, count)
    return Reference.of(measured(bars(count, 2), np.arange(count) % 10, confidences, np.zeros(count, bool))).to_dict()


@pytest.fixture
def draw(log, bars):
    """draw(count, version, change): log `count` predictions of bars."""
    generator, numbers = np.random.default_rng(3), itertools.count()

    def draw(count: int, version: str, change=lambda image: image, form: str = "strokes") -> None:
        predictions = []
        for image, confidence in zip(bars(count, next(numbers) + 100), generator.uniform(0.9, 1.0, count).tolist()):
            about = {"form": form, "confidence": confidence, "model_version": version, "picture": change(image).tobytes()}
            predictions.append(make_prediction(f"drawing-{next(numbers)}", len(predictions), **about))
        log.add_predictions(predictions)

    return draw


@pytest.fixture
def settings(models, artifacts, log_url) -> dict[str, object]:
    """Return settings for this test's store, results and prediction log."""
    return {"models": str(models.folder), "artifacts": (artifacts,), "prediction_log": log_url}


@pytest.fixture
def environment(settings, artifacts) -> dict[str, str]:
    """Return the same settings as environment variables."""
    variables = {"DOODLE_MODELS": settings["models"], "DOODLE_ARTIFACTS": str(artifacts)}
    return variables | {"DOODLE_JOURNAL": settings["prediction_log"]}
