"""The prediction log in Redis (7.0 or newer): a stream for each kind of record, and beside each an index of its entries by id.

    doodle:predictions    stream; exactly the newest `cap` entries
    doodle:feedback       stream
    <stream>:entries      hash: the record's id -> the stream's entry; it drops an entry when the stream does
    <stream>:erased       sorted set: the newest ids that were erased; of predictions by time, of feedback by place in the stream
    doodle:feedback:predictions    hash: a prediction's id -> the entries of its feedback
    doodle:feedback:day:<day>      hash: how much feedback the log took on this day since 1970, from each source and in all
    doodle:probe          nothing: a write that shows whether the replicas follow, where the URL asks for some

redis_records.py describes an entry, redis_scripts.py has all writes. `XREVRANGE doodle:predictions + - COUNT 1` shows one.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import fields
from time import time as now

import redis

from stores.prediction_log import redis_scripts
from stores.prediction_log.base import (
    DAY_SECONDS,
    ERASED_FEEDBACK_KEPT,
    Durability,
    Feedback,
    FeedbackLimits,
    Prediction,
    PredictionLog,
    PredictionLogError,
    Refusal,
    RefusedError,
    Summary,
    is_name,
)
from stores.prediction_log.redis_connection import NOT_ADDED, NOT_ERASED, DurableRedis
from stores.prediction_log.redis_records import read, written

PREDICTIONS, FEEDBACK = "doodle:predictions", "doodle:feedback"
FEEDBACK_BY_PREDICTION, FEEDBACK_OF_DAY = "doodle:feedback:predictions", "doodle:feedback:day:{day}"
PAGE = 500  # entries, half a megabyte: what one command reads at most, so that nobody waits long for another's
COUNTS_KEPT_SECONDS = 2 * DAY_SECONDS  # longer than the day that they count, in any two clocks


class RedisPredictionLog(PredictionLog):
    """All writes are scripts; a server that forgot them is sent them again."""

    def __init__(self, url: str, cap: int, limits: FeedbackLimits):
        self._server, self._cap, self._limits = DurableRedis(url), cap, limits
        self._client = self._server.client
        register = self._client.register_script
        self._add_predictions_script = register(redis_scripts.ADD_PREDICTIONS)
        self._add_feedback_script = register(redis_scripts.ADD_FEEDBACK)
        self._index_script = register(redis_scripts.INDEX_FEEDBACK)
        self._erase_script = register(redis_scripts.ERASE)
        self._drop_script = register(redis_scripts.DROP_OLDER)

    def add_predictions(self, predictions: Sequence[Prediction]) -> None:
        """One call of the script: one sync of the disk for the whole batch."""
        if not predictions:
            return
        names = [field.name for field in fields(Prediction)]
        values = [written(getattr(prediction, name)) for prediction in predictions for name in names]
        keys = [PREDICTIONS, _index(PREDICTIONS), _erased(PREDICTIONS)]
        with self._server.errors_explained():
            self._add_predictions_script(keys, [self._cap, len(names), *names, *values])

    def prediction(self, prediction_id: str) -> Prediction | None:
        if not is_name(prediction_id):
            return None
        with self._server.errors_explained():
            entry = self._client.hget(_index(PREDICTIONS), prediction_id)
            found = self._client.xrange(PREDICTIONS, entry, entry) if entry else []
        return read(Prediction, found[0][1]) if found else None

    def recent_predictions(self, count: int) -> list[Prediction]:
        newest_first = self._records(Prediction, count, "+", lambda end, n: self._client.xrevrange(PREDICTIONS, end, "-", n))
        return newest_first[::-1]

    def add_feedback(self, feedback: Feedback) -> None:
        outcome = self._server.durably(lambda client: self._add_feedback(feedback, client), NOT_ADDED)
        if outcome in list(Refusal):
            raise RefusedError(Refusal(outcome))

    def feedback(self, count: int, after: str | None = None) -> list[Feedback]:
        start = "-"
        if after is not None:
            with self._server.errors_explained():
                entry = self._client.hget(_index(FEEDBACK), after) or self._erased_entry(after)
            if entry is None:
                raise ValueError(f"there is no feedback {after!r} in the journal")
            start = b"(" + entry
        return self._records(Feedback, count, start, lambda start, n: self._client.xrange(FEEDBACK, start, "+", n))

    def erase(
        self, prediction_ids: Collection[str] = (), feedback_ids: Collection[str] = (), is_expected: bool = False
    ) -> set[str]:
        predictions, feedback = ([id_ for id_ in ids if is_name(id_)] for ids in (prediction_ids, feedback_ids))
        kept = [now(), self._cap, ERASED_FEEDBACK_KEPT]
        arguments = [*kept, int(is_expected), len(predictions), *predictions, *feedback]
        keys = [*ALL_RECORDS, _erased(PREDICTIONS), _erased(FEEDBACK)]
        self._index_feedback()
        if not is_expected and not self._is_any_known(predictions, feedback):
            return set()
        found = self._server.durably(lambda client: self._erase_script(keys, arguments, client), NOT_ERASED)
        return {id_.decode() for id_ in found}

    def erased(self, feedback_ids: Collection[str]) -> set[str]:
        ids, found = [id_ for id_ in feedback_ids if is_name(id_)], set()
        with self._server.errors_explained():
            for start in range(0, len(ids), PAGE):
                page = ids[start : start + PAGE]
                scores = self._client.zmscore(_erased(FEEDBACK), page)
                found.update(id_ for id_, score in zip(page, scores) if score is not None)
        return found

    def drop_older(self, time: float, count: int) -> int:
        self._index_feedback()  # so that erase() never has much to read
        with self._server.errors_explained():
            return self._drop_script(ALL_RECORDS, [time, count])

    def summary(self) -> Summary:
        predictions_total, predictions_kept = self._length(PREDICTIONS)
        newest = self.recent_predictions(1)
        return Summary(
            predictions_total=predictions_total,
            predictions_kept=predictions_kept,
            feedback_total=self._length(FEEDBACK)[0],
            last_prediction_time=newest[0].time if newest else None,
        )

    def durability(self) -> Durability:
        return self._server.durability()

    def close(self) -> None:
        self._server.client.close()

    def _add_feedback(self, feedback: Feedback, client: redis.Redis) -> str:
        """Return "kept", or the refusal."""
        keys = [FEEDBACK, _index(FEEDBACK), FEEDBACK_BY_PREDICTION, _erased(FEEDBACK), _erased(PREDICTIONS)]
        keys.append(FEEDBACK_OF_DAY.format(day=int(feedback.time // DAY_SECONDS)))
        limits = [self._limits.per_source, self._limits.per_day, COUNTS_KEPT_SECONDS]
        record = {field.name: written(getattr(feedback, field.name)) for field in fields(feedback)}
        told = [record[name] for name in ("feedback_id", "prediction_id", "source")]
        entry = [part for pair in record.items() for part in pair]
        return self._add_feedback_script(keys, [*limits, *told, *entry], client).decode()

    def _index_feedback(self):
        """Index by prediction what older versions have added since the last call."""
        with self._server.errors_explained():
            while self._index_script([FEEDBACK, FEEDBACK_BY_PREDICTION], [PAGE]) == PAGE:
                pass

    def _is_any_known(self, predictions: Sequence[str], feedback: Sequence[str]) -> bool:
        """Ask before erasing: an unknown id then costs no write, which would wait for disks."""
        with self._server.errors_explained(), self._client.pipeline(transaction=False) as asked:
            for id_ in predictions:
                asked.hexists(_index(PREDICTIONS), id_)
                asked.hexists(FEEDBACK_BY_PREDICTION, id_)
                asked.zscore(_erased(PREDICTIONS), id_)
            for id_ in feedback:
                asked.hexists(_index(FEEDBACK), id_)
                asked.zscore(_erased(FEEDBACK), id_)
            return any(asked.execute())

    def _erased_entry(self, feedback_id: str) -> bytes | None:
        """Return the place in the stream of feedback that was erased."""
        score = self._client.zscore(_erased(FEEDBACK), feedback_id)
        return None if score is None else b"%d-%d" % divmod(int(score), 1000)

    def _records(self, kind: type, count: int, start: str | bytes, page: Callable) -> list:
        """The first `count` sound records from `start` on, however many unsound ones lie between."""
        found = []
        with self._server.errors_explained():
            for values in _each_entry(start, count, page):
                record = read(kind, values)
                if record is not None:
                    found.append(record)
                if len(found) >= count:
                    break
        return found

    def _length(self, stream: str) -> tuple[int, int]:
        """How many entries the stream ever had, and how many it has."""
        with self._server.errors_explained():
            try:
                about = self._client.xinfo_stream(stream)
            except redis.ResponseError as error:
                if "no such key" in str(error):
                    return 0, 0
                raise
        if "entries-added" not in about:
            raise PredictionLogError(f"{self._server.name} is too old: the journal needs Redis 7.0 or newer")
        return about["entries-added"], about["length"]


def _index(stream):
    return f"{stream}:entries"


def _erased(stream):
    return f"{stream}:erased"


# The keys that hold records, in the order of redis_scripts.py.
ALL_RECORDS = [PREDICTIONS, _index(PREDICTIONS), FEEDBACK, _index(FEEDBACK), FEEDBACK_BY_PREDICTION]


def _each_entry(position: str | bytes, count: int, page: Callable) -> Iterator[dict[bytes, bytes]]:
    """The fields of each entry from the position on, read a page at a time; `count` of them are likely to be enough."""
    size = min(count, PAGE)
    while size > 0 and (entries := page(position, size)):
        for _, values in entries:
            yield values
        position, size = b"(" + entries[-1][0], PAGE
