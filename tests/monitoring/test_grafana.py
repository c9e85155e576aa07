"""How Grafana is set up: what it is given at start, who may do what, and that it calls nobody."""

from configparser import ConfigParser

import pytest
import yaml

DASHBOARDS_IN_CONTAINER = "/etc/grafana/dashboards"

# The keys of Grafana 12's conf/defaults.ini that we set. One that is not there is ignored without a word, in the file and as a
# GF_… variable, so that a slip of the pen would leave the default in force.
KNOWN_KEYS = {
    "server": {"http_port", "root_url"},
    "auth": {"disable_login_form"},
    "auth.anonymous": {"enabled", "org_role"},
    "auth.basic": {"enabled"},
    "security": {"disable_gravatar", "disable_initial_admin_creation"},
    "users": {"allow_sign_up"},
    "dashboards": {"default_home_dashboard_path", "min_refresh_interval"},
    "analytics": {"check_for_plugin_updates", "check_for_updates", "feedback_links_enabled", "reporting_enabled"},
    "news": {"news_feed_enabled"},
    # preinstall_disabled and public_key_retrieval_disabled: read by readPluginSettings in pkg/setting/setting_plugins.go
    "plugins": {"plugin_admin_enabled", "preinstall_disabled", "public_key_retrieval_disabled"},
    "snapshots": {"enabled", "external_enabled"},
    "public_dashboards": {"enabled"},
    "log": {"level", "mode"},
}


@pytest.fixture
def settings(monitoring):
    parser = ConfigParser(interpolation=None, strict=True)
    assert parser.read(monitoring / "grafana/grafana.ini", encoding="utf-8")
    return parser


def provisioned(monitoring, kind):
    (file,) = (monitoring / "grafana/provisioning" / kind).glob("*.yml")
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert content["apiVersion"] == 1
    return content


def test_every_setting_is_one_that_grafana_has(settings):
    for section in settings.sections():
        assert set(settings[section]) <= KNOWN_KEYS[section], section


def test_everybody_may_look_and_nobody_may_change(settings):
    assert settings.getboolean("auth.anonymous", "enabled")
    assert settings["auth.anonymous"]["org_role"] == "Viewer"
    assert not settings.getboolean("users", "allow_sign_up")


def test_there_is_no_password_to_guess(settings):
    """Without one in the environment there is neither an admin nor a way to log in as one."""
    assert settings.getboolean("security", "disable_initial_admin_creation")
    assert settings.getboolean("auth", "disable_login_form")
    assert not settings.getboolean("auth.basic", "enabled")
    assert not any("password" in key for section in settings.sections() for key in settings[section])


def test_grafana_calls_nobody(settings):
    for section, key in (
        ("analytics", "reporting_enabled"),
        ("analytics", "check_for_updates"),
        ("analytics", "check_for_plugin_updates"),
        ("news", "news_feed_enabled"),
        ("plugins", "plugin_admin_enabled"),
        ("snapshots", "external_enabled"),
    ):
        assert not settings.getboolean(section, key), key
    for section, key in (
        ("security", "disable_gravatar"),
        ("plugins", "preinstall_disabled"),
        ("plugins", "public_key_retrieval_disabled"),
    ):
        assert settings.getboolean(section, key), key


def test_it_logs_where_docker_reads_and_nowhere_else(settings):
    assert settings["log"]["mode"] == "console"


def test_it_listens_on_the_port_that_is_published_as_another(settings):
    assert settings["server"]["http_port"] == "3000"
    assert settings["server"]["root_url"] == "http://localhost:3001/"


def test_the_home_page_is_a_dashboard_that_exists(settings, dashboards):
    folder, _, name = settings["dashboards"]["default_home_dashboard_path"].rpartition("/")
    assert folder == DASHBOARDS_IN_CONTAINER
    assert name in dashboards


def test_the_one_datasource_is_prometheus_and_stays_as_it_is(monitoring):
    (source,) = provisioned(monitoring, "datasources")["datasources"]
    assert (source["uid"], source["type"], source["url"]) == ("prometheus", "prometheus", "http://prometheus:9090")
    assert source["isDefault"] is True
    assert source["editable"] is False


def test_rates_span_several_scrapes_of_the_slowest_job_that_has_rates(monitoring):
    """$__rate_interval is four times this at least: of the exporter, which is scraped less often than the API."""
    (source,) = provisioned(monitoring, "datasources")["datasources"]
    scrapes = yaml.safe_load((monitoring / "prometheus/prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    assert source["jsonData"]["timeInterval"] == next(s["scrape_interval"] for s in scrapes if s["job_name"] == "custom_exporter")


def test_dashboards_are_the_project_s_files(monitoring, dashboards):
    (provider,) = provisioned(monitoring, "dashboards")["providers"]
    assert provider["type"] == "file"
    assert provider["options"]["path"] == DASHBOARDS_IN_CONTAINER
    assert provider["allowUiUpdates"] is False
    assert provider["disableDeletion"] is True
    assert provider["folderUid"] not in {board["uid"] for board in dashboards.values()}
