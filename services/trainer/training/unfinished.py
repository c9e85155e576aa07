"""The file of an unfinished training, unfinished.npz: a training that was stopped goes on from there, to the same weights."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from digitnet.checkpoint import npz_arrays, npz_bytes, write_atomically
from digitnet.training import Callback, Progress

from trainer.training.ranks import OnAllRanksError, OneRank
from trainer.training.run import Run

RECORDED = "recorded_"  # begins the names of the snapshots' arrays


class Stopped(OnAllRanksError):
    """Training was asked to stop and left what it needs to go on."""


class CheckpointCallback(Callback):
    """Save a run after each epoch, and when a stop is requested: then raise Stopped. The first rank writes."""

    def __init__(self, file: Path, run: Run, stop_requested: Callable[[], bool], ranks: OneRank):
        self._file, self._run, self._stop_requested, self._ranks = file, run, stop_requested, ranks

    def before_update(self, progress: Progress) -> None:
        if self._stop_requested():
            self._save(progress.step)
            done = f"{progress.step} of {progress.steps}"
            raise Stopped(f"training stopped after step {done}; the same command goes on from there")

    def after_epoch(self, progress: Progress) -> None:
        weights = hashlib.sha256(self._run.network.parameters.tobytes()).hexdigest()
        self._ranks.assert_same_on_all_ranks("the weights that the training came to", lambda: weights, str)
        self._save(progress.step)

    def _save(self, step: int) -> None:
        progress = {"step": step, "fingerprint": self._run.fingerprint(), "history": self._run.history.state()}
        snapshots = {f"{RECORDED}{name}": array for name, array in self._run.snapshots.state().items()}
        state = {**self._run.arrays(), **snapshots, "progress": np.frombuffer(json.dumps(progress).encode(), np.uint8)}
        self._ranks.on_rank_zero(lambda: write_atomically(self._file, npz_bytes(state)))

    def resume(self) -> int:
        """Restore a run of the same fingerprint and return its step; 0 if there is none. ValueError for a damaged file."""
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
            self._run.snapshots.restore({
                name.removeprefix(RECORDED): array for name, array in saved.items() if name.startswith(RECORDED)
            })  # fmt: skip
            self._run.history.restore(progress["history"])
            return int(progress["step"])
        except (ValueError, KeyError, TypeError) as error:
            text = f"{self._file}, left by a stopped training, cannot be read ({error}): delete it to start over"
            raise ValueError(text) from error
