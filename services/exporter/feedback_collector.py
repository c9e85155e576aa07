"""Feedback: how much there is of each digit, and how often users agree with what was answered."""

from collections import Counter, deque
from collections.abc import Iterator
from threading import Lock

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from stores.prediction_log import Feedback, PredictionLog

PAGE = 500  # read at a time
RECENT = 100  # answers that say how well it reads just now
# A drawing and its verdict. The prediction log does not know whether a non-digit was taken for a digit.
COUNTED = (*((digit, verdict) for digit in "0123456789" for verdict in ("right", "wrong", "unknown")), ("none", "no_digit"))


class FeedbackCollector:
    """Counts each piece of feedback once, and reads only new ones. What leaves the log later stays counted while this runs."""

    name = "feedback"

    def __init__(self, prediction_log: PredictionLog):
        self._prediction_log, self._lock = prediction_log, Lock()
        self._start_over()

    @property
    def judged(self) -> tuple[int, int]:
        """How much of what was counted says that the answer was right, and how much that it was wrong."""
        with self._lock:
            return tuple(sum(self._counted[digit, verdict] for digit in "0123456789") for verdict in ("right", "wrong"))

    def collect(self) -> Iterator[Metric]:
        """What is known; PredictionLogError where the prediction log does not answer, and then nothing."""
        with self._lock:  # two scrapes at once would count twice
            self._catch_up()
            counted, recent = self._counted.copy(), list(self._recent)
        received = CounterMetricFamily(
            "doodle_feedback_received_total",
            "Feedback in the journal, by what the drawing was and whether that was answered; unknown if nobody says what was.",
            labels=["actual", "verdict"],
        )
        for actual, verdict in COUNTED:
            received.add_metric([actual, verdict], counted[actual, verdict])
        yield received
        yield GaugeMetricFamily(
            "doodle_feedback_recent", f"Newest feedback on digits whose answer is known, {RECENT} at most.", len(recent)
        )
        yield GaugeMetricFamily(
            "doodle_feedback_recent_agreement_ratio",
            "Part of doodle_feedback_recent that says that the answer was right, 0 to 1.",
            sum(recent) / len(recent) if recent else None,  # while there is none the family has no sample
        )

    def _start_over(self):
        self._last: str | None = None
        self._counted: Counter[tuple[str, str]] = Counter()
        self._recent: deque[bool] = deque(maxlen=RECENT)

    def _catch_up(self):
        while True:
            try:
                page = self._prediction_log.feedback(PAGE, after=self._last)
            except ValueError:  # another prediction log stands in its place
                self._start_over()
                continue
            for feedback in page:
                self._count(feedback)
            if len(page) < PAGE:
                return

    def _count(self, feedback):
        verdict = _verdict(feedback)
        self._counted["none" if feedback.actual_digit is None else str(feedback.actual_digit), verdict] += 1
        if verdict in ("right", "wrong"):
            self._recent.append(verdict == "right")
        self._last = feedback.feedback_id


def _verdict(feedback: Feedback) -> str:
    if feedback.actual_digit is None:
        return "no_digit"
    if feedback.predicted_digit is None:
        return "unknown"
    return "right" if feedback.predicted_digit == feedback.actual_digit else "wrong"
