"""train: gradient descent on MNIST's and the synthetic images, with progress, a history, and a way to go on after a stop.

Every random choice of a step follows from (seed, epoch, batch), so a run that was stopped and went on ends with the same
weights, bit for bit, as one that was not.
"""

import hashlib
import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
from digitnet.checkpoint import npz_arrays, npz_bytes, save, write_atomically
from digitnet.images.normalize import in_unit_range
from digitnet.network import DIGITS, NO_DIGIT, Network
from digitnet.parallel import SINGLE_PROCESS, DataParallel, Group, part
from digitnet.prefetching import Prefetcher
from digitnet.schedules import SCHEDULES
from digitnet.weight_averaging import WeightAverage
from tqdm import tqdm

from trainer.data.digits import Answers, Split, Synthetic, joined, load_splits, load_synthetic
from trainer.evaluation.tables import csv_bytes
from trainer.settings import TrainSettings
from trainer.training.progress import Progress
from trainer.training.ranks import ONE_RANK, OnAllRanksError, OneRank, Ranks, RefusedError
from trainer.training.snapshot_callback import Recorder

log = logging.getLogger(__name__)

RECORDED = "recorded_"  # what is the recorder's, in the file of an unfinished run
DROPOUT = 1  # what tells the random numbers of dropout from those that make the batch
READ_AT_ONCE = 128  # images, when a network is measured


class Stopped(OnAllRanksError):
    """Training was asked to stop and left what it needs to go on."""


class DivergedError(OnAllRanksError, ValueError):
    """The loss is no number any more."""


