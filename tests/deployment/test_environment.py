"""Variables: a default where one is not set, and an error that names the one that is wrong."""

import re
from pathlib import Path

import pytest
from deployment.environment import Environment, SettingsError


def read(kind, text=None, file=None):
    """What a variable of this kind gives that holds this text, or whose file is this."""
    variables = {} if text is None else {"DOODLE_IT": text, "DOODLE_LOG_LEVEL": text}
    environment = Environment(variables if file is None else variables | {"DOODLE_IT_FILE": str(file)})
    return {
        "text": lambda: environment.text("DOODLE_IT", "default"),
        "whole": lambda: environment.number("DOODLE_IT", 5, 1, 9),
        "number": lambda: environment.number("DOODLE_IT", 0.5, 0.05, 3600.0),
        "port": lambda: environment.port("DOODLE_IT", 7000),
        "level": lambda: environment.log_level("info"),
        "url": lambda: environment.url("DOODLE_IT", "scheme://default", of_scheme),
        "folders": lambda: environment.folders("DOODLE_IT", (Path("default"),)),
        "key": lambda: environment.key("DOODLE_IT"),
    }[kind]()


def of_scheme(url):
    if not url.startswith("scheme://"):
        raise ValueError(f"{url!r} is of no scheme")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", "default"),
        ("whole", 5),
        ("number", 0.5),
        ("port", 7000),
        ("level", "info"),
        ("url", "scheme://default"),
        ("folders", (Path("default"),)),
        ("key", ""),
    ],
)
def test_what_is_not_set_or_empty_has_its_default(tmp_path, kind, value):
    """Compose passes on what is not set as empty; an empty host, for one, would listen on every interface."""
    (tmp_path / "secret").write_text("\n")
    assert read(kind) == read(kind, "") == read(kind, "", tmp_path / "secret") == value


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("text", "0.0.0.0", "0.0.0.0"),
        ("whole", "9", 9),
        ("number", "0.05", 0.05),
        ("number", "3600", 3600.0),
        ("port", "0", 0),
        ("port", "65535", 65535),
        ("level", "WARNING", "warning"),
        ("url", "scheme://other", "scheme://other"),
        ("key", "0123456789abcde!", "0123456789abcde!"),
        ("folders", ":artifacts::/results:", (Path("artifacts"), Path("/results"))),
    ],
)
def test_what_is_set_or_in_a_file_is_read(tmp_path, kind, text, value):
    assert read(kind, text) == value
    (tmp_path / "secret").write_text(f"{text}\n")
    if kind != "level":
        assert read(kind, "what the file goes before", tmp_path / "secret") == value


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("port", "seven", "DOODLE_IT must be a whole number, not 'seven'"),
        ("port", "65536", "DOODLE_IT must be from 0 to 65535, not 65536"),
        ("port", "-1", "DOODLE_IT must be from 0 to 65535, not -1"),
        ("number", "often", "DOODLE_IT must be a number, not 'often'"),
        ("number", "0", "DOODLE_IT must be from 0.05 to 3600.0, not 0"),
        ("number", "3601", "DOODLE_IT must be from 0.05 to 3600.0, not 3601"),
        ("number", "nan", "DOODLE_IT must be from 0.05 to 3600.0, not nan"),
        ("level", "loud", "DOODLE_LOG_LEVEL must be one of debug, info, warning, error, not 'loud'"),
        ("url", "mysql://host", "DOODLE_IT: 'mysql://host' is of no scheme"),
        ("folders", "::", "DOODLE_IT must be folders with ':' between them, not '::'"),
    ],
)
def test_what_cannot_be_used_is_named(kind, text, message):
    with pytest.raises(SettingsError, match="^" + re.escape(message) + "$"):
        read(kind, text)


@pytest.mark.parametrize(
    "text", ["0123456789abcde", "0123456789 abcdef", "0123456789\nabcdef", "schlüssel-schlüssel", "\x00" * 16]
)
def test_a_key_that_is_too_short_or_fits_no_header_is_refused_and_not_repeated(tmp_path, text):
    (tmp_path / "secret").write_text(text)
    for file in (None, tmp_path / "secret"):
        with pytest.raises(SettingsError, match=r"^DOODLE_IT must have 16 characters") as raised:
            read("key", text, file)
        assert text not in str(raised.value)


def test_a_file_that_is_not_there_or_no_text_is_named_and_not_shown(tmp_path):
    with pytest.raises(SettingsError, match=f"^DOODLE_IT_FILE: {tmp_path}/secret cannot be read: No such file"):
        read("key", "", tmp_path / "secret")
    (tmp_path / "secret").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=f"^DOODLE_IT_FILE: {tmp_path}/secret is not text$"):
        read("key", "", tmp_path / "secret")
