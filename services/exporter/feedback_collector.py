"""Feedback: its count for each digit, and the ratio of confirmed predictions."""

from collections import Counter, deque
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from stores.prediction_log import Feedback

from exporter.timed_log import ReadableLog

PAGE = 500  # feedback per query
RECENT = 100  # verdicts behind the current ratio
DIGITS = "0123456789"
# Reported digit and verdict. For non-digits the prediction log does not keep the prediction.
COUNTED = (*((digit, verdict) for digit in DIGITS for verdict in ("right", "wrong", "unknown")), ("none", "no_digit"))


class FeedbackCollector:
    """Counts each feedback once. It stays counted after it leaves the log."""

    name = "feedback"

    def __init__(self, prediction_log: ReadableLog):
        self._prediction_log = prediction_log
        self._start_over()

    @property
    def judged(self) -> tuple[int, int]:
        """Return the number of confirmations and of corrections."""
        right, wrong = (sum(self._counted[digit, verdict] for digit in DIGITS) for verdict in ("right", "wrong"))
        return right, wrong

    def collect(self) -> Iterator[Metric]:
        """Yield the counts; raise PredictionLogError before any of them if the prediction log is down."""
        self._catch_up()
        recent = self._recent
        received = CounterMetricFamily(
            "doodle_feedback_received_total",
            "Feedback, by reported digit and verdict; unknown without a prediction.",
            labels=["actual", "verdict"],
        )
        for labels in COUNTED:
            received.add_metric(labels, self._counted[labels])
        yield received
        text = f"Newest feedback on digits with a known prediction, {RECENT} at most."
        yield GaugeMetricFamily("doodle_feedback_recent", text, len(recent))
        ratio, text = sum(recent) / len(recent) if recent else None, "Ratio of confirmations in doodle_feedback_recent."
        yield GaugeMetricFamily("doodle_feedback_recent_agreement_ratio", text, ratio)

    def _start_over(self) -> None:
        self._last: str | None = None
        self._counted: Counter[tuple[str, str]] = Counter()
        self._recent: deque[bool] = deque(maxlen=RECENT)

    def _catch_up(self) -> None:
        while True:
            try:
                page = self._prediction_log.feedback(PAGE, after=self._last)
            except ValueError:  # another prediction log replaced the known one
                self._start_over()
                continue
            for feedback in page:
                self._count(feedback)
            if len(page) < PAGE:
                return

    def _count(self, feedback: Feedback) -> None:
        predicted, actual = feedback.predicted_digit, feedback.actual_digit
        self._last = feedback.feedback_id
        if actual is None:
            self._counted["none", "no_digit"] += 1
        elif predicted is None:
            self._counted[str(actual), "unknown"] += 1
        else:
            self._counted[str(actual), "right" if predicted == actual else "wrong"] += 1
            self._recent.append(predicted == actual)
