"""What the exporter's tests share: a store, results and a journal with known content, and the exporter as a real process."""

import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import numpy as np
import pytest
from drift.reference import Reference, measured
from polling import PATIENCE
from prometheus_client.parser import text_string_to_metric_families
from stores.folder_models import FolderModels
from stores.journal import Feedback, Prediction, open_journal

ABOUT = {
    "test": {"accuracy": 0.75},
    "training": {"finished_at": "2026-01-02T03:04:05+00:00", "seconds": 61.5},
    "data": {"sha256": "0123456789ab" + 52 * "c"},
}
METRICS = {
    "accuracy": 0.9938,
    "loss": 0.0175,
    "errors": 62,
    "test_pictures": 10000,
    "accuracy_by_digit": {str(digit): 0.99 + digit / 1000 for digit in range(10)},
}
HISTORY = """\
epoch,learning_rate,train_loss,train_accuracy,validation_loss,validation_accuracy,seconds
1,0.003,0.58,0.8177,0.1,0.9674,6.2
2,4e-07,0.012,0.9961,0.0267,0.9936,12.71
"""
STAGES = {
    "train": {"finished_at": 1_767_323_000.5, "seconds": 61.5, "succeeded": True},
    "test": {"finished_at": 1_767_323_040.0, "seconds": 12.0, "succeeded": False},
}
TRAINING = {
    "step": 859, "steps": 3437, "epoch": 2.0, "epochs": 8, "loss": 0.25, "accuracy": 0.9375, "pictures_per_second": 9500.0,
}  # fmt: skip
RESULTS_WRITTEN = 1_767_323_045.0
NEWEST_PREDICTION = 1_767_409_445.5


def samples_of(text: str) -> dict[tuple[str, ...], float]:
    """(name, label values …) -> value of everything in a scrape's text."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def make_prediction(number: int, moment: float) -> Prediction:
    return Prediction(
        prediction_id=f"prediction-{number}",
        time=moment,
        form="strokes",
        digit=number % 10,
        is_digit=True,
        confidence=0.9,
        model_version="0123456789ab",
        picture=bytes(784),
    )


def make_feedback(number: int) -> Feedback:
    return Feedback(
        feedback_id=f"feedback-{number}",
        time=NEWEST_PREDICTION,
        prediction_id=f"prediction-{number}",
        predicted_digit=3,
        actual_digit=5,
        model_version="0123456789ab",
        picture=bytes(784),
    )


def call(app, path: str = "/metrics", method: str = "GET", **environ: str) -> tuple[str, dict[str, str], str]:
    """Status, headers and body that a WSGI app answers with."""
    answer = {}

    def start_response(status, headers):
        answer.update(status=status, headers=dict(headers))

    environ = {"PATH_INFO": path, "REQUEST_METHOD": method, **environ}
    setup_testing_defaults(environ)
    body = b"".join(app(environ, start_response)).decode()
    return answer["status"], answer["headers"], body


class Exporter:
    """`python -m exporter` as a process of its own."""

    def __init__(self, port: int, log_path: Path, environment: dict[str, str], folder: Path | None):
        self.url, self.log_path = f"http://127.0.0.1:{port}", log_path
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DOODLE_")}
        with log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "exporter"],
                cwd=folder,
                env=inherited | {"DOODLE_EXPORTER_PORT": str(port)} | environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def scrape(self) -> str:
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=PATIENCE) as answer:
            return answer.read().decode()

    def samples(self) -> dict[tuple[str, ...], float]:
        return samples_of(self.scrape())

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def events(self, name: str) -> list[str]:
        return [line for line in self.log().splitlines() if f"event={name} " in line]


@pytest.fixture(scope="session")
def read():
    return samples_of


@pytest.fixture(scope="session")
def ask():
    return call


@pytest.fixture(scope="session")
def collect():
    """collect(collector) -> (samples by name and labels, the error at the end of them or None)."""

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
    """A real journal, empty, that keeps two predictions."""
    opened = open_journal(journal_url, cap=2)
    yield opened
    opened.close()


@pytest.fixture
def fill():
    """fill(journal): three predictions and one correction."""

    def filled(journal) -> None:
        journal.add_predictions([make_prediction(number, NEWEST_PREDICTION - 2 + number) for number in range(3)])
        journal.add_feedback(make_feedback(2))

    return filled


def draw_bars(count: int, seed: int) -> np.ndarray:
    """Bars of various widths and places: uint8 (count, 28, 28)."""
    generator = np.random.default_rng(seed)
    drawn = np.zeros((count, 28, 28), np.uint8)
    for picture in drawn:
        left, width, top, bottom = generator.integers((8, 2, 3, 20), (14, 6, 6, 25))
        picture[top:bottom, left : left + width] = generator.integers(200, 256)
    return drawn


@pytest.fixture(scope="session")
def bars():
    return draw_bars


@pytest.fixture
def reference() -> dict:
    """What drawings of bars are held against."""
    count = 1000
    confidences = np.random.default_rng(1).uniform(0.9, 1.0, count)
    return Reference.of(measured(draw_bars(count, 2), np.arange(count) % 10, confidences, np.zeros(count, bool))).to_dict()


@pytest.fixture
def big_journal(journal_url):
    """A real journal, empty, that keeps as much as it does in use."""
    opened = open_journal(journal_url)
    yield opened
    opened.close()


@pytest.fixture
def draw(big_journal):
    """draw(count, version, change): so many bars are predicted."""
    generator, drawn = np.random.default_rng(3), 0

    def draw(count: int, version: str, change=lambda picture: picture, form: str = "strokes") -> None:
        nonlocal drawn
        predictions = [
            Prediction(
                prediction_id=f"drawing-{drawn + number}",
                time=1e9,
                form=form,
                digit=number % 10,
                is_digit=True,
                confidence=float(generator.uniform(0.9, 1.0)),
                model_version=version,
                picture=change(picture).tobytes(),
            )
            for number, picture in enumerate(draw_bars(count, 100 + drawn))
        ]
        drawn += count
        big_journal.add_predictions(predictions)

    return draw


@pytest.fixture
def environment(models, artifacts, journal_url) -> dict[str, str]:
    """What lets the exporter read this test's store, results and journal."""
    return {"DOODLE_MODELS": str(models.folder), "DOODLE_ARTIFACTS": str(artifacts), "DOODLE_JOURNAL": journal_url}


@pytest.fixture
def run_exporter(tmp_path, free_port, wait_for):
    """`with run_exporter(environment) as exporter:` one that answers, run in a folder; it is ended afterwards in any case."""

    @contextlib.contextmanager
    def run(environment: dict[str, str], folder: Path | None = None):
        exporter = Exporter(free_port(), tmp_path / "exporter.log", environment, folder)
        try:
            wait_for(f"{exporter.url}/healthz", seconds=PATIENCE, process=exporter.process)
            yield exporter
        finally:
            exporter.process.kill()
            exporter.process.wait()

    return run


@pytest.fixture
def exporter(run_exporter, environment):
    with run_exporter(environment) as running:
        yield running


@pytest.fixture
def redis_server(new_redis):
    server = new_redis()
    server.start()
    yield server
    server.kill()
