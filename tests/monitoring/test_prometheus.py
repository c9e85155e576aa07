"""Prometheus's configuration and rules, judged by its own tool."""

import re

import yaml

JOBS = {"fastapi-app": ("1s", 7000), "custom_exporter": ("5s", 18000), "prometheus": (None, 9090)}
SEVERITIES = {"critical", "warning"}


def rule_tests(monitoring):
    """Every test in every file for promtool."""
    files = sorted((monitoring / "prometheus/tests").glob("*.yml"))
    assert files
    return [test for file in files for test in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]]


def test_prometheus_takes_its_configuration(monitoring, promtool):
    promtool("check", "config", monitoring / "prometheus/prometheus.yml")


def test_rules_do_what_their_tests_say(monitoring, promtool):
    promtool("test", "rules", *sorted((monitoring / "prometheus/tests").glob("*.yml")))


def test_the_three_jobs_are_scraped_as_often_as_agreed(monitoring):
    scrapes = yaml.safe_load((monitoring / "prometheus/prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    assert {scrape["job_name"]: scrape.get("scrape_interval") for scrape in scrapes} == {
        job: interval for job, (interval, _) in JOBS.items()
    }
    for scrape in scrapes:
        port = JOBS[scrape["job_name"]][1]
        assert str(port) in str(scrape)


def test_replicas_are_found_by_name_and_soon(monitoring):
    """One address for each replica, asked for again often enough that `--scale` shows within seconds."""
    scrapes = yaml.safe_load((monitoring / "prometheus/prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    (discovery,) = next(scrape for scrape in scrapes if scrape["job_name"] == "fastapi-app")["dns_sd_configs"]
    assert (discovery["names"], discovery["type"], discovery["port"]) == (["inference"], "A", 7000)
    assert discovery["refresh_interval"].endswith("s")
    assert int(discovery["refresh_interval"][:-1]) <= 5


def test_every_alert_says_how_bad_it_is_what_it_is_and_what_to_do(rules):
    alerts = [rule for rule in rules if "alert" in rule]
    assert alerts
    for alert in alerts:
        assert alert["labels"]["severity"] in SEVERITIES, alert["alert"]
        assert set(alert["annotations"]) == {"summary", "description", "runbook"}, alert["alert"]
        assert alert["annotations"]["summary"].endswith("."), alert["alert"]
        assert "`docker compose" in alert["annotations"]["description"], f"{alert['alert']} does not say what to type"


def test_every_alert_leads_to_its_chapter_of_the_runbook(monitoring, rules):
    """And the runbook has no chapter of an alert that is gone."""
    text = (monitoring.parent / "docs" / "runbook.md").read_text(encoding="utf-8")
    chapters = re.findall(r"^## (Doodle\w+)$", text, re.MULTILINE)
    assert chapters == [rule["alert"] for rule in rules if "alert" in rule]
    for rule in rules:
        if "alert" in rule:
            assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"


def test_every_alert_is_tested_both_firing_and_silent(monitoring, rules):
    firing, silent = set(), set()
    for test in rule_tests(monitoring):
        for case in test.get("alert_rule_test", []):
            (firing if case.get("exp_alerts") else silent).add(case["alertname"])
    alerts = {rule["alert"] for rule in rules if "alert" in rule}
    assert alerts == firing, "no test in which it fires, or a test of an alert that is gone"
    assert alerts == silent, "no test in which it stays silent, or a test of an alert that is gone"


def test_every_recording_rule_is_tested_with_a_value(monitoring, rules):
    tested = "\n".join(
        case["expr"] for test in rule_tests(monitoring) for case in test.get("promql_expr_test", []) if case.get("exp_samples")
    )
    for rule in rules:
        if "record" in rule:
            assert rule["record"] in tested


def test_names_of_recording_rules_are_level_metric_operations(rules):
    for rule in rules:
        if "record" in rule:
            assert rule["record"].count(":") == 2, rule["record"]


def test_every_recording_rule_is_used(rules, rule_expressions, dashboard_expressions):
    used = "\n".join(expression.text for expression in [*rule_expressions, *dashboard_expressions])
    for rule in rules:
        if "record" in rule:
            assert rule["record"] in used, f"{rule['record']} is computed for nobody"
