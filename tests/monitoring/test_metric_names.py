"""Rules and panels name metrics that something exposes, in expressions that Prometheus can parse; docs/metrics.md lists them."""

import json
import re
from pathlib import Path

import pytest
from inference.metrics import OTHER, Metrics
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from stores.models import ALIASES

# A whole scrape of the exporter; its own tests hold it against a real one, word by word.
EXPORTER_SCRAPE = Path(__file__).parents[1] / "exporter/golden.txt"
# Added by Prometheus itself, for each target and each alert.
OF_PROMETHEUS = {"up", "scrape_duration_seconds", "scrape_samples_scraped", "ALERTS"}
# What Prometheus 3.5 says of itself, as far as a board asks; tests/stack sees that the running one does.
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
# What a client of Prometheus says of any process, and says nothing: what it has reserved, and what it is allowed.
UNREMARKABLE = {"process_virtual_memory_bytes", "process_max_fds", "doodle_build_info"}
NO_METRICS = {"and", "or", "unless", "offset", "bool", "inf", "nan"}


def samples_in(scrape):
    """What has a sample now, and what is declared and will have one once there is something to say."""
    families = list(text_string_to_metric_families(scrape))
    return {sample.name for family in families for sample in family.samples} | {
        family.name for family in families if family.type == "gauge"
    }


def metrics_in(expression):
    """The metrics that a PromQL expression names: its words, but for strings, labels, durations, functions and operators."""
    text = re.sub(r'"(?:[^"\\]|\\.)*"', "", expression)
    text = re.sub(r"\{[^}]*\}|\[[^]]*\]", "", text)
    text = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", "", text)
    words = re.findall(r"(?<![\w:.])([a-zA-Z_:][\w:]*)\b(?!\s*\()", text)
    aggregations = set(re.findall(r"\b(\w+)\s+(?:by|without)\s*\(", expression))
    return {word for word in words if word.lower() not in NO_METRICS} - aggregations


@pytest.fixture(scope="module")
def of_doodle():
    """The samples that service and exporter expose."""
    inference = Metrics()
    for route in ("/predict", OTHER):
        inference.requests.labels(route, "200")
        inference.request_seconds.labels(route)
    for pointer in ALIASES:
        inference.show_model(pointer, "0123456789ab")
    return samples_in(generate_latest(inference.registry).decode()) | samples_in(EXPORTER_SCRAPE.read_text(encoding="utf-8"))


def test_every_metric_that_a_rule_or_a_panel_names_is_exposed(dashboard_expressions, rule_expressions, of_doodle, rules):
    exposed = of_doodle | OF_PROMETHEUS | OF_ITS_OWN | {rule["record"] for rule in rules if "record" in rule}
    for place, text in [*dashboard_expressions, *rule_expressions]:
        named = metrics_in(text)
        assert named, f"{place} names no metric"
        assert named <= exposed, f"{place} names {named - exposed}, which nothing exposes"


def test_every_metric_that_is_exposed_is_on_a_board_or_in_a_rule(dashboard_expressions, rule_expressions, of_doodle):
    """Of a histogram any part will do."""

    def whole(name):
        return re.sub(r"_(bucket|sum|count)$", "", name)

    used = {name for found in [*dashboard_expressions, *rule_expressions] for name in metrics_in(found.text)}
    assert {whole(name) for name in of_doodle} - {whole(name) for name in used} == UNREMARKABLE
    assert used >= OF_ITS_OWN


def test_prometheus_can_parse_every_panel_s_expressions(dashboard_expressions, tool, tmp_path):
    """As rules, since its tool parses nothing else."""
    rules = [{"record": f"panel:{number}", "expr": found.text} for number, found in enumerate(dashboard_expressions)]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    assert f"SUCCESS: {len(rules)} rules found" in tool("promtool", "check", "rules", file)


def test_the_document_lists_the_metrics_as_they_describe_themselves(load_script):
    script = load_script("scripts/metrics_page.py")
    assert script.PAGE.read_text(encoding="utf-8") == script.page(), "docs/metrics.md is stale: make pages"
