"""Parse the files of monitoring/ and their expressions."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

MONITORING = Path(__file__).parents[2] / "monitoring"
# Values for Grafana's variables, so that expressions parse.
GRAFANA_VARIABLES = {"$__rate_interval": "20s", "$__interval": "5s", "$__range": "15m"}


class Expression(NamedTuple):
    """A PromQL expression and its place."""

    place: str
    text: str


@pytest.fixture(scope="session")
def monitoring():
    return MONITORING


@pytest.fixture(scope="session")
def read_yaml():
    return lambda name: yaml.safe_load((MONITORING / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def rules(read_yaml):
    """Return all alerting and recording rules of Prometheus's configuration."""
    prometheus = MONITORING / "prometheus"
    patterns = read_yaml("prometheus/prometheus.yml")["rule_files"]
    files = sorted(file for pattern in patterns for file in prometheus.glob(pattern))
    return [rule for file in files for group in read_yaml(file)["groups"] for rule in group["rules"]]


@pytest.fixture(scope="session")
def alerts(rules):
    return {rule["alert"]: rule for rule in rules if "alert" in rule}


@pytest.fixture(scope="session")
def dashboards():
    """Return the dashboards by file name."""
    files = sorted((MONITORING / "grafana/dashboards").glob("*.json"))
    return {file.name: json.loads(file.read_text(encoding="utf-8")) for file in files}


@pytest.fixture(scope="session")
def rule_expressions(rules):
    return [Expression(rule.get("record") or rule["alert"], rule["expr"]) for rule in rules]


@pytest.fixture(scope="session")
def dashboard_expressions(dashboards):
    """Return the expressions of panels and annotations."""
    found = []
    for name, board in dashboards.items():
        queries = [(panel["title"], target["expr"]) for panel in board["panels"] for target in panel.get("targets", [])]
        queries += [(mark["name"], mark["target"]["expr"]) for mark in board["annotations"]["list"]]
        for place, text in queries:
            for variable, value in GRAFANA_VARIABLES.items():
                text = re.sub(re.escape(variable) + r"\b", value, text)
            assert "$" not in text, f"{name}, {place}"
            found.append(Expression(f"{name}, {place}", text))
    return found


@pytest.fixture(scope="session")
def tool(require):
    """tool("promtool", …): run the tool, assert success, and return its output."""

    def run(name, *arguments):
        command = [require(name), *map(str, arguments)]
        environment = {**os.environ, "GOGC": "800"}  # a third less CPU time
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run
