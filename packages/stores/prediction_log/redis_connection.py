"""The Redis server of a prediction log: one client, what its errors mean, and whether it keeps what it acknowledges."""

from collections.abc import Callable
from contextlib import contextmanager
from typing import TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from stores.prediction_log import redis_errors
from stores.prediction_log.base import Durability, PredictionLogError
from stores.prediction_log.redis_url import RedisUrl

T = TypeVar("T")

CONNECT_SECONDS, COMMAND_SECONDS = 1.0, 2.0
PROBE = "doodle:probe"  # a write that shows whether the replicas follow, where the URL asks for some
REPLICA_MILLISECONDS = 1500  # less than a command may take, and more than the second after which a replica's file may be synced
SILENT_SECONDS = 5  # a replica speaks each second: one that has been silent for longer does not follow
# For an error about replicas: what did not happen, what did, and what to do.
NOT_ADDED = ("the feedback was not written", "has the feedback", "add it")
NOT_ERASED = ("nothing was erased", "has erased it", "erase it")

# What makes a reply mean that the record is on the disk, also while the file is rewritten, and will stay when memory gets scarce.
DURABLE = {
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "maxmemory-policy": "noeviction",
}


class DurableRedis:
    """A connection pool makes it safe from several threads; it connects when asked, and anew when a connection was lost."""

    def __init__(self, url: str):
        self.url = RedisUrl.parse(url)
        self.name = f"Redis at {self.url.host}:{self.url.port}"
        self.client = redis.Redis(
            **self.url.options(),
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=COMMAND_SECONDS,
            retry=Retry(NoBackoff(), 0),  # the caller decides how long to try
            protocol=2,  # redis-py 5 begins with it and 8 with 3, which has other answers
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

    def durably(self, write: Callable[[redis.Redis], T], words: tuple[str, str, str]) -> T:
        """Return what `write` returns, once its changes are kept as Durability says; PredictionLogError otherwise."""
        if not self.url.is_vouched_for:
            self._check_durable()
        with self.errors_explained():
            if not self.url.replicas:
                return write(self.client)
            with self.client.client() as connection:  # one, because WAIT knows only what its own connection wrote
                return self._with_replicas(write, connection, *words)

    def _with_replicas(self, write, connection, undone, done, again):
        wanted = self.url.replicas
        # First a write that carries nothing: while the replicas do not follow, records that are sent again must not pile up.
        connection.set(PROBE, "")
        if connection.wait(wanted, REPLICA_MILLISECONDS) < wanted:
            raise PredictionLogError(
                f"{self.name} has fewer replicas that follow it than the journal's URL asks for (replicas={wanted}), so "
                f"{undone}: see INFO replication, and start them"
            )
        result = write(connection)
        if self._arrived_at(connection) < wanted:
            raise PredictionLogError(
                f"{self.name} {done}, but fewer replicas confirm it than the journal's URL asks for (replicas={wanted}): "
                f"see INFO replication, and that each has appendonly yes; then {again} again"
            )
        return result

    def _arrived_at(self, connection: redis.Redis) -> int:
        """How many replicas have what this connection wrote: on their disks, where the server can tell (Redis 7.2 or newer).

        One that the operator vouches for is not asked for files: it may keep what it has in other ways.
        """
        wanted = self.url.replicas
        if not self.url.is_vouched_for:
            try:
                return connection.execute_command("WAITAOF", 1, wanted, REPLICA_MILLISECONDS)[1]
            except redis.ResponseError as error:
                if not redis_errors.is_unknown_command(error):
                    raise
        return connection.wait(wanted, REPLICA_MILLISECONDS)

    def _about(self) -> dict:
        """What the server says of itself. Managed ones leave out what they like, or all of it."""
        with self.errors_explained():
            try:
                return self.client.info("persistence", "memory", "replication")
            except redis.ResponseError:
                return {}

    def _is_durable(self, about: dict) -> bool | None:
        """False where feedback is refused; None where nothing speaks against it, but nobody has seen that it is kept."""
        knows_replicas = "connected_slaves" in about
        if about.get("role") == "slave" or about.get("aof_last_write_status", "ok") != "ok":
            return False
        if knows_replicas and _followers(about) < self.url.replicas:
            return False
        if self.url.is_vouched_for:
            return None
        try:
            self._check_durable()
        except PredictionLogError:
            return False
        return True if knows_replicas or not self.url.replicas else None

    def _check_durable(self):
        """PredictionLogError unless a reply from this server means that the record is on its disk, for good.

        It asks each time, because a server may be restarted with other settings at any time. The question takes a tenth of a
        millisecond. A server that does not let us ask is not trusted.
        """
        with self.errors_explained():
            try:
                settings = self.client.config_get(*DURABLE)
            except redis.ResponseError as error:
                raise PredictionLogError(
                    f"{self.name} does not tell whether it would keep feedback ({redis_errors.words(error)}): "
                    "let the journal's user run CONFIG GET (ACL rule +config|get), or vouch for it in the URL (?durable=managed)"
                ) from error
        wrong = {name: settings.get(name, "unknown") for name, wanted in DURABLE.items() if settings.get(name) != wanted}
        if wrong:
            found = ", ".join(f"{name} {value}" for name, value in wrong.items())
            wanted = " ".join(f"--{name} {DURABLE[name]}" for name in wrong)
            raise PredictionLogError(f"{self.name} could lose feedback ({found}): start it with {wanted}")

    @contextmanager
    def errors_explained(self):
        try:
            yield
        except redis.RedisError as error:
            if redis_errors.is_from_replica(error):
                # After a failover the name leads to another server, but connections of before lead to the old one for ever.
                self.client.connection_pool.disconnect(inuse_connections=False)
            raise PredictionLogError(f"{self.name} {redis_errors.explained(error, self.url.has_tls)}") from error


def _followers(about: dict) -> int:
    """How many replicas follow, by INFO: those that are in step, and speak."""
    replicas = [value for name, value in about.items() if name.startswith("slave") and isinstance(value, dict)]
    return sum(each.get("state") == "online" and each.get("lag", 0) <= SILENT_SECONDS for each in replicas)
