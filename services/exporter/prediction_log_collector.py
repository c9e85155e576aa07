"""The prediction log: whether it can be reached, and how much has been written into it."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from stores.prediction_log import PredictionLog, PredictionLogError


class JournalCollector:
    """An empty prediction log is no failure; one that does not answer is, and then nothing is known but that."""

    name = "journal"

    def __init__(self, prediction_log: PredictionLog):
        self.prediction_log = prediction_log

    def collect(self) -> Iterator[Metric]:
        """What the prediction log says of itself; if it does not answer, 0 for up and then PredictionLogError."""
        try:
            summary, durability = self.prediction_log.summary(), self.prediction_log.durability()
        except PredictionLogError:
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
            "doodle_journal_feedback_total", "Feedback ever written into the prediction log.", summary.feedback_total
        )
        yield GaugeMetricFamily(
            "doodle_journal_last_prediction_timestamp_seconds",
            "When the newest prediction was made, in seconds since 1970.",
            summary.last_prediction_time,  # None while there is none: then the family has no sample
        )
        yield GaugeMetricFamily(
            "doodle_journal_durable",
            "1 if what the journal acknowledges is on its disk, else 0. None where its operator vouches for that, unseen.",
            None if durability.is_durable is None else int(durability.is_durable),
        )
        yield GaugeMetricFamily(
            "doodle_journal_size_bytes", "Bytes of the journal on its disk; none where it does not say.", durability.size_bytes
        )
        yield CounterMetricFamily(
            "doodle_journal_delayed_syncs_total",
            "Times that the disk had not taken the last write when the next one came.",
            durability.delayed_syncs,
        )
        yield GaugeMetricFamily(
            "doodle_journal_memory_bytes",
            "Bytes of memory that the journal takes; none where it is a file, or does not say.",
            durability.memory_bytes,
        )
        yield GaugeMetricFamily(
            "doodle_journal_memory_limit_bytes",
            "Bytes of memory that it may take; beyond that it keeps no more. None without a limit.",
            durability.memory_limit_bytes,
        )


def _up(value):
    return GaugeMetricFamily("doodle_journal_up", "1 if the journal answered in this scrape, else 0.", value)