class Training:
    """One run: the network, its optimizer, how far it has come and what it has measured. The same on each process of a group."""

    def __init__(
        self, settings: TrainSettings, training: Split, validation: Split, synthetic: Synthetic, group: Group = SINGLE_PROCESS
    ):
        self.settings, self.validation, self.group = settings, validation, group
        # Users may have drawn what is none, too.
        self.training, drawn_non_digits = training.only(training.labels != NO_DIGIT), training.only(training.labels == NO_DIGIT)
        self.synthetic_digits = synthetic.digits("training")
        self.non_digits = joined(synthetic.non_digits("training"), drawn_non_digits)
        self.data_digest = _digest(training, self.synthetic_digits, self.non_digits)
        self.steps_per_epoch = len(training) // settings.batch_size  # the few left over come up in another epoch's order
        if self.steps_per_epoch == 0:
            raise ValueError(f"batch_size {settings.batch_size} is more than the {len(training)} training pictures")
        self.steps = settings.epochs * self.steps_per_epoch
        self.network = settings.make_network()
        self.network.initialize(np.random.default_rng(settings.seed))
        self.optimizer = settings.make_optimizer(self.network.parameters.size)
        self.average = WeightAverage(self.network.parameters.size, settings.averaged_steps)
        # What is measured and kept: the same network with the averaged weights.
        self.averaged = Network(settings.layers, parameters=self.average.average)
        self.recorder = Recorder(
            self.steps, self.network, self.averaged, validation, lambda network: measure(network, validation, group)
        )
        # Beside MNIST's digits in each batch; a network without a class for what is no digit is shown none.
        self.extra = [(self.synthetic_digits, settings.synthetic_digits)]
        if self.network.classes > DIGITS:
            self.extra.append((self.non_digits, settings.non_digits))
        for split, count in self.extra:
            if count and not len(split):
                raise ValueError("params.yaml: train asks for synthetic pictures, but synthesize made none of that sort")
        self.rows = settings.batch_size + sum(count for _, count in self.extra)
        self._order = (-1, None)
        self.step, self.history = 0, []
        self.loss_sum, self.correct = 0.0, 0  # since the epoch began
        self.seconds, self._began = 0.0, time.perf_counter()  # spent before this run of the program, and when that began

    def make_batch(self, step: int, rows: slice = slice(None)) -> tuple[np.ndarray, np.ndarray]:
        """The step's images, float32 (rows, 28, 28), and labels, int64 (rows,): the same ones whenever it is asked for.

        Where only some rows' images are needed, the others may stay blank.
        """
        settings = self.settings
        epoch, batch = divmod(step, self.steps_per_epoch)
        if self._order[0] != epoch:
            self._order = epoch, np.random.default_rng([settings.seed, epoch + 1]).permutation(len(self.training))
        # Counted from 1: NumPy takes [seed, epoch, 0] for [seed, epoch], and that for the seed where the epoch is 0.
        generator = np.random.default_rng([settings.seed, epoch + 1, batch + 1])
        chosen = self._order[1][batch * settings.batch_size : (batch + 1) * settings.batch_size]
        parts = [self.training.only(chosen)]
        parts += [split.only(generator.integers(0, len(split), count)) for split, count in self.extra if count]
        # Shuffled, so that each share of the batch, on a thread of its own, has some of all.
        order = generator.permutation(self.rows)
        images = np.concatenate([part.images for part in parts])[order]
        labels = np.concatenate([part.labels for part in parts])[order]
        return settings.augmentation.augmented(images, generator, rows), labels

    def run_step(self, parallel: DataParallel, images: np.ndarray, labels: np.ndarray) -> tuple[float, int]:
        """One batch: forward, backward, update. Returns its mean loss and how many it got right."""
        # A stream beside make_batch's, which may draw ahead of this on another thread.
        epoch, batch = divmod(self.step, self.steps_per_epoch)
        generator = np.random.default_rng([self.settings.seed, epoch + 1, batch + 1, DROPOUT])
        loss, correct = parallel.loss_and_gradients(images, labels, generator)
        learning_rate = self.learning_rate()
        self.recorder.before_update(self.step, loss)
        self.optimizer.update(self.network.parameters, self.network.gradients, learning_rate)
        self.average.update(self.network.parameters)

        self.step += 1
        self.recorder.after_update(self.step, learning_rate)
        self.loss_sum += loss
        self.correct += correct
        return loss, correct

    def elapsed(self) -> float:
        """Seconds of training, those before a stop included."""
        return self.seconds + time.perf_counter() - self._began

    def learning_rate(self) -> float:
        return SCHEDULES[self.settings.schedule](self.step, self.steps, self.settings.learning_rate)

    def epoch_is_over(self) -> bool:
        return self.step % self.steps_per_epoch == 0

    def end_epoch(self) -> dict:
        """Measure on the validation images and add a row to the history."""
        validation_loss, validation_accuracy = measure(self.averaged, self.validation, self.group)
        row = {
            "epoch": len(self.history) + 1,
            "learning_rate": self.learning_rate(),
            "train_loss": self.loss_sum / self.steps_per_epoch,
            "train_accuracy": self.correct / (self.steps_per_epoch * self.rows),
            "validation_loss": validation_loss,
            "validation_accuracy": validation_accuracy,
            "seconds": round(self.elapsed(), 2),
        }
        if not np.isfinite(row["train_loss"]):
            raise DivergedError(f"training diverged in epoch {row['epoch']}: lower train.learning_rate in params.yaml")
        self.history.append(row)
        self.loss_sum, self.correct = 0.0, 0
        return row

    def fingerprint(self) -> str:
        """What a half-finished run belongs to: the recipe and the data."""
        recipe = json.dumps(asdict(self.settings), sort_keys=True).encode()
        return hashlib.sha256(recipe + self.data_digest.encode()).hexdigest()

    def save_unfinished(self, path: Path) -> None:
        progress = {key: getattr(self, key) for key in ("step", "history", "loss_sum", "correct")}
        progress["seconds"] = self.elapsed()
        progress["fingerprint"] = self.fingerprint()
        arrays = {"parameters": self.network.parameters, **self._states()}
        arrays |= {f"{RECORDED}{name}": array for name, array in self.recorder.state().items()}
        arrays["progress"] = np.frombuffer(json.dumps(progress).encode(), np.uint8)
        write_atomically(path, npz_bytes(arrays))

    def resume(self, path: Path, content: bytes | None) -> bool:
        """Go on from what save_unfinished left at the path, if that is of this recipe and this data. False: a fresh start."""
        if content is None:
            return False
        try:
            arrays = npz_arrays(content)
            progress = json.loads(arrays["progress"].tobytes())
            fits = progress.pop("fingerprint") == self.fingerprint()
            if fits:
                self.network.parameters[:] = arrays["parameters"]
                for name, array in self._states().items():
                    array[:] = arrays[name]
                recorded = {name.removeprefix(RECORDED): array for name, array in arrays.items() if name.startswith(RECORDED)}
                self.recorder.restore(recorded)
                vars(self).update(progress)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}, left by a stopped training, cannot be read ({error}): delete it to start over") from error
        return fits

    def _states(self):
        """What optimizer and average remember, each array by a name of its own."""
        parts = {"optimizer": self.optimizer, "average": self.average}
        return {f"{part}_{name}": array for part, owner in parts.items() for name, array in owner.state.items()}


