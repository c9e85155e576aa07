"""The journal in Redis (7.0 or newer): a stream for each kind of record, and beside each an index of its entries by id.

    doodle:predictions    stream; exactly the newest `cap` entries
    doodle:feedback       stream; never trimmed
    <stream>:entries      hash: the record's id -> the stream's entry; it lets go of an entry when the stream does
    doodle:probe          nothing: a write that shows whether the replicas follow, where the URL asks for some

What an entry holds: redis_records.py. `XREVRANGE doodle:predictions + - COUNT 1` in redis-cli shows one.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from stores import redis_errors
from stores.journal import Durability, Feedback, Journal, JournalError, Prediction, Summary, is_name
from stores.redis_records import read, written
from stores.redis_url import RedisUrl

PREDICTIONS, FEEDBACK, PROBE = "doodle:predictions", "doodle:feedback", "doodle:probe"
CONNECT_SECONDS, COMMAND_SECONDS = 1.0, 2.0
REPLICA_MILLISECONDS = 1500  # less than a command may take, and more than the second after which a replica's file may be synced
SILENT_SECONDS = 5  # a replica speaks each second: one that has been silent for longer does not follow
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
    else
        -- As it is: WAIT then waits for what somebody else added a moment ago, too. Else it knows only what its connection wrote.
        redis.call('HSET', index, id, redis.call('HGET', index, id))
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


class RedisJournal(Journal):
    """A connection pool makes it safe from several threads; it connects when asked, and anew when a connection was lost."""

    def __init__(self, url: str, cap: int):
        self._url, self._cap = RedisUrl.parse(url), cap
        self._name = f"Redis at {self._url.host}:{self._url.port}"
        self._client = redis.Redis(
            **self._url.options(),
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
        if not self._url.is_vouched_for:
            self._check_durable()
        if self._url.replicas:
            self._add_with_replicas(feedback)
        else:
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
        about = self._about()
        return Durability(
            is_durable=self._is_durable(about),
            size_bytes=about.get("aof_current_size"),
            delayed_syncs=about.get("aof_delayed_fsync"),
            memory_bytes=about.get("used_memory"),
            memory_limit_bytes=about.get("maxmemory") or None,
        )

    def close(self) -> None:
        self._client.close()

    def _add(self, stream: str, records: Sequence[Prediction | Feedback], cap: int, client: redis.Redis | None = None):
        """All in one call of the script: all or none, and one sync of the disk however many there are."""
        names = [field.name for field in fields(records[0])]
        values = [written(getattr(record, name)) for record in records for name in names]
        with self._errors_explained():
            self._add_script([stream, _index(stream)], [cap, len(names), *names, *values], client)

    def _add_with_replicas(self, feedback: Feedback):
        """JournalError unless as many replicas have it as the URL asks for."""
        wanted = self._url.replicas
        with self._errors_explained(), self._client.client() as connection:  # one: WAIT speaks of what its connection wrote
            # First a write that carries nothing: while the replicas do not follow, what is sent again and again must not pile up.
            connection.set(PROBE, "")
            if connection.wait(wanted, REPLICA_MILLISECONDS) < wanted:
                raise JournalError(
                    f"{self._name} has fewer replicas that follow it than the journal's URL asks for (replicas={wanted}), so the "
                    "feedback was not written: see INFO replication, and start them"
                )
            self._add(FEEDBACK, [feedback], cap=0, client=connection)
            if self._arrived_at(connection) < wanted:
                raise JournalError(
                    f"{self._name} has the feedback, but fewer replicas confirm it than the journal's URL asks for "
                    f"(replicas={wanted}): see INFO replication, and that each has appendonly yes; then add it again"
                )

    def _arrived_at(self, connection: redis.Redis) -> int:
        """How many replicas have what this connection wrote: on their disks, where the server can tell (Redis 7.2 or newer).

        One that the operator vouches for is not asked for files: it may keep what it has in other ways.
        """
        wanted = self._url.replicas
        if not self._url.is_vouched_for:
            try:
                return connection.execute_command("WAITAOF", 1, wanted, REPLICA_MILLISECONDS)[1]
            except redis.ResponseError as error:
                if not redis_errors.is_unknown_command(error):
                    raise
        return connection.wait(wanted, REPLICA_MILLISECONDS)

    def _about(self) -> dict:
        """What the server says of itself. Managed ones leave out what they like, or all of it."""
        with self._errors_explained():
            try:
                return self._client.info("persistence", "memory", "replication")
            except redis.ResponseError:
                return {}

    def _is_durable(self, about: dict) -> bool | None:
        """False where feedback is refused; None where nothing speaks against it, but nobody has seen that it is kept."""
        knows_replicas = "connected_slaves" in about
        if about.get("role") == "slave" or about.get("aof_last_write_status", "ok") != "ok":
            return False
        if knows_replicas and _followers(about) < self._url.replicas:
            return False
        if self._url.is_vouched_for:
            return None
        try:
            self._check_durable()
        except JournalError:
            return False
        return True if knows_replicas or not self._url.replicas else None

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
                    f"{self._name} does not tell whether it would keep feedback ({redis_errors.words(error)}): "
                    "let the journal's user run CONFIG GET (ACL rule +config|get), or vouch for it in the URL (?durable=managed)"
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
            if redis_errors.is_from_replica(error):
                # After a failover the name leads to another server, but connections of before lead to the old one for ever.
                self._client.connection_pool.disconnect(inuse_connections=False)
            raise JournalError(f"{self._name} {redis_errors.explained(error, self._url.has_tls)}") from error


def _followers(about: dict) -> int:
    """How many replicas follow, by INFO: those that are in step, and speak."""
    replicas = [value for name, value in about.items() if name.startswith("slave") and isinstance(value, dict)]
    return sum(each.get("state") == "online" and each.get("lag", 0) <= SILENT_SECONDS for each in replicas)


def _index(stream):
    return f"{stream}:entries"


def _each_entry(position: str | bytes, count: int, page: Callable) -> Iterator[dict[bytes, bytes]]:
    """The fields of each entry from the position on, read a page at a time; `count` of them are likely to be enough."""
    size = min(count, PAGE)
    while size > 0 and (entries := page(position, size)):
        for _, values in entries:
            yield values
        position, size = b"(" + entries[-1][0], PAGE
