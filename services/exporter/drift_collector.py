"""Drift: do the drawings that come in still look like those that the live model is known to read well?"""

from collections.abc import Iterator
from threading import Lock

import numpy as np
from drift.blocks import Blocks
from drift.detector import LEAST_FEEDBACK, Detector, Looked
from drift.reference import Reference, measured
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from stores.models import LIVE, ModelStore, StoreError
from stores.prediction_log import PredictionLog

from exporter.feedback_collector import FeedbackCollector

REFERENCES = "drift_references"  # in a model's card, by form
FORMS = {"strokes": "strokes", "image_vector": "pixels", "png": "pixels"}  # another pen draws what comes as pixels
FEWEST, NEWEST = 100, 6400  # predictions that are read at a time: what comes faster is not looked at


class _Stream:
    """The drawings of one form, and what was found in the newest window of them."""

    def __init__(self, reference: Reference):
        self.detector, self.blocks = Detector(reference), Blocks()
        self.looked: Looked | None = None


class DriftCollector:
    """Looks at each drawing once, in blocks of one form that follow each other (drift.blocks), and holds them against what the
    live model's card says of that form. A model without references is not watched: no failure. Another model begins anew."""

    name = "drift"

    def __init__(self, models: ModelStore, prediction_log: PredictionLog, feedback: FeedbackCollector):
        self._models, self._prediction_log, self._feedback = models, prediction_log, feedback
        self._lock = Lock()  # two scrapes at once would look twice
        self._version: str | None = None  # whose drawings are looked at
        self._streams: dict[str, _Stream] = {}
        self._looks, self._detections, self._newest = 0, 0, None
        self._judged = (0, 0)  # feedback on answers, right and wrong, that a look has counted already

    def collect(self) -> Iterator[Metric]:
        """What is known; StoreError or PredictionLogError where the model or the prediction log cannot be read."""
        with self._lock:
            self._follow()
            if self._streams:
                self._look()
            return iter(list(self._families()))

    def _follow(self):
        """The live model's references, read once for each version."""
        version = self._models.alias(LIVE)
        if version == self._version:
            return
        self._version, self._streams, self._judged = None, {}, self._feedback.judged
        if version is None:
            return
        references = self._models.card(version).get(REFERENCES, {})
        try:
            self._streams = {form: _Stream(Reference.from_dict(said)) for form, said in references.items()}
        except (ValueError, AttributeError) as error:
            raise StoreError(f"the card of {version}: {error}") from error
        self._version = version

    def _look(self):
        answered = [prediction for prediction in self._recent() if prediction.model_version == self._version]
        for form, stream in self._streams.items():
            of_form = [prediction for prediction in answered if FORMS[prediction.form] == form]
            for block in stream.blocks.add([prediction.prediction_id for prediction in of_form], of_form):
                stream.looked = stream.detector.look(_drawings(block), *self._new_feedback())
                self._looks += 1
                self._detections += stream.looked.detected

    def _new_feedback(self):
        """How much there is that no look has counted, and how much of it says "wrong"; none until there is enough to test."""
        right, wrong = (max(0, now - before) for now, before in zip(self._feedback.judged, self._judged))
        if right + wrong < LEAST_FEEDBACK:
            return 0, 0
        self._judged = self._feedback.judged
        return right + wrong, wrong

    def _recent(self):
        """The newest predictions, as many as reach back to the last one that was seen: mostly there are few new ones, or none."""
        count, recent = 1, self._prediction_log.recent_predictions(1)
        while len(recent) == count < NEWEST and self._newest not in (prediction.prediction_id for prediction in recent):
            count = min(NEWEST, max(FEWEST, count * 4))
            recent = self._prediction_log.recent_predictions(count)
        if recent:
            self._newest = recent[-1].prediction_id
        return recent

    def _families(self):
        labels = ["form", "subject"]
        drifted = GaugeMetricFamily(
            "doodle_drift_detected",
            "1 if the subject had drifted in the newest window that was looked at, else 0.",
            labels=labels,
        )
        effect = GaugeMetricFamily(
            "doodle_drift_effect", "How far the newest window was from the reference, 0 = not at all.", labels=labels
        )
        tolerance = GaugeMetricFamily(
            "doodle_drift_tolerance", "How far it may be: what other hands do is no drift.", labels=labels
        )
        waiting = GaugeMetricFamily(
            "doodle_drift_window_drawings", "Drawings of the live model that wait for their window to be full.", labels=["form"]
        )
        for form, stream in self._streams.items():
            waiting.add_metric([form], stream.blocks.waiting)
            for name, subject in (stream.looked.subjects if stream.looked else {}).items():
                drifted.add_metric([form, name], int(subject.drifted))
                effect.add_metric([form, name], subject.effect)
                tolerance.add_metric([form, name], subject.tolerance)
        yield CounterMetricFamily(
            "data_drift_detected_total", "Windows of drawings in which something had drifted.", self._detections
        )
        yield CounterMetricFamily("doodle_drift_windows_total", "Windows of drawings that were looked at.", self._looks)
        watched = "1 while the live model has references that drawings are held against, else 0."
        yield GaugeMetricFamily("doodle_drift_watched", watched, int(bool(self._streams)))
        yield from (waiting, drifted, effect, tolerance)


def _drawings(block):
    images = np.frombuffer(b"".join(prediction.picture for prediction in block), np.uint8).reshape(-1, 28, 28)
    return measured(
        images,
        np.array([prediction.digit for prediction in block]),
        np.array([prediction.confidence for prediction in block]),
        np.array([not prediction.is_digit for prediction in block]),
    )
