"""How this service is deployed, read from the environment once, at start."""

from collections.abc import Mapping
from dataclasses import dataclass

from stores.journal import open_journal
from stores.models import open_models

LOG_LEVELS = ("debug", "info", "warning", "error")


class SettingsError(ValueError):
    """An environment variable has a value that cannot be used; the message names it."""


@dataclass(frozen=True)
class Settings:
    models: str = "state/models"  # the model store's URL
    model_check_seconds: float = 1.0  # how often to look whether another model is live
    journal: str = "sqlite:///state/journal.sqlite"  # the journal's URL
    host: str = "127.0.0.1"
    port: int = 7000
    log_level: str = "info"
    max_json_bytes: int = 1024 * 1024  # 20,000 points written out have about half of that
    max_image_bytes: int = 4 * 1024 * 1024
    max_image_pixels: int = 4096 * 4096

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """DOODLE_MODELS, DOODLE_MODEL_CHECK_SECONDS, DOODLE_JOURNAL, DOODLE_HOST, DOODLE_PORT and DOODLE_LOG_LEVEL.

        SettingsError if one of them is wrong.
        """
        level = (environment.get("DOODLE_LOG_LEVEL") or cls.log_level).lower()
        if level not in LOG_LEVELS:
            raise SettingsError(f"DOODLE_LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}, not {level!r}")
        return cls(
            models=_url(environment, "DOODLE_MODELS", open_models, cls.models),
            model_check_seconds=_number(environment, "DOODLE_MODEL_CHECK_SECONDS", float, cls.model_check_seconds, 0.05, 3600.0),
            journal=_url(environment, "DOODLE_JOURNAL", open_journal, cls.journal),
            host=environment.get("DOODLE_HOST") or cls.host,
            port=_number(environment, "DOODLE_PORT", int, cls.port, 0, 65535),
            log_level=level,
        )


def _url(environment, name, opener, default):
    """A URL that its opener understands; nothing is connected to, read or made here."""
    url = environment.get(name) or default
    try:
        opener(url)
    except ValueError as error:
        raise SettingsError(f"{name}: {error}") from error
    return url


def _number(environment, name, kind, default, low, high):
    text = environment.get(name)
    if not text:
        return default
    try:
        value = kind(text)
    except ValueError as error:
        raise SettingsError(f"{name} must be a number, not {text!r}") from error
    if not low <= value <= high:
        raise SettingsError(f"{name} must be from {low} to {high}, not {text}")
    return value
