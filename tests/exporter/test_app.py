"""Paths of the exporter. Unreadable input never becomes a 500."""

import json

import pytest
from exporter.app import create_app
from exporter.settings import Settings

SUCCESS = "doodle_exporter_collector_success"


@pytest.fixture
def app(settings, log):
    return create_app(Settings(**settings))


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/", ""])
def test_serves_metrics_at_their_path_and_at_the_root(app, ask, path):
    status, _, body = ask(app, path)
    assert status == "200 OK"
    assert SUCCESS in body


@pytest.mark.parametrize("path", ["/metric", "/metrics/more", "/../metrics", "/Metrics"])
def test_answers_404_to_other_paths(app, ask, path):
    status, _, body = ask(app, path)
    assert (status, json.loads(body)) == ("404 Not Found", {"detail": "Not Found"})


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_rejects_other_methods(app, ask, method):
    assert ask(app, method=method)[0] == "405 Method Not Allowed"


def test_health_check_collects_nothing(ask, tmp_path, monkeypatch):
    monkeypatch.setattr("exporter.scrape.Scrape.collect", lambda self: pytest.fail("a health check must not collect"))
    app = create_app(Settings(models=str(tmp_path), prediction_log="redis://127.0.0.1:1/0", artifacts=(tmp_path,)))
    status, _, body = ask(app, "/healthz")
    assert (status, json.loads(body)) == ("200 OK", {"status": "ok"})


ALL_WELL = dict.fromkeys(("model", "pipeline", "stages", "journal", "feedback", "drift", "disk"), 1)


def test_creates_no_files(tmp_path, ask, read):
    """It must run on a read-only file system."""
    log, artifacts = f"sqlite:///{tmp_path}/journal/file", (tmp_path / "artifacts",)
    samples = read(ask(create_app(Settings(models=f"{tmp_path}/models", prediction_log=log, artifacts=artifacts)))[2])
    assert {labels[1]: value for labels, value in samples.items() if labels[0] == SUCCESS} == ALL_WELL
    assert list(tmp_path.iterdir()) == []
