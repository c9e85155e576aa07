"""What the exporter's tests share: a store, results and a prediction log with known content, and ways to ask for metrics."""

import json
import os
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import numpy as np
import pytest
from drift.reference import Reference, measured
from prometheus_client.parser import text_string_to_metric_families
from stores.folder_models import FolderModels
from stores.journal import Feedback, JournalError, Prediction, open_journal

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


@pytest.fixture(scope="session")
def feedback():
    """feedback(number, actual, predicted): a piece of it, as people give it."""

    def feedback(number: int, actual: int | None, predicted: int | None = 3) -> Feedback:
        said = {"predicted_digit": predicted, "actual_digit": actual, "model_version": None, "picture": bytes(784)}
        return Feedback(feedback_id=f"feedback-{number}", time=1e9, prediction_id=None, **said)

    return feedback


@pytest.fixture(scope="session")
def read():
    """read(text): (name, label values …) -> value of everything in a scrape's text."""

    def read(text: str) -> dict[tuple[str, ...], float]:
        families = text_string_to_metric_families(text)
        return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}

    return read


@pytest.fixture(scope="session")
def ask():
    """ask(app, path): the status, headers and body that a WSGI app answers with."""

    def ask(app, path: str = "/metrics", method: str = "GET", **environ: str) -> tuple[str, dict[str, str], str]:
        answer = {}

        def start_response(status, headers):
            answer.update(status=status, headers=dict(headers))

        environ = {"PATH_INFO": path, "REQUEST_METHOD": method, **environ}
        setup_testing_defaults(environ)
        body = b"".join(app(environ, start_response)).decode()
        return answer["status"], answer["headers"], body

    return ask


@pytest.fixture(scope="session")
def collect():
    """collect(collector): its samples by name and labels, and the error at the end of them or None."""

    def collected(collector) -> tuple[dict[tuple[str, ...], float], Exception | None]:
        samples, error = {}, None
        try:
            for family in collector.collect():
                samples |= {(sample.name, *sample.labels.values()): sample.value for sample in family.samples}
        except Exception as raised:
            error = raised
        return samples, error

    return collected


@pytest.fixture
def models(tmp_path) -> FolderModels:
    return FolderModels(tmp_path / "models")


@pytest.fixture
def publish(save_model, models, tmp_path):
    """publish(seed, about, …): a small model into the store; its version. Its card says what `about` does, and more."""

    def published(seed: int = 0, about: dict = ABOUT, **more) -> str:
        save_model(tmp_path / "model", seed, about | more)
        return models.publish(tmp_path / "model")["version"]

    return published


@pytest.fixture
def artifacts(tmp_path) -> Path:
    """A folder with the results of a run of the pipeline."""
    folder = tmp_path / "artifacts"
    folder.mkdir()
    (folder / "metrics.json").write_text(json.dumps(METRICS))
    os.utime(folder / "metrics.json", (RESULTS_WRITTEN, RESULTS_WRITTEN))
    (folder / "history.csv").write_text(HISTORY)
    (folder / "stages.json").write_text(json.dumps(STAGES))
    (folder / "progress.json").write_text(json.dumps(TRAINING))
    return folder


@pytest.fixture
def journal_url(tmp_path) -> str:
    return f"sqlite:///{tmp_path}/journal.sqlite"


@pytest.fixture
def journal(journal_url):
    """A real prediction log, empty."""
    opened = open_journal(journal_url)
    yield opened
    opened.close()


@pytest.fixture
def fill(feedback):
    """fill(journal): three predictions and one correction."""

    def filled(journal) -> None:
        times = [NEWEST_PREDICTION - 2, NEWEST_PREDICTION - 1, NEWEST_PREDICTION]
        journal.add_predictions([make_prediction(f"prediction-{number}", number, time=at) for number, at in enumerate(times)])
        journal.add_feedback(feedback(2, 5))

    return filled


@pytest.fixture(scope="session")
def bars():
    """bars(count, seed): bars of various widths and places, uint8 (count, 28, 28)."""

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
    """What drawings of bars are held against."""
    count = 1000
    confidences = np.random.default_rng(1).uniform(0.9, 1.0, count)
    return Reference.of(measured(bars(count, 2), np.arange(count) % 10, confidences, np.zeros(count, bool))).to_dict()


@pytest.fixture
def draw(journal, bars):
    """draw(count, version, change): so many bars are predicted."""
    generator, drawn = np.random.default_rng(3), 0

    def draw(count: int, version: str, change=lambda image: image, form: str = "strokes") -> None:
        nonlocal drawn
        confidences = generator.uniform(0.9, 1.0, count)
        journal.add_predictions([
            make_prediction(
                f"drawing-{drawn + number}", number, form=form, confidence=float(confidence), model_version=version,
                picture=change(image).tobytes(),
            )
            for number, (image, confidence) in enumerate(zip(bars(count, 100 + drawn), confidences))
        ])  # fmt: skip
        drawn += count

    return draw


@pytest.fixture
def environment(models, artifacts, journal_url) -> dict[str, str]:
    """What lets the exporter read this test's store, results and prediction log."""
    return {"DOODLE_MODELS": str(models.folder), "DOODLE_ARTIFACTS": str(artifacts), "DOODLE_JOURNAL": journal_url}


@pytest.fixture(scope="session")
def redis_of_all(new_redis):
    server = new_redis()
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis_server(redis_of_all):
    """A real Redis, empty, that a test may pause or kill and start again."""
    redis_of_all.client.flushall()
    redis_of_all.client.config_set("maxmemory", 0)
    return redis_of_all


@pytest.fixture
def opened(eventually):
    """opened(url, …): the prediction log there, once it answers; it is closed afterwards."""
    journals = []

    def opened(url: str, **options):
        journals.append(open_journal(url, **options))
        eventually(journals[-1].summary, "Redis answers", not_yet=(JournalError,))
        return journals[-1]

    yield opened
    for journal in journals:
        journal.close()
