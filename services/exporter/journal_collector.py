"""The journal: whether it can be reached, and how much has been written into it."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from stores.journal import Journal, JournalError


class JournalCollector:
    """An empty journal is no failure; one that does not answer is, and then nothing is known but that."""

    name = "journal"

    def __init__(self, journal: Journal):
        self.journal = journal

    def collect(self) -> Iterator[Metric]:
        """What the journal says of itself; if it does not answer, 0 for up and then JournalError."""
        try:
            summary = self.journal.summary()
        except JournalError:
            yield _up(0)
            raise
        yield _up(1)
        yield CounterMetricFamily(
            "doodle_journal_predictions_total", "Predictions ever written into the journal.", summary.predictions_total
        )
        yield GaugeMetricFamily(
            "doodle_journal_predictions_kept", "Predictions in the journal now; the oldest make room.", summary.predictions_kept
        )
        yield CounterMetricFamily(
            "doodle_journal_feedback_total", "Corrections ever written into the journal; all are kept.", summary.feedback_total
        )
        yield GaugeMetricFamily(
            "doodle_journal_last_prediction_timestamp_seconds",
            "When the newest prediction was made, in seconds since 1970.",
            summary.last_prediction_time,  # None while there is none: then the family has no sample
        )


def _up(value):
    return GaugeMetricFamily("doodle_journal_up", "1 if the journal answered in this scrape, else 0.", value)
