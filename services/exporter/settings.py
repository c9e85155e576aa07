"""How this exporter is deployed, read from the environment once, at start."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deployment.environment import Environment
from stores.models import open_models
from stores.prediction_log import open_prediction_log


@dataclass(frozen=True)
class Settings:
    models: str = "state/models"  # the model store's URL
    prediction_log: str = "sqlite:///state/journal.sqlite"  # the prediction log's
    artifacts: tuple[Path, ...] = (Path("artifacts"),)  # where the pipeline leaves results: the first folder that has some
    host: str = "127.0.0.1"
    port: int = 18000
    log_level: str = "info"

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> "Settings":
        """DOODLE_MODELS, _JOURNAL, _ARTIFACTS (folders with ":" between), _HOST, _EXPORTER_PORT and _LOG_LEVEL.

        SettingsError if one is wrong.
        """
        environment = Environment(variables)
        return cls(
            models=environment.url("DOODLE_MODELS", cls.models, open_models),
            prediction_log=environment.url("DOODLE_JOURNAL", cls.prediction_log, open_prediction_log),
            artifacts=environment.folders("DOODLE_ARTIFACTS", cls.artifacts),
            host=environment.text("DOODLE_HOST", cls.host),
            port=environment.port("DOODLE_EXPORTER_PORT", cls.port),
            log_level=environment.log_level(cls.log_level),
        )
