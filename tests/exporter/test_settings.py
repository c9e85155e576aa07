"""Each setting has a default and a variable, and a wrong value is named."""

import dataclasses
import re
from pathlib import Path

import pytest
from deployment.environment import SettingsError
from exporter.settings import Settings


def test_an_empty_environment_gives_the_defaults_of_the_contract():
    defaults = Settings("state/models", "sqlite:///state/journal.sqlite", (Path("artifacts"),), "127.0.0.1", 18000, "info")
    assert Settings.from_environment({"DOODLE_PORT": "1", "DOODLE_MODEL": "another service's"}) == Settings() == defaults


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
def test_a_variable_sets_its_field_and_no_other(variable, text, field, value):
    assert Settings.from_environment({variable: text}) == dataclasses.replace(Settings(), **{field: value})


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("DOODLE_MODELS", "ftp://host", "DOODLE_MODELS: 'ftp://host' names no model store: give a folder, "),
        ("DOODLE_JOURNAL", "mysql://host", "DOODLE_JOURNAL: a journal's URL begins with redis://, rediss:// or sqlite:///"),
    ],
)
def test_names_a_value_that_cannot_be_used(variable, text, message):
    with pytest.raises(SettingsError, match="^" + re.escape(message)):
        Settings.from_environment({variable: text})
