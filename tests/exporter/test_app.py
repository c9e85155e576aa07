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
        def of_a_scrape():
            status, _, body = ask(app)
            assert status == "200 OK"
            samples = read(body)
            assert ("doodle_journal_up",) in samples
            assert ("doodle_pipeline_results_available",) in samples
            return {labels[1]: value for labels, value in samples.items() if labels[0] == SUCCESS}

        return of_a_scrape

    def test_all_is_well(self, successes, publish, models):
        models.point("live", publish())
        assert successes() == ALL_WELL

    def test_nothing_is_there_yet(self, successes, artifacts):
        for file in artifacts.iterdir():
            file.unlink()
        assert successes() == ALL_WELL

    def test_the_live_model_is_damaged(self, successes, publish, models):
        models.point("live", publish())
        (models.folder / "live").write_text("nonsense")
        assert successes() == ALL_WELL | {"model": 0, "drift": 0}

    def test_the_metrics_are_half_written(self, successes, artifacts):
        (artifacts / "metrics.json").write_text('{"accuracy": 0.9')
        assert successes() == ALL_WELL | {"pipeline": 0}

    def test_the_history_is_half_written(self, successes, artifacts):
        (artifacts / "history.csv").write_text("epoch,train_loss\n1,0.")
        assert successes() == ALL_WELL | {"pipeline": 0}

    def test_the_stages_are_half_written(self, successes, artifacts):
        (artifacts / "stages.json").write_text('{"train": {')
        assert successes() == ALL_WELL | {"stages": 0}

    def test_it_recovers_when_the_file_is_whole(self, successes, artifacts):
        whole = (artifacts / "history.csv").read_text()
        (artifacts / "history.csv").write_text(whole[:-3])
        successes()
        (artifacts / "history.csv").write_text(whole)
        assert successes() == ALL_WELL

    def test_there_is_no_redis(self, environment, ask, read, free_port):
        app = create_app(Settings.from_environment({**environment, "DOODLE_JOURNAL": f"redis://127.0.0.1:{free_port()}/0"}))
        samples = read(ask(app)[2])
        assert samples["doodle_journal_up",] == 0
        successes = {labels[1]: value for labels, value in samples.items() if labels[0] == SUCCESS}
        assert successes == ALL_WELL | {"journal": 0, "feedback": 0}  # there is no model, so nobody looks for drift
