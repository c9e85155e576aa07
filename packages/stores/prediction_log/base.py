"""The interface of the prediction log: predictions up to a cap, feedback up to daily limits, both up to a retention time.

    `redis://host:6379/0`          Redis Streams, shared by the containers of the stack (redis.py).
    `rediss://host:6379/0`         The same with TLS. redis_connection.py describes such URLs.
    `sqlite:///path/to/a.sqlite`   One file, without Redis (sqlite.py). An absolute path has four slashes.

Both backends behave alike, and one set of tests covers both.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass as validated

NAME_LENGTH = 200  # characters
IMAGE_BYTES = 28 * 28
LATEST_TIME = 1e11  # the year 5138 in seconds; a larger number must be milliseconds
DAY_SECONDS = 86_400
DROPPED_AT_ONCE = 200  # expired records of a kind in one call, so that other calls wait only briefly
ERASED_FEEDBACK_KEPT = 100_000  # ids, 15 MB in Redis: fifty days of feedback at the daily limit


class PredictionLogError(Exception):
    """The log cannot be reached or used now; the message says why and what to do. A failed write may have succeeded."""


class Refusal(StrEnum):
    """Why the log rejects feedback."""

    ERASED = "erased"  # the feedback or its prediction was erased
    SOURCE = "source"  # its source has reached the daily limit
    DAY = "day"  # all sources together have reached the daily limit


class RefusedError(Exception):
    """The log rejected this feedback and did not write it; `reason` says why."""

    def __init__(self, reason: Refusal):
        super().__init__(f"feedback rejected: {reason}")
        self.reason = reason


@dataclass(frozen=True)
class FeedbackLimits:
    """The most feedback that the log accepts in a day (UTC), including erased feedback.

    90 days of it take 240 MB in Redis. Together with the predictions, this fits into the stack's 384 MB.
    """

    per_source: int = 500  # feedback from an unknown source counts only for per_day
    per_day: int = 2_000


FEEDBACK_LIMITS = FeedbackLimits()


def is_name(value: object) -> bool:
    """Return whether this can be an id or a version. Control characters and lone surrogates break some stores."""
    return isinstance(value, str) and 1 <= len(value) <= NAME_LENGTH and value.isprintable()


def _name(value: str) -> str:
    if not is_name(value):
        raise ValueError(f"it must be 1 to {NAME_LENGTH} printable characters")
    return value


Name = Annotated[str, AfterValidator(_name)]
Time = Annotated[float, Field(ge=0, le=LATEST_TIME)]  # Unix seconds
Digit = Annotated[int, Field(ge=0, le=9)]
Image = Annotated[bytes, Field(min_length=IMAGE_BYTES, max_length=IMAGE_BYTES)]  # uint8, 28 rows of 28, 255 = ink
Form = Literal["strokes", "image_vector", "image", "number"]  # "number": a digit of a number
FORMS: tuple[Form, ...] = get_args(Form)
# Older records say "png".
StoredForm = Annotated[Form, BeforeValidator(lambda form: "image" if form == "png" else form)]

RECORD = ConfigDict(strict=True, hide_input_in_errors=True)


@validated(frozen=True, config=RECORD)
class Prediction:
    """A prediction and its image. ValueError names a wrong field."""

    prediction_id: Name
    time: Time
    form: StoredForm
    digit: Digit  # the likeliest digit, also if the prediction is "no digit"
    is_digit: bool
    confidence: Annotated[float, Field(ge=0, le=1)]  # the probability of `digit`, assuming that the image shows a digit
    model_version: Name
    picture: Image


@validated(frozen=True, config=RECORD)
class Feedback:
    """A user's label for an image. ValueError names a wrong field."""

    feedback_id: Name
    time: Time
    prediction_id: Name | None  # None: the client sent an image instead
    predicted_digit: Digit | None
    actual_digit: Digit | None  # None: no digit
    model_version: Name | None
    picture: Image
    source: Name | None = None  # a pseudonym of the sender; None: unknown


