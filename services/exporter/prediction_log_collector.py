"""The prediction log: whether it answers, how much it has, and how it keeps that."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from stores.prediction_log import PredictionLog, PredictionLogError


class PredictionLogCollector:
    """An empty prediction log is no failure."""

    name = "journal"

    def __init__(self, prediction_log: PredictionLog):
        self._prediction_log = prediction_log

    def collect(self) -> Iterator[Metric]:
        """Yield the log's own figures; without an answer 0 for up, and then PredictionLogError."""
        up = "1 if the prediction log answered in this scrape, else 0."
        try:
            summary, durability = self._prediction_log.summary(), self._prediction_log.durability()
        except PredictionLogError:
            yield GaugeMetricFamily("doodle_journal_up", up, 0)
            raise
        yield GaugeMetricFamily("doodle_journal_up", up, 1)
        total, kept, feedback = summary.predictions_total, summary.predictions_kept, summary.feedback_total
        yield CounterMetricFamily("doodle_journal_predictions_total", "Predictions ever written into the log.", total)
        yield GaugeMetricFamily("doodle_journal_predictions_kept", "Predictions in the log now; its cap drops the oldest.", kept)
        yield CounterMetricFamily("doodle_journal_feedback_total", "Feedback ever written into the log.", feedback)
        newest, limit = summary.last_prediction_time, durability.memory_limit_bytes
        # A value of None makes a family without a sample.
        for name, text, value in (
            ("last_prediction_timestamp_seconds", "Time of the newest prediction, in Unix seconds.", newest),
            ("durable", "1 if acknowledged records are on disk, else 0; none if only its operator knows.", durability.is_durable),
            ("size_bytes", "Bytes of the log on its disk; none if it does not say.", durability.size_bytes),
            ("memory_bytes", "Bytes of memory of the log; none if it is a file, or does not say.", durability.memory_bytes),
            ("memory_limit_bytes", "Limit of that memory; writes beyond it fail. None without a limit.", limit),
        ):
            yield GaugeMetricFamily(f"doodle_journal_{name}", text, value)
        late = "Times that the disk had not taken the last write when the next one came."
        yield CounterMetricFamily("doodle_journal_delayed_syncs_total", late, durability.delayed_syncs)
