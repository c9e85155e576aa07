"""The files of monitoring/ as Python sees them, and the expressions in them."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

MONITORING = Path(__file__).parents[2] / "monitoring"
# What Grafana puts in for its variables, about: enough for an expression to be parsed.
GRAFANA_VARIABLES = {"$__rate_interval": "20s", "$__interval": "5s", "$__range": "15m"}


@dataclass(frozen=True)
class Expression:
    """A PromQL expression, ready for Prometheus, and where it stands."""

    place: str
    text: str


def read_yaml(path: Path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rules() -> list[dict]:
    """All rules, alerting and recording, as Prometheus's own configuration finds them."""
    prometheus = MONITORING / "prometheus"
    patterns = read_yaml(prometheus / "prometheus.yml")["rule_files"]
    files = sorted(file for pattern in patterns for file in prometheus.glob(pattern))
    return [rule for file in files for group in read_yaml(file)["groups"] for rule in group["rules"]]


def dashboards() -> dict[str, dict]:
    """By file name."""
    return {
        file.name: json.loads(file.read_text(encoding="utf-8"))
        for file in sorted((MONITORING / "grafana/dashboards").glob("*.json"))
    }


def rule_expressions() -> list[Expression]:
    return [Expression(rule.get("record") or rule["alert"], rule["expr"]) for rule in rules()]


def dashboard_expressions() -> list[Expression]:
    """Those of the panels, and of the marks through them."""
    found = []
    for name, dashboard in dashboards().items():
        queries = [
            (f"panel {panel['title']}, query {target['refId']}", target)
            for panel in dashboard["panels"]
            for target in panel.get("targets", [])
        ]
        queries += [(f"annotation {mark['name']}", mark["target"]) for mark in dashboard["annotations"]["list"]]
        for place, query in queries:
            text = query["expr"]
            for variable, value in GRAFANA_VARIABLES.items():
                text = re.sub(re.escape(variable) + r"\b", value, text)
            found.append(Expression(f"{name}, {place}", text))
    return found


@pytest.fixture(name="monitoring")
def monitoring_fixture():
    return MONITORING


@pytest.fixture(name="rules")
def rules_fixture():
    return rules()


@pytest.fixture(name="dashboards")
def dashboards_fixture():
    return dashboards()


@pytest.fixture(name="rule_expressions")
def rule_expressions_fixture():
    return rule_expressions()


@pytest.fixture(name="dashboard_expressions")
def dashboard_expressions_fixture():
    return dashboard_expressions()


@pytest.fixture(name="promtool")
def promtool_fixture(require):
    """Runs Prometheus's own tool; it must be content. Its output."""
    return runner(require("promtool"))


@pytest.fixture(name="amtool")
def amtool_fixture(require):
    """The same for Alertmanager's."""
    return runner(require("amtool"))


def runner(command):
    def run(*arguments):
        done = subprocess.run([command, *map(str, arguments)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run
