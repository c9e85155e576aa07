"""Settings of a service: one frozen class of DOODLE_ environment variables, read once at start.

An empty variable counts as unset, because Compose passes unset variables as empty ones. A variable NAME_FILE is the path of a
file with the value of NAME, as Docker Swarm and Kubernetes provide secrets.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as SourceError

SHORTEST_KEY = 16  # characters


class SettingsError(ValueError):
    """An environment variable has a wrong value; the message names it and says what it should be."""


class ServiceSettings(BaseSettings):
    """Read DOODLE_<FIELD> for each field, unless it is passed as an argument. `validation_alias` names another variable."""

    model_config = SettingsConfigDict(
        env_prefix="DOODLE_", env_ignore_empty=True, frozen=True, populate_by_name=True, extra="ignore"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _VariablesSource(settings_cls), dotenv_settings


class _VariablesSource(EnvSettingsSource):
    """Read the file of NAME_FILE, without surrounding white space, else NAME. A field has only one NAME."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        key, variable, is_complex = self._extract_field_info(field, field_name)[0]  # the second, if any, is DOODLE_<FIELD>
        if path := self.env_vars.get(f"{variable}_file"):
            try:
                return Path(path).read_text(encoding="utf-8").strip() or None, key, False
            except (OSError, UnicodeDecodeError) as error:
                reason = f"{path} cannot be read: {type(error).__name__}"
                raise SettingsError(f"{variable.upper()}_FILE: {reason}") from error
        return self.env_vars.get(variable), key, is_complex


Settings = TypeVar("Settings", bound=BaseSettings)


def read_settings(settings: type[Settings], **arguments: Any) -> Settings:
    """Return the settings from the environment. SettingsError names a wrong variable and says what it should be."""
    try:
        return settings(**arguments)
    except ValidationError as error:
        raise SettingsError(_explained(error)) from None  # the cause might show a secret
    except SourceError as error:
        raise error.__cause__ or error from None  # the cause: a SettingsError for an unreadable file


def read_or_exit(service: str, settings: type[Settings]) -> Settings:
    """Return the settings, or print the error on one line and exit with code 2. Without settings there is no log yet."""
    try:
        return read_settings(settings)
    except SettingsError as error:
        print(f"{service}: {error}", file=sys.stderr)
        sys.exit(2)


def _explained(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]  # its message never holds the value, which may be a secret
    name = str(first["loc"][0])
    variable = name if name.isupper() else f"DOODLE_{name.upper()}"
    return f"{variable}: {first['msg'].removeprefix('Value error, ')}"


def _key(key: str) -> str:
    if key and not (len(key) >= SHORTEST_KEY and key.isascii() and key.isprintable() and " " not in key):
        raise ValueError(f"it must have at least {SHORTEST_KEY} characters, all of them ASCII letters, digits or punctuation")
    return key


def _folders(text: object) -> object:
    if not isinstance(text, str):
        return text
    folders = tuple(Path(folder) for folder in text.split(":") if folder)
    if not folders:
        raise ValueError(f"it must be folders, separated by ':', not {text!r}")
    return folders


def opened_by(opener: Callable[[str], object]) -> AfterValidator:
    """Accept only URLs that the opener accepts. Openers connect and read at the first call, not before."""

    def check(url: str) -> str:
        opener(url)
        return url

    return AfterValidator(check)


Port = Annotated[int, Field(ge=0, le=65535)]  # 0: the system chooses one
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(lambda level: str(level).lower())]
Key = Annotated[str, Field(repr=False), AfterValidator(_key)]  # a secret for a header; "": no key
Folders = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_folders)]  # separated by ":"
