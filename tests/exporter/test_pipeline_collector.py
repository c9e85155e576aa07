"""The pipeline collector reports the last run, no run, and damaged files."""

import os

import pytest
from exporter.pipeline_collector import PipelineCollector, ResultsError

AVAILABLE = ("doodle_pipeline_results_available",)
FROM_METRICS_TIME = ("doodle_pipeline_results_timestamp_seconds",)
FROM_METRICS = {
    FROM_METRICS_TIME: 1_767_323_045,
    ("doodle_pipeline_test_accuracy_ratio",): 0.9938,
    ("doodle_pipeline_test_loss",): 0.0175,
    **{("doodle_pipeline_digit_accuracy_ratio", str(digit)): 0.99 + digit / 1000 for digit in range(10)},
}
FROM_HISTORY = {
    ("doodle_pipeline_epochs",): 2,
    ("doodle_pipeline_loss", "train"): 0.012,
    ("doodle_pipeline_loss", "validation"): 0.0267,
    ("doodle_pipeline_accuracy_ratio", "train"): 0.9961,
    ("doodle_pipeline_accuracy_ratio", "validation"): 0.9936,
    ("doodle_pipeline_training_seconds",): 12.71,
}


@pytest.fixture
def collected(artifacts, collect):
    """collected(): collect the results and return (samples, error)."""
    return lambda: collect(PipelineCollector([artifacts]))


def test_reports_test_figures_and_the_last_epoch(collected):
    assert collected() == ({AVAILABLE: 1, **FROM_METRICS, **FROM_HISTORY}, None)


def test_reports_nothing_before_the_first_run(tmp_path, collect):
    (tmp_path / "empty").mkdir()
    assert collect(PipelineCollector([tmp_path / "nowhere", tmp_path / "empty"])) == ({AVAILABLE: 0}, None)


def test_history_needs_metrics_and_metrics_need_no_history(collected, artifacts):
    (artifacts / "history.csv").rename(artifacts / "kept.csv")
    assert collected() == ({AVAILABLE: 1, **FROM_METRICS}, None)
    (artifacts / "kept.csv").rename(artifacts / "history.csv")
    (artifacts / "metrics.json").unlink()
    assert collected() == ({AVAILABLE: 0}, None)


def test_reads_the_folder_with_the_newest_metrics(artifacts, tmp_path, collect):
    other = tmp_path / "other"
    other.mkdir()
    (other / "metrics.json").write_text('{"accuracy": 0.5}')
    written = (artifacts / "metrics.json").stat().st_mtime
    accuracy = ("doodle_pipeline_test_accuracy_ratio",)
    for later, expected in ((-60, {**FROM_METRICS, **FROM_HISTORY}), (60, {FROM_METRICS_TIME: written + 60, accuracy: 0.5})):
        os.utime(other / "metrics.json", (written + later, written + later))
        for folders in ([tmp_path / "nowhere", artifacts, other], [other, artifacts]):
            assert collect(PipelineCollector(folders)) == ({AVAILABLE: 1, **expected}, None)
    (other / "metrics.json").write_text("{")  # a damaged newest file is not skipped
    samples, error = collect(PipelineCollector([other, artifacts]))
    assert samples == {AVAILABLE: 0}
    assert f"{other}/metrics.json cannot be used" in str(error)


def test_omits_missing_figures_and_unknown_labels(collected, artifacts):
    (artifacts / "metrics.json").write_text('{"accuracy": 0.5, "accuracy_by_digit": {"10": 1, "evil": 1, "3": 0.25}}')
    (artifacts / "history.csv").write_text("epoch,train_loss\n7,0.5\n")
    samples, error = collected()
    assert error is None
    del samples[FROM_METRICS_TIME]
    history = {("doodle_pipeline_epochs",): 7, ("doodle_pipeline_loss", "train"): 0.5}
    metrics = {("doodle_pipeline_test_accuracy_ratio",): 0.5, ("doodle_pipeline_digit_accuracy_ratio", "3"): 0.25}
    assert samples == {AVAILABLE: 1, **metrics, **history}


@pytest.mark.parametrize("content", [b"", b"[]", b"[" * 100_000, b"\xff\xfe", b'{"accuracy_by_digit": [0.99]}'], ids=len)
def test_damaged_metrics_are_not_available(collected, artifacts, content):
    (artifacts / "metrics.json").write_bytes(content)
    samples, error = collected()
    assert samples == {AVAILABLE: 0}
    assert isinstance(error, ResultsError)
    assert f"{artifacts}/metrics.json cannot be used: " in str(error)


@pytest.mark.parametrize("rows", [b"", b"1,0.5\n2\n", b"1,0.5\n2,0.1", b"1,0.5\n2,nan\n", b'1,"0.5\n', b"1,\xff\n"])
def test_a_damaged_history_hides_only_its_own_figures(collected, artifacts, rows):
    (artifacts / "history.csv").write_bytes(b"epoch,train_loss\n" + rows)
    samples, error = collected()
    assert samples == {AVAILABLE: 1, **FROM_METRICS}
    assert isinstance(error, ResultsError)
    assert f"{artifacts}/history.csv cannot be used: " in str(error)


def test_a_folder_instead_of_the_file_is_a_failure(collected, artifacts):
    """A bind mount of a missing file makes a folder."""
    (artifacts / "metrics.json").unlink()
    (artifacts / "metrics.json").mkdir()
    samples, error = collected()
    assert samples == {AVAILABLE: 0}
    assert f"{artifacts}/metrics.json cannot be used: " in str(error)
