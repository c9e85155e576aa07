"""train: gradient descent on the training pictures, with a progress bar, a history, and a way to go on after a stop.

Every random choice of a step follows from (seed, epoch, batch), so a run that was stopped and went on ends with the same
weights, bit for bit, as one that was not.
"""

import csv
import hashlib
import io
import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from digitnet.augmentation import shifted
from digitnet.checkpoint import npz_arrays, npz_bytes, save, write_atomically
from digitnet.drawing import in_unit_range
from digitnet.network import Network
from digitnet.parallel import DataParallel
from digitnet.schedules import SCHEDULES
from tqdm import tqdm

from trainer.digits import Split, load_splits, loss_and_predictions
from trainer.settings import TrainSettings

log = logging.getLogger(__name__)


class Stopped(Exception):
    """Training was asked to stop and left what it needs to go on."""


class Training:
    """One run: the network, its optimizer, how far it has come and what it has measured."""

    def __init__(self, settings: TrainSettings, training: Split, validation: Split):
        self.settings, self.training, self.validation = settings, training, validation
        self.data_digest = training.digest()
        self.steps_per_epoch = len(training) // settings.batch_size  # the few left over come up in another epoch's order
        if self.steps_per_epoch == 0:
            raise ValueError(f"batch_size {settings.batch_size} is more than the {len(training)} training pictures")
        self.steps = settings.epochs * self.steps_per_epoch
        self.network = settings.make_network()
        self.network.initialize(np.random.default_rng(settings.seed))
        self.optimizer = settings.make_optimizer(self.network.parameters.size)
        self.step, self.history, self.order = 0, [], None
        self.loss_sum, self.correct, self.seconds = 0.0, 0, 0.0  # the first two since the epoch began

    def run_step(self, parallel: DataParallel) -> tuple[float, int]:
        """One batch: forward, backward, update. Returns its mean loss and how many it got right."""
        settings = self.settings
        started = time.perf_counter()
        epoch, batch = divmod(self.step, self.steps_per_epoch)
        if batch == 0 or self.order is None:
            self.order = np.random.default_rng([settings.seed, epoch]).permutation(len(self.training))
        chosen = self.order[batch * settings.batch_size : (batch + 1) * settings.batch_size]
        pictures = shifted(
            self.training.pictures[chosen], np.random.default_rng([settings.seed, epoch, batch]), settings.max_shift
        )

        loss, correct = parallel.loss_and_gradients(in_unit_range(pictures), self.training.labels[chosen])
        self.optimizer.update(self.network.parameters, self.network.gradients, self.learning_rate())

        self.step += 1
        self.loss_sum += loss
        self.correct += correct
        self.seconds += time.perf_counter() - started
        return loss, correct

    def learning_rate(self) -> float:
        return SCHEDULES[self.settings.schedule](self.step, self.steps, self.settings.learning_rate)

    def epoch_is_over(self) -> bool:
        return self.step % self.steps_per_epoch == 0

    def end_epoch(self) -> dict:
        """Measure on the validation pictures and add a row to the history."""
        started = time.perf_counter()
        validation_loss, validation_accuracy = measure(self.network, self.validation)
        self.seconds += time.perf_counter() - started
        row = {
            "epoch": len(self.history) + 1,
            "learning_rate": self.learning_rate(),
            "train_loss": self.loss_sum / self.steps_per_epoch,
            "train_accuracy": self.correct / (self.steps_per_epoch * self.settings.batch_size),
            "validation_loss": validation_loss,
            "validation_accuracy": validation_accuracy,
            "seconds": round(self.seconds, 2),
        }
        if not np.isfinite(row["train_loss"]):
            raise ValueError(f"training diverged in epoch {row['epoch']}: lower train.learning_rate in params.yaml")
        self.history.append(row)
        self.loss_sum, self.correct = 0.0, 0
        return row

    def fingerprint(self) -> str:
        """What a half-finished run belongs to: the recipe and the data."""
        recipe = json.dumps(asdict(self.settings), sort_keys=True).encode()
        return hashlib.sha256(recipe + self.data_digest.encode()).hexdigest()

    def save_unfinished(self, path: Path) -> None:
        progress = {key: getattr(self, key) for key in ("step", "history", "loss_sum", "correct", "seconds")}
        progress["fingerprint"] = self.fingerprint()
        arrays = {f"optimizer_{name}": array for name, array in self.optimizer.state.items()}
        arrays["parameters"] = self.network.parameters
        arrays["progress"] = np.frombuffer(json.dumps(progress).encode(), np.uint8)
        write_atomically(path, npz_bytes(arrays))

    def resume(self, path: Path) -> bool:
        """Go on from what save_unfinished left there, if it is of this recipe and this data. False: a fresh start."""
        if not path.exists():
            return False
        try:
            arrays = npz_arrays(path.read_bytes())
            progress = json.loads(arrays["progress"].tobytes())
            fits = progress.pop("fingerprint") == self.fingerprint()
            if fits:
                self.network.parameters[:] = arrays["parameters"]
                for name, array in self.optimizer.state.items():
                    array[:] = arrays[f"optimizer_{name}"]
                vars(self).update(progress)
        except (ValueError, KeyError) as error:
            raise ValueError(f"{path}, left by a stopped training, cannot be read ({error}): delete it to start over") from error
        return fits


