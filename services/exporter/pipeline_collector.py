"""The pipeline's results: what the last run measured (metrics.json) and how its training ended (history.csv)."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric

from exporter.figures import FigureError, figure, number_in
from exporter.results import ResultsError, read_results

METRICS_FILE, HISTORY_FILE = "metrics.json", "history.csv"
DIGITS = "0123456789"
SPLITS = ("train", "validation")


class PipelineCollector:
    """Reads that of its folders whose metrics.json was written last.

    A file that is not there is no failure: before the first run there is none, and while a run goes on its stages take
    away what they are about to make. A file that is there must be whole, or nothing in it is believed.
    """

    name = "pipeline"

    def __init__(self, folders: Sequence[Path]):
        self.folders = folders

    def collect(self) -> Iterator[Metric]:
        """What is known; then ResultsError if a file of results cannot be used."""
        try:
            folder, results = self._results()
        except ResultsError:
            yield _available(0)
            raise
        yield _available(int(folder is not None))
        yield from results
        if folder is not None:
            yield from read_results(folder / HISTORY_FILE, _history_families, [])

    def _results(self):
        """The folder that has results, and its families; None and no families if none has."""
        for folder in sorted(self.folders, key=_last_written, reverse=True):
            families = read_results(folder / METRICS_FILE, _metrics_families, [])
            if families:
                return folder, families
        return None, []


def _last_written(folder):
    try:
        return (folder / METRICS_FILE).stat().st_mtime
    except OSError:
        return 0.0  # whoever reads it says what is wrong, if it is not simply missing


def _available(value):
    return GaugeMetricFamily(
        "doodle_pipeline_results_available", "1 if there are results of a pipeline run that can be read, else 0.", value
    )


def _metrics_families(text, written):
    metrics = json.loads(text)
    by_digit = GaugeMetricFamily(
        "doodle_pipeline_digit_accuracy_ratio", "Part of the test digits read right, by what they are, 0 to 1.", labels=["digit"]
    )
    for digit in DIGITS:
        _add(by_digit, [digit], figure(metrics, "accuracy_by_digit", digit))
    return [
        GaugeMetricFamily(
            "doodle_pipeline_results_timestamp_seconds", f"When {METRICS_FILE} was written, in seconds since 1970.", written
        ),
        GaugeMetricFamily(
            "doodle_pipeline_test_accuracy_ratio", "Part of the test digits read right, 0 to 1.", figure(metrics, "accuracy")
        ),
        GaugeMetricFamily("doodle_pipeline_test_loss", "Mean cross-entropy on the test digits.", figure(metrics, "loss")),
        by_digit,
    ]


def _history_families(text, _):
    row = _last_row(text)
    loss = GaugeMetricFamily("doodle_pipeline_loss", "Mean cross-entropy in the last epoch, by split.", labels=["split"])
    accuracy = GaugeMetricFamily(
        "doodle_pipeline_accuracy_ratio", "Part of the digits read right in the last epoch, by split, 0 to 1.", labels=["split"]
    )
    for split in SPLITS:
        _add(loss, [split], row.get(f"{split}_loss"))
        _add(accuracy, [split], row.get(f"{split}_accuracy"))
    return [
        GaugeMetricFamily("doodle_pipeline_epochs", "Epochs that training took.", row.get("epoch")),
        loss,
        accuracy,
        GaugeMetricFamily("doodle_pipeline_training_seconds", "How long training took.", row.get("seconds")),
    ]


def _last_row(text):
    """Column -> number in the last row; every line ends with a newline, so a file without one at its end is not whole."""
    rows = list(csv.reader(io.StringIO(text), strict=True))
    if len(rows) < 2 or len(rows[-1]) != len(rows[0]) or not text.endswith("\n"):
        raise FigureError("it does not end with a whole row")
    return {column: number_in(cell, column) for column, cell in zip(rows[0], rows[-1])}


def _add(family, labels, value):
    if value is not None:
        family.add_metric(labels, value)
