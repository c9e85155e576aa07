"""Which paths answer, and that nothing that is wrong with what is read ever becomes a 500."""

import json
import logging

import pytest
from exporter.app import create_app
from exporter.settings import Settings

SUCCESS = "doodle_exporter_collector_success"


@pytest.fixture
def app(settings, log):
    return create_app(Settings(**settings))


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/", ""])
def test_metrics_are_at_their_path_and_at_the_root(app, ask, path):
    status, _, body = ask(app, path)
    assert status == "200 OK"
    assert SUCCESS in body


@pytest.mark.parametrize("path", ["/metric", "/metrics/more", "/../metrics", "/Metrics"])
def test_another_path_is_not_found(app, ask, path):
    status, _, body = ask(app, path)
    assert (status, json.loads(body)) == ("404 Not Found", {"detail": "Not Found"})


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_metrics_are_there_to_be_read(app, ask, method):
    assert ask(app, method=method)[0] == "405 Method Not Allowed"


def test_the_health_check_asks_nobody(ask, tmp_path, monkeypatch):
    monkeypatch.setattr("exporter.scrape.Scrape.collect", lambda self: pytest.fail("a health check must not collect"))
    app = create_app(Settings(models=str(tmp_path), prediction_log="redis://127.0.0.1:1/0", artifacts=(tmp_path,)))
    status, _, body = ask(app, "/healthz")
    assert (status, json.loads(body)) == ("200 OK", {"status": "ok"})


ALL_WELL = dict.fromkeys(("model", "pipeline", "stages", "journal", "feedback", "drift", "disk"), 1)


def test_what_is_wrong_is_a_0_for_its_collector_and_hides_nothing_else(app, ask, read, publish, models, artifacts):
    def successes():
        status, _, body = ask(app)
        assert status == "200 OK"
        samples = read(body)
        assert {("doodle_journal_up",), ("doodle_pipeline_results_available",)} <= set(samples)
        return {labels[1]: value for labels, value in samples.items() if labels[0] == SUCCESS}

    assert successes() == ALL_WELL
    for name, collector in (("metrics.json", "pipeline"), ("stages.json", "stages")):
        whole = (artifacts / name).read_text()
        (artifacts / name).write_text(whole[: len(whole) // 2])
        assert successes() == ALL_WELL | {collector: 0}
        (artifacts / name).write_text(whole)
        assert successes() == ALL_WELL
    for file in artifacts.iterdir():
        file.unlink()
    assert successes() == ALL_WELL
    models.point("live", publish())
    assert successes() == ALL_WELL
    (models.folder / "live").write_text("nonsense")
    assert successes() == ALL_WELL | {"model": 0, "drift": 0}


def test_makes_nothing_that_is_not_there(tmp_path, ask, read):
    """So that it runs on a file system that it may not write, as any user."""
    log, artifacts = f"sqlite:///{tmp_path}/journal/file", (tmp_path / "artifacts",)
    samples = read(ask(create_app(Settings(models=f"{tmp_path}/models", prediction_log=log, artifacts=artifacts)))[2])
    assert {labels[1]: value for labels, value in samples.items() if labels[0] == SUCCESS} == ALL_WELL
    assert list(tmp_path.iterdir()) == []


def test_a_killed_redis_is_down_until_it_is_there_again(settings, redis_server, ask, read, eventually, caplog):
    up, success = ("doodle_journal_up",), (SUCCESS, "journal")
    caplog.set_level(logging.INFO, logger="exporter")
    app = create_app(Settings(**settings | {"prediction_log": redis_server.url}))

    def scrape():
        status, _, text = ask(app)
        assert status == "200 OK"
        return read(text)

    def events(name):
        return sum(f"event={name} " in message for message in caplog.messages)

    assert scrape()[up] == 1
    redis_server.kill()
    for _ in range(3):
        samples = scrape()
        assert (samples[up], samples[success]) == (0, 0)
        assert samples["doodle_pipeline_test_accuracy_ratio",] == 0.9938
        assert samples["doodle_store_versions",] == 0
        assert ("doodle_feedback_recent",) not in samples  # it is not known, and no zero
    assert events("collector_failed") == 2  # log and feedback

    redis_server.start()
    eventually(lambda: scrape()[up] == 1, "the exporter sees Redis again")
    assert scrape()[success] == 1
    assert events("collector_recovered") == 2
