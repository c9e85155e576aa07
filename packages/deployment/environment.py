"""Settings from environment variables. One that is empty counts as not set, as Compose passes on what is not set.

What nobody should see who looks at a process or a container may stand in a file instead: NAME_FILE says which, and goes before
NAME. Swarm keeps its secrets so.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

Settings = TypeVar("Settings")
Parsed = TypeVar("Parsed")

LOG_LEVELS = ("debug", "info", "warning", "error")
SHORTEST_KEY = 16  # characters


class SettingsError(ValueError):
    """An environment variable has a value that cannot be used; the message names it and says what it should be."""


def read_or_exit(service: str, read: Callable[[Mapping[str, str]], Settings]) -> Settings:
    """What `read` makes of this process's environment; where it cannot, the reason on one line, and the exit code 2.

    Not in the log: there is none before there are settings.
    """
    try:
        return read(os.environ)
    except SettingsError as error:
        print(f"{service}: {error}", file=sys.stderr)
        sys.exit(2)


class Environment:
    """Reads variables, each with its default; SettingsError for what cannot be used."""

    def __init__(self, variables: Mapping[str, str]):
        self._variables = variables

    def text(self, name: str, default: str) -> str:
        path = self._variables.get(f"{name}_FILE")
        return (_content(f"{name}_FILE", Path(path)) if path else self._variables.get(name)) or default

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """From low to high; a whole number where the default is one."""
        text = self.text(name, "")
        if not text:
            return default
        kind = type(default)
        try:
            value = kind(text)
        except ValueError as error:
            raise SettingsError(f"{name} must be a {'whole ' * (kind is int)}number, not {text!r}") from error
        if not low <= value <= high:
            raise SettingsError(f"{name} must be from {low} to {high}, not {text}")
        return value

    def port(self, name: str, default: int) -> int:
        """0 lets the system choose one."""
        return self.number(name, default, 0, 65535)

    def log_level(self, default: str) -> str:
        level = self.text("DOODLE_LOG_LEVEL", default).lower()
        if level not in LOG_LEVELS:
            raise SettingsError(f"DOODLE_LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}, not {level!r}")
        return level

    def url(self, name: str, default: str, opener: Callable[[str], object]) -> str:
        """A URL that its opener takes. Openers connect to nothing and read nothing before they are used."""

        def taken(url: str) -> str:
            opener(url)
            return url

        return self.parsed(name, default, taken)

    def parsed(self, name: str, default: str, parse: Callable[[str], Parsed]) -> Parsed:
        """What `parse` makes of the text; its ValueError becomes the SettingsError that names the variable."""
        try:
            return parse(self.text(name, default))
        except ValueError as error:
            raise SettingsError(f"{name}: {error}") from error

    def key(self, name: str) -> str:
        """A secret that is sent in a header; "" where there is none. No error says what it is."""
        key = self.text(name, "")
        if key and not (len(key) >= SHORTEST_KEY and key.isascii() and key.isprintable() and " " not in key):
            raise SettingsError(
                f"{name} must have {SHORTEST_KEY} characters or more, all of them letters, digits or signs of ASCII"
            )
        return key

    def folders(self, name: str, default: tuple[Path, ...]) -> tuple[Path, ...]:
        """Paths with ":" between them."""
        text = self.text(name, "")
        if not text:
            return default
        folders = tuple(Path(folder) for folder in text.split(":") if folder)
        if not folders:
            raise SettingsError(f"{name} must be folders with ':' between them, not {text!r}")
        return folders


def _content(name, path):
    """What a file holds, without the line's end that editors leave there. No error says what it is."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name}: {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{name}: {path} is not text") from error
