"""The journal in Redis (7.0 or newer): a stream for each kind of record, and beside each an index of its entries by id.

    doodle:predictions    stream; exactly the newest `cap` entries
    doodle:feedback       stream; never trimmed
    <stream>:entries      hash: the record's id -> the stream's entry; it lets go of an entry when the stream does

What an entry holds: redis_records.py. `XREVRANGE doodle:predictions + - COUNT 1` in redis-cli shows one.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from urllib.parse import unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from stores.journal import Durability, Feedback, Journal, JournalError, Prediction, Summary, is_name
from stores.redis_records import read, written

PREDICTIONS, FEEDBACK = "doodle:predictions", "doodle:feedback"
CONNECT_SECONDS, COMMAND_SECONDS = 1.0, 2.0
PAGE = 500  # entries, half a megabyte: what one command reads at most, so that nobody waits long for another's

# Its first line has a server that is out of memory, or cannot write, refuse it before it has done anything.
# At the cap each new entry pushes out the oldest; ten of them while there are too many because the cap was lowered, so that no
# call takes long. XADD's own MAXLEN would not say which entries it drops, and their ids would fill the memory.
ADD = """#!lua
-- KEYS: the stream, its index. ARGV: the cap (0: none), how many fields a record has, their names, the id's first, and then
-- each record's values in that order.
local stream, index, cap, count = KEYS[1], KEYS[2], tonumber(ARGV[1]), tonumber(ARGV[2])
for start = 3 + count, #ARGV, count do
    local id, entry = ARGV[start], {}
    if redis.call('HEXISTS', index, id) == 0 then
        local excess = cap > 0 and redis.call('XLEN', stream) + 1 - cap or 0
        if excess > 0 then
            for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', math.min(excess, 10))) do
                redis.call('XDEL', stream, entry[1])
                redis.call('HDEL', index, entry[2][2])
            end
        end
        for field = 1, count do
            entry[2 * field - 1], entry[2 * field] = ARGV[2 + field], ARGV[start + field - 1]
        end
        redis.call('HSET', index, id, redis.call('XADD', stream, '*', unpack(entry)))
    end
