"""Alertmanager's configuration: receivers and inhibition rules."""

import re
import subprocess

import pytest


@pytest.fixture
def configuration(read_yaml):
    return read_yaml("alertmanager/alertmanager.yml")


@pytest.fixture
def severities(alerts):
    return {name: rule["labels"]["severity"] for name, rule in alerts.items()}


def seconds(duration):
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3600}[duration[-1]]


def test_sends_every_alert_to_the_webhook_and_critical_ones_sooner(tool, monitoring, severities, configuration):
    file = monitoring / "alertmanager/alertmanager.yml"
    assert "SUCCESS" in tool("amtool", "check-config", file)
    for severity in set(severities.values()):
        routes = tool("amtool", "config", "routes", "test", "--config.file", file, f"severity={severity}")
        assert "webhook" in routes.splitlines()
    (critical, _), everything = configuration["route"]["routes"], configuration["route"]
    assert critical["matchers"] == ['severity="critical"']
    for wait in ("group_wait", "repeat_interval"):
        assert seconds(critical[wait]) < seconds(everything[wait])
    (receiver,) = configuration["receivers"]
    assert [webhook["send_resolved"] for webhook in receiver["webhook_configs"]] == [True]


def test_inhibits_no_critical_alert_by_a_warning(configuration, severities):
    for rule in configuration["inhibit_rules"]:
        source, target = (
            {
                severities[name]
                for matcher in rule[f"{side}_matchers"]
                for name in re.fullmatch(r'alertname=~?"([\w|]+)"', matcher)[1].split("|")
            }
            for side in ("source", "target")
        )
        assert "critical" in source or target == {"warning"}, rule


@pytest.mark.parametrize("address", [None, "", "ftp://example.org/"])
def test_start_requires_a_web_address(monitoring, address):
    environment = {} if address is None else {"DOODLE_ALERT_WEBHOOK": address}
    command = ["/bin/sh", monitoring / "alertmanager/start.sh"]
    started = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=10, check=False)
    assert (started.returncode, started.stdout) == (1, "")
    assert "set DOODLE_ALERT_WEBHOOK to an address that begins with http:// or https://" in started.stderr
