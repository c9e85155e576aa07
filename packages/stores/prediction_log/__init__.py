"""The prediction log keeps every prediction and all feedback. `open_prediction_log` opens it at a URL."""

from stores.prediction_log.base import (
    FEEDBACK_LIMITS,
    FORMS,
    Durability,
    Feedback,
    FeedbackLimits,
    Prediction,
    PredictionLog,
    PredictionLogError,
    Refusal,
    RefusedError,
    Summary,
)

__all__ = [
    "FEEDBACK_LIMITS",
    "FORMS",
    "Durability",
    "Feedback",
    "FeedbackLimits",
    "Prediction",
    "PredictionLog",
    "PredictionLogError",
    "Refusal",
    "RefusedError",
    "Summary",
    "open_prediction_log",
]


def open_prediction_log(url: str, cap: int = 50_000, limits: FeedbackLimits = FEEDBACK_LIMITS) -> PredictionLog:
    """Return the log at this URL, which keeps the newest `cap` predictions. ValueError for a bad URL."""
    scheme = url.partition("://")[0]
    # Imported here, because the import of Redis's client takes time that SQLite does not need.
    if scheme in ("redis", "rediss"):
        from stores.prediction_log.redis import RedisPredictionLog

        return RedisPredictionLog(url, cap, limits)
    if scheme == "sqlite":
        from stores.prediction_log.sqlite import SqlitePredictionLog

        return SqlitePredictionLog(url, cap, limits)
    # No error shows a bad URL, which may contain a password.
    raise ValueError("a prediction log's URL must begin with redis://, rediss:// or sqlite:///")
