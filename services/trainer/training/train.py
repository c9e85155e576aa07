"""The stage train: run digitnet's training loop on MNIST's and the synthetic images, as params.yaml says.

A training that was stopped and went on ends with the same weights, bit for bit, as one that was not.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from digitnet import training
from digitnet.arrays import Arrays
from digitnet.checkpoint import save, write_atomically
from digitnet.parallel import SINGLE_PROCESS, DataParallel, Group
from digitnet.schedules import SCHEDULES
from digitnet.weight_averaging import AveragingCallback

from trainer.data.digits import Split, Synthetic, load_splits, load_synthetic
from trainer.evaluation.tables import csv_bytes
from trainer.settings import TrainSettings
from trainer.training.batches import TrainingBatches
from trainer.training.history import HistoryCallback, measure
from trainer.training.progress import ProgressCallback
from trainer.training.ranks import ONE_RANK, OneRank, RefusedError
from trainer.training.snapshot_callback import SnapshotCallback
from trainer.training.unfinished import CheckpointCallback

log = logging.getLogger(__name__)


class Run:
    """Network, optimizer, batches, and the callbacks that measure: the same on each process of a group."""

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
        self.history = HistoryCallback(self.averaged, validate, partial(self.schedule, peak=settings.learning_rate))
        digests = (split.digest() for split in (digits, self.batches.synthetic_digits, self.batches.non_digits))
        self.data_digest = hashlib.sha256("".join(digests).encode()).hexdigest()

    def arrays(self) -> Arrays:
        """Return the arrays that training changes, in place."""
        arrays = {"parameters": self.network.parameters}
        arrays |= {f"optimizer_{name}": array for name, array in self.optimizer.state.items()}
        return arrays | {f"average_{name}": array for name, array in self.averaging.average.state.items()}

    def fingerprint(self) -> str:
        """Return a hash of the recipe and the data: only with the same ones may an unfinished run go on."""
        recipe = json.dumps(self.settings.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(f"{recipe}{self.data_digest}".encode()).hexdigest()

    def about(self) -> dict[str, Any]:
        """Return the model card's part on the training, at its end."""
        batches, last = self.batches, self.history.rows[-1]
        return {
            "recipe": self.settings.model_dump(mode="json", exclude={"layers"}),  # the card has them with the network
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


def train(
    settings: TrainSettings,
    digits_file: Path,
    synthetic_file: Path,
    trained_folder: Path,
    history_file: Path,
    unfinished_file: Path,
    progress_file: Path,
    stop_requested: Callable[[], bool] = lambda: False,
    ranks: OneRank = ONE_RANK,
) -> dict[str, Any]:
    """Train as settings say; write the network, with its snapshots, and its history; return the model card.

    Stopped if a stop was requested. Several ranks all call this; the first of them writes.
    """
    if ranks.size > settings.shards:
        raise RefusedError(
            f"{ranks.size} ranks are too many for params.yaml: each takes at least one of a batch's train.shards, which are "
            f"{settings.shards}. Make them {ranks.size} (a training on one process takes that, too: dvc exp run -S "
            f"train.shards={ranks.size}), or start {settings.shards} ranks at most"
        )

    def make_run() -> Run:
        splits = load_splits(digits_file)
        return Run(settings, splits["training"], splits["validation"], load_synthetic(synthetic_file), ranks)

    run = ranks.assert_same_on_all_ranks("data (dvc pull brings it)", make_run, Run.fingerprint)
    checkpoint = CheckpointCallback(
        unfinished_file, run.fingerprint(), run.arrays(), run.snapshots, run.history, stop_requested, ranks
    )
    first_step = checkpoint.resume()
    if first_step:
        log.info("going on after step %d of %d, where training was stopped", first_step, run.steps)
    else:
        parameters, digits = run.network.parameters.size, len(run.batches.digits)
        log.info("training %s: %d parameters, %d pictures", settings.network, parameters, digits)

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
        write_atomically(history_file, csv_bytes(list(run.history.rows[0]), (list(row.values()) for row in run.history.rows)))
        unfinished_file.unlink(missing_ok=True)
        return card

    return ranks.on_rank_zero(write)
