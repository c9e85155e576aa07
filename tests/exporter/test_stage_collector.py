"""The stage collector reports each stage's last run and the progress of training."""

import json
import os
from pathlib import Path

import pytest
from exporter import stage_collector
from exporter.results import ResultsError
from exporter.stage_collector import SILENT_SECONDS, StageCollector

RUNNING = ("doodle_training_running",)


def success(stage):
    return ("doodle_pipeline_stage_success", stage)


def test_file_names_are_the_trainer_s():
    """Search the trainer's source, because the exporter's environment cannot import it."""
    sources = "".join(path.read_text() for path in (Path(__file__).parents[2] / "services/trainer").rglob("*.py"))
    assert f'"{stage_collector.STAGES_FILE}"' in sources
    assert f'"{stage_collector.TRAINING_FILE}"' in sources
    assert f'"{stage_collector.HEARTBEAT_FILE}"' in sources


def test_reports_the_trainer_s_newest_heartbeat(artifacts, tmp_path, collect):
    heartbeat = ("doodle_trainer_heartbeat_timestamp_seconds",)
    assert heartbeat not in collect(StageCollector([artifacts]))[0]
    for folder, at in ((tmp_path, 1_600_000_000.0), (artifacts, 1_800_000_000.0)):
        (folder / "heartbeat").touch()
        os.utime(folder / "heartbeat", (at, at))
    assert collect(StageCollector([artifacts, tmp_path]))[0][heartbeat] == 1_800_000_000.0


def test_reads_the_newer_run_of_each_stage(artifacts, tmp_path, collect):
    other = tmp_path / "other"
    other.mkdir()
    newer, older = 1_800_000_000.0, 1_600_000_000.0
    runs = {"test": (newer, True), "train": (older, False)}
    written = {stage: {"finished_at": at, "seconds": 1.0, "succeeded": ok} for stage, (at, ok) in runs.items()}
    (other / "stages.json").write_text(json.dumps(written))
    for folders in ([artifacts, other], [other, artifacts]):
        samples, _ = collect(StageCollector(folders))
        assert (samples[success("train")], samples[success("test")]) == (1, 1)


@pytest.mark.parametrize(("seconds", "is_running"), [(SILENT_SECONDS - 0.1, 1), (SILENT_SECONDS + 0.1, 0)])
def test_a_silent_training_is_not_running(artifacts, collect, seconds, is_running):
    written = (artifacts / "progress.json").stat().st_mtime
    samples, error = collect(StageCollector([artifacts], now=lambda: written + seconds))
    assert (samples[RUNNING], error) == (is_running, None)
    assert (("doodle_training_loss",) in samples) == bool(is_running)


def test_reports_nothing_before_any_run(tmp_path, collect):
    assert collect(StageCollector([tmp_path, tmp_path / "nowhere"])) == ({RUNNING: 0}, None)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("stages.json", b"[]"),
        ("stages.json", b'{"train": 3}'),
        ("stages.json", b'{"train": {"finished_at": 1.0, "seconds": 1.0}}'),
        ("progress.json", b'{"loss": "low"}'),
    ],
)
def test_error_names_a_damaged_file_after_reading_the_others(artifacts, collect, name, content):
    (artifacts / name).write_bytes(content)
    samples, error = collect(StageCollector([artifacts]))
    assert isinstance(error, ResultsError)
    assert str(error).startswith(f"{artifacts / name} cannot be used")
    assert RUNNING not in samples
    assert (success("train") in samples) == (name == "progress.json")
