"""The prediction log collector reports the log's summary, or only 0 for up."""

import pytest
from exporter.prediction_log_collector import PredictionLogCollector
from stores.prediction_log import Durability, PredictionLogError, open_prediction_log

UP, TOTAL, KEPT, FEEDBACK, NEWEST, DURABLE, DELAYED, MEMORY, MEMORY_LIMIT = (
    (f"doodle_journal_{name}",)
    for name in (
        "up", "predictions_total", "predictions_kept", "feedback_total", "last_prediction_timestamp_seconds", "durable",
        "delayed_syncs_total", "memory_bytes", "memory_limit_bytes",
    )
)  # fmt: skip


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_counts_records(kind, request, log_url, collect, fill):
    log = open_prediction_log(log_url if kind == "sqlite" else request.getfixturevalue("redis_server").url, cap=2)
    samples, error = collect(PredictionLogCollector(log))
    assert error is None
    assert [samples[name] for name in (UP, TOTAL, KEPT, FEEDBACK, DELAYED, DURABLE)] == [1, 0, 0, 0, 0, 1]
    assert NEWEST not in samples
    fill(log)
    samples, error = collect(PredictionLogCollector(log))
    assert error is None
    assert [samples[name] for name in (UP, TOTAL, KEPT, FEEDBACK)] == [1, 3, 2, 1]
    assert samples[NEWEST] == 1_767_409_445.5
    assert (MEMORY in samples) == (kind == "redis")
    assert MEMORY_LIMIT not in samples


@pytest.mark.parametrize(("options", "durable"), [("?durable=managed", None), ("?durable=managed&replicas=1", 0)])
def test_managed_durability_is_unknown_but_replicas_are_checked(redis_server, collect, options, durable):
    samples, error = collect(PredictionLogCollector(open_prediction_log(redis_server.url + options)))
    assert (error, samples[UP], samples.get(DURABLE)) == (None, 1, durable)


def test_reports_the_memory_limit(redis_server, collect):
    redis_server.client.config_set("maxmemory", "64mb")
    samples, _ = collect(PredictionLogCollector(open_prediction_log(redis_server.url)))
    redis_server.client.config_set("maxmemory", 0)
    assert samples[MEMORY] > 0
    assert samples[MEMORY_LIMIT] == 64 * 2**20


def test_a_log_without_durability_figures_is_up(log, collect, monkeypatch):
    monkeypatch.setattr(log, "durability", lambda: Durability(None, None, None, None, None))
    samples, error = collect(PredictionLogCollector(log))
    assert error is None
    assert set(samples) == {UP, TOTAL, KEPT, FEEDBACK}


def test_an_unreadable_log_is_down_without_other_figures(log_url, tmp_path, collect):
    (tmp_path / "journal.sqlite").write_bytes(b"no database " * 1000)
    samples, error = collect(PredictionLogCollector(open_prediction_log(log_url)))
    assert samples == {UP: 0}
    assert isinstance(error, PredictionLogError)
