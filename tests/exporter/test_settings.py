"""Each setting has a default and a variable."""

from pathlib import Path

import pytest
from deployment.settings import read_settings
from exporter.settings import Settings

DEFAULTS = {
    "models": "state/models",
    "prediction_log": "sqlite:///state/journal.sqlite",
    "artifacts": (Path("artifacts"),),
    "page_url": "",
    "api_url": "",
    "api_key": "",
    "host": "127.0.0.1",
    "port": 18000,
    "log_level": "info",
}


def test_has_the_contract_s_defaults(monkeypatch):
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
        ("DOODLE_PAGE_URL", "http://frontend:3000", "page_url", "http://frontend:3000"),
        ("DOODLE_LOG_LEVEL", "WARNING", "log_level", "warning"),
    ],
)
def test_a_variable_sets_only_its_field(monkeypatch, variable, text, field, value):
    monkeypatch.setenv(variable, text)
    assert read_settings(Settings).model_dump() == DEFAULTS | {field: value}
