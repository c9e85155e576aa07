"""Settings of this service, read from the environment once, at start."""

import re
from typing import Annotated

from deployment.settings import Key, LogLevel, Port, ServiceSettings, opened_by
from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode
from stores.models import open_models
from stores.prediction_log import open_prediction_log

ORIGIN = r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?"
HOST = r"\*|(?:[a-z0-9_-]+\.)*[a-z0-9_-]+"  # "*": any


def _words(pattern: str, example: str) -> BeforeValidator:
    """Parse words separated by spaces or commas. Raise ValueError for a word that does not match the pattern."""

    def parse(text: object) -> object:
        words = text.lower().replace(",", " ").split() if isinstance(text, str) else text
        for word in words if isinstance(words, list) else ():
            if not re.fullmatch(pattern, word):
                raise ValueError(f"{word!r} should look like {example}")
        return words

    return BeforeValidator(parse)


class Settings(ServiceSettings):
    models: Annotated[str, opened_by(open_models)] = "state/models"  # the model store's URL
    model_check_seconds: float = Field(1.0, ge=0.05, le=3600.0)  # between two checks of the model store
    prediction_log: Annotated[str, opened_by(open_prediction_log)] = Field(
        "sqlite:///state/journal.sqlite", validation_alias="DOODLE_JOURNAL"
    )
    retention_days: int = Field(90, ge=0, le=36_500)  # for predictions and feedback; 0: forever
    host: str = "127.0.0.1"
    port: Port = 7000
    log_level: LogLevel = "info"
    api_key: Key = ""  # for feedback, /live/ and /candidate/; "": no key needed
    # Other websites whose scripts may read the answers.
    cors_origins: Annotated[tuple[str, ...], NoDecode, _words(ORIGIN, "https://example.org or http://localhost:8080")] = ()
    # Public names of this service. Private names and IP addresses are always allowed.
    hosts: Annotated[frozenset[str], NoDecode, _words(HOST, "doodle.example.org, without a port")] = frozenset()