Record = TypeVar("Record", Prediction, Feedback)
ADAPTERS: dict[type, TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in (Prediction, Feedback)}


def stored(kind: type[Record], values: Mapping[str, object]) -> Record | None:
    """Return the record of values in a store's own types, None if it is damaged. Fields with a default may be missing."""
    try:
        record: Record = ADAPTERS[kind].validate_python(values, strict=False)
    except ValueError:
        return None
    return record


@dataclass(frozen=True)
class Summary:
    predictions_total: int  # added since the log exists
    predictions_kept: int
    feedback_total: int  # added since the log exists
    last_prediction_time: float | None  # of the newest prediction in the log


@dataclass(frozen=True)
class Durability:
    """The durability and size of the log. None: unknown, or it does not exist."""

    is_durable: bool | None  # acknowledged records are on the disk and on the replicas
    size_bytes: int | None  # on the disk
    delayed_syncs: int | None  # since the start: writes that waited for the sync of an earlier write
    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None  # writes beyond it fail


class PredictionLog(ABC):
    """A log of predictions and feedback. Any call may raise PredictionLogError.

    Several threads may share a log; each process opens its own. It opens at the first call, and a failed call does not affect
    the next one. Reads skip damaged entries and unknown fields. The summary counts all entries.
    """

    @abstractmethod
    def add_predictions(self, predictions: Sequence[Prediction]) -> None:
        """Append all of them in order, or none. It skips known and erased ids, so after an error, add them again."""

    @abstractmethod
    def prediction(self, prediction_id: str) -> Prediction | None:
        """Return the prediction with this id, None if it was never added, dropped or erased."""

    @abstractmethod
    def recent_predictions(self, count: int) -> list[Prediction]:
        """Return the newest `count` predictions, oldest first."""

    @abstractmethod
    def add_feedback(self, feedback: Feedback, replaces: bool = False) -> bool:
        """Append feedback once it is durable, and return whether it is new. It skips a known id.

        So after a PredictionLogError, add it again. With `replaces`, erase earlier feedback on its prediction; but if the only
        one has the same actual digit, keep that and skip this one. RefusedError for erased feedback, and beyond a limit.
        """

    @abstractmethod
    def feedback(self, count: int, after: str | None = None) -> list[Feedback]:
        """Return the oldest `count` of the feedback, or of the feedback after a feedback_id, oldest first.

        `after` may be erased. ValueError for an unknown id.
        """

    @abstractmethod
    def erase(
        self, prediction_ids: Collection[str] = (), feedback_ids: Collection[str] = (), is_expected: bool = False
    ) -> set[str]:
        """Erase predictions with all feedback on them, and feedback; return the ids that were found, now or by an earlier call.

        The erasure is durable when the call returns. The log keeps the erased ids, so no record with such an id can be added
        later. With `is_expected`, the ids count as found even if their predictions have not been added yet.
        """

    @abstractmethod
    def erased(self, feedback_ids: Collection[str]) -> set[str]:
        """Return which of these ids are of erased feedback. The log keeps the newest ERASED_FEEDBACK_KEPT ids."""

    @abstractmethod
    def drop_older(self, time: float, count: int) -> int:
        """Drop the records from before `time` among the oldest `count` of each kind; return the number of dropped records."""

    def drop_expired(self, days: int, now: float) -> int:
        """Drop one batch of records older than `days`, 0 = keep all; return its size, 0 when no such record is left."""
        return self.drop_older(now - days * DAY_SECONDS, DROPPED_AT_ONCE) if days else 0

    def summary(self) -> Summary:
        """Return the counts of the log, and the time of the newest prediction."""
        newest = self.recent_predictions(1)
        return Summary(*self._totals(), newest[0].time if newest else None)

    @abstractmethod
    def _totals(self) -> tuple[int, int, int]:
        """Return the three counts of the summary."""

    @abstractmethod
    def durability(self) -> Durability:
        """Return the durability and size of the log."""

    @abstractmethod
    def close(self) -> None:
        """Close files and connections. The next call opens them again."""
