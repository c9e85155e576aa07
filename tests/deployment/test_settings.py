"""Settings have defaults, and errors name the wrong variable."""

import re
from pathlib import Path
from typing import Annotated

import pytest
from deployment.settings import Folders, Key, LogLevel, Port, ServiceSettings, SettingsError, opened_by, read_settings
from pydantic import Field


def of_scheme(url):
    if not url.startswith("scheme://"):
        raise ValueError(f"{url!r} is of no scheme")


class Settings(ServiceSettings):
    text: str = "default"
    number: Annotated[float, Field(ge=0.05, le=3600)] = 0.5
    port: Annotated[Port, Field(validation_alias="DOODLE_OTHER_PORT")] = 7000
    log_level: LogLevel = "info"
    url: Annotated[str, opened_by(of_scheme)] = "scheme://default"
    folders: Folders = (Path("default"),)
    key: Key = ""


VARIABLES = {name: f"DOODLE_{'other_port' if name == 'port' else name}".upper() for name in Settings.model_fields}


@pytest.fixture
def read(monkeypatch, tmp_path):
    """read(field, text, in_file=…): set the field's variable or its file, and return the field's value."""

    def read(field, text=None, in_file=None):
        if text is not None:
            monkeypatch.setenv(VARIABLES[field], text)
        if in_file is not None:
            (tmp_path / "secret").write_text(in_file)
            monkeypatch.setenv(f"{VARIABLES[field]}_FILE", f"{tmp_path}/secret")
        return getattr(read_settings(Settings), field)

    return read


@pytest.mark.parametrize("field", Settings.model_fields)
def test_unset_and_empty_variables_give_the_default(read, field):
    """Compose passes unset variables as empty ones. An empty host would listen on every interface."""
    default = Settings.model_fields[field].default
    assert read(field) == read(field, "") == read(field, "", "\n") == default


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("text", "0.0.0.0", "0.0.0.0"),
        ("number", "0.05", 0.05),
        ("number", "3600", 3600.0),
        ("port", "0", 0),
        ("port", "65535", 65535),
        ("log_level", "WARNING", "warning"),
        ("url", "scheme://other", "scheme://other"),
        ("key", "0123456789abcde!", "0123456789abcde!"),
        ("folders", ":artifacts::/results:", (Path("artifacts"), Path("/results"))),
    ],
)
def test_reads_variables_and_files(read, field, text, value):
    assert read(field, text) == value
    assert read(field, "ignored, the file wins", f"{text}\n") == value


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("port", "seven", "DOODLE_OTHER_PORT: Input should be a valid integer"),
        ("port", "65536", "DOODLE_OTHER_PORT: Input should be less than or equal to 65535"),
        ("port", "-1", "DOODLE_OTHER_PORT: Input should be greater than or equal to 0"),
        ("number", "often", "DOODLE_NUMBER: Input should be a valid number"),
        ("number", "0", "DOODLE_NUMBER: Input should be greater than or equal to 0.05"),
        ("number", "3601", "DOODLE_NUMBER: Input should be less than or equal to 3600"),
        ("number", "nan", "DOODLE_NUMBER: Input should be less than or equal to 3600"),
        ("log_level", "LOUD", "DOODLE_LOG_LEVEL: Input should be 'debug', 'info', 'warning' or 'error'"),
        ("url", "mysql://host", "DOODLE_URL: 'mysql://host' is of no scheme"),
        ("folders", "::", "DOODLE_FOLDERS: it must be folders, separated by ':', not '::'"),
    ],
)
def test_error_names_the_wrong_variable(read, field, text, message):
    with pytest.raises(SettingsError, match="^" + re.escape(message)):
        read(field, text)


@pytest.mark.parametrize("text", ["0123456789abcde", "0123456789 abcdef", "0123456789\nabcdef", "schlüssel-schlüssel"])
def test_rejects_an_unusable_key_without_showing_it(read, text):
    for where in ({"text": text}, {"in_file": text}):
        with pytest.raises(SettingsError, match=r"^DOODLE_KEY: it must have at least 16 characters") as raised:
            read("key", **where)
        assert text not in str(raised.value)


def test_error_does_not_show_a_file_s_content(read):
    with pytest.raises(SettingsError, match=r"^DOODLE_OTHER_PORT: Input should be a valid integer"):
        read("port", in_file="a secret in the wrong place")


def test_repr_hides_the_key(read, monkeypatch):
    monkeypatch.setenv("DOODLE_KEY", "0123456789abcdef")
    assert "0123456789abcdef" not in repr(read_settings(Settings))


def test_error_names_an_unreadable_file(monkeypatch, tmp_path):
    monkeypatch.setenv("DOODLE_KEY_FILE", f"{tmp_path}/secret")
    with pytest.raises(SettingsError, match=f"^DOODLE_KEY_FILE: {tmp_path}/secret cannot be read: FileNotFoundError$"):
        read_settings(Settings)
    (tmp_path / "secret").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=f"^DOODLE_KEY_FILE: {tmp_path}/secret cannot be read: UnicodeDecodeError$"):
        read_settings(Settings)
