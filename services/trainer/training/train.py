"""The stage train: run digitnet's training loop on MNIST's and the synthetic images, as params.yaml says.

A training that was stopped and went on ends with the same weights, bit for bit, as one that was not.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from digitnet import training
from digitnet.checkpoint import save, write_atomically
from digitnet.parallel import DataParallel

from trainer.data.digits import load_splits, load_synthetic
from trainer.reports import csv_bytes
from trainer.settings import TrainSettings
from trainer.training.progress import ProgressCallback
from trainer.training.ranks import ONE_RANK, OneRank, RefusedError
from trainer.training.run import Run
from trainer.training.unfinished import CheckpointCallback

log = logging.getLogger(__name__)


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
    checkpoint = CheckpointCallback(unfinished_file, run, stop_requested, ranks)
    first_step = checkpoint.resume()
    if first_step:
        log.info("going on after step %d of %d, where training was stopped", first_step, run.steps)
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
