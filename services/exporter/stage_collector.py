"""The pipeline's stages: when each was last run, how long it took and whether it succeeded; and a training that is going on."""

import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric

from exporter.figures import FigureError, figure

STAGES_FILE, TRAINING_FILE = "stages.json", "progress.json"  # the trainer's, in the folders of the pipeline's results
STAGES = ("fetch", "preprocess", "synthesize", "disturb", "train", "evaluate", "serve", "test", "end")
SILENT_SECONDS = 60.0  # a training that has written nothing for as long was killed: it reports every two seconds


class RunsError(Exception):
    """A file that says how the pipeline runs is there and cannot be used; the message names it."""


class StageCollector:
    """Reads the files of all its folders; of each stage, and of training, what was written last counts."""

    name = "stages"

    def __init__(self, folders: Sequence[Path], now=time.time):
        self._folders, self._now = folders, now

    def collect(self) -> Iterator[Metric]:
        """What is known; then RunsError if a file cannot be used."""
        problems = []
        yield from _stage_families(self._stages(problems))
        yield from _training_families(self._training(problems))
        if problems:
            raise RunsError("; ".join(problems))

    def _stages(self, problems):
        """Stage -> (finished, seconds, succeeded), the newest of each."""
        newest = {}
        for folder in self._folders:
            for name, run in _read(folder / STAGES_FILE, _runs, problems, {}).items():
                if name not in newest or run > newest[name]:
                    newest[name] = run
        return newest

    def _training(self, problems):
        """The figures of the training that is going on; none where none is."""
        running = {}
        for folder in self._folders:
            path = folder / TRAINING_FILE
            if _age(path, self._now()) < SILENT_SECONDS:
                running = _read(path, _progress, problems, {}) or running
        return running


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


def _read(path, parsed, problems, nothing):
    """What is in a file; nothing where there is none, or where it is damaged, which is added to the problems."""
    try:
        return parsed(json.loads(path.read_bytes()))
    except (FileNotFoundError, NotADirectoryError):
        return nothing
    except OSError as error:
        problems.append(f"{path} cannot be read: {error.strerror}")
    except (ValueError, RecursionError) as error:
        problems.append(f"{path} is damaged: {error}")
    return nothing


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


def _progress(document):
    names = ("epoch", "epochs", "loss", "accuracy", "pictures_per_second")
    return {name: figure(document, name) for name in names}


def _age(path, now):
    try:
        return now - os.stat(path).st_mtime
    except OSError:
        return float("inf")  # whoever reads it says what is wrong, if it is not simply missing
