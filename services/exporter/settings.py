"""The exporter's settings, from the environment."""

from pathlib import Path
from typing import Annotated

from deployment.settings import Folders, Key, LogLevel, Port, ServiceSettings, opened_by
from pydantic import Field
from stores.models import open_models
from stores.prediction_log import open_prediction_log

Url = Annotated[str, Field(pattern=r"^(https?://.*[^/])?$")]


class Settings(ServiceSettings):
    models: Annotated[str, opened_by(open_models)] = "state/models"
    prediction_log: Annotated[str, Field(validation_alias="DOODLE_JOURNAL"), opened_by(open_prediction_log)] = (
        "sqlite:///state/journal.sqlite"
    )
    artifacts: Folders = (Path("artifacts"),)  # folders with the pipeline's results
    page_url: Url = ""  # to probe the page and the API through nginx; "": no probe
    api_url: Url = ""
    api_key: Key = ""  # for the probe
    host: str = "127.0.0.1"
    port: Annotated[Port, Field(validation_alias="DOODLE_EXPORTER_PORT")] = 18000
    log_level: LogLevel = "info"
