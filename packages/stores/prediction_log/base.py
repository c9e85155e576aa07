"""The interface of the prediction log: every prediction and all feedback, up to a cap, a day's limits and a retention.

    redis://host:6379/0           redis.py: Redis Streams, shared by the containers of the stack
    rediss://host:6379/0          the same with TLS; redis_connection.py describes such URLs
    sqlite:///path/to/a.sqlite    sqlite.py: one file, without Redis (four slashes for an absolute path)

Both behave alike, and one set of tests covers both.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass as validated

NAME_LENGTH = 200  # characters
IMAGE_BYTES = 28 * 28
LATEST_TIME = 1e11  # the year 5138 in seconds: larger numbers are milliseconds
DAY_SECONDS = 86_400
DROPPED_AT_ONCE = 200  # expired records of a kind in one call, so that no other call waits long
ERASED_FEEDBACK_KEPT = 100_000  # ids, 15 MB in Redis: fifty days of feedback at its limit, all of it erased


class PredictionLogError(Exception):
    """The log cannot be reached or used just now; the message says why and what to do. A write may have been done."""


class Refusal(StrEnum):
    """Why the log refuses feedback."""

    ERASED = "erased"  # it, or its prediction, was erased
    SOURCE = "source"  # its source has reached the day's limit
    DAY = "day"  # all sources together have


class RefusedError(Exception):
    """The log refuses this feedback; `reason` says why. It was not written."""

    def __init__(self, reason: Refusal):
        super().__init__(f"feedback refused: {reason}")
        self.reason = reason


@dataclass(frozen=True)
class FeedbackLimits:
    """How much feedback the log takes in a day (UTC), erased feedback included.

    90 days of it take 240 MB in Redis; with the predictions that fits into the stack's 384 MB.
    """

    per_source: int = 500  # feedback from an unknown source counts for the day only
    per_day: int = 2_000


FEEDBACK_LIMITS = FeedbackLimits()


def is_name(value: object) -> bool:
    """Can this be an id or a version? Not every store, log or label holds control characters and lone surrogates."""
    return isinstance(value, str) and 1 <= len(value) <= NAME_LENGTH and value.isprintable()


def _name(value: str) -> str:
    if not is_name(value):
        raise ValueError(f"it must be 1 to {NAME_LENGTH} printable characters")
    return value


Name = Annotated[str, AfterValidator(_name)]
Time = Annotated[float, Field(ge=0, le=LATEST_TIME)]  # Unix seconds
Digit = Annotated[int, Field(ge=0, le=9)]
Image = Annotated[bytes, Field(min_length=IMAGE_BYTES, max_length=IMAGE_BYTES)]  # uint8, 28 rows of 28, 255 = ink
Form = Literal["strokes", "image_vector", "png"]
FORMS: tuple[Form, ...] = get_args(Form)

RECORD = ConfigDict(strict=True, hide_input_in_errors=True)


@validated(frozen=True, config=RECORD)
class Prediction:
    """A prediction and its image. ValueError names a field with an impossible value."""

    prediction_id: Name
    time: Time
    form: Form
    digit: Digit  # the likeliest, also if the prediction is "no digit"
    is_digit: bool
    confidence: Annotated[float, Field(ge=0, le=1)]  # the probability of `digit`, given that the image shows a digit
    model_version: Name
    picture: Image


@validated(frozen=True, config=RECORD)
class Feedback:
    """A user's label for an image. ValueError names a field with an impossible value."""

    feedback_id: Name
    time: Time
    prediction_id: Name | None  # None: the drawing came without
    predicted_digit: Digit | None
    actual_digit: Digit | None  # None: it is no digit
    model_version: Name | None
    picture: Image
    source: Name | None = None  # tells one sender from another, and nothing else of them; None: not known


Record = TypeVar("Record", Prediction, Feedback)
ADAPTERS: dict[type, TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in (Prediction, Feedback)}


def stored(kind: type[Record], values: Mapping[str, object]) -> Record | None:
    """Return the record that a store has in its own types, if it is sound. Older versions lack fields with a default."""
    try:
        record: Record = ADAPTERS[kind].validate_python(values, strict=False)
    except ValueError:
        return None
    return record


@dataclass(frozen=True)
class Summary:
    predictions_total: int  # ever added
    predictions_kept: int
    feedback_total: int  # ever added
    last_prediction_time: float | None  # of the newest that is kept


@dataclass(frozen=True)
class Durability:
    """How the log keeps its records; None: not known, or there is none."""

    is_durable: bool | None  # acknowledged records are on the disk, and with the replicas
    size_bytes: int | None  # on the disk
    delayed_syncs: int | None  # ever: the disk had not taken the last write when the next one came
    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None  # writes beyond it fail


class PredictionLog(ABC):
    """Safe from several threads, and from several processes that open one each. Any call may raise PredictionLogError.

    Nothing is opened before the first call, and a failed call does not affect the next one. Reads leave out damaged entries, and
    ignore fields of other versions of Doodle. The summary counts all entries.
    """

    @abstractmethod
    def add_predictions(self, predictions: Sequence[Prediction]) -> None:
        """Append them, in order, all or none. Known and erased ids change nothing, so after an error, add them again."""

    @abstractmethod
    def prediction(self, prediction_id: str) -> Prediction | None:
        """Return the prediction with that id, unless the cap has dropped it."""

    @abstractmethod
    def recent_predictions(self, count: int) -> list[Prediction]:
        """Return the newest `count`, oldest first."""

    @abstractmethod
    def add_feedback(self, feedback: Feedback) -> None:
        """Append it; return once it is durable. A known id changes nothing, so after a PredictionLogError, add it again.

        RefusedError for erased feedback, and beyond a limit.
        """

    @abstractmethod
    def feedback(self, count: int, after: str | None = None) -> list[Feedback]:
        """Return the oldest `count`, oldest first, or those after a feedback_id, erased or not. ValueError for an unknown id."""

    @abstractmethod
    def erase(
        self, prediction_ids: Collection[str] = (), feedback_ids: Collection[str] = (), is_expected: bool = False
    ) -> set[str]:
        """Erase predictions with all feedback on them, and feedback; return the ids that were found, now or by an earlier call.

        The erasure is durable then. The log keeps the erased ids, so no record with such an id can be added later.
        `is_expected`: the predictions may not have been added yet, so their ids count as found.
        """

    @abstractmethod
    def erased(self, feedback_ids: Collection[str]) -> set[str]:
        """Return which of these ids belong to feedback that was erased. The log keeps the newest ERASED_FEEDBACK_KEPT."""

    @abstractmethod
    def drop_older(self, time: float, count: int) -> int:
        """Drop the records from before that time among the oldest `count` of each kind; return how many it dropped."""

    def drop_expired(self, days: int, now: float) -> int:
        """Apply the retention in days, 0 = none: drop a batch of older records and return its size, 0 when nothing is left."""
        return self.drop_older(now - days * DAY_SECONDS, DROPPED_AT_ONCE) if days else 0

    def summary(self) -> Summary:
        newest = self.recent_predictions(1)
        return Summary(*self._totals(), newest[0].time if newest else None)

    @abstractmethod
    def _totals(self) -> tuple[int, int, int]:
        """Return the first three figures of the summary."""

    @abstractmethod
    def durability(self) -> Durability:
        """Return how it keeps its records."""

    @abstractmethod
    def close(self) -> None:
        """Close files and connections. A later call opens them again."""
