"""A scrape reports success and duration per collector, and isolates failures."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from exporter.scrape import Scrape
from prometheus_client.core import GaugeMetricFamily

SUCCESS, DURATION = "doodle_exporter_collector_success", "doodle_exporter_collector_duration_seconds"


class FakeCollector:
    """Yield one figure, then raise the error if any."""

    def __init__(self, name, error=None):
        self.name, self.error = name, error

    def collect(self):
        yield GaugeMetricFamily(f"doodle_{self.name}", "A figure.", 1)
        if self.error:
            raise self.error


@pytest.fixture
def events(caplog):
    """Return a function that lists the logged messages."""
    caplog.set_level(logging.INFO, logger="exporter.scrape")
    return lambda: caplog.messages


@pytest.mark.parametrize("error", [OSError("gone"), KeyError("bug"), RecursionError()], ids=lambda error: type(error).__name__)
def test_a_failure_keeps_earlier_samples_and_other_collectors(collect, error):
    samples, raised = collect(Scrape([FakeCollector("first"), FakeCollector("bad", error), FakeCollector("good")]))
    assert raised is None
    assert all(samples.pop((DURATION, name)) >= 0 for name in ("first", "bad", "good"))
    figures = {("doodle_first",): 1, ("doodle_bad",): 1, ("doodle_good",): 1}
    assert samples == figures | {(SUCCESS, "first"): 1, (SUCCESS, "bad"): 0, (SUCCESS, "good"): 1}


def test_logs_the_start_and_end_of_a_failure_once(collect, events):
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


def test_scrapes_are_serialized(collect):
    class SerialCollector(FakeCollector):
        """Fail if two scrapes overlap."""

        def collect(self):
            with running_alone:
                yield from super().collect()

    class RunningAlone:
        count = 0

        def __enter__(self):
            self.count += 1
            time.sleep(0.01)
            assert self.count == 1

        def __exit__(self, *_):
            self.count -= 1

    running_alone, scrape = RunningAlone(), Scrape([SerialCollector("alone")])
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: collect(scrape)[0][SUCCESS, "alone"], range(4))) == [1] * 4
