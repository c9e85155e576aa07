"""All metrics of the service, declared in one place, each label value known beforehand."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from stores.models import ALIASES, LIVE
from stores.prediction_log import FORMS

PROBLEM_CODES = ("400", "413", "415", "422", "429", "500", "503")
FEEDBACK_PROBLEM_CODES = ("400", "401", "404", "413", "415", "422", "429", "500", "503")
VERDICTS = ("right", "wrong", "no_digit")
PHASES = ("decode", "normalize", "forward", "journal")  # the last one behind the answer: until it is written down
# From what a perceptron's forward pass takes to how long a prediction log may be away, 1-2-5.
PHASE_BUCKETS = (2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 1e-1, 2e-1, 5e-1, 1.0, 2.0, 5.0)
# From a health check to what nginx waits for.
REQUEST_BUCKETS = (1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 1e-1, 2e-1, 5e-1, 1.0, 2.0, 5.0)
CONFIDENCE_BUCKETS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)
CODES = ("200", "400", "401", "404", "405", "413", "415", "421", "422", "429", "500", "503")
QUEUES = ("large", "inspections", "slow")  # of work_queue.py
OTHER = "other"


class Metrics:
    """One registry an app, so that tests may make many apps in one process."""

    def __init__(self):
        disable_created_metrics()
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)  # memory, processor time, open files: process_…, as every client names them
        self.predict_calls = Counter(
            "api_predict_calls_total", "Calls of POST /predict, whatever came of them.", registry=self.registry
        )
        self.prediction_errors = Counter(
            "prediction_error_total", "Calls of POST /predict that were answered with an error.", registry=self.registry
        )
        self.errors_by_code = Counter(
            "doodle_predict_errors_total", "Errors of POST /predict by HTTP status.", ["code"], registry=self.registry
        )
        self.drawings = Counter(
            "doodle_drawings_total", "Drawings read, by the form they came in.", ["form"], registry=self.registry
        )
        self.digits = Counter("doodle_digits_total", "Digits answered.", ["digit"], registry=self.registry)
        self.not_digits = Counter("doodle_not_digits_total", "Drawings answered with is_digit false.", registry=self.registry)
        self.feedback = Counter(
            "doodle_feedback_total",
            "Feedback that was kept, by what it says of the answer: right, wrong, or that the drawing is no digit.",
            ["verdict"],
            registry=self.registry,
        )
        self.feedback_errors = Counter(
            "doodle_feedback_errors_total", "Errors of POST /feedback by HTTP status.", ["code"], registry=self.registry
        )
        self.phase_seconds = Histogram(
            "doodle_predict_phase_seconds",
            "Time of each phase of a prediction.",
            ["phase"],
            buckets=PHASE_BUCKETS,
            registry=self.registry,
        )
        self.requests = Counter(
            "doodle_http_requests_total",
            "Requests answered, by route and HTTP status; what is asked of no route, and what is answered otherwise, is other.",
            ["route", "code"],
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "doodle_http_request_seconds",
            "Time from a request's header to the end of its answer.",
            ["route"],
            buckets=REQUEST_BUCKETS,
            registry=self.registry,
        )
        self.requests_inside = Gauge(
            "doodle_http_requests_inside",
            "POST and DELETE requests in flight; beyond a limit others are rejected.",
            registry=self.registry,
        )
        self.queued_calls = Gauge(
            "doodle_queued_calls",
            "Expensive calls that run or wait, by queue; beyond a queue's size they are rejected.",
            ["queue"],
            registry=self.registry,
        )
        self.confidence = Histogram(
            "doodle_prediction_confidence_ratio",
            "Probability of the digit that was answered, 0 to 1; not of what is no digit.",
            buckets=CONFIDENCE_BUCKETS,
            registry=self.registry,
        )
        self.model_loaded = Gauge("doodle_model_loaded", "1 while a model is loaded, else 0.", registry=self.registry)
        self.model_info = Gauge(
            "doodle_model_info", "Always 1; the label names the model served.", ["version"], registry=self.registry
        )
        self.candidate_loaded = Gauge(
            "doodle_candidate_loaded", "1 while a candidate is loaded beside the live model, else 0.", registry=self.registry
        )
        self.candidate_info = Gauge(
            "doodle_candidate_info", "Always 1; the label names the candidate.", ["version"], registry=self.registry
        )
        self.trials = Counter(
            "doodle_trial_predictions_total",
            "Predictions that were asked of a model by its pointer. They count nowhere else, and are not in the journal.",
            ["pointer"],
            registry=self.registry,
        )
        self.explanations = Counter(
            "doodle_explanations_total", "Drawings read by POST /explain: nobody's predictions.", registry=self.registry
        )
        self.lessons = Counter(
            "doodle_lessons_total", "Lessons given by POST /learn to copies of the model.", registry=self.registry
        )
        self.units = Counter("doodle_units_looked_at_total", "Units that POST /unit laid open.", registry=self.registry)
        self.snapshot_readings = Counter(
            "doodle_snapshot_readings_total",
            "Drawings read by POST /snapshots, at every moment of the training.",
            registry=self.registry,
        )
        self.shadow = Counter(
            "doodle_shadow_predictions_total",
            "Live drawings that a candidate read too, by whether it agreed.",
            ["outcome"],
            registry=self.registry,
        )
        self.model_loads = Counter(
            "doodle_model_loads_total", "Models read from disk, by outcome.", ["outcome"], registry=self.registry
        )
        self.recorded = Counter(
            "doodle_recorder_records_total",
            "Predictions for the journal, by outcome: written, or dropped because too many were waiting.",
            ["outcome"],
            registry=self.registry,
        )
        self.pending_records = Gauge(
            "doodle_recorder_pending_records", "Predictions that wait to be written to the journal.", registry=self.registry
        )
        for metric, values in (
            (self.errors_by_code, PROBLEM_CODES),
            (self.drawings, FORMS),
            (self.digits, map(str, range(10))),
            (self.feedback, VERDICTS),
            (self.feedback_errors, FEEDBACK_PROBLEM_CODES),
            (self.phase_seconds, PHASES),
            (self.queued_calls, QUEUES),
            (self.trials, ALIASES),
            (self.shadow, ("agree", "disagree")),
            (self.model_loads, ("loaded", "refused")),
            (self.recorded, ("written", "dropped")),
        ):
            for value in values:
                metric.labels(value)
        # What each prediction counts in, looked up once.
        self._of_phase = {phase: self.phase_seconds.labels(phase) for phase in PHASES}
        self._of_form = {form: self.drawings.labels(form) for form in FORMS}
        self._of_digit = [self.digits.labels(str(digit)) for digit in range(10)]

    def watch(self, routes: tuple[str, ...]) -> None:
        """These are the routes there are."""
        for route in (*routes, OTHER):
            self.requests.labels(route, "200")
            self.request_seconds.labels(route)

    def count_prediction(self, form: str, digit: int | None, confidence: float, seconds: Mapping[str, float]) -> None:
        """A drawing that came in this form was read as this digit, None for none, each phase taking so many seconds."""
        for phase, taken in seconds.items():
            self._of_phase[phase].observe(taken)
        self._of_form[form].inc()
        if digit is None:
            self.not_digits.inc()
        else:
            self._of_digit[digit].inc()
            self.confidence.observe(confidence)

    def count_error(self, path: str, code: int) -> bool:
        """Somebody who posted to this path was answered with an error; whether that is counted apart for the path."""
        by_code = {"/predict": self.errors_by_code, "/feedback": self.feedback_errors}.get(path)
        if by_code is None:
            return False
        by_code.labels(str(code)).inc()
        if by_code is self.errors_by_code:
            self.prediction_errors.inc()
        return True

    def show_model(self, alias: str, version: str | None) -> None:
        """This version is loaded for that alias from now on; None: none is."""
        loaded, info = (self.model_loaded, self.model_info) if alias == LIVE else (self.candidate_loaded, self.candidate_info)
        info.clear()
        if version is not None:
            info.labels(version).set(1)
        loaded.set(version is not None)
