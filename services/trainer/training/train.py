"""train: run digitnet's training loop on MNIST's and the synthetic images, with the settings of params.yaml.

A stopped training resumes from the file unfinished.npz, and ends with the same weights, bit for bit.
"""

import hashlib
import json
import logging
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from digitnet import training
from digitnet.arrays import Arrays
from digitnet.checkpoint import npz_arrays, npz_bytes, save, write_atomically
from digitnet.parallel import SINGLE_PROCESS, DataParallel, Group
from digitnet.schedules import SCHEDULES
from digitnet.training import Callback, Progress
from digitnet.weight_averaging import AveragingCallback

from trainer.data.digits import Split, Synthetic, load_splits, load_synthetic
from trainer.reports import csv_bytes
from trainer.settings import TrainSettings
from trainer.training.batches import TrainingBatches
from trainer.training.callbacks import HistoryCallback, ProgressCallback, SnapshotCallback, measure
from trainer.training.ranks import OnAllRanksError, OneRank, RefusedError

log = logging.getLogger(__name__)

RECORDED = "recorded_"  # prefix of the snapshots' arrays in unfinished.npz


class Stopped(OnAllRanksError):
    """Training was asked to stop, and saved its state to resume."""


def train(
    settings: TrainSettings,
    digits_file: Path,
    synthetic_file: Path,
    trained_folder: Path,
    history_file: Path,
    unfinished_file: Path,
    progress_file: Path,
    ranks: OneRank,
) -> dict[str, Any]:
    """Train with these settings; write the network, its snapshots and its history; return the model card.

    Stopped if a stop was requested. All ranks call this; rank 0 writes.
    """
    if ranks.size > settings.shards:
        raise RefusedError(f"{ranks.size} ranks are too many: start at most {settings.shards}, train.shards of params.yaml")

    def make_run() -> Run:
        splits = load_splits(digits_file)
        return Run(settings, splits["training"], splits["validation"], load_synthetic(synthetic_file), ranks)

    run = ranks.assert_same_on_all_ranks("data (run dvc pull)", make_run, Run.fingerprint)
    checkpoint = CheckpointCallback(unfinished_file, run, ranks)
    first_step = checkpoint.resume()
    if first_step:
        log.info("resuming after step %d of %d", first_step, run.steps)
    else:
        parameters, digits = run.network.parameters.size, len(run.batches.digits)
        log.info("training %s: %d parameters, %d images", settings.network, parameters, digits)

    with (
        DataParallel(run.network, settings.shards, ranks) as parallel,
        ProgressCallback(progress_file if ranks.rank == 0 else None, run.history, first_step, run.steps) as progress,
    ):
        run.batches.start(first_step, parallel.rows(run.batches.rows))
        training.train(
            run.network,
            run.optimizer,
            run.batches,
            settings.epochs,
            settings.learning_rate,
            run.schedule,
            [run.averaging, run.snapshots, run.history, progress, checkpoint],
            parallel.loss_and_gradients,
            first_step,
        )

    def write() -> dict[str, Any]:
        golden_images, snapshots = run.validation.golden_images(), run.snapshots.snapshots()
        card = save(trained_folder, run.averaged, golden_images, run.about(), snapshots)
        write_atomically(history_file, csv_bytes(run.history.rows))
        unfinished_file.unlink(missing_ok=True)
        return card

    return ranks.on_rank_zero(write)


