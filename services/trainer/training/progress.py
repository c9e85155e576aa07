"""Progress for those who watch from outside: how far training is, and how each stage last went.

Both are small JSON files in artifacts/, replaced atomically; no stage depends on them.
"""

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from digitnet.checkpoint import write_atomically
from digitnet.training import Callback, Progress
from tqdm import tqdm

from trainer.training.history import HistoryCallback

log = logging.getLogger(__name__)

STAGES_FILE, TRAINING_FILE = "stages.json", "progress.json"
REPORT_SECONDS = 2.0  # a scrape comes every five


class ProgressCallback(Callback):
    """Show how far training is: in a file that is there while it runs, as a bar on a terminal, and a line an epoch.

    Elsewhere than on a terminal the log has the lines. Without a file nothing is shown.
    """

    def __init__(self, file: Path | None, history: HistoryCallback, first_step: int, steps: int):
        self._file, self._history = file, history
        self._reported, self._step = -REPORT_SECONDS, 0
        disable = True if file is None else None  # None: unless this is a terminal
        self._bar = tqdm(desc="training", total=steps, initial=first_step, unit="batch", disable=disable, dynamic_ncols=True)

    def after_update(self, progress: Progress) -> None:
        accuracy = progress.correct / progress.examples
        self._bar.set_postfix_str(f"loss {progress.loss:.3f}, accuracy {accuracy:6.1%}", refresh=False)
        self._bar.update()
        now = time.monotonic()
        if self._file is None or now - self._reported < REPORT_SECONDS:
            return
        images = (progress.step - self._step) * progress.examples
        written = {
            "step": progress.step,
            "steps": progress.steps,
            "epoch": progress.step * progress.epochs / progress.steps,
            "epochs": progress.epochs,
            "loss": progress.loss,
            "accuracy": accuracy,
            "pictures_per_second": images / (now - self._reported) if self._step else 0.0,  # not known at first
        }
        write_atomically(self._file, json.dumps(written).encode())
        self._reported, self._step = now, progress.step

    def after_epoch(self, progress: Progress) -> None:
        row, seconds = self._history.rows[-1], self._history.elapsed()
        left = seconds / progress.step * (progress.steps - progress.step)
        line = (
            f"epoch {row['epoch']}/{progress.epochs}  loss {row['train_loss']:.4f}  accuracy {row['train_accuracy']:.2%}  "
            f"validation {row['validation_accuracy']:.2%}  {seconds:.0f} s, {left:.0f} s left"
        )
        if self._bar.disable:
            log.info(line)
        else:
            self._bar.write(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
        if self._file is not None:
            self._file.unlink(missing_ok=True)


@contextmanager
def recorded(name: str, file: Path) -> Iterator[None]:
    """Record how a stage went, whatever happens: when it ended, how long it took, whether it succeeded."""
    began, succeeded = time.monotonic(), False
    try:
        yield
        succeeded = True
    finally:
        ended = {"finished_at": time.time(), "seconds": time.monotonic() - began, "succeeded": succeeded}
        stages = {}
        with suppress(OSError, ValueError):  # no stage depends on the file
            stages = json.loads(file.read_bytes())
        write_atomically(file, json.dumps(stages | {name: ended}, indent=2).encode())
