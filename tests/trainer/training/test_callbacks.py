"""Progress files: how far training is, and how each stage went."""

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
    """Seconds, as the test wants them."""
    clock = SimpleNamespace(now=1000.0, monotonic=lambda: clock.now, time=lambda: 1.7e9 + clock.now)
    for module in (callbacks, stages):
        monkeypatch.setattr(module, "time", clock)
    return clock


class TestProgress:
    def test_says_how_far_training_is_and_how_fast_every_two_seconds(self, tmp_path, clock):
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

    def test_the_file_goes_when_training_ends_however_it_does(self, tmp_path):
        def interrupted():
            with ProgressCallback(tmp_path / "p.json", HISTORY, 0, 200) as running:
                running.after_update(progress_at(1, 2.5, 16))
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert not (tmp_path / "p.json").exists()


class TestStages:
    def test_each_is_written_down_beside_the_others(self, tmp_path, clock):
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

    def test_a_file_that_is_damaged_keeps_no_stage_from_running(self, tmp_path):
        (tmp_path / "stages.json").write_text("{")
        with recorded("fetch", tmp_path / "stages.json"):
            pass
        assert list(json.loads((tmp_path / "stages.json").read_text())) == ["fetch"]
