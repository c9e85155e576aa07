"""Rules and panels use exposed metrics in valid PromQL, and docs/metrics.md lists them."""

import json
import re
from pathlib import Path

import pytest
from inference.metrics import OTHER, Metrics
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from stores.models import ALIASES

# A scrape of the exporter, which its tests compare with a real one.
EXPORTER_SCRAPE = Path(__file__).parents[1] / "exporter/golden.txt"
# Added by Prometheus for each target and alert.
OF_PROMETHEUS = {"up", "scrape_duration_seconds", "scrape_samples_scraped", "ALERTS"}
# Metrics of Prometheus 3.5 that boards use; tests/stack checks them on a running one.
OF_ITS_OWN = {
    "prometheus_engine_query_duration_seconds_count",
    "prometheus_engine_query_duration_seconds_sum",
    "prometheus_notifications_dropped_total",
    "prometheus_notifications_errors_total",
    "prometheus_notifications_sent_total",
    "prometheus_rule_evaluation_failures_total",
    "prometheus_rule_group_last_duration_seconds",
    "prometheus_target_scrapes_exceeded_sample_limit_total",
    "prometheus_target_scrapes_sample_duplicate_timestamp_total",
    "prometheus_tsdb_head_chunks_storage_size_bytes",
    "prometheus_tsdb_head_samples_appended_total",
    "prometheus_tsdb_head_series",
    "prometheus_tsdb_storage_blocks_bytes",
    "prometheus_tsdb_wal_storage_size_bytes",
}
# Process metrics that no board needs.
UNUSED = {"process_virtual_memory_bytes", "process_max_fds", "doodle_build_info"}
NO_METRICS = {"and", "or", "unless", "offset", "bool", "inf", "nan"}


def samples_in(scrape):
    """Return the names of all samples and declared gauges."""
    families = list(text_string_to_metric_families(scrape))
    return {sample.name for family in families for sample in family.samples} | {
        family.name for family in families if family.type == "gauge"
    }


def metrics_in(expression):
    """Return the metrics in a PromQL expression: its words without strings, labels, durations, functions and operators."""
    text = re.sub(r'"(?:[^"\\]|\\.)*"', "", expression)
    text = re.sub(r"\{[^}]*\}|\[[^]]*\]", "", text)
    text = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", "", text)
    words = re.findall(r"(?<![\w:.])([a-zA-Z_:][\w:]*)\b(?!\s*\()", text)
    aggregations = set(re.findall(r"\b(\w+)\s+(?:by|without)\s*\(", expression))
    return {word for word in words if word.lower() not in NO_METRICS} - aggregations


@pytest.fixture(scope="module")
def of_doodle():
    """Return the sample names of service and exporter."""
    inference = Metrics()
    for route in ("/predict", OTHER):
        inference.requests.labels(route, "200")
        inference.request_seconds.labels(route)
    for alias in ALIASES:
        inference.show_model(alias, "0123456789ab")
    return samples_in(generate_latest(inference.registry).decode()) | samples_in(EXPORTER_SCRAPE.read_text(encoding="utf-8"))


def test_every_metric_in_use_is_exposed(dashboard_expressions, rule_expressions, of_doodle, rules):
    exposed = of_doodle | OF_PROMETHEUS | OF_ITS_OWN | {rule["record"] for rule in rules if "record" in rule}
    for place, text in [*dashboard_expressions, *rule_expressions]:
        named = metrics_in(text)
        assert named, f"{place} names no metric"
        assert named <= exposed, f"{place} names {named - exposed}, which nothing exposes"


def test_every_exposed_metric_is_in_use(dashboard_expressions, rule_expressions, of_doodle):
    """One part of a histogram is enough."""

    def whole(name):
        return re.sub(r"_(bucket|sum|count)$", "", name)

    used = {name for found in [*dashboard_expressions, *rule_expressions] for name in metrics_in(found.text)}
    assert {whole(name) for name in of_doodle} - {whole(name) for name in used} == UNUSED
    assert used >= OF_ITS_OWN


def test_prometheus_parses_every_panel_s_expressions(dashboard_expressions, tool, tmp_path):
    """promtool parses only rules, so wrap the expressions in rules."""
    rules = [{"record": f"panel:{number}", "expr": found.text} for number, found in enumerate(dashboard_expressions)]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    assert f"SUCCESS: {len(rules)} rules found" in tool("promtool", "check", "rules", file)


def test_docs_metrics_page_is_current(load_script):
    script = load_script("scripts/metrics_page.py")
    assert script.PAGE.read_text(encoding="utf-8") == script.page(), "docs/metrics.md is stale: make pages"
