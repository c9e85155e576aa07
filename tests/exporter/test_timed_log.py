"""All collectors share one deadline for the prediction log."""

import pytest
from exporter.feedback_collector import FeedbackCollector
from exporter.prediction_log_collector import PredictionLogCollector
from exporter.scrape import Scrape
from exporter.timed_log import LOG_SECONDS, TimedLog
from stores.prediction_log import PredictionLogError

UP, SUCCESS = ("doodle_journal_up",), "doodle_exporter_collector_success"


@pytest.fixture
def slow(log, monkeypatch):
    """Return a scrape whose clock moves by `slow.seconds` in each read, and the reads so far. `slow.error` makes them fail."""

    class Slow:
        seconds, error, clock = 0.0, None, 0.0

        def __getattr__(self, name):
            def read(*arguments, **more):
                self.reads.append(name)
                self.clock += self.seconds
                if self.error:
                    raise self.error
                return getattr(log, name)(*arguments, **more)

            return read

    slow = Slow()
    slow.reads = []
    timed = TimedLog(slow, lambda: slow.clock)
    slow.scrape = Scrape([PredictionLogCollector(timed), FeedbackCollector(timed)], before=timed.start_scrape)
    return slow


def test_a_scrape_asks_a_dead_log_once_and_the_next_scrape_asks_again(slow, collect):
    slow.error = PredictionLogError("no answer")
    samples, _ = collect(slow.scrape)
    assert slow.reads == ["summary"]
    assert (samples[UP], samples[SUCCESS, "journal"], samples[SUCCESS, "feedback"]) == (0, 0, 0)
    slow.error = None
    samples, _ = collect(slow.scrape)
    assert (samples[UP], samples[SUCCESS, "journal"], samples[SUCCESS, "feedback"]) == (1, 1, 1)


def test_a_scrape_stops_reading_a_slow_log_at_the_deadline(slow, collect):
    slow.seconds = LOG_SECONDS * 0.6
    samples, _ = collect(slow.scrape)
    assert slow.reads == ["summary", "durability"]
    assert (samples[UP], samples[SUCCESS, "journal"], samples[SUCCESS, "feedback"]) == (1, 1, 0)
