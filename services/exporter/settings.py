"""How this exporter is deployed, read from the environment once, at start."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LOG_LEVELS = ("debug", "info", "warning", "error")


class SettingsError(ValueError):
    """An environment variable has a value that cannot be used; the message names it."""


@dataclass(frozen=True)
class Settings:
    models: str = "state/models"  # the model store's URL
    journal: str = "sqlite:///state/journal.sqlite"  # the journal's
    artifacts: tuple[Path, ...] = (Path("artifacts"),)  # where the pipeline leaves results: the first folder that has some
    host: str = "127.0.0.1"
    port: int = 18000
    log_level: str = "info"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """DOODLE_MODELS, _JOURNAL, _ARTIFACTS (folders with ":" between), _HOST, _EXPORTER_PORT, _LOG_LEVEL.

        SettingsError if one is wrong. Whether there is a store or a journal at a URL is found out by whoever opens it.
        """
        level = (environment.get("DOODLE_LOG_LEVEL") or cls.log_level).lower()
        if level not in LOG_LEVELS:
            raise SettingsError(f"DOODLE_LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}, not {level!r}")
        return cls(
            models=environment.get("DOODLE_MODELS") or cls.models,
            journal=environment.get("DOODLE_JOURNAL") or cls.journal,
            artifacts=_folders(environment, "DOODLE_ARTIFACTS", cls.artifacts),
            host=environment.get("DOODLE_HOST") or cls.host,
            port=_port(environment, "DOODLE_EXPORTER_PORT", cls.port),
            log_level=level,
        )


def _folders(environment, name, default):
    text = environment.get(name)
    if not text:
        return default
    folders = tuple(Path(folder) for folder in text.split(":") if folder)
    if not folders:
        raise SettingsError(f"{name} must be folders with ':' between them, not {text!r}")
    return folders


def _port(environment, name, default):
    text = environment.get(name)
    if not text:
        return default
    try:
        port = int(text)
    except ValueError as error:
        raise SettingsError(f"{name} must be a whole number, not {text!r}") from error
    if not 0 <= port <= 65535:
        raise SettingsError(f"{name} must be from 0 to 65535, not {text}")
    return port
