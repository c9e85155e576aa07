"""How this service is deployed, read from the environment once, at start."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from deployment.environment import Environment
from stores.models import open_models
from stores.prediction_log import open_prediction_log

from inference.hosts import hosts
from inference.origins import origins


@dataclass(frozen=True)
class Settings:
    models: str = "state/models"  # the model store's URL
    model_check_seconds: float = 1.0  # how often to look whether another model is live
    prediction_log: str = "sqlite:///state/journal.sqlite"  # the prediction log's URL
    retention_days: int = 90  # after which predictions and feedback leave the prediction log; 0: never
    host: str = "127.0.0.1"
    port: int = 7000
    log_level: str = "info"
    api_key: str = field(default="", repr=False)  # for feedback, /live/ and /candidate/; "": everybody may
    cors_origins: tuple[str, ...] = ()  # the websites whose scripts may read what is answered, beside the page's own origin
    hosts: frozenset[str] = frozenset()  # public names of this service, beside private ones and addresses
    max_json_bytes: int = 1024 * 1024  # 20,000 points written out have about half of that
    max_image_bytes: int = 4 * 1024 * 1024
    max_requests: int = 64  # at once; a thirtieth of a second's predictions on one core, and a second's questions of the page

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> "Settings":
        """DOODLE_MODELS, DOODLE_MODEL_CHECK_SECONDS, DOODLE_JOURNAL, DOODLE_RETENTION_DAYS, DOODLE_HOST, DOODLE_PORT,
        DOODLE_LOG_LEVEL, DOODLE_API_KEY, DOODLE_CORS_ORIGINS and DOODLE_HOSTS.

        SettingsError if one of them is wrong.
        """
        environment = Environment(variables)
        return cls(
            models=environment.url("DOODLE_MODELS", cls.models, open_models),
            model_check_seconds=environment.number("DOODLE_MODEL_CHECK_SECONDS", cls.model_check_seconds, 0.05, 3600.0),
            prediction_log=environment.url("DOODLE_JOURNAL", cls.prediction_log, open_prediction_log),
            retention_days=environment.number("DOODLE_RETENTION_DAYS", cls.retention_days, 0, 36_500),
            host=environment.text("DOODLE_HOST", cls.host),
            port=environment.port("DOODLE_PORT", cls.port),
            log_level=environment.log_level(cls.log_level),
            api_key=environment.key("DOODLE_API_KEY"),
            cors_origins=environment.parsed("DOODLE_CORS_ORIGINS", "", origins),
            hosts=environment.parsed("DOODLE_HOSTS", "", hosts),
        )
