"""GET /metrics: everything declared is there from the start, and each call counts where it should."""

import numpy as np
import pytest
from inference.metrics import FEEDBACK_PROBLEM_CODES, PHASES, PROBLEM_CODES, VERDICTS, Metrics
from prometheus_client.metrics import MetricWrapperBase
from stores.journal import FORMS

STROKES = {"strokes": [[[140, 40], [150, 240]]]}
CALLS, ERRORS = ("api_predict_calls_total", ()), ("prediction_error_total", ())


@pytest.fixture(scope="module")
def first_scrape(service):
    """What the service said when nobody had called it yet."""
    return service.first_samples


@pytest.mark.parametrize("name", [CALLS, ERRORS], ids=lambda name: name[0])
def test_the_counter_is_there_at_zero_before_any_call(first_scrape, name):
    assert first_scrape[name] == 0


def test_every_metric_that_is_declared_appears(first_scrape):
    metrics = Metrics()
    metrics.candidate_info = None  # there is none; test_by_pointer.py has one
    declared = [metric for metric in vars(metrics).values() if isinstance(metric, MetricWrapperBase)]
    names = {name for name, _ in first_scrape}
    assert len(declared) >= 10
    for metric in declared:
        (family,) = metric.describe()
        ending = {"counter": "_total", "histogram": "_bucket"}.get(family.type, "")
        assert family.name + ending in names


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("doodle_predict_errors_total", PROBLEM_CODES),
        ("doodle_drawings_total", FORMS),
        ("doodle_digits_total", tuple("0123456789")),
        ("doodle_feedback_total", VERDICTS),
        ("doodle_feedback_errors_total", FEEDBACK_PROBLEM_CODES),
        ("doodle_predict_phase_seconds_count", PHASES),
        ("doodle_model_loads_total", ("loaded", "refused")),
        ("doodle_trial_predictions_total", ("live", "candidate")),
        ("doodle_shadow_predictions_total", ("agree", "disagree")),
        ("doodle_recorder_records_total", ("written", "dropped")),
    ],
)
def test_every_label_is_there_from_the_start(first_scrape, name, values):
    assert {labels for found, labels in first_scrape if found == name} == {(value,) for value in values}


def test_nothing_but_the_model_is_counted_before_any_call(first_scrape):
    counted = {name for name, value in first_scrape.items() if value}
    # It was asked whether it is up; and what any process has is not counted.
    assert {name for name in counted if not name[0].startswith(("doodle_http_", "process_"))} == {
        ("doodle_model_loaded", ()),
        ("doodle_model_loads_total", ("loaded",)),
        *(name for name in first_scrape if name[0] == "doodle_model_info"),
    }


@pytest.fixture
def counted(service):
    """counted(call) -> what the call added: {(name, labels): by how much}, with no timings."""

    def added(call) -> dict:
        before = service.samples()
        call()
        after = service.samples()
        # The journal is written behind the answers' back, so its figures change in their own time; test_recorder.py has them, and
        # test_traffic.py has those of requests, which this one's own are among.
        elsewhere = ("doodle_recorder_", "doodle_http_", "process_")
        counts = [name for name in after if not name[0].endswith(("_sum", "_bucket")) and not name[0].startswith(elsewhere)]
        counts = [name for name in counts if name[1] != ("journal",)]
        return {name: after[name] - before[name] for name in counts if after[name] != before[name]}

    return added


PHASES_ONCE = {("doodle_predict_phase_seconds_count", (phase,)): 1 for phase in PHASES if phase != "journal"}


def test_a_prediction_is_counted_by_form_digit_and_phase(service, counted):
    digit = str(service.post_json(STROKES).json()["digit"])
    assert counted(lambda: service.post_json(STROKES)) == PHASES_ONCE | {
        CALLS: 1,
        ("doodle_drawings_total", ("strokes",)): 1,
        ("doodle_digits_total", (digit,)): 1,
        ("doodle_prediction_confidence_ratio_count", ()): 1,
    }


def test_a_vector_is_counted_as_one(service, counted):
    added = counted(lambda: service.post_json({"image_vector": [0.0] * 700 + [1.0] * 84}))
    assert added[("doodle_drawings_total", ("image_vector",))] == 1


def test_a_png_is_counted_as_one(service, counted, png_of):
    added = counted(lambda: service.post_bytes(png_of(np.zeros((28, 28), np.uint8))))
    assert added[("doodle_drawings_total", ("png",))] == 1


def test_no_digit_is_counted_as_that_and_not_as_a_digit(service, counted):
    assert counted(lambda: service.post_json({"strokes": []})) == PHASES_ONCE | {
        CALLS: 1,
        ("doodle_drawings_total", ("strokes",)): 1,
        ("doodle_not_digits_total", ()): 1,
    }


@pytest.mark.parametrize("path", ["/predict", "/predict/"])
@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b'{"image_vector": []}', "application/json", "400"),
        (b" " * (5 * 1024 * 1024), "image/png", "413"),
        (b"hello", "text/plain", "415"),
        (b"{}", "application/json", "422"),
        (b"no picture", "image/png", "422"),
    ],
)
def test_an_error_is_counted_as_a_call_and_by_its_code(service, counted, path, body, content_type, code):
    assert counted(lambda: service.post_bytes(body, content_type, path)) == {
        CALLS: 1,
        ERRORS: 1,
        ("doodle_predict_errors_total", (code,)): 1,
    }


def test_a_query_that_is_refused_is_counted_too(service, counted):
    added = counted(lambda: service.post_json(STROKES, "/predict?input=perhaps"))
    assert added == {CALLS: 1, ERRORS: 1, ("doodle_predict_errors_total", ("422",)): 1}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/model", "/metrics", "/predict", "/nothing", "/docs", "/openapi.json"])
def test_what_is_no_prediction_is_not_counted(service, counted, path):
    assert counted(lambda: service.get(path)) == {}


def test_every_phase_has_taken_some_time(service):
    service.post_json(STROKES)
    samples = service.samples()
    assert all(samples["doodle_predict_phase_seconds_sum", (phase,)] > 0.0 for phase in PHASES)


def test_the_buckets_end_in_the_count(service):
    service.post_json(STROKES)
    samples = service.samples()
    for phase in PHASES:
        buckets = {labels for name, labels in samples if name == "doodle_predict_phase_seconds_bucket" and phase in labels}
        largest = max(samples["doodle_predict_phase_seconds_bucket", labels] for labels in buckets)
        assert largest == samples["doodle_predict_phase_seconds_count", (phase,)]


def test_what_the_process_takes_is_there_under_the_names_that_all_clients_have(service):
    samples = service.samples()
    assert samples["process_resident_memory_bytes", ()] > 2**20
    assert samples["process_cpu_seconds_total", ()] > 0
    assert samples["process_open_fds", ()] > 3


def test_two_apps_in_one_process_count_apart():
    first, second = Metrics(), Metrics()
    first.predict_calls.inc()
    assert second.registry.get_sample_value("api_predict_calls_total") == 0
