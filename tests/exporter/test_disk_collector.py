"""The disk collector reports the system's figures."""

import shutil

import pytest
from exporter.disk_collector import DiskCollector

SIZE, FREE = "doodle_disk_size_bytes", "doodle_disk_free_bytes"


def test_reports_size_and_free_space(tmp_path, collect):
    samples, error = collect(DiskCollector({"models": tmp_path}))
    usage = shutil.disk_usage(tmp_path)
    assert error is None
    assert samples[SIZE, "models"] == usage.total
    assert samples[FREE, "models"] == pytest.approx(usage.free, rel=0.05)  # other programs write meanwhile


def test_skips_a_missing_folder(tmp_path, collect):
    samples, error = collect(DiskCollector({"models": tmp_path, "artifacts": tmp_path / "nowhere"}))
    assert error is None
    assert set(samples) == {(SIZE, "models"), (FREE, "models")}
