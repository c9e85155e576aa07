"""A scrape as a whole: each collector's own success and duration, and one failing without the others."""

import logging
import threading

import pytest
from exporter.scrape import Scrape
from prometheus_client.core import GaugeMetricFamily


class FakeCollector:
    """One figure, and then an error if there is one to raise."""

    def __init__(self, name, error=None):
        self.name, self.error = name, error

    def collect(self):
        yield GaugeMetricFamily(f"doodle_{self.name}", "A figure.", 1)
        if self.error:
            raise self.error


@pytest.fixture
def good():
    return FakeCollector("good")


@pytest.fixture
def bad():
    return FakeCollector("bad", OSError("no\ngood"))


@pytest.fixture
def events(caplog):
    """events() -> what was logged since the last time."""
    caplog.set_level(logging.INFO, logger="exporter.scrape")

    def since():
        messages = [record.getMessage() for record in caplog.records]
        caplog.clear()
        return messages

    return since


SUCCESS, DURATION = "doodle_exporter_collector_success", "doodle_exporter_collector_duration_seconds"


def test_each_collector_has_a_success_and_a_duration(good, collect):
    samples, error = collect(Scrape([good]))
    assert error is None
    assert samples.pop((DURATION, "good")) >= 0
    assert samples == {("doodle_good",): 1, (SUCCESS, "good"): 1}


@pytest.mark.parametrize("error", [OSError("gone"), KeyError("bug"), RecursionError()], ids=lambda error: type(error).__name__)
def test_a_failing_collector_keeps_what_it_knew_and_takes_nothing_from_the_others(good, collect, error):
    others = [FakeCollector("first"), FakeCollector("bad", error), good]
    samples, raised = collect(Scrape(others))
    assert raised is None
    assert [samples["doodle_first",], samples["doodle_bad",], samples["doodle_good",]] == [1, 1, 1]
    assert {labels[1]: value for labels, value in samples.items() if labels[0] == SUCCESS} == {"first": 1, "bad": 0, "good": 1}
    assert {labels[1] for labels in samples if labels[0] == DURATION} == {"first", "bad", "good"}


def test_a_collector_recovers(bad, collect):
    scrape = Scrape([bad])
    assert collect(scrape)[0][SUCCESS, "bad"] == 0
    bad.error = None
    assert collect(scrape)[0][SUCCESS, "bad"] == 1


def test_a_failure_is_one_line_when_it_begins_and_one_when_it_ends(good, bad, collect, events):
    scrape = Scrape([good, bad])
    for _ in range(3):
        collect(scrape)
    assert events() == [r"event=collector_failed collector=bad error=OSError reason='no\ngood'"]
    bad.error = None
    for _ in range(3):
        collect(scrape)
    assert events() == ["event=collector_recovered collector=bad"]
    bad.error = ValueError("again")
    collect(scrape)
    assert events() == ["event=collector_failed collector=bad error=ValueError reason='again'"]


def test_collectors_that_work_are_not_worth_a_line(good, collect, events):
    collect(Scrape([good]))
    assert events() == []


def test_two_scrapes_at_once_do_not_wait_for_each_other(collect):
    class Meeting(FakeCollector):
        """Goes on only once two scrapes are in it."""

        def collect(self):
            barrier.wait(timeout=10)
            yield from super().collect()

    barrier = threading.Barrier(2)
    scrape, results = Scrape([Meeting("meeting")]), []
    threads = [threading.Thread(target=lambda: results.append(collect(scrape)[0])) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result[SUCCESS, "meeting"] for result in results] == [1, 1]


def test_two_scrapes_at_once_that_fail_write_one_line(bad, collect, events):
    scrape = Scrape([bad])
    threads = [threading.Thread(target=collect, args=[scrape]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(events()) == 1
