"""Drift of recent drawings from the live model's reference."""

from collections.abc import Iterator, Sequence

import numpy as np
from drift.blocks import Blocks
from drift.detector import LEAST_FEEDBACK, Detector, Findings
from drift.reference import Drawings, Reference, measured
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from stores.models import LIVE, ModelStore, StoreError
from stores.prediction_log import Prediction

from exporter.feedback_collector import FeedbackCollector
from exporter.scrape import gauge_by
from exporter.timed_log import ReadableLog

REFERENCES = "drift_references"  # in a model's card, by form
# Other pens drew the pixels. A number's digits have a form of their own, for which today's models have no reference.
FORMS = {"strokes": "strokes", "image_vector": "pixels", "image": "pixels", "number": "number"}
FEWEST, NEWEST = 100, 6400  # predictions per query, first and at most; a scrape skips older ones


class _Stream:
    """The drawings of one form, and the findings of their newest window."""

    def __init__(self, reference: Reference):
        self.detector, self.blocks = Detector(reference), Blocks[Prediction]()
        self.findings: Findings | None = None


class DriftCollector:
    """Tests each drawing once, in consecutive blocks of one form (drift.blocks), against the reference in the live model's card.

    It ignores a model without references; that is no failure. A new live model starts over. Predictions before the first
    scrape do not count, because an earlier exporter has announced their drift.
    """

    name = "drift"

    def __init__(self, models: ModelStore, prediction_log: ReadableLog, feedback: FeedbackCollector):
        self._models, self._prediction_log, self._feedback = models, prediction_log, feedback
        self._version: str | None = None  # of the watched model
        self._streams: dict[str, _Stream] = {}
        self._windows, self._detections = 0, 0
        self._newest: str | None = None
        self._has_started = False
        self._judged = (0, 0)  # right and wrong feedback that earlier windows counted

    def collect(self) -> Iterator[Metric]:
        """Return the metrics; raise StoreError or PredictionLogError if the model or the prediction log is unreadable."""
        self._follow()
        if self._streams:
            self._test()
        return self._families()

    def _follow(self) -> None:
        """Read the live model's references once per version."""
        version = self._models.alias(LIVE)
        if version == self._version:
            return
        self._version, self._streams, self._judged = None, {}, self._feedback.judged
        if version is None:
            return
        references = self._models.card(version).get(REFERENCES, {})
        try:
            self._streams = {form: _Stream(Reference.from_dict(reference)) for form, reference in references.items()}
        except (ValueError, AttributeError) as error:
            raise StoreError(f"the card of {version}: {error}") from error
        self._version = version

    def _test(self) -> None:
        predictions = [prediction for prediction in self._recent() if prediction.model_version == self._version]
        for form, stream in self._streams.items():
            of_form = [prediction for prediction in predictions if FORMS[prediction.form] == form]
            for block in stream.blocks.add([prediction.prediction_id for prediction in of_form], of_form):
                stream.findings = stream.detector.test(_drawings(block), *self._new_feedback())
                self._windows += 1
                self._detections += stream.findings.detected

    def _new_feedback(self) -> tuple[int, int]:
        """Return the count of uncounted feedback, and of "wrong" in it; (0, 0) until there is enough for a test."""
        right, wrong = (max(0, now - before) for now, before in zip(self._feedback.judged, self._judged))
        if right + wrong < LEAST_FEEDBACK:
            return 0, 0
        self._judged = self._feedback.judged
        return right + wrong, wrong

    def _recent(self) -> list[Prediction]:
        """Return the predictions since the last call, NEWEST at most. Start small, because most scrapes find few."""
        count, recent = 1, self._prediction_log.recent_predictions(1)
        ids = [prediction.prediction_id for prediction in recent]
        while self._has_started and len(recent) == count < NEWEST and self._newest not in ids:
            count = min(NEWEST, max(FEWEST, count * 4))
            recent = self._prediction_log.recent_predictions(count)
            ids = [prediction.prediction_id for prediction in recent]
        if not self._has_started:
            recent = []
        elif self._newest in ids:
            recent = recent[ids.index(self._newest) + 1 :]
        self._has_started, self._newest = True, ids[-1] if ids else self._newest
        return recent

    def _families(self) -> Iterator[Metric]:
        text = "Windows of drawings in which a subject drifted."
        yield CounterMetricFamily("data_drift_detected_total", text, self._detections)
        yield CounterMetricFamily("doodle_drift_windows_total", "Windows of drawings tested.", self._windows)
        text = "1 while the live model has a drift reference, else 0."
        yield GaugeMetricFamily("doodle_drift_watched", text, int(bool(self._streams)))
        waiting = {form: float(stream.blocks.waiting) for form, stream in self._streams.items()}
        yield gauge_by("form", "doodle_drift_window_drawings", "Drawings in the incomplete window.", waiting)
        for name, attribute, text in (
            ("detected", "drifted", "1 if the subject drifted in the newest window, else 0."),
            ("effect", "effect", "Distance of the newest window from the reference; 0 is equal."),
            ("tolerance", "tolerance", "Largest distance that other writers explain."),
        ):
            family = GaugeMetricFamily(f"doodle_drift_{name}", text, labels=["form", "subject"])
            for form, stream in self._streams.items():
                for subject, finding in (stream.findings.subjects if stream.findings else {}).items():
                    family.add_metric([form, subject], float(getattr(finding, attribute)))
            yield family


def _drawings(block: Sequence[Prediction]) -> Drawings:
    images = np.frombuffer(b"".join(prediction.picture for prediction in block), np.uint8).reshape(-1, 28, 28)
    return measured(
        images,
        np.array([prediction.digit for prediction in block]),
        np.array([prediction.confidence for prediction in block]),
        np.array([not prediction.is_digit for prediction in block]),
    )
