"""GET /metrics exposes every metric from the start, and each request counts correctly."""

import json

import numpy as np
import pytest
from deployment.version import doodle_version
from inference.metrics import BATCH, FEEDBACK_PROBLEM_CODES, PHASES, PROBLEM_CODES, VERDICTS, Metrics
from pngs import png_of
from prometheus_client.metrics import MetricWrapperBase
from stores.prediction_log import FORMS

STROKES = {"strokes": [[[140, 40], [150, 240]]]}
CALLS, ERRORS = ("api_predict_calls_total", ()), ("prediction_error_total", ())
JSON = "application/json"


LABELS = {
    "doodle_predict_errors_total": PROBLEM_CODES,
    "doodle_drawings_total": (*FORMS, BATCH),
    "doodle_digits_total": "0123456789",
    "doodle_feedback_total": VERDICTS,
    "doodle_feedback_errors_total": FEEDBACK_PROBLEM_CODES,
    "doodle_predict_phase_seconds_count": PHASES,
    "doodle_model_loads_total": ("loaded", "refused"),
    "doodle_trial_predictions_total": ("live", "candidate"),
    "doodle_shadow_predictions_total": ("agree", "disagree"),
    "doodle_recorder_records_total": ("written", "dropped"),
}


def test_exposes_all_metrics_at_zero_from_the_start(client, samples):
    found = samples(client)
    assert found[CALLS] == found[ERRORS] == 0
    metrics = Metrics()
    metrics.candidate_info = None  # this service has no candidate
    declared = [metric.describe()[0] for metric in vars(metrics).values() if isinstance(metric, MetricWrapperBase)]
    endings = {"counter": "_total", "histogram": "_bucket"}
    assert {family.name + endings.get(family.type, "") for family in declared} <= {name for name, _ in found}
    for name, values in LABELS.items():
        assert {labels for each, labels in found if each == name} == {(value,) for value in values}
    counted = {name for name, value in found.items() if value and not name[0].startswith(("process_", "doodle_http_"))}
    (info,) = (name for name in found if name[0] == "doodle_model_info")
    build_info = ("doodle_build_info", (doodle_version(),))
    assert counted == {("doodle_model_loaded", ()), ("doodle_model_loads_total", ("loaded",)), info, build_info}
    assert found["process_resident_memory_bytes", ()] > 2**20
    assert found["process_cpu_seconds_total", ()] > 0
    assert found["process_open_fds", ()] > 3


@pytest.fixture
def counted(service, samples):
    """counted(body, content_type, path): send a request and return the increases {(name, labels): count}, without timings."""

    def added(body, content_type=JSON, path="/predict", method="POST"):
        before = samples(service)
        service.client.request(method, path, content=body, headers={"Content-Type": content_type})
        # Without the asynchronous prediction log and the scrapes.
        return {
            name: value - before.get(name, 0)
            for name, value in samples(service).items()
            if value != before.get(name, 0)
            and not name[0].endswith(("_sum", "_bucket", "_seconds_count", "_created"))
            and not name[0].startswith(("doodle_recorder_", "process_"))
            and "/metrics" not in name[1]
        }

    return added


LINE = json.dumps(STROKES).encode()


@pytest.mark.parametrize(
    ("body", "content_type", "form", "is_digit"),
    [
        (LINE, JSON, "strokes", True),
        (json.dumps({"image_vector": [0] * 784}).encode(), JSON, "image_vector", False),
        (png_of(np.zeros((28, 28), np.uint8)), "image/png", "image", False),
    ],
)
def test_counts_a_prediction_by_form_and_digit(service, counted, body, content_type, form, is_digit):
    answer = service.post_bytes(body, content_type).json()
    digit = ("doodle_digits_total", (str(answer["digit"]),)) if is_digit else ("doodle_not_digits_total", ())
    confidence = {("doodle_prediction_confidence_ratio_count", ()): 1} if is_digit else {}
    assert counted(body, content_type) == confidence | {
        CALLS: 1,
        ("doodle_drawings_total", (form,)): 1,
        digit: 1,
        ("doodle_http_requests_total", ("200", "/predict")): 1,
    }


@pytest.mark.parametrize(
    ("body", "content_type", "path", "code"),
    [
        (b'{"image_vector": []}', JSON, "/predict/", "400"),
        (b" " * (17 * 1024 * 1024), "image/png", "/predict", "413"),
        (b"hello", "text/plain", "/predict", "415"),
        (b"no picture", "image/png", "/predict", "422"),
        (LINE, JSON, "/predict?input=perhaps", "422"),
    ],
)
def test_counts_an_error_as_a_call_and_by_code(counted, path, body, content_type, code):
    assert counted(body, content_type, path) == {
        CALLS: 1,
        ERRORS: 1,
        ("doodle_predict_errors_total", (code,)): 1,
        ("doodle_http_requests_total", (code, "/predict")): 1,
    }


@pytest.mark.parametrize(
    ("path", "route", "code"),
    [
        ("/healthz", "/healthz", "200"),
        ("/predict", "/predict", "405"),
        ("/candidate/model/", "/candidate/model", "404"),
        *((path, "other", "404") for path in ("/", "/predict/now", "/%00", "/" + "a" * 3000)),
    ],
)
def test_counts_other_requests_by_route_and_status(counted, path, route, code):
    assert counted(b"", path=path, method="GET") == {("doodle_http_requests_total", (code, route)): 1}


def test_times_every_request_by_route(client, samples):
    for path in ("/healthz", "/nowhere", "/predict"):
        client.get(path)
    found = samples(client)
    for path in (*client.get("/openapi.json").json()["paths"], "other"):
        requests = [value for (name, labels), value in found.items() if name == "doodle_http_requests_total" and path in labels]
        assert path == "other" or ("doodle_http_requests_total", ("200", path)) in found
        assert found["doodle_http_request_seconds_count", (path,)] == sum(requests)


def test_times_each_phase_and_records_the_confidence(client, samples, eventually):
    answer = client.post("/predict", json=STROKES).json()
    eventually(lambda: samples(client)["doodle_predict_phase_seconds_count", ("journal",)] == 1, "it is in the log")
    found = samples(client)
    for phase in PHASES:
        assert found["doodle_predict_phase_seconds_sum", (phase,)] > 0.0
        assert found["doodle_predict_phase_seconds_count", (phase,)] == 1
    assert found["doodle_prediction_confidence_ratio_count", ()] == 1
    assert found["doodle_prediction_confidence_ratio_sum", ()] == pytest.approx(answer["confidence"])
