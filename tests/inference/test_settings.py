"""Each setting has a default and a variable, and errors name the variable."""

import re

import pytest
from deployment.settings import SettingsError, read_settings
from inference.settings import Settings

NO_ORIGIN = "should look like https://example.org or http://localhost:8080"


def test_has_the_contract_s_defaults(monkeypatch):
    for name, value in {"PORT": "1", "HOSTS": "a b", "DOODLE_COLOR": "yellow"}.items():
        monkeypatch.setenv(name, value)
    settings = read_settings(Settings)
    assert (settings.host, settings.port) == ("127.0.0.1", 7000)
    assert (settings.models, settings.prediction_log) == ("state/models", "sqlite:///state/journal.sqlite")
    assert (settings.model_check_seconds, settings.log_level, settings.api_key) == (1.0, "info", "")


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("DOODLE_MODELS", "file:///models", "models", "file:///models"),
        ("DOODLE_JOURNAL", "redis://redis:6379/0", "prediction_log", "redis://redis:6379/0"),
        ("DOODLE_RETENTION_DAYS", "36500", "retention_days", 36500),
        ("DOODLE_MODEL_CHECK_SECONDS", "0.05", "model_check_seconds", 0.05),
        ("DOODLE_HOST", "0.0.0.0", "host", "0.0.0.0"),
        ("DOODLE_PORT", "0", "port", 0),
        ("DOODLE_LOG_LEVEL", "WARNING", "log_level", "warning"),
        ("DOODLE_API_KEY", "0123456789abcdef", "api_key", "0123456789abcdef"),
        ("DOODLE_HOSTS", "Doodle.example.org, other.example", "hosts", frozenset({"doodle.example.org", "other.example"})),
        (
            "DOODLE_CORS_ORIGINS",
            " http://A, https://b:444,http://[::1]:8 ",
            "cors_origins",
            ("http://a", "https://b:444", "http://[::1]:8"),
        ),
    ],
)
def test_a_variable_sets_only_its_field(variable, text, field, value, monkeypatch):
    defaults = Settings()
    monkeypatch.setenv(variable, text)
    settings = read_settings(Settings)
    assert settings == defaults.model_copy(update={field: value})
    assert "0123456789abcdef" not in f"{settings} {settings!r}"  # the key is hidden


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("DOODLE_PORT", "seven", ": Input should be a valid integer"),
        ("DOODLE_MODEL_CHECK_SECONDS", "0", ": Input should be greater than or equal to 0.05"),
        ("DOODLE_RETENTION_DAYS", "-1", ": Input should be greater than or equal to 0"),
        (
            "DOODLE_MODELS",
            "ftp://host",
            ": 'ftp://host' is not a model store: give a folder, such as state/models or file:///models, or s3://bucket/prefix",
        ),
        ("DOODLE_JOURNAL", "mysql://host", ": a prediction log's URL must begin with redis://, rediss:// or sqlite:///"),
        ("DOODLE_HOSTS", "a b:443", ": 'b:443' should look like doodle.example.org, without a port"),
        *(
            ("DOODLE_CORS_ORIGINS", text, f": {text!r} {NO_ORIGIN}")
            for text in ("*", "example.org", "https://example.org/", "ftp://a", "https://*.a", "https://u@a")
        ),
    ],
)
def test_error_names_the_variable(variable, text, message, monkeypatch):
    monkeypatch.setenv(variable, text)
    with pytest.raises(SettingsError, match=f"^{variable}{re.escape(message)}"):
        read_settings(Settings)
