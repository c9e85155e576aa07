"""Each setting has a default and a variable, and a wrong value is named."""

import re
from pathlib import Path

import pytest
from deployment.settings import SettingsError, read_settings
from exporter.settings import Settings

DEFAULTS = {
    "models": "state/models",
    "prediction_log": "sqlite:///state/journal.sqlite",
    "artifacts": (Path("artifacts"),),
    "host": "127.0.0.1",
    "port": 18000,
    "log_level": "info",
}


def test_an_empty_environment_gives_the_defaults_of_the_contract(monkeypatch):
    monkeypatch.setenv("DOODLE_PORT", "1")  # another service's
    assert read_settings(Settings).model_dump() == DEFAULTS


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("DOODLE_MODELS", "file:///models", "models", "file:///models"),
        ("DOODLE_JOURNAL", "redis://redis:6379/0", "prediction_log", "redis://redis:6379/0"),
        ("DOODLE_ARTIFACTS", ":artifacts::/results:", "artifacts", (Path("artifacts"), Path("/results"))),
        ("DOODLE_HOST", "0.0.0.0", "host", "0.0.0.0"),
        ("DOODLE_EXPORTER_PORT", "8080", "port", 8080),
        ("DOODLE_LOG_LEVEL", "WARNING", "log_level", "warning"),
    ],
)
def test_a_variable_sets_its_field_and_no_other(monkeypatch, variable, text, field, value):
    monkeypatch.setenv(variable, text)
    assert read_settings(Settings).model_dump() == DEFAULTS | {field: value}


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("DOODLE_MODELS", "ftp://host", "DOODLE_MODELS: 'ftp://host' is not a model store: give a folder, "),
        (
            "DOODLE_JOURNAL",
            "mysql://host",
            "DOODLE_JOURNAL: a prediction log's URL must begin with redis://, rediss:// or sqlite:///",
        ),
    ],
)
def test_names_a_value_that_cannot_be_used(monkeypatch, variable, text, message):
    monkeypatch.setenv(variable, text)
    with pytest.raises(SettingsError, match="^" + re.escape(message)):
        read_settings(Settings)
