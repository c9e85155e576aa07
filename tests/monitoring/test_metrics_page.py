"""docs/metrics.md is what the metrics say of themselves."""

import pytest


@pytest.fixture(scope="module")
def metrics_page(load_script):
    return load_script("scripts/metrics_page.py")


def test_the_page_is_that_of_the_metrics(metrics_page):
    assert metrics_page.PAGE.read_text(encoding="utf-8") == metrics_page.page(), "docs/metrics.md is stale: make pages"


def test_it_has_what_others_rely_on_with_kind_and_labels(metrics_page):
    rows = metrics_page.page().splitlines()
    for row in (
        "| `api_predict_calls_total` | counter |  | Calls of POST /predict, whatever came of them. |",
        "| `doodle_http_requests_total` | counter | `code`, `route` | ",
        "| `doodle_predict_phase_seconds` | histogram | `phase` | ",
        "| `doodle_store_pointer_info` | gauge | `pointer`, `version` | ",
        "| `doodle_feedback_received_total` | counter | `actual`, `verdict` | ",
    ):
        assert any(line.startswith(row) for line in rows), row
