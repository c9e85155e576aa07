"""The exporter over HTTP while Redis dies, hangs and comes back: every scrape is answered, and the log says it once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

UP, SUCCESS = ("doodle_journal_up",), ("doodle_exporter_collector_success", "journal")


@pytest.fixture
def exporter(run_exporter, environment, redis_server, eventually):
    """An exporter that has seen its Redis up."""
    with run_exporter({**environment, "DOODLE_JOURNAL": redis_server.url}) as running:
        eventually(lambda: running.samples()[UP] == 1, "the exporter sees Redis")
        yield running


def test_a_killed_redis_is_down_until_it_is_there_again(exporter, redis_server, eventually):
    already = len(exporter.events("collector_failed"))  # Redis may have taken longer to start than the exporter
    redis_server.kill()
    for _ in range(3):
        samples = exporter.samples()
        assert (samples[UP], samples[SUCCESS]) == (0, 0)
        assert samples["doodle_pipeline_test_accuracy_ratio",] == 0.9938
        assert samples["doodle_store_versions",] == 0
    assert len(exporter.events("collector_failed")) == already + 2  # journal and feedback

    redis_server.start()
    eventually(lambda: exporter.samples()[UP] == 1, "the exporter sees Redis again")
    assert exporter.samples()[SUCCESS] == 1
    assert len(exporter.events("collector_recovered")) == already + 2  # journal and feedback
    assert "Traceback" not in exporter.log()


def test_a_redis_that_says_nothing_holds_up_no_scrape_for_ever(exporter, redis_server, eventually):
    """Without timeouts of the journal's own the scrapes would wait until this test gave up."""
    redis_server.pause()
    with ThreadPoolExecutor(2) as pool:
        assert [samples[UP] for samples in pool.map(lambda _: exporter.samples(), range(2))] == [0, 0]
    redis_server.go_on()
    eventually(lambda: exporter.samples()[UP] == 1, "the exporter sees Redis again")
