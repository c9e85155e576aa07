"""All metrics of the API, with their known label values."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from typing import TypeVar

from deployment.version import doodle_version
from digitnet.decision import Predictions
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from stores.models import ALIASES, LIVE
from stores.prediction_log import FORMS

PROBLEM_CODES = ("400", "413", "415", "422", "429", "500", "503")
FEEDBACK_PROBLEM_CODES = ("400", "401", "404", "413", "415", "422", "429", "500", "503")
VERDICTS = ("right", "wrong", "no_digit")
PHASES = ("decode", "normalize", "forward", "journal")  # journal follows the response: the time until the log has the prediction
# From a perceptron's forward pass to a long outage of the prediction log, 1-2-5.
PHASE_BUCKETS = (2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 1e-1, 2e-1, 5e-1, 1.0, 2.0, 5.0)
# From a health check to nginx's timeout.
REQUEST_BUCKETS = (1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 1e-1, 2e-1, 5e-1, 1.0, 2.0, 5.0)
CONFIDENCE_BUCKETS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)
NUMBER_BUCKETS = (1, 2, 3, 4, 6, 8, 10, 12, 16, 32, 64)
CODES = ("200", "204", "304", "400", "401", "404", "405", "413", "415", "421", "422", "429", "500", "503")
AGREEMENT, LOGGED, LOADS = ("agree", "disagree"), ("written", "dropped"), ("loaded", "refused")
QUEUES = ("large", "inspections", "reads", "batches", "slow")
BATCH = "batch"  # a form that is not logged
OTHER = "other"

Metric = TypeVar("Metric", Counter, Gauge, Histogram)


class Metrics:
    """One registry per app, so that tests can create many apps in one process."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # untyped in prometheus_client
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        counter, gauge = partial(self._declare, Counter), partial(self._declare, Gauge)
        histogram = partial(self._declare, Histogram)
        self.build_info = gauge("doodle_build_info", "Always 1; the label is Doodle's version.", version=())
        self.build_info.labels(doodle_version()).set(1)

        self.predict_calls = counter("api_predict_calls_total", "POST /predict requests, with any result.")
        self.prediction_errors = counter("prediction_error_total", "POST /predict requests that ended in an error.")
        self.errors_by_code = counter("doodle_predict_errors_total", "POST /predict errors, by HTTP status.", code=PROBLEM_CODES)
        self.drawings = counter("doodle_drawings_total", "Predictions, by form of the drawing.", form=(*FORMS, BATCH))
        self.digits = counter("doodle_digits_total", "Predictions of each digit.", digit=tuple("0123456789"))
        self.number_digits = histogram(
            "doodle_number_digits", "Digits of each number that POST /read found.", buckets=NUMBER_BUCKETS
        )
        self.read_seconds = histogram(
            "doodle_read_seconds", "Duration of POST /read without the transfer.", buckets=PHASE_BUCKETS
        )
        self.not_digits = counter("doodle_not_digits_total", "Predictions with is_digit false.")
        self.confidence = histogram(
            "doodle_prediction_confidence_ratio", "Probability of the predicted digit, 0 to 1.", buckets=CONFIDENCE_BUCKETS
        )
        self.phase_seconds = histogram(
            "doodle_predict_phase_seconds", "Duration of each phase of a prediction.", buckets=PHASE_BUCKETS, phase=PHASES
        )
        self.shadow = counter(
            "doodle_shadow_predictions_total", "Shadow predictions, by agreement with the live model.", outcome=AGREEMENT
        )
        self.alias_predictions = counter(
            "doodle_trial_predictions_total", "Predictions under /live and /candidate, which are not logged.", pointer=ALIASES
        )
        self.explanations = counter("doodle_explanations_total", "POST /explain requests answered.")
        self.units = counter("doodle_units_looked_at_total", "POST /unit requests answered.")
        self.training_steps = counter("doodle_lessons_total", "Training steps of POST /learn on model copies.")
        self.snapshot_predictions = counter("doodle_snapshot_readings_total", "POST /snapshots requests answered.")

        self.feedback = counter("doodle_feedback_total", "Feedback stored, by verdict on the prediction.", verdict=VERDICTS)
        self.feedback_errors = counter(
            "doodle_feedback_errors_total",
            "Feedback requests that ended in an error, by HTTP status.",
            code=FEEDBACK_PROBLEM_CODES,
        )
        self.logged = counter(
            "doodle_recorder_records_total", "Predictions written to the log, or dropped from a full queue.", outcome=LOGGED
        )
        self.pending_records = gauge("doodle_recorder_pending_records", "Predictions queued for the prediction log.")

        self.requests = counter(
            "doodle_http_requests_total", "Requests by route and HTTP status; unmatched requests are other.", route=(), code=()
        )
        self.request_seconds = histogram(
            "doodle_http_request_seconds", "Duration from request header to end of response.", buckets=REQUEST_BUCKETS, route=()
        )
        self.requests_in_flight = gauge("doodle_http_requests_inside", "POST, PUT and DELETE requests in flight.")
        self.queued_calls = gauge("doodle_queued_calls", "Expensive calls running or waiting, by queue.", queue=QUEUES)

        self.model_loads = counter("doodle_model_loads_total", "Model loads, by outcome.", outcome=LOADS)
        self.model_loaded = gauge("doodle_model_loaded", "1 while a model is loaded, else 0.")
        self.model_info = gauge("doodle_model_info", "Always 1; the label is the served version.", version=())
        self.candidate_loaded = gauge("doodle_candidate_loaded", "1 while a candidate is loaded, else 0.")
        self.candidate_info = gauge("doodle_candidate_info", "Always 1; the label is the candidate's version.", version=())

    def _declare(
        self, kind: Callable[..., Metric], name: str, text: str, buckets: Sequence[float] = (), **labels: Sequence[str]
    ) -> Metric:
        """Create a metric with its known label values, so that a rate of zero events is 0, not missing."""
        options = {"buckets": buckets} if buckets else {}
        metric = kind(name, text, list(labels), registry=self.registry, **options)
        for values in product(*labels.values()) if labels else ():
            metric.labels(*values)
        return metric

    def observe_phases(self, seconds: Mapping[str, float]) -> None:
        """Observe the seconds of each phase of a prediction."""
        for phase, duration in seconds.items():
            self.phase_seconds.labels(phase).observe(duration)

    def count_prediction(self, form: str, digit: int | None, confidence: float) -> None:
        """Count a prediction: the drawing's form, and the digit (None: no digit)."""
        self.drawings.labels(form).inc()
        if digit is None:
            self.not_digits.inc()
        else:
            self.digits.labels(str(digit)).inc()
            self.confidence.observe(confidence)

    def count_batch(self, predictions: Predictions) -> None:
        """Count the images of a batch."""
        for digit, is_digit, confidence in zip(
            predictions.digit.tolist(), predictions.is_digit.tolist(), predictions.probabilities.max(axis=1).tolist()
        ):
            self.count_prediction(BATCH, digit if is_digit else None, confidence)

    def count_number(self, lengths: Sequence[int], seconds: Mapping[str, float]) -> None:
        """Count the numbers of a drawing: the digits of each, and the seconds of all phases."""
        for length in lengths:
            self.number_digits.observe(length)
        self.read_seconds.observe(sum(seconds.values()))

    def show_model(self, alias: str, version: str | None) -> None:
        """Show the loaded version of an alias; None: no model."""
        loaded, info = (self.model_loaded, self.model_info) if alias == LIVE else (self.candidate_loaded, self.candidate_info)
        info.clear()
        if version is not None:
            info.labels(version).set(1)
        loaded.set(version is not None)