def train(
    settings: TrainSettings,
    digits_file: Path,
    synthetic_file: Path,
    trained_folder: Path,
    history_file: Path,
    unfinished_file: Path,
    progress_file: Path,
    stop_requested: Callable[[], bool] = lambda: False,
    ranks: OneRank | Ranks = ONE_RANK,
) -> dict:
    """Train as settings say; write the network, with its snapshots, and its history; return the model card.

    Stopped if asked to stop. Several ranks all call this; the first of them writes.
    """
    if ranks.size > settings.shares:
        raise RefusedError(
            f"{ranks.size} ranks are too many for params.yaml: each takes at least one of a batch's train.shares, which are "
            f"{settings.shares}. Make them {ranks.size} (a training on one process takes that, too: dvc exp run -S "
            f"train.shares={ranks.size}), or start {settings.shares} ranks at most"
        )

    def prepared():
        splits = load_splits(digits_file)
        return Training(settings, splits["training"], splits["validation"], load_synthetic(synthetic_file), ranks)

    run = ranks.assert_same_on_all_ranks("data (dvc pull brings it)", prepared, Training.fingerprint)
    left = ranks.on_rank_zero(lambda: unfinished_file.read_bytes() if unfinished_file.exists() else None)
    if run.resume(unfinished_file, left):
        log.info("going on after step %d of %d, where training was stopped", run.step, run.steps)
    else:
        log.info("training %s: %d parameters, %d pictures", settings.network, run.network.parameters.size, len(run.training))

    with (
        DataParallel(run.network, settings.shares, ranks) as parallel,
        Prefetcher(partial(run.make_batch, rows=parallel.rows(run.rows)), range(run.step, run.steps)) as batches,
        Progress(progress_file if ranks.rank == 0 else None, run.steps, settings.epochs, run.rows) as progress,
        _progress_bar(run, is_shown=ranks.rank == 0) as bar,
    ):
        for images, labels in batches:
            if stop_requested():
                ranks.on_rank_zero(lambda: run.save_unfinished(unfinished_file))
                raise Stopped(f"training stopped after step {run.step} of {run.steps}; the same command goes on from there")
            loss, correct = run.run_step(parallel, images, labels)
            bar.set_postfix_str(f"loss {loss:.3f}, accuracy {correct / run.rows:6.1%}", refresh=False)
            bar.update()
            progress.report(run.step, loss, correct / run.rows)
            if run.epoch_is_over():
                _report(run, run.end_epoch(), bar)
                ranks.assert_same_on_all_ranks("the weights that the training came to", lambda: run.network.parameters, _hash)
                ranks.on_rank_zero(lambda: run.save_unfinished(unfinished_file))

    def ended():
        card = save(trained_folder, run.averaged, run.validation.golden_images(), _about(run), run.recorder.snapshots())
        write_atomically(history_file, csv_bytes(run.history[0], (row.values() for row in run.history)))
        unfinished_file.unlink(missing_ok=True)
        return card

    return ranks.on_rank_zero(ended)


def measure(network: Network, split: Split, group: Group = SINGLE_PROCESS) -> tuple[float, float]:
    """Mean loss and accuracy of the network on a split; each process of a group reads its part, and has both.

    The parts are of whole batches, so their features are, to the last bit, what one process finds.
    """
    features = np.zeros((len(split), math.prod(network.shapes[-2])), network.dtype)
    own = part(math.ceil(len(split) / READ_AT_ONCE), group)
    rows = slice(own.start * READ_AT_ONCE, own.stop * READ_AT_ONCE)
    features[rows] = network.predict_features(in_unit_range(split.images[rows]), READ_AT_ONCE)
    group.sum_(features)
    measured = Answers(features, network.logits_of(features), split.labels, split.images)
    return measured.loss, float(np.mean(measured.right))


def _hash(array):
    return hashlib.sha256(array.tobytes()).hexdigest()


def _digest(*splits):
    return hashlib.sha256("".join(split.digest() for split in splits).encode()).hexdigest()


def _about(run):
    last = run.history[-1]
    recipe = asdict(run.settings)
    del recipe["layers"]  # the card has them in its description of the network
    return {
        "recipe": recipe,
        "data": {
            "training_pictures": len(run.training),
            "synthetic_digits": len(run.synthetic_digits),
            "non_digits": len(run.non_digits),
            "sha256": run.data_digest,
        },
        "training": {
            "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(run.elapsed(), 2),
            "epochs": len(run.history),
            "train_loss": last["train_loss"],
            "validation_accuracy": last["validation_accuracy"],
        },
    }


def _progress_bar(run, is_shown):
    """On a terminal a bar with the time left; elsewhere nothing, and the epochs' lines in the log say the same."""
    return tqdm(
        total=run.steps,
        initial=run.step,
        desc="training",
        unit="batch",
        disable=None if is_shown else True,
        mininterval=0.2,
        dynamic_ncols=True,
    )


def _report(run, row, bar):
    seconds = run.elapsed()
    left = seconds / run.step * (run.steps - run.step)
    line = (
        f"epoch {row['epoch']}/{run.settings.epochs}  loss {row['train_loss']:.4f}  accuracy {row['train_accuracy']:.2%}  "
        f"validation {row['validation_accuracy']:.2%}  {seconds:.0f} s, {left:.0f} s left"
    )
    if bar.disable:
        log.info(line)
    else:
        bar.write(line)