end
"""

# What makes a reply mean that the record is on the disk, also while the file is rewritten, and will stay when memory gets scarce.
DURABLE = {
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "maxmemory-policy": "noeviction",
}

ADVICE = {  # by what the server says; the first that fits
    redis.AuthenticationError: "refuses the user or password in the journal's URL",
    redis.exceptions.BusyLoadingError: "is still loading its data: try again in a while",
    redis.TimeoutError: "does not answer in time: is it overloaded?",
    redis.ConnectionError: "cannot be reached: is it running, and is the journal's URL right?",
    redis.exceptions.OutOfMemoryError: "is out of memory: raise its maxmemory",
    redis.exceptions.ReadOnlyError: "is a read-only replica: name the primary in the journal's URL",
    redis.RedisError: "cannot do what the journal asks",
}


class RedisJournal(Journal):
    """A connection pool makes it safe from several threads; it connects when asked, and anew when a connection was lost."""

    def __init__(self, url: str, cap: int):
        options = _connection_options(url)
        self._name, self._cap = f"Redis at {options['host']}:{options['port']}", cap
        self._client = redis.Redis(
            **options,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=COMMAND_SECONDS,
            retry=Retry(NoBackoff(), 0),  # whoever calls knows how long to go on trying
            protocol=2,  # redis-py 5 begins with it and 8 with 3, which has other answers
        )
        self._add_script = self._client.register_script(ADD)

    def add_predictions(self, predictions: Sequence[Prediction]) -> None:
        if predictions:
            self._add(PREDICTIONS, predictions, self._cap)

    def prediction(self, prediction_id: str) -> Prediction | None:
        if not is_name(prediction_id):
            return None
        with self._errors_explained():
            entry = self._client.hget(_index(PREDICTIONS), prediction_id)
            found = self._client.xrange(PREDICTIONS, entry, entry) if entry else []
        return read(Prediction, found[0][1]) if found else None

    def recent_predictions(self, count: int) -> list[Prediction]:
        newest_first = self._records(Prediction, count, "+", lambda end, n: self._client.xrevrange(PREDICTIONS, end, "-", n))
        return newest_first[::-1]

    def add_feedback(self, feedback: Feedback) -> None:
        self._check_durable()
        self._add(FEEDBACK, [feedback], cap=0)

    def feedback(self, count: int, after: str | None = None) -> list[Feedback]:
        start = "-"
        if after is not None:
            with self._errors_explained():
                entry = self._client.hget(_index(FEEDBACK), after)
            if entry is None:
                raise ValueError(f"there is no feedback {after!r} in the journal")
            start = b"(" + entry
        return self._records(Feedback, count, start, lambda start, n: self._client.xrange(FEEDBACK, start, "+", n))

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
        try:
            self._check_durable()
            is_durable = True
        except JournalError:
            is_durable = False
        with self._errors_explained():
            about = self._client.info("persistence", "memory")
        return Durability(
            is_durable=is_durable and about.get("aof_last_write_status", "ok") == "ok",
            size_bytes=about.get("aof_current_size", 0),
            delayed_syncs=about.get("aof_delayed_fsync", 0),
            memory_bytes=about["used_memory"],
            memory_limit_bytes=about["maxmemory"] or None,
        )

    def close(self) -> None:
        self._client.close()

    def _add(self, stream: str, records: Sequence[Prediction | Feedback], cap: int):
        """All in one call of the script: all or none, and one sync of the disk however many there are."""
        names = [field.name for field in fields(records[0])]
        values = [written(getattr(record, name)) for record in records for name in names]
        with self._errors_explained():
            self._add_script([stream, _index(stream)], [cap, len(names), *names, *values])

    def _check_durable(self):
        """JournalError unless a reply from this server means that the record is on its disk, for good.

        Asked each time: people send feedback now and then, the question takes a tenth of a millisecond, and a server may be
        restarted with other settings at any time. One that does not let us ask is not trusted.
        """
        with self._errors_explained():
            try:
                settings = self._client.config_get(*DURABLE)
            except redis.ResponseError as error:
                raise JournalError(
                    f"{self._name} does not tell whether it would keep feedback ({_words(error)}): "
                    "let the journal's user run CONFIG GET (ACL rule +config|get)"
                ) from error
        wrong = {name: settings.get(name, "unknown") for name, wanted in DURABLE.items() if settings.get(name) != wanted}
        if wrong:
            found = ", ".join(f"{name} {value}" for name, value in wrong.items())
            wanted = " ".join(f"--{name} {DURABLE[name]}" for name in wrong)
            raise JournalError(f"{self._name} could lose feedback ({found}): start it with {wanted}")

    def _records(self, kind: type, count: int, start: str | bytes, page: Callable) -> list:
        """The first `count` sound records from `start` on, however many unsound ones lie between."""
        found = []
        with self._errors_explained():
            for values in _each_entry(start, count, page):
                record = read(kind, values)
                if record is not None:
                    found.append(record)
                if len(found) >= count:
                    break
        return found

    def _length(self, stream: str) -> tuple[int, int]:
        """How many entries the stream ever had, and how many it has."""
        with self._errors_explained():
            try:
                about = self._client.xinfo_stream(stream)
            except redis.ResponseError as error:
                if "no such key" in str(error):
                    return 0, 0
                raise
        if "entries-added" not in about:
            raise JournalError(f"{self._name} is too old: the journal needs Redis 7.0 or newer")
        return about["entries-added"], about["length"]

    @contextmanager
    def _errors_explained(self):
        try:
            yield
        except redis.RedisError as error:
            advice = next(advice for kind, advice in ADVICE.items() if isinstance(error, kind))
            raise JournalError(f"{self._name} {advice} ({_words(error)})") from error


def _connection_options(url: str) -> dict:
    """What redis.Redis is told. Its own reading of URLs takes more than is wanted here, and complains only when it connects."""
    try:
        parts = urlsplit(url)
        host, port, db = parts.hostname, parts.port or 6379, int(parts.path.removeprefix("/") or 0)
        is_sound = host and host.encode("idna") and db >= 0 and not parts.query and not parts.fragment
    except ValueError:  # a port or database that is no number, a name that no host can have
        is_sound = False
    if not is_sound:
        raise ValueError("a journal's URL in Redis looks like redis://host:6379/0 or redis://user:password@host:6379/0")
    credentials = {"username": parts.username, "password": parts.password}
    return {"host": host, "port": port, "db": db} | {name: unquote(value) for name, value in credentials.items() if value}


def _index(stream):
    return f"{stream}:entries"


def _each_entry(position: str | bytes, count: int, page: Callable) -> Iterator[dict[bytes, bytes]]:
    """The fields of each entry from the position on, read a page at a time; `count` of them are likely to be enough."""
    size = min(count, PAGE)
    while size > 0 and (entries := page(position, size)):
        for _, values in entries:
            yield values
        position, size = b"(" + entries[-1][0], PAGE


def _words(error: redis.RedisError) -> str:
    """What the server said, in one line, without the command that redis-py puts before it."""
    return " ".join(str(error).rpartition("caused error: ")[2].split())
