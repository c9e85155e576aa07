"""The pipeline's stages: when each was last run, how long it took and whether it succeeded; and a training that is going on."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric

from exporter.figures import FigureError, figure
from exporter.results import ResultsError, read_results

STAGES_FILE, TRAINING_FILE = "stages.json", "progress.json"  # the trainer's, in the folders of the pipeline's results
STAGES = ("fetch", "preprocess", "synthesize", "corrupt", "train", "evaluate", "serve", "test", "end")
SILENT_SECONDS = 60.0  # a training that has written nothing for as long was killed: it reports every two seconds


class StageCollector:
    """Reads the files of all its folders; of each stage the newest run counts, and of trainings that go on the last folder's."""

    name = "stages"

    def __init__(self, folders: Sequence[Path], now=time.time):
        self._folders, self._now = folders, now

    def collect(self) -> Iterator[Metric]:
        """What is known; then ResultsError if a file cannot be used."""
        problems = []
        runs = self._each(STAGES_FILE, lambda text, _: _runs(json.loads(text)), problems)
        yield from _stage_families(_newest(runs))
        running = self._each(TRAINING_FILE, self._progress, problems)
        yield from _training_families(next(filter(None, reversed(running)), {}))
        if problems:
            raise ResultsError("; ".join(problems))

    def _each(self, name, make, problems):
        """What is in the file of this name in each folder, {} where there is nothing; what cannot be used is a problem."""
        found = []
        for folder in self._folders:
            try:
                found.append(read_results(folder / name, make, {}))
            except ResultsError as error:
                problems.append(str(error))
        return found

    def _progress(self, text, written):
        """The figures of a training that is going on; none of one that has fallen silent."""
        if self._now() - written >= SILENT_SECONDS:
            return {}
        document = json.loads(text)
        return {name: figure(document, name) for name in ("epoch", "epochs", "loss", "accuracy", "pictures_per_second")}


def _newest(runs):
    """Of each stage, from the runs in all folders: (finished, seconds, succeeded)."""
    newest = {}
    for of_folder in runs:
        for name, run in of_folder.items():
            newest[name] = max(run, newest.get(name, run))
    return newest


def _stage_families(runs):
    finished = GaugeMetricFamily(
        "doodle_pipeline_stage_finished_timestamp_seconds", "When the stage last ended, in seconds since 1970.", labels=["stage"]
    )
    seconds = GaugeMetricFamily("doodle_pipeline_stage_seconds", "How long the stage took, the last time.", labels=["stage"])
    succeeded = GaugeMetricFamily(
        "doodle_pipeline_stage_success", "1 if the stage succeeded, the last time, else 0.", labels=["stage"]
    )
    for name in STAGES:
        if name in runs:
            for family, value in zip((finished, seconds, succeeded), runs[name]):
                family.add_metric([name], value)
    return finished, seconds, succeeded


def _training_families(running):
    texts = {
        "epoch": ("doodle_training_epochs", "Epochs that the training has behind it, parts of one included."),
        "epochs": ("doodle_training_epochs_planned", "Epochs that it is to take."),
        "loss": ("doodle_training_loss", "Mean cross-entropy of its newest batch."),
        "accuracy": ("doodle_training_accuracy_ratio", "Part of its newest batch that it read right, 0 to 1."),
        "pictures_per_second": ("doodle_training_pictures_per_second", "Pictures that it learns from in a second."),
    }
    yield GaugeMetricFamily("doodle_training_running", "1 while a training is going on, else 0.", int(bool(running)))
    for name, (metric, text) in texts.items():
        yield GaugeMetricFamily(metric, text, running.get(name))  # None while none runs: then the family has no sample


def _runs(document):
    if not isinstance(document, dict):
        raise FigureError(f"it should name stages, and is {document!r:.60}")
    runs = {}
    for name in document:
        finished, seconds = figure(document, name, "finished_at"), figure(document, name, "seconds")
        succeeded = document[name].get("succeeded")
        if finished is None or seconds is None or not isinstance(succeeded, bool):
            raise FigureError(f"{name} does not say when it ended, how long it took and whether it succeeded")
        runs[name] = (finished, seconds, float(succeeded))
    return runs
