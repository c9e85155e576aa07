"""Grafana's configuration: data source, dashboards, and rights."""

from configparser import ConfigParser

import pytest

DASHBOARDS_IN_CONTAINER = "/etc/grafana/dashboards"
# Keys of Grafana 13's conf/defaults.ini. Grafana ignores unknown keys, so a typing error would keep the default.
SETTINGS = {
    "server": {"http_port": "3000", "root_url": "http://localhost:3001/"},
    # Everyone may view, nobody may change, and there is no admin account.
    "auth": {"disable_login_form": "true"},
    "auth.anonymous": {"enabled": "true", "org_role": "Viewer"},
    "auth.basic": {"enabled": "false"},
    "users": {"allow_sign_up": "false"},
    "security": {"disable_initial_admin_creation": "true", "disable_gravatar": "true"},
    # Grafana sends no requests to others.
    "analytics": dict.fromkeys(
        ("reporting_enabled", "check_for_updates", "check_for_plugin_updates", "feedback_links_enabled"), "false"
    ),
    "news": {"news_feed_enabled": "false"},
    "plugins": {
        "plugin_admin_enabled": "false",
        "preinstall_disabled": "true",
        "public_key_retrieval_disabled": "true",
        "disable_plugins": "cloudwatch, elasticsearch, grafana-postgresql-datasource, grafana-pyroscope-datasource, "
        "influxdb, jaeger, loki, mssql, mysql, opentsdb, stackdriver, tempo, zipkin",
    },
    "snapshots": {"enabled": "false", "external_enabled": "false"},
    "public_dashboards": {"enabled": "false"},
}


@pytest.fixture
def settings(monitoring):
    parser = ConfigParser(interpolation=None, strict=True)
    assert parser.read(monitoring / "grafana/grafana.ini", encoding="utf-8")
    return {section: dict(parser[section]) for section in parser.sections()}


def test_is_read_only_and_sends_no_telemetry(settings):
    others = ("dashboards", "log")
    assert {section: values for section, values in settings.items() if section not in others} == SETTINGS
    assert set(settings["log"]) <= {"mode", "level"}
    assert settings["log"]["mode"] == "console"


def test_home_is_one_of_the_dashboards(settings, dashboards):
    assert set(settings["dashboards"]) <= {"default_home_dashboard_path", "min_refresh_interval"}
    folder, _, name = settings["dashboards"]["default_home_dashboard_path"].rpartition("/")
    assert folder == DASHBOARDS_IN_CONTAINER
    assert name in dashboards


def test_uses_prometheus_with_the_exporter_s_interval(read_yaml):
    """$__rate_interval is at least four times timeInterval, so it must fit the least frequent scrape."""
    scrapes = {job["job_name"]: job for job in read_yaml("prometheus/prometheus.yml")["scrape_configs"]}
    (source,) = read_yaml("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert (source["uid"], source["type"], source["url"]) == ("prometheus", "prometheus", "http://prometheus:9090")
    assert (source["isDefault"], source["editable"]) == (True, False)
    assert source["jsonData"]["timeInterval"] == scrapes["custom_exporter"]["scrape_interval"]


def test_provisions_the_dashboards_read_only(read_yaml, dashboards):
    (provider,) = read_yaml("grafana/provisioning/dashboards/doodle.yml")["providers"]
    assert (provider["type"], provider["options"]["path"]) == ("file", DASHBOARDS_IN_CONTAINER)
    assert (provider["allowUiUpdates"], provider["disableDeletion"]) == (False, True)
    assert provider["folderUid"] not in {board["uid"] for board in dashboards.values()}
