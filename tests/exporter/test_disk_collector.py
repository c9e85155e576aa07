"""The disk collector: the figures are the system's own."""

import shutil

import pytest
from exporter.disk_collector import DiskCollector

SIZE, FREE = "doodle_disk_size_bytes", "doodle_disk_free_bytes"


def test_the_figures_are_the_system_s(tmp_path, collect):
    samples, error = collect(DiskCollector({"models": tmp_path}))
    usage = shutil.disk_usage(tmp_path)
    assert error is None
    assert samples[SIZE, "models"] == usage.total
    assert samples[FREE, "models"] == pytest.approx(usage.free, rel=0.05)  # others write meanwhile


def test_a_folder_that_is_not_there_yet_is_no_failure(tmp_path, collect):
    samples, error = collect(DiskCollector({"models": tmp_path, "artifacts": tmp_path / "nowhere"}))
    assert error is None
    assert set(samples) == {(SIZE, "models"), (FREE, "models")}
