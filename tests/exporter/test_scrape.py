"""A scrape as a whole: each collector's own success and duration, and one failing without the others."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from exporter.scrape import Scrape
from prometheus_client.core import GaugeMetricFamily

SUCCESS, DURATION = "doodle_exporter_collector_success", "doodle_exporter_collector_duration_seconds"


class FakeCollector:
    """One figure, and then an error if there is one to raise."""

    def __init__(self, name, error=None):
        self.name, self.error = name, error

    def collect(self):
        yield GaugeMetricFamily(f"doodle_{self.name}", "A figure.", 1)
        if self.error:
            raise self.error


@pytest.fixture
def events(caplog):
    """What was logged."""
    caplog.set_level(logging.INFO, logger="exporter.scrape")
    return lambda: caplog.messages


@pytest.mark.parametrize("error", [OSError("gone"), KeyError("bug"), RecursionError()], ids=lambda error: type(error).__name__)
def test_a_failing_collector_keeps_what_it_knew_and_takes_nothing_from_the_others(collect, error):
    samples, raised = collect(Scrape([FakeCollector("first"), FakeCollector("bad", error), FakeCollector("good")]))
    assert raised is None
    assert all(samples.pop((DURATION, name)) >= 0 for name in ("first", "bad", "good"))
    figures = {("doodle_first",): 1, ("doodle_bad",): 1, ("doodle_good",): 1}
    assert samples == figures | {(SUCCESS, "first"): 1, (SUCCESS, "bad"): 0, (SUCCESS, "good"): 1}


def test_a_failure_is_one_line_when_it_begins_and_one_when_it_ends(collect, events):
    bad = FakeCollector("bad", OSError("no\ngood"))
    scrape = Scrape([FakeCollector("good"), bad])
    assert [collect(scrape)[0][SUCCESS, "bad"] for _ in range(3)] == [0] * 3
    bad.error = None
    assert [collect(scrape)[0][SUCCESS, "bad"] for _ in range(3)] == [1] * 3
    bad.error = ValueError("again")
    collect(scrape)
    assert events() == [
        r"event=collector_failed collector=bad error=OSError reason='no\ngood'",
        "event=collector_recovered collector=bad",
        "event=collector_failed collector=bad error=ValueError reason='again'",
    ]


@pytest.mark.parametrize("error", [None, OSError("gone")], ids=str)
def test_scrapes_at_once_do_not_wait_for_each_other_and_write_one_line(collect, events, error):
    class Meeting(FakeCollector):
        """Goes on only once two scrapes are in it."""

        def collect(self):
            barrier.wait(timeout=10)
            yield from super().collect()

    barrier, scrape = threading.Barrier(2), Scrape([Meeting("meeting", error)])
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _: collect(scrape)[0][SUCCESS, "meeting"], range(2)))
    assert results == [int(error is None)] * 2
    assert len(events()) == int(error is not None)
