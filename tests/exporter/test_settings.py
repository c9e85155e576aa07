"""Settings.from_environment: a default for everything, a variable for each, and an error that names the one that is wrong."""

import dataclasses
import re
from pathlib import Path

import pytest
from deployment.environment import SettingsError
from exporter.settings import Settings


def test_an_empty_environment_gives_the_defaults():
    assert Settings.from_environment({}) == Settings()


def test_the_defaults_are_those_of_the_contract():
    settings = Settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 18000)
    assert settings.models == "state/models"
    assert settings.journal == "sqlite:///state/journal.sqlite"
    assert settings.artifacts == (Path("artifacts"),)
    assert settings.log_level == "info"


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("DOODLE_MODELS", "file:///models", "models", "file:///models"),
        ("DOODLE_JOURNAL", "redis://redis:6379/0", "journal", "redis://redis:6379/0"),
        ("DOODLE_ARTIFACTS", "/results", "artifacts", (Path("/results"),)),
        ("DOODLE_ARTIFACTS", "artifacts:/results", "artifacts", (Path("artifacts"), Path("/results"))),
        ("DOODLE_ARTIFACTS", ":artifacts::/results:", "artifacts", (Path("artifacts"), Path("/results"))),
        ("DOODLE_HOST", "0.0.0.0", "host", "0.0.0.0"),
        ("DOODLE_EXPORTER_PORT", "8080", "port", 8080),
        ("DOODLE_EXPORTER_PORT", "0", "port", 0),
        ("DOODLE_EXPORTER_PORT", "65535", "port", 65535),
        ("DOODLE_LOG_LEVEL", "debug", "log_level", "debug"),
        ("DOODLE_LOG_LEVEL", "WARNING", "log_level", "warning"),
    ],
)
def test_a_variable_sets_its_field_and_no_other(variable, text, field, value):
    assert Settings.from_environment({variable: text}) == dataclasses.replace(Settings(), **{field: value})


def test_other_variables_are_none_of_its_business():
    assert Settings.from_environment({"DOODLE_PORT": "1", "DOODLE_MODEL": "elsewhere"}) == Settings()


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("DOODLE_EXPORTER_PORT", "many", "DOODLE_EXPORTER_PORT must be a whole number, not 'many'"),
        ("DOODLE_LOG_LEVEL", "loud", "DOODLE_LOG_LEVEL must be one of debug, info, warning, error, not 'loud'"),
        ("DOODLE_ARTIFACTS", "::", "DOODLE_ARTIFACTS must be folders with ':' between them, not '::'"),
        (
            "DOODLE_MODELS",
            "ftp://host",
            "DOODLE_MODELS: 'ftp://host' names no model store: give a folder, as in state/models or file:///models, or s3://bucket/prefix",
        ),
        (
            "DOODLE_JOURNAL",
            "mysql://host",
            "DOODLE_JOURNAL: a journal's URL begins with redis://, rediss:// or sqlite:///",
        ),
    ],
)
def test_a_value_that_cannot_be_used_is_named(variable, text, message):
    with pytest.raises(SettingsError, match="^" + re.escape(message) + "$"):
        Settings.from_environment({variable: text})


def test_settings_cannot_be_changed_afterwards():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().port = 1
