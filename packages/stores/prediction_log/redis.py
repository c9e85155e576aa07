"""The prediction log in Redis (7.0 or newer): a stream for each kind of record, and an index of its entries by id.

    `doodle:predictions`            Stream: exactly the newest `cap` entries.
    `doodle:feedback`               Stream.
    `<stream>:entries`              Hash: record id -> entry id of the stream. It drops an entry when the stream does.
    `<stream>:erased`               Sorted set: the newest erased ids, predictions by time, feedback by place in the stream.
    `doodle:feedback:predictions`   Hash: prediction id -> entry ids of its feedback.
    `doodle:feedback:day:<day>`     Hash: accepted feedback on this day since 1970, from each source and in total.
    `doodle:probe`                  Written before each write that replicas must have (redis_connection.py).

An entry has a record's fields under their own names, the id first. Numbers are text, the image is 784 bytes, and None is empty.
All writes are the atomic Lua scripts in lua/. A server without free memory rejects a script before its first command, except
scripts that free memory (allow-oom). `XREVRANGE doodle:predictions + - COUNT 1` shows an entry.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from time import time as now
from typing import Any, TypeAlias

import redis

from stores.prediction_log.base import (
    DAY_SECONDS,
    ERASED_FEEDBACK_KEPT,
    Durability,
    Feedback,
    FeedbackLimits,
    Prediction,
    PredictionLog,
    Record,
    Refusal,
    RefusedError,
    is_name,
    stored,
)
from stores.prediction_log.redis_connection import DurableRedis

PREDICTIONS, FEEDBACK = "doodle:predictions", "doodle:feedback"
FEEDBACK_BY_PREDICTION, FEEDBACK_OF_DAY = "doodle:feedback:predictions", "doodle:feedback:day:{day}"
PREDICTIONS_INDEX, PREDICTIONS_ERASED = f"{PREDICTIONS}:entries", f"{PREDICTIONS}:erased"
FEEDBACK_INDEX, FEEDBACK_ERASED = f"{FEEDBACK}:entries", f"{FEEDBACK}:erased"
OF_PREDICTIONS = [PREDICTIONS, PREDICTIONS_INDEX, PREDICTIONS_ERASED]
KEYS = [*OF_PREDICTIONS, FEEDBACK, FEEDBACK_INDEX, FEEDBACK_ERASED, FEEDBACK_BY_PREDICTION]  # As in lua/shared.lua.
LUA = Path(__file__).parent / "lua"
SCRIPTS = ("add_predictions", "add_feedback", "index_feedback", "erase", "drop_older")
PAGE = 500  # Entries, half a megabyte. One command reads no more, so that other clients wait only briefly.
COUNTS_KEPT_SECONDS = 2 * DAY_SECONDS  # Longer than the counted day, even if the clocks of two replicas differ.

Argument: TypeAlias = str | bytes | int | float
Position: TypeAlias = str | bytes
Values: TypeAlias = dict[bytes, bytes]


class RedisPredictionLog(PredictionLog):
    def __init__(self, url: str, cap: int, limits: FeedbackLimits):
        self._server, self._cap, self._limits = DurableRedis(url), cap, limits
        self._client = self._server.client
        self._scripts = {name: self._client.register_script(_script(name)) for name in SCRIPTS}

    def add_predictions(self, predictions: Sequence[Prediction]) -> None:
        if not predictions:
            return
        names = [field.name for field in fields(Prediction)]
        values = [_written(getattr(prediction, name)) for prediction in predictions for name in names]
        with self._server.errors_explained():
            self._run("add_predictions", [self._cap, len(names), *names, *values])

    def prediction(self, prediction_id: str) -> Prediction | None:
        if not is_name(prediction_id):
            return None
        with self._server.errors_explained():
            entry = self._client.hget(PREDICTIONS_INDEX, prediction_id)
            found: Any = self._client.xrange(PREDICTIONS, entry, entry) if entry else []
        return _read(Prediction, found[0][1]) if found else None

    def recent_predictions(self, count: int) -> list[Prediction]:
        return self._records(Prediction, count, "+", lambda end, size: self._client.xrevrange(PREDICTIONS, end, "-", size))[::-1]

    def add_feedback(self, feedback: Feedback, replaces: bool = False) -> bool:
        if replaces:
            self._index_feedback()
        outcome = self._server.durably(lambda client: self._add_feedback(feedback, replaces, client))
        if outcome in list(Refusal):
            raise RefusedError(Refusal(outcome))
        return outcome == "added"

    def feedback(self, count: int, after: str | None = None) -> list[Feedback]:
        start: Position = "-"
        if after is not None:
            with self._server.errors_explained():
                entry: Any = self._client.hget(FEEDBACK_INDEX, after) or self._erased_entry(after)
            if entry is None:
                raise ValueError(f"the prediction log has no feedback {after!r}")
            start = b"(" + entry
        return self._records(Feedback, count, start, lambda first, size: self._client.xrange(FEEDBACK, first, "+", size))

    def erase(
        self, prediction_ids: Collection[str] = (), feedback_ids: Collection[str] = (), is_expected: bool = False
    ) -> set[str]:
        predictions, feedback = ([id_ for id_ in ids if is_name(id_)] for ids in (prediction_ids, feedback_ids))
        arguments: list[Argument] = [now(), self._cap, ERASED_FEEDBACK_KEPT, int(is_expected), len(predictions)]
        arguments += [*predictions, *feedback]
        self._index_feedback()
        found = self._server.durably(lambda client: self._run("erase", arguments, client))
        return {id_.decode() for id_ in found}

    def erased(self, feedback_ids: Collection[str]) -> set[str]:
        ids = [id_ for id_ in feedback_ids if is_name(id_)]
        with self._server.errors_explained():
            scores = self._client.zmscore(FEEDBACK_ERASED, ids) if ids else []
        return {id_ for id_, score in zip(ids, scores) if score is not None}

    def drop_older(self, time: float, count: int) -> int:
        self._index_feedback()  # So that erase() finds little left to index.
        with self._server.errors_explained():
            return int(self._run("drop_older", [time, count]))

    def _totals(self) -> tuple[int, int, int]:
        return (*self._length(PREDICTIONS), self._length(FEEDBACK)[0])

    def durability(self) -> Durability:
        return self._server.durability()

    def close(self) -> None:
        self._client.close()

    def _run(self, script: str, arguments: Iterable[Argument], client: redis.Redis | None = None, *more_keys: str) -> Any:
        return self._scripts[script]([*KEYS, *more_keys], arguments, client)

    def _add_feedback(self, feedback: Feedback, replaces: bool, client: redis.Redis) -> str:
        """Return "added", "known", or the Refusal."""
        day = FEEDBACK_OF_DAY.format(day=int(feedback.time // DAY_SECONDS))
        limits = [self._limits.per_source, self._limits.per_day, COUNTS_KEPT_SECONDS]
        record = {field.name: _written(getattr(feedback, field.name)) for field in fields(feedback)}
        named = [record[name] for name in ("feedback_id", "prediction_id", "source", "actual_digit")]
        entry = [part for pair in record.items() for part in pair]
        arguments = [*limits, *named, int(replaces), ERASED_FEEDBACK_KEPT, *entry]
        outcome: bytes = self._run("add_feedback", arguments, client, day)
        return outcome.decode()

    def _index_feedback(self) -> None:
        """Index by prediction the feedback that older versions of Doodle have added since the last call."""
        with self._server.errors_explained():
            while self._run("index_feedback", [PAGE]) == PAGE:
                pass

    def _erased_entry(self, feedback_id: str) -> bytes | None:
        """Return the former entry id of erased feedback, None for an unknown id."""
        score = self._client.zscore(FEEDBACK_ERASED, feedback_id)
        return None if score is None else b"%d-%d" % divmod(int(score), 1000)

    def _records(self, kind: type[Record], count: int, start: Position, page: Callable[[Position, int], Any]) -> list[Record]:
        """Return the first `count` sound records from `start` on, and skip damaged ones."""
        found: list[Record] = []
        size = min(count, PAGE)
        with self._server.errors_explained():
            while len(found) < count and (entries := page(start, size)):
                found += [record for _, values in entries if (record := _read(kind, values)) is not None]
                start, size = b"(" + entries[-1][0], PAGE
        return found[:count]

    def _length(self, stream: str) -> tuple[int, int]:
        """Return the number of entries ever added to the stream, and the number in it now."""
        with self._server.errors_explained():
            try:
                about = self._client.xinfo_stream(stream)
            except redis.ResponseError as error:
                if "no such key" in str(error):
                    return 0, 0
                raise
        return about["entries-added"], about["length"]


def _script(name: str) -> str:
    """Return a script with shared.lua inserted after its first line, the flags."""
    text, shared = ((LUA / f"{each}.lua").read_text(encoding="utf-8") for each in (name, "shared"))
    flags, body = text.split("\n", 1)
    return f"{flags}\n{shared}\n{body}"


def _written(value: Any) -> Argument:
    """Return a field's value in the form of an entry."""
    if isinstance(value, bool):
        return int(value)
    return b"" if value is None else value


def _read(kind: type[Record], values: Values) -> Record | None:
    """Return the record of an entry, None if it is damaged."""
    try:
        texts = {name.decode(): value if name == b"picture" else value.decode() for name, value in values.items()}
    except UnicodeDecodeError:
        return None
    return stored(kind, {name: text or None for name, text in texts.items()})
