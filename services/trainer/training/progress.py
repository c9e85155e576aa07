"""Progress: what a run leaves for those who watch it from outside: how far training is, and how each stage last went.

Both are small JSON files in artifacts/, replaced at once and never part of a result: no stage depends on them.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from digitnet.checkpoint import write_atomically

STAGES_FILE, TRAINING_FILE = "stages.json", "progress.json"
REPORT_SECONDS = 2.0  # a scrape comes every five


class Progress:
    """How far training is. The file is there while it runs, and goes with it; without one nobody is told."""

    def __init__(self, file: Path | None, steps: int, epochs: int, rows: int):
        self._file, self._steps, self._epochs, self._rows = file, steps, epochs, rows
        self._reported, self._step = -REPORT_SECONDS, 0

    def report(self, step: int, loss: float, accuracy: float) -> None:
        """After each step; loss and accuracy are of its batch. Written down every two seconds."""
        now = time.monotonic()
        if self._file is None or now - self._reported < REPORT_SECONDS:
            return
        images = (step - self._step) * self._rows
        written = {
            "step": step,
            "steps": self._steps,
            "epoch": step * self._epochs / self._steps,
            "epochs": self._epochs,
            "loss": loss,
            "accuracy": accuracy,
            "pictures_per_second": images / (now - self._reported) if self._step else 0.0,  # not known at first
        }
        write_atomically(self._file, json.dumps(written).encode())
        self._reported, self._step = now, step

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._file is not None:
            self._file.unlink(missing_ok=True)


@contextmanager
def recorded(name: str, file: Path) -> Iterator[None]:
    """Write down how a stage went, whatever comes of it: when it ended, how long it took, whether it succeeded."""
    began, succeeded = time.monotonic(), False
    try:
        yield
        succeeded = True
    finally:
        ended = {"finished_at": time.time(), "seconds": time.monotonic() - began, "succeeded": succeeded}
        write_atomically(file, json.dumps(_read(file) | {name: ended}, indent=2).encode())


def _read(file):
    """What is there; nothing where that is damaged: what others watch must not keep a stage from running."""
    try:
        stages = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return stages if isinstance(stages, dict) else {}
