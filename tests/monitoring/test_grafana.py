"""How Grafana is set up: what it is given at start, who may do what, and that it calls nobody."""

from configparser import ConfigParser

import pytest

DASHBOARDS_IN_CONTAINER = "/etc/grafana/dashboards"
# Each setting by its key in Grafana 13's conf/defaults.ini: it ignores others without a word, so a typing error would leave the
# default in force. readPluginSettings in pkg/setting/setting_plugins.go has the newer ones of plugins.
SETTINGS = {
    "server": {"http_port": "3000", "root_url": "http://localhost:3001/"},
    # Everybody may look, and nobody may change. There is no admin whose password could be guessed.
    "auth": {"disable_login_form": "true"},
    "auth.anonymous": {"enabled": "true", "org_role": "Viewer"},
    "auth.basic": {"enabled": "false"},
    "users": {"allow_sign_up": "false"},
    "security": {"disable_initial_admin_creation": "true", "disable_gravatar": "true"},
    # It calls nobody.
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


def test_lets_everybody_look_and_nobody_change_and_calls_nobody(settings):
    others = ("dashboards", "log")
    assert {section: values for section, values in settings.items() if section not in others} == SETTINGS
    assert set(settings["log"]) <= {"mode", "level"}
    assert settings["log"]["mode"] == "console"


def test_opens_with_one_of_the_dashboards(settings, dashboards):
    assert set(settings["dashboards"]) <= {"default_home_dashboard_path", "min_refresh_interval"}
    folder, _, name = settings["dashboards"]["default_home_dashboard_path"].rpartition("/")
    assert folder == DASHBOARDS_IN_CONTAINER
    assert name in dashboards


def test_reads_prometheus_alone_and_rates_span_several_scrapes(read_yaml):
    """$__rate_interval is four times timeInterval at least: that of the exporter, which is scraped less often than the API."""
    scrapes = {job["job_name"]: job for job in read_yaml("prometheus/prometheus.yml")["scrape_configs"]}
    (source,) = read_yaml("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert (source["uid"], source["type"], source["url"]) == ("prometheus", "prometheus", "http://prometheus:9090")
    assert (source["isDefault"], source["editable"]) == (True, False)
    assert source["jsonData"]["timeInterval"] == scrapes["custom_exporter"]["scrape_interval"]


def test_shows_the_project_s_dashboards_and_keeps_them(read_yaml, dashboards):
    (provider,) = read_yaml("grafana/provisioning/dashboards/doodle.yml")["providers"]
    assert (provider["type"], provider["options"]["path"]) == ("file", DASHBOARDS_IN_CONTAINER)
    assert (provider["allowUiUpdates"], provider["disableDeletion"]) == (False, True)
    assert provider["folderUid"] not in {board["uid"] for board in dashboards.values()}
