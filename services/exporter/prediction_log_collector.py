"""The prediction log: availability, number of records, and durability."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from stores.prediction_log import PredictionLogError

from exporter.timed_log import ReadableLog


class PredictionLogCollector:
    """Reads the summary and the durability. An empty log is no failure."""

    name = "journal"

    def __init__(self, prediction_log: ReadableLog):
        self._prediction_log = prediction_log

    def collect(self) -> Iterator[Metric]:
        """Yield the log's metrics; if it is down, yield only up = 0 and raise PredictionLogError."""
        up = "1 if the prediction log answered this scrape, else 0."
        try:
            summary, durability = self._prediction_log.summary(), self._prediction_log.durability()
        except PredictionLogError:
            yield GaugeMetricFamily("doodle_journal_up", up, 0)
            raise
        yield GaugeMetricFamily("doodle_journal_up", up, 1)
        total, kept, feedback = summary.predictions_total, summary.predictions_kept, summary.feedback_total
        yield CounterMetricFamily("doodle_journal_predictions_total", "Predictions ever written to the log.", total)
        yield GaugeMetricFamily("doodle_journal_predictions_kept", "Predictions in the log now.", kept)
        yield CounterMetricFamily("doodle_journal_feedback_total", "Feedback ever written to the log.", feedback)
        newest, limit = summary.last_prediction_time, durability.memory_limit_bytes
        # A family with the value None has no sample.
        for name, text, value in (
            ("last_prediction_timestamp_seconds", "Time of the newest prediction.", newest),
            ("durable", "1 if acknowledged records are on disk, else 0; with durable=managed only 0.", durability.is_durable),
            ("size_bytes", "Size of the log on disk.", durability.size_bytes),
            ("memory_bytes", "Memory of the log; no sample for a file.", durability.memory_bytes),
            ("memory_limit_bytes", "Memory limit of the log; writes beyond it fail.", limit),
        ):
            yield GaugeMetricFamily(f"doodle_journal_{name}", text, value)
        late = "Writes that waited for an earlier sync to disk."
        yield CounterMetricFamily("doodle_journal_delayed_syncs_total", late, durability.delayed_syncs)
