"""How this service is deployed, read from the environment once, at start."""

from collections.abc import Callable
from typing import Annotated

from deployment.settings import Key, LogLevel, Port, ServiceSettings, opened_by
from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode
from stores.models import open_models
from stores.prediction_log import open_prediction_log

from inference.cors import parse_origins
from inference.hosts import parse_hosts


def _parsed_by(parse: Callable[[str], object]) -> BeforeValidator:
    return BeforeValidator(lambda value: parse(value) if isinstance(value, str) else value)


class Settings(ServiceSettings):
    models: Annotated[str, opened_by(open_models)] = "state/models"  # the model store's URL
    model_check_seconds: float = Field(1.0, ge=0.05, le=3600.0)  # between two looks at the model store
    prediction_log: Annotated[str, opened_by(open_prediction_log)] = Field(
        "sqlite:///state/journal.sqlite", validation_alias="DOODLE_JOURNAL"
    )
    retention_days: int = Field(90, ge=0, le=36_500)  # of predictions and feedback in the prediction log; 0: forever
    host: str = "127.0.0.1"
    port: Port = 7000
    log_level: LogLevel = "info"
    api_key: Key = ""  # for feedback, /live/ and /candidate/; "": none needed
    # Websites whose scripts may read the answers, beside the page's own origin.
    cors_origins: Annotated[tuple[str, ...], NoDecode, _parsed_by(parse_origins)] = ()
    # Public names of this service, beside private ones and addresses.
    hosts: Annotated[frozenset[str], NoDecode, _parsed_by(parse_hosts)] = frozenset()