def train(
    settings: TrainSettings,
    digits_file: Path,
    trained_folder: Path,
    history_file: Path,
    unfinished_file: Path,
    stop_requested: Callable[[], bool] = lambda: False,
) -> dict:
    """Train as settings say; write the network and its history; return the model card. Stopped if asked to stop."""
    splits = load_splits(digits_file)
    run = Training(settings, splits["training"], splits["validation"])
    if run.resume(unfinished_file):
        log.info("going on after step %d of %d, where training was stopped", run.step, run.steps)
    else:
        log.info("training %s: %d parameters, %d pictures", settings.network, run.network.parameters.size, len(run.training))

    with DataParallel(run.network, settings.shares) as parallel, _progress_bar(run) as bar:
        while run.step < run.steps:
            if stop_requested():
                run.save_unfinished(unfinished_file)
                raise Stopped(f"training stopped after step {run.step} of {run.steps}; the same command goes on from there")
            loss, correct = run.run_step(parallel)
            bar.set_postfix_str(f"loss {loss:.3f}, accuracy {correct / settings.batch_size:6.1%}", refresh=False)
            bar.update()
            if run.epoch_is_over():
                _report(run, run.end_epoch(), bar)
                run.save_unfinished(unfinished_file)

    card = save(trained_folder, run.network, run.validation.golden_pictures(), _about(run))
    write_atomically(history_file, _csv(run.history).encode())
    unfinished_file.unlink(missing_ok=True)
    return card


def measure(network: Network, split: Split) -> tuple[float, float]:
    """Mean loss and accuracy of the network on a split."""
    loss, predicted = loss_and_predictions(network, split)
    return loss, float(np.mean(predicted == split.labels))


def _about(run):
    last = run.history[-1]
    recipe = asdict(run.settings)
    del recipe["layers"]  # the card has them in its description of the network
    return {
        "recipe": recipe,
        "data": {"training_pictures": len(run.training), "sha256": run.data_digest},
        "training": {
            "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(run.seconds, 2),
            "epochs": len(run.history),
            "train_loss": last["train_loss"],
            "validation_accuracy": last["validation_accuracy"],
        },
    }


def _progress_bar(run):
    """On a terminal a bar with the time left; elsewhere nothing, and the epochs' lines in the log say the same."""
    return tqdm(
        total=run.steps, initial=run.step, desc="training", unit="batch", disable=None, mininterval=0.2, dynamic_ncols=True
    )


def _report(run, row, bar):
    left = run.seconds / run.step * (run.steps - run.step)
    line = (
        f"epoch {row['epoch']}/{run.settings.epochs}  loss {row['train_loss']:.4f}  accuracy {row['train_accuracy']:.2%}  "
        f"validation {row['validation_accuracy']:.2%}  {run.seconds:.0f} s, {left:.0f} s left"
    )
    if bar.disable:
        log.info(line)
    else:
        bar.write(line)


def _csv(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
