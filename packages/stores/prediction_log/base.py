"""The prediction log: every prediction and all feedback, up to a cap, a day's limits and a retention. A URL names its place.

    redis://host:6379/0           redis.py: Redis Streams, shared by the containers of the stack
    rediss://host:6379/0          the same with TLS; for what else such a URL can say see redis_url.py
    sqlite:///path/to/a.sqlite    sqlite.py: one file, where there is no Redis (four slashes for an absolute path)

Both behave alike, and one set of tests covers both.
"""

import reprlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

FORMS = ("strokes", "image_vector", "png")
PICTURE_BYTES = 28 * 28
NAME_LENGTH = 200  # characters
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
    """How much feedback the log takes in a day (UTC). Erased feedback counts too.

    90 days of it take some 240 MB in Redis, so that with the predictions it fits into the 384 MB of the stack's.
    """

    per_source: int = 500  # feedback from an unknown source counts for the day only
    per_day: int = 2_000


FEEDBACK_LIMITS = FeedbackLimits()


@dataclass(frozen=True)
class Prediction:
    """What was answered to one drawing. ValueError names a field that cannot be so."""

    prediction_id: str
    time: float  # Unix seconds
    form: str  # one of FORMS
    digit: int  # the likeliest, also where the answer is "no digit"
    is_digit: bool
    confidence: float  # the probability of `digit`, given that the image shows a digit
    model_version: str
    picture: bytes  # what the network read: uint8, 28 rows of 28, 255 = ink

    def __post_init__(self):
        _check_name("prediction_id", self.prediction_id)
        _check_time(self.time)
        _check("form", self.form, self.form in FORMS, f"one of {', '.join(FORMS)}")
        _check_digit("digit", self.digit)
        _check("is_digit", self.is_digit, isinstance(self.is_digit, bool), "True or False")
        _check("confidence", self.confidence, _is_number(self.confidence, 1.0), "a number from 0 to 1")
        _check_name("model_version", self.model_version)
        _check_picture(self.picture)


@dataclass(frozen=True)
class Feedback:
    """What a user says that a drawing really is. ValueError names a field that cannot be so."""

    feedback_id: str
    time: float  # Unix seconds
    prediction_id: str | None  # None: the drawing came without
    predicted_digit: int | None
    actual_digit: int | None  # None: it is no digit
    model_version: str | None
    picture: bytes  # as in Prediction
    source: str | None = None  # what tells one sender from another, and nothing else of them; None: not known

    def __post_init__(self):
        _check_name("feedback_id", self.feedback_id)
        _check_time(self.time)
        if self.prediction_id is not None:
            _check_name("prediction_id", self.prediction_id)
        if self.predicted_digit is not None:
            _check_digit("predicted_digit", self.predicted_digit)
        if self.actual_digit is not None:
            _check_digit("actual_digit", self.actual_digit)
        if self.model_version is not None:
            _check_name("model_version", self.model_version)
        _check_picture(self.picture)
        if self.source is not None:
            _check_name("source", self.source)


@dataclass(frozen=True)
class Summary:
    predictions_total: int  # ever added
    predictions_kept: int
    feedback_total: int  # ever added
    last_prediction_time: float | None  # of the newest that is kept


@dataclass(frozen=True)
class Durability:
    is_durable: bool | None  # what is acknowledged is on the disk, and with the replicas; None: nobody has seen it
    size_bytes: int | None  # there; None: not known, here and below
    delayed_syncs: int | None  # ever: so often the disk was too slow to have taken the last write before the next one
    memory_bytes: int | None = None  # what it keeps in memory; None: nothing but on its disk, or not known
    memory_limit_bytes: int | None = None  # beyond that it takes no more; None: there is no limit, or it is not known


class PredictionLog(ABC):
    """Safe from several threads, and from several processes that open one each. Any call may raise PredictionLogError.

    Nothing is opened before the first call; one that fails leaves nothing behind that would keep the next from succeeding.
    Reading leaves out entries that are no sound records: damaged by hand, or written by another version of Doodle. The summary
    counts them. Fields that this version does not know are ignored.
    """

    @abstractmethod
    def add_predictions(self, predictions: Sequence[Prediction]) -> None:
        """Append them, in order, all or none. Ids that are there already, or were erased, change nothing.

        So after an error, add them again.
        """

    @abstractmethod
    def prediction(self, prediction_id: str) -> Prediction | None:
        """The prediction of that id; None if there was none, or once the cap has pushed it out."""

    @abstractmethod
    def recent_predictions(self, count: int) -> list[Prediction]:
        """The newest `count`, oldest first."""

    @abstractmethod
    def add_feedback(self, feedback: Feedback) -> None:
        """Append it; return once it is kept, as Durability says. If its id is there already, nothing changes.

        After a PredictionLogError, add it again: it may have been written. RefusedError where it was erased, or is over a limit.
        """

    @abstractmethod
    def feedback(self, count: int, after: str | None = None) -> list[Feedback]:
        """The oldest `count`, oldest first; `after` a feedback_id, those that follow it. ValueError if there is no such id.

        The id may be one that was erased.
        """

    @abstractmethod
    def erase(
        self, prediction_ids: Collection[str] = (), feedback_ids: Collection[str] = (), is_expected: bool = False
    ) -> set[str]:
        """Erase predictions with all feedback on them, and feedback; return the ids that were found, now or by an earlier call.

        Returns once they are erased, as Durability says. The log keeps the erased ids, so that no record with such an id can be
        added later. `is_expected`: the predictions may still be on their way, so their ids count as found.
        """

    @abstractmethod
    def erased(self, feedback_ids: Collection[str]) -> set[str]:
        """Return which of these ids belong to feedback that was erased. The log keeps the newest ERASED_FEEDBACK_KEPT."""

    @abstractmethod
    def drop_older(self, time: float, count: int) -> int:
        """Drop the records from before that time among the oldest `count` of each kind; return how many it dropped."""

    def drop_expired(self, days: int, now: float) -> int:
        """Apply the retention: drop a batch of the records that are older, in days. Return its size; 0: nothing is left to drop.

        With 0 days the log keeps all. Several processes may do so at once.
        """
        return self.drop_older(now - days * DAY_SECONDS, DROPPED_AT_ONCE) if days else 0

    @abstractmethod
    def summary(self) -> Summary:
        """What there is, in figures."""

    @abstractmethod
    def durability(self) -> Durability:
        """How it is kept."""

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections. A prediction log that is used again opens them again."""


def is_name(value: object) -> bool:
    """Can this be an id or a version? Control characters and lone surrogates cannot: not every store, log or label holds them."""
    return isinstance(value, str) and 1 <= len(value) <= NAME_LENGTH and value.isprintable()


def _check(field, value, holds, wanted):
    if not holds:
        raise ValueError(f"{field} must be {wanted}, not {reprlib.repr(value)}")


def _check_name(field, value):
    _check(field, value, is_name(value), f"1 to {NAME_LENGTH} printable characters")


def _check_time(value):
    _check("time", value, _is_number(value, LATEST_TIME), "a time in Unix seconds")


def _check_digit(field, value):
    _check(field, value, isinstance(value, int) and _is_number(value, 9), "a whole number from 0 to 9")


def _check_picture(value):
    _check("picture", value, isinstance(value, bytes) and len(value) == PICTURE_BYTES, f"{PICTURE_BYTES} bytes")


def _is_number(value, largest):
    """A number from 0 to the largest; NaN and infinity are none, nor is True."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= largest
