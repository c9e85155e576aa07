"""The pipeline's results: the last run's metrics (metrics.json) and the last epoch of its training (history.csv)."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric
from pydantic import FiniteFloat, TypeAdapter

from exporter.results import Metrics, ResultsError, read_results
from exporter.scrape import gauge_by

METRICS_FILE, HISTORY_FILE = "metrics.json", "history.csv"
DIGITS = "0123456789"
SPLITS = ("train", "validation")
ROW: TypeAdapter[dict[str, float]] = TypeAdapter(dict[str, FiniteFloat])


class PipelineCollector:
    """Reads the folder with the newest metrics.json.

    A missing file is no failure: it is missing before the first run, and stages delete their outputs before they write them.
    """

    name = "pipeline"

    def __init__(self, folders: Sequence[Path]):
        self._folders = folders

    def collect(self) -> Iterator[Metric]:
        """Yield the readable results, then raise ResultsError if a file is unusable."""
        folder = max(self._folders, key=_last_written)
        text = "1 if the pipeline's results are readable, else 0."
        try:
            found = read_results(folder / METRICS_FILE, Metrics.model_validate_json)
        except ResultsError:
            yield GaugeMetricFamily("doodle_pipeline_results_available", text, 0)
            raise
        yield GaugeMetricFamily("doodle_pipeline_results_available", text, int(found is not None))
        if found is not None:
            yield from _metrics_families(*found)
            if history := read_results(folder / HISTORY_FILE, _last_row):
                yield from _history_families(history[0])


def _last_written(folder: Path) -> float:
    try:
        return (folder / METRICS_FILE).stat().st_mtime
    except OSError:
        return 0.0  # read_results reports the error, unless the file is only missing


def _metrics_families(metrics: Metrics, written: float) -> Iterator[Metric]:
    when = f"Time of the last write of {METRICS_FILE}."
    yield GaugeMetricFamily("doodle_pipeline_results_timestamp_seconds", when, written)
    yield GaugeMetricFamily("doodle_pipeline_test_accuracy_ratio", "Accuracy on the test digits.", metrics.accuracy)
    yield GaugeMetricFamily("doodle_pipeline_test_loss", "Mean cross-entropy on the test digits.", metrics.loss)
    by_digit = {digit: metrics.accuracy_by_digit.get(digit) for digit in DIGITS}
    yield gauge_by("digit", "doodle_pipeline_digit_accuracy_ratio", "Accuracy on the test digits, by digit.", by_digit)


def _history_families(row: dict[str, float]) -> Iterator[Metric]:
    loss = {split: row.get(f"{split}_loss") for split in SPLITS}
    accuracy = {split: row.get(f"{split}_accuracy") for split in SPLITS}
    yield GaugeMetricFamily("doodle_pipeline_epochs", "Epochs of the last training.", row.get("epoch"))
    yield gauge_by("split", "doodle_pipeline_loss", "Mean cross-entropy in the last epoch, by split.", loss)
    yield gauge_by("split", "doodle_pipeline_accuracy_ratio", "Accuracy in the last epoch, by split.", accuracy)
    yield GaugeMetricFamily("doodle_pipeline_training_seconds", "Duration of the last training.", row.get("seconds"))


def _last_row(content: bytes) -> dict[str, float]:
    """Return column -> number of the last row. Each line ends with a newline, so an incomplete last line is damage."""
    text = content.decode()
    rows = list(csv.DictReader(io.StringIO(text), strict=True))
    if not rows or not text.endswith("\n"):
        raise ValueError("it does not end with a whole row")
    return ROW.validate_python(rows[-1])
