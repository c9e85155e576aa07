"""Which paths answer, and that nothing that is wrong with what is read ever becomes a 500."""

import json

import pytest
from exporter.app import create_app
from exporter.settings import Settings

SUCCESS = "doodle_exporter_collector_success"


@pytest.fixture
def app(environment, journal):
    return create_app(Settings.from_environment(environment))


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/", ""])
def test_metrics_are_at_their_path_and_at_the_root(app, ask, path):
    status, _, body = ask(app, path)
    assert status == "200 OK"
    assert "doodle_exporter_collector_success" in body


@pytest.mark.parametrize("path", ["/metric", "/metrics/more", "/favicon.ico", "/../metrics", "/Metrics", "/healthz/x"])
def test_another_path_is_not_found(app, ask, path):
    status, _, body = ask(app, path)
    assert (status, json.loads(body)) == ("404 Not Found", {"detail": "Not Found"})


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_metrics_are_there_to_be_read(app, ask, method):
    assert ask(app, method=method)[0] == "405 Method Not Allowed"


def test_the_health_check_asks_nobody(ask, tmp_path, monkeypatch):
    monkeypatch.setattr("exporter.scrape.Scrape.collect", lambda self: pytest.fail("a health check must not collect"))
    app = create_app(Settings(models=str(tmp_path), journal="redis://127.0.0.1:1/0", artifacts=(tmp_path,)))
    status, _, body = ask(app, "/healthz")
    assert (status, json.loads(body)) == ("200 OK", {"status": "ok"})


ALL_WELL = dict.fromkeys(("model", "pipeline", "stages", "journal", "feedback", "drift", "disk"), 1)


class TestWhereThingsAreNotAsTheyShouldBe:
    """Each time: 200, a 0 for the collector that it concerns, and everything that the others know."""

    @pytest.fixture
    def successes(self, app, ask, read):
        def of_a_scrape(app=app):
            status, _, body = ask(app)
            assert status == "200 OK"
            samples = read(body)
            assert {("doodle_journal_up",), ("doodle_pipeline_results_available",)} <= set(samples)
            return {labels[1]: value for labels, value in samples.items() if labels[0] == SUCCESS}

        return of_a_scrape

    def test_all_is_well_or_nothing_is_there_yet(self, successes, publish, models, artifacts):
        assert successes() == ALL_WELL
        for file in artifacts.iterdir():
            file.unlink()
        assert successes() == ALL_WELL
        models.point("live", publish())
        assert successes() == ALL_WELL

    def test_the_live_model_is_damaged(self, successes, publish, models):
        models.point("live", publish())
        (models.folder / "live").write_text("nonsense")
        assert successes() == ALL_WELL | {"model": 0, "drift": 0}

    @pytest.mark.parametrize(
        ("name", "collector"), [("metrics.json", "pipeline"), ("history.csv", "pipeline"), ("stages.json", "stages")]
    )
    def test_a_file_is_half_written_and_then_whole(self, successes, artifacts, name, collector):
        whole = (artifacts / name).read_text()
        (artifacts / name).write_text(whole[: len(whole) // 2])
        assert successes() == ALL_WELL | {collector: 0}
        (artifacts / name).write_text(whole)
        assert successes() == ALL_WELL

    def test_there_is_no_redis(self, successes, environment, free_port):
        app = create_app(Settings.from_environment({**environment, "DOODLE_JOURNAL": f"redis://127.0.0.1:{free_port()}/0"}))
        assert successes(app) == ALL_WELL | {"journal": 0, "feedback": 0}  # there is no model, so nobody looks for drift
