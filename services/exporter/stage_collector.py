"""The last run of each pipeline stage, a training in progress, and the trainer's heartbeat."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric
from pydantic import TypeAdapter

from exporter.results import Parsed, StageRun, Training, read_results
from exporter.scrape import gauge_by

# The trainer writes these next to the results.
STAGES_FILE, TRAINING_FILE, HEARTBEAT_FILE = "stages.json", "progress.json", "heartbeat"
SILENT_SECONDS = 60.0  # a training reports every two seconds; after a minute of silence it is dead
STAGE_RUNS: TypeAdapter[dict[str, StageRun]] = TypeAdapter(dict[str, StageRun])


class StageCollector:
    """Reports the newest run of each stage in all folders, and the training of the last folder with one."""

    name = "stages"

    def __init__(self, folders: Sequence[Path], now: Callable[[], float] = time.time):
        self._folders, self._now = folders, now

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics; raise ResultsError at the first unusable file."""
        newest: dict[str, StageRun] = {}
        for runs, _ in self._each(STAGES_FILE, STAGE_RUNS.validate_json):
            for stage, run in runs.items():
                newest[stage] = max(run, newest.get(stage, run), key=lambda run: run.finished_at)
        yield from _stage_families(newest)
        running = None
        for training, written in self._each(TRAINING_FILE, Training.model_validate_json):
            if self._now() - written < SILENT_SECONDS:
                running = training
        yield from _training_families(running)
        beats = [written for _, written in self._each(HEARTBEAT_FILE, bytes)]
        text = "When the trainer last saw a sound live model."
        yield GaugeMetricFamily("doodle_trainer_heartbeat_timestamp_seconds", text, max(beats, default=None))

    def _each(self, name: str, parse: Callable[[bytes], Parsed]) -> Iterator[tuple[Parsed, float]]:
        """Yield the parsed file and its modification time from each folder that has it."""
        return filter(None, (read_results(folder / name, parse) for folder in self._folders))


def _stage_families(runs: dict[str, StageRun]) -> Iterator[Metric]:
    finished = {stage: run.finished_at for stage, run in runs.items()}
    seconds = {stage: run.seconds for stage, run in runs.items()}
    success = {stage: float(run.succeeded) for stage, run in runs.items()}
    when = "End of the stage's last run."
    yield gauge_by("stage", "doodle_pipeline_stage_finished_timestamp_seconds", when, finished)
    yield gauge_by("stage", "doodle_pipeline_stage_seconds", "Duration of the stage's last run.", seconds)
    yield gauge_by("stage", "doodle_pipeline_stage_success", "1 if the stage's last run succeeded, else 0.", success)


def _training_families(running: Training | None) -> Iterator[Metric]:
    training = running or Training()  # a family without a value has no sample
    yield GaugeMetricFamily("doodle_training_running", "1 while a training is in progress, else 0.", int(running is not None))
    yield GaugeMetricFamily("doodle_training_epochs", "Finished epochs of the training, with fractions.", training.epoch)
    yield GaugeMetricFamily("doodle_training_epochs_planned", "Planned epochs of the training.", training.epochs)
    yield GaugeMetricFamily("doodle_training_loss", "Mean cross-entropy of the newest batch.", training.loss)
    yield GaugeMetricFamily("doodle_training_accuracy_ratio", "Accuracy on the newest batch.", training.accuracy)
    yield GaugeMetricFamily("doodle_training_pictures_per_second", "Training images per second.", training.pictures_per_second)
