"""Files with the progress of training and the result of each stage."""

import json
from types import SimpleNamespace

import pytest
from digitnet.training import Progress
from trainer import stages
from trainer.stages import recorded
from trainer.training import callbacks
from trainer.training.callbacks import HistoryCallback, ProgressCallback

HISTORY = HistoryCallback(None, None, None)


def progress_at(step, loss, correct):
    return Progress(epochs=4, steps=200, step=step, loss=loss, correct=correct, examples=160)


@pytest.fixture
def clock(monkeypatch):
    """Return a clock that the test sets."""
    clock = SimpleNamespace(now=1000.0, monotonic=lambda: clock.now, time=lambda: 1.7e9 + clock.now)
    for module in (callbacks, stages):
        monkeypatch.setattr(module, "time", clock)
    return clock


class TestProgress:
    def test_reports_progress_and_speed_every_two_seconds(self, tmp_path, clock):
        file = tmp_path / "artifacts" / "progress.json"
        with ProgressCallback(file, HISTORY, 0, 200) as running:
            running.after_update(progress_at(1, 2.5, 16))
            first = {"step": 1, "steps": 200, "epoch": 0.02, "epochs": 4}
            first |= {"loss": 2.5, "accuracy": 0.1, "pictures_per_second": 0.0}
            assert json.loads(file.read_text()) == first
            clock.now += callbacks.REPORT_SECONDS / 2
            running.after_update(progress_at(2, 2.4, 32))
            assert json.loads(file.read_text()) == first
            clock.now += 4.0 - callbacks.REPORT_SECONDS / 2
            running.after_update(progress_at(51, 1.5, 80))
            written = json.loads(file.read_text())
        assert (written["step"], written["epoch"], written["loss"]) == (51, 1.02, 1.5)
        assert written["pictures_per_second"] == 50 * 160 / 4.0

    def test_removes_the_file_when_training_ends(self, tmp_path):
        def interrupted():
            with ProgressCallback(tmp_path / "p.json", HISTORY, 0, 200) as running:
                running.after_update(progress_at(1, 2.5, 16))
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert not (tmp_path / "p.json").exists()


class TestStages:
    def test_records_each_stage(self, tmp_path, clock):
        file = tmp_path / "stages.json"

        def train():
            with recorded("train", file):
                clock.now += 3.0
                raise ValueError("no digits")

        with recorded("fetch", file):
            clock.now += 2.0
        with pytest.raises(ValueError, match="no digits"):
            train()
        assert json.loads(file.read_text()) == {
            "fetch": {"finished_at": 1.7e9 + 1002.0, "seconds": 2.0, "succeeded": True},
            "train": {"finished_at": 1.7e9 + 1005.0, "seconds": 3.0, "succeeded": False},
        }

    def test_replaces_a_damaged_file(self, tmp_path):
        (tmp_path / "stages.json").write_text("{")
        with recorded("fetch", tmp_path / "stages.json"):
            pass
        assert list(json.loads((tmp_path / "stages.json").read_text())) == ["fetch"]