class Run:
    """The state of a training: network, optimizer, batches and measurements. It is the same on each process of a group."""

    def __init__(
        self, settings: TrainSettings, digits: Split, validation: Split, synthetic: Synthetic, group: Group = SINGLE_PROCESS
    ):
        self.settings, self.validation = settings, validation
        self.network = settings.make_network()
        self.network.initialize(np.random.default_rng(settings.seed))
        self.optimizer = settings.make_optimizer(self.network.parameters.size)
        self.schedule = SCHEDULES[settings.schedule]
        self.batches = TrainingBatches(settings, self.network.classes, digits, synthetic)
        self.steps = settings.epochs * len(self.batches)
        self.averaging = AveragingCallback(self.network, settings.averaged_steps)
        self.averaged = self.averaging.averaged
        validate = partial(measure, split=validation, group=group)
        self.snapshots = SnapshotCallback(self.steps, self.network, self.averaged, validation, validate)
        self.history = HistoryCallback(self.averaged, validate, self.learning_rate)
        digests = (split.digest() for split in (digits, self.batches.synthetic_digits, self.batches.non_digits))
        self.data_digest = hashlib.sha256("".join(digests).encode()).hexdigest()

    def learning_rate(self, step: int, steps: int) -> float:
        return self.schedule(step, steps, self.settings.learning_rate)

    def arrays(self) -> Arrays:
        """Return the arrays that training changes in place."""
        arrays = {"parameters": self.network.parameters}
        arrays |= {f"optimizer_{name}": array for name, array in self.optimizer.state.items()}
        return arrays | {f"average_{name}": array for name, array in self.averaging.average.state.items()}

    def fingerprint(self) -> str:
        """Return a hash of the recipe and the data. An unfinished run resumes only with the same hash."""
        recipe = json.dumps(self.settings.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(f"{recipe}{self.data_digest}".encode()).hexdigest()

    def about(self) -> dict[str, Any]:
        """Return the training's part of the model card. Call it after the training."""
        batches, last = self.batches, self.history.rows[-1]
        return {
            "recipe": self.settings.model_dump(mode="json", exclude={"layers"}),  # checkpoint.save adds them
            "data": {
                "training_pictures": len(batches.digits),
                "synthetic_digits": len(batches.synthetic_digits),
                "non_digits": len(batches.non_digits),
                "sha256": self.data_digest,
            },
            "training": {
                "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "seconds": round(self.history.elapsed(), 2),
                "epochs": len(self.history.rows),
                "train_loss": last["train_loss"],
                "validation_accuracy": last["validation_accuracy"],
            },
        }


class CheckpointCallback(Callback):
    """Save a run after each epoch, and when a stop is requested; then raise Stopped. Rank 0 writes."""

    def __init__(self, file: Path, run: Run, ranks: OneRank):
        self._file, self._run, self._ranks = file, run, ranks

    def before_update(self, progress: Progress) -> None:
        if self._ranks.stop_requested():
            self._save(progress.step)
            done = f"{progress.step} of {progress.steps}"
            raise Stopped(f"training stopped after step {done}; the same command resumes it")

    def after_epoch(self, progress: Progress) -> None:
        weights = hashlib.sha256(self._run.network.parameters.tobytes()).hexdigest()
        self._ranks.assert_same_on_all_ranks("the trained weights", lambda: weights, str)
        self._save(progress.step)

    def _save(self, step: int) -> None:
        progress = {"step": step, "fingerprint": self._run.fingerprint(), "history": self._run.history.state()}
        snapshots = {f"{RECORDED}{name}": array for name, array in self._run.snapshots.state().items()}
        state = {**self._run.arrays(), **snapshots, "progress": np.frombuffer(json.dumps(progress).encode(), np.uint8)}
        self._ranks.on_rank_zero(lambda: write_atomically(self._file, npz_bytes(state)))

    def resume(self) -> int:
        """Restore an unfinished run with the same fingerprint and return its step, else 0. ValueError for a damaged file."""
        content = self._ranks.on_rank_zero(lambda: self._file.read_bytes() if self._file.exists() else None)
        if content is None:
            return 0
        try:
            saved = npz_arrays(content)
            progress = json.loads(saved["progress"].tobytes())
            if progress["fingerprint"] != self._run.fingerprint():
                return 0
            for name, array in self._run.arrays().items():
                array[:] = saved[name]
            snapshots = {name.removeprefix(RECORDED): array for name, array in saved.items() if name.startswith(RECORDED)}
            self._run.snapshots.restore(snapshots)
            self._run.history.restore(progress["history"])
            return int(progress["step"])
        except (ValueError, KeyError, TypeError) as error:
            message = f"{self._file}, saved by a stopped training, cannot be read ({error}): delete it to start over"
            raise ValueError(message) from error
