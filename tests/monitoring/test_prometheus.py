"""Check Prometheus's configuration and rules with promtool."""

import re

import pytest


@pytest.fixture(scope="module")
def scrapes(read_yaml):
    return {scrape["job_name"]: scrape for scrape in read_yaml("prometheus/prometheus.yml")["scrape_configs"]}


@pytest.fixture(scope="module")
def rule_tests(monitoring, read_yaml):
    """Return every promtool test."""
    return [test for file in (monitoring / "prometheus/tests").glob("*.yml") for test in read_yaml(file)["tests"]]


def test_prometheus_accepts_its_configuration(monitoring, tool):
    tool("promtool", "check", "config", monitoring / "prometheus/prometheus.yml")


def test_rules_pass_their_promtool_tests(monitoring, tool):
    tool("promtool", "test", "rules", *sorted((monitoring / "prometheus/tests").glob("*.yml")))


def test_scrapes_the_contract_s_jobs_and_finds_replicas(scrapes):
    intervals = {name: scrape.get("scrape_interval") for name, scrape in scrapes.items()}
    assert intervals == {"fastapi-app": "1s", "custom_exporter": "5s", "prometheus": None}
    for job, target in (("custom_exporter", "exporter:18000"), ("prometheus", "localhost:9090")):
        assert scrapes[job]["static_configs"] == [{"targets": [target]}]
    (discovery,) = scrapes["fastapi-app"]["dns_sd_configs"]
    assert (discovery["names"], discovery["type"], discovery["port"]) == (["inference"], "A", 7000)
    assert int(discovery["refresh_interval"].removesuffix("s")) <= 5  # new replicas appear within seconds


def test_every_alert_has_a_severity_and_a_runbook_section(monitoring, alerts):
    runbook = (monitoring.parent / "docs" / "runbook.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (Doodle\w+)$", runbook, re.MULTILINE) == list(alerts)
    for name, alert in alerts.items():
        assert alert["labels"]["severity"] in {"critical", "warning", "none"}, name
        assert set(alert["annotations"]) == {"summary", "description", "runbook"}, name
        assert alert["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"


def test_every_alert_has_a_firing_and_a_silent_test(rule_tests, alerts):
    for fires in (True, False):
        cases = (case for test in rule_tests for case in test.get("alert_rule_test", []))
        assert {case["alertname"] for case in cases if bool(case.get("exp_alerts")) == fires} == set(alerts), fires


def test_every_recording_rule_is_used_and_tested(rule_tests, rules, rule_expressions, dashboard_expressions):
    cases = (case for test in rule_tests for case in test.get("promql_expr_test", []))
    tested = "\n".join(case["expr"] for case in cases if case.get("exp_samples"))
    used = "\n".join(expression.text for expression in [*rule_expressions, *dashboard_expressions])
    for name in (rule["record"] for rule in rules if "record" in rule):
        assert name in tested
        assert name in used, f"{name} is not used"
