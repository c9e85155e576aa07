"""Alertmanager's configuration, judged by its own tool: who is told of what, and what is not said because something else is."""

import os
import re
import subprocess

import pytest
import yaml


@pytest.fixture
def file(monitoring):
    return monitoring / "alertmanager/alertmanager.yml"


@pytest.fixture
def configuration(file):
    return yaml.safe_load(file.read_text(encoding="utf-8"))


@pytest.fixture
def alerts(rules):
    return {rule["alert"]: rule["labels"]["severity"] for rule in rules if "alert" in rule}


def test_alertmanager_takes_it(file, amtool):
    assert "SUCCESS" in amtool("check-config", file)


def test_every_alert_comes_to_the_webhook_and_what_is_critical_sooner(file, amtool, alerts, configuration):
    for severity in set(alerts.values()):
        assert "webhook" in amtool("config", "routes", "test", "--config.file", file, f"severity={severity}").splitlines()
    (critical,) = configuration["route"]["routes"]
    assert critical["matchers"] == ['severity="critical"']
    assert seconds(critical["group_wait"]) < seconds(configuration["route"]["group_wait"])
    assert seconds(critical["repeat_interval"]) < seconds(configuration["route"]["repeat_interval"])


def seconds(duration):
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3600}[duration[-1]]


def test_what_hides_others_and_what_is_hidden_are_alerts_that_there_are(configuration, alerts):
    for rule in configuration["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            names = re.fullmatch(r'alertname=~?"([\w|]+)"', matcher)[1].split("|")
            assert set(names) <= set(alerts), matcher


def test_no_critical_alert_is_hidden_by_a_warning(configuration, alerts):
    for rule in configuration["inhibit_rules"]:
        (source,), (targets,) = ([part.split('"')[1] for part in rule[f"{side}_matchers"]] for side in ("source", "target"))
        if alerts[source] != "critical":
            assert {alerts[target] for target in targets.split("|")} == {"warning"}, source


def test_its_end_is_told_too(configuration):
    (receiver,) = configuration["receivers"]
    (webhook,) = receiver["webhook_configs"]
    assert webhook["send_resolved"] is True


@pytest.mark.parametrize("address", [None, "", "somebody@example.org", "ftp://example.org/"])
def test_it_does_not_start_without_an_address(monitoring, address):
    environment = {"PATH": os.environ["PATH"]} | ({} if address is None else {"DOODLE_ALERT_WEBHOOK": address})
    started = subprocess.run(
        ["sh", monitoring / "alertmanager/start.sh"], env=environment, capture_output=True, text=True, timeout=10, check=False
    )
    assert (started.returncode, started.stdout) == (1, "")
    assert "set DOODLE_ALERT_WEBHOOK to an address that begins with http:// or https://" in started.stderr
