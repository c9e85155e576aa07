"""While Redis dies, hangs and comes back, every scrape is answered, and the log says it once."""

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from exporter.app import create_app
from exporter.settings import Settings
from stores import durable_redis

UP, SUCCESS = ("doodle_journal_up",), ("doodle_exporter_collector_success", "journal")


@pytest.fixture
def scrape(environment, redis_server, ask, read, eventually, monkeypatch):
    """scrape(): the samples of an exporter that has seen its Redis up."""
    monkeypatch.setattr(durable_redis, "COMMAND_SECONDS", durable_redis.COMMAND_SECONDS / 10)
    app = create_app(Settings.from_environment(environment | {"DOODLE_JOURNAL": redis_server.url}))

    def scrape():
        status, _, text = ask(app)
        assert status == "200 OK"
        return read(text)

    eventually(lambda: scrape()[UP] == 1, "the exporter sees Redis")
    return scrape


def test_a_killed_redis_is_down_until_it_is_there_again(scrape, redis_server, eventually, caplog):
    caplog.set_level(logging.INFO, logger="exporter")

    def events(name):
        return sum(f"event={name} " in record.getMessage() for record in caplog.records)

    redis_server.kill()
    for _ in range(3):
        samples = scrape()
        assert (samples[UP], samples[SUCCESS]) == (0, 0)
        assert samples["doodle_pipeline_test_accuracy_ratio",] == 0.9938
        assert samples["doodle_store_versions",] == 0
    assert events("collector_failed") == 2  # journal and feedback

    redis_server.start()
    eventually(lambda: scrape()[UP] == 1, "the exporter sees Redis again")
    assert scrape()[SUCCESS] == 1
    assert events("collector_recovered") == 2


def test_a_redis_that_says_nothing_holds_up_no_scrape_for_ever(scrape, redis_server, eventually):
    """Without timeouts of the journal's own the scrapes would wait until this test gave up."""
    redis_server.pause()
    with ThreadPoolExecutor(2) as pool:
        assert [samples[UP] for samples in pool.map(lambda _: scrape(), range(2))] == [0, 0]
    redis_server.go_on()
    eventually(lambda: scrape()[UP] == 1, "the exporter sees Redis again")
