"""The Redis server of a prediction log: its URL, one client, and whether it keeps what it acknowledges.

redis://host:6379/0                                  no password, no encryption: a Redis beside the service
rediss://user:password@host:6379/0                   with TLS; the system's certificate authorities verify its certificate
rediss://…/0?durable=managed                         the operator vouches for its disk, so the service does not ask for settings
rediss://…/0?durable=managed&replicas=1              feedback is acknowledged once that many replicas have it
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from stores.prediction_log.base import Durability, PredictionLogError

T = TypeVar("T")

URL_FORMS = (
    "redis://host:6379/0 or rediss://user:password@host:6379/0, where rediss is redis with TLS; "
    "behind a ? stands nothing but durable=managed, replicas=1 (to 9), or both with & between them"
)
CONNECT_SECONDS, COMMAND_SECONDS = 1.0, 2.0
PROBE = "doodle:probe"  # a write that shows whether the replicas follow, where the URL asks for some
REPLICA_MILLISECONDS = 1500  # less than a command may take, and more than the second after which a replica's file may be synced
SILENT_SECONDS = 5  # a replica speaks each second: one that has been silent for longer does not follow
# Settings that put a record on the disk before the reply, also during a rewrite, and keep it when memory is full.
DURABLE = {"appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "no", "maxmemory-policy": "noeviction"}

REPLICA = "is a read-only replica: name the primary in the prediction log's URL; after a failover, try again"
ADVICE = {  # by the server's error; the first that fits
    redis.AuthenticationError: "refuses the user or password in the prediction log's URL",
    redis.exceptions.BusyLoadingError: "is still loading its data: try again in a while",
    redis.TimeoutError: "does not answer in time: is it overloaded? Or without TLS: then the URL begins with redis://",
    redis.exceptions.InvalidResponse: "does not answer as Redis does: does it want TLS? Then the URL begins with rediss://",
    redis.ConnectionError: "cannot be reached: is it running, and is the prediction log's URL right (redis:// without TLS, "
    "rediss:// with a certificate for that host, which this system or the file in SSL_CERT_FILE trusts)?",
    redis.exceptions.OutOfMemoryError: "is out of memory: raise its maxmemory",
    redis.exceptions.ReadOnlyError: REPLICA,
    redis.RedisError: "cannot do what the prediction log asks",
}


class DurableRedis:
    """Safe from several threads. It connects on the first command, and again after a lost connection."""

    def __init__(self, url: str):
        """ValueError for a bad URL, which the message does not show: a password may be anywhere in it."""
        try:
            parts = urlsplit(url)
            host, port, promises = parts.hostname or "", parts.port or 6379, dict(parse_qsl(parts.query, keep_blank_values=True))
            is_sound = host and host.encode("idna") and int(parts.path.removeprefix("/") or 0) >= 0 and "#" not in url
        except ValueError:  # a port or database that is no number, or an impossible host name
            is_sound = False
        if not (is_sound and _are_promises(promises)):
            raise ValueError(f"a prediction log's URL in Redis looks like {URL_FORMS}")
        self.name = f"Redis at {host}:{port}"
        self.is_vouched_for = "durable" in promises  # by its operator: it may not show its settings
        self.replicas = int(promises.get("replicas", 0))  # so many must have feedback before it is acknowledged
        self.client = redis.Redis.from_url(
            parts._replace(query="").geturl(),
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=COMMAND_SECONDS,
            retry=Retry(NoBackoff(), 0),  # the caller decides how long to try
            protocol=2,  # redis-py 5 begins with it and 8 with 3, which has other answers
            # redis-py 5 would take a certificate for any host.
            **({"ssl_check_hostname": True} if parts.scheme == "rediss" else {}),
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

    def durably(self, write: Callable[[redis.Redis], T]) -> T:
        """Return what `write` returns, once its changes are durable; PredictionLogError otherwise."""
        if not self.is_vouched_for:
            self._check_durable()
        with self.errors_explained():
            if not self.replicas:
                return write(self.client)
            # WAIT knows only what its own connection wrote.
            with redis.Redis(connection_pool=self.client.connection_pool, single_connection_client=True) as connection:
                return self._with_replicas(write, connection)

    def _with_replicas(self, write: Callable[[redis.Redis], T], connection: redis.Redis) -> T:
        wanted = self.replicas
        asked = f"replicas than the prediction log's URL asks for (replicas={wanted})"
        # First a write without a record: while the replicas do not follow, records that are sent again must not pile up.
        connection.set(PROBE, "")
        if connection.wait(wanted, REPLICA_MILLISECONDS) < wanted:
            raise PredictionLogError(f"{self.name} has fewer {asked}, so nothing was written: see INFO replication")
        result = write(connection)
        if self._arrived_at(connection) < wanted:
            raise PredictionLogError(
                f"{self.name} wrote it to fewer {asked}: see INFO replication, and that each has appendonly yes; then try again"
            )
        return result

    def _arrived_at(self, connection: redis.Redis) -> int:
        """Return how many replicas have what this connection wrote: on their disks, if the server can tell (Redis 7.2 or newer).

        A managed server is not asked for files: it may be durable in other ways.
        """
        if not self.is_vouched_for:
            with suppress(redis.ResponseError):
                return connection.waitaof(1, self.replicas, REPLICA_MILLISECONDS)[1]
        return connection.wait(self.replicas, REPLICA_MILLISECONDS)

    def _about(self) -> dict[str, Any]:
        """Return the server's INFO. Managed servers leave out parts of it, or all."""
        with self.errors_explained():
            try:
                return self.client.info("persistence", "memory", "replication")
            except redis.ResponseError:
                return {}

    def _is_durable(self, about: dict[str, Any]) -> bool | None:
        """Return False if feedback is refused, and None if nobody knows whether it is durable."""
        knows_replicas = "connected_slaves" in about
        if about.get("role") == "slave" or about.get("aof_last_write_status", "ok") != "ok":
            return False
        if knows_replicas and _followers(about) < self.replicas:
            return False
        if self.is_vouched_for:
            return None
        try:
            self._check_durable()
        except PredictionLogError:
            return False
        return True if knows_replicas or not self.replicas else None

    def _check_durable(self) -> None:
        """Raise PredictionLogError unless a reply from this server means that the record is on its disk, for good.

        Each write asks anew (0.1 ms), because a server may restart with other settings.
        """
        with self.errors_explained():
            try:
                settings = self.client.config_get(*DURABLE)
            except redis.ResponseError as error:
                raise PredictionLogError(
                    f"{self.name} does not tell whether it would keep feedback ({error}): "
                    "let its user run CONFIG GET (ACL rule +config|get), or vouch for it in the URL (?durable=managed)"
                ) from error
        wrong = {name: settings.get(name, "unknown") for name, wanted in DURABLE.items() if settings.get(name) != wanted}
        if wrong:
            found = ", ".join(f"{name} {value}" for name, value in wrong.items())
            wanted = " ".join(f"--{name} {DURABLE[name]}" for name in wrong)
            raise PredictionLogError(f"{self.name} could lose feedback ({found}): start it with {wanted}")

    @contextmanager
    def errors_explained(self) -> Iterator[None]:
        try:
            yield
        except redis.RedisError as error:
            advice = next(advice for kind, advice in ADVICE.items() if isinstance(error, kind))
            if "cannot be used with replica instances" in str(error):  # WAIT's own words for READONLY
                advice = REPLICA
            if advice == REPLICA:
                # After a failover the name leads to another server, but older connections lead to the old one forever.
                self.client.connection_pool.disconnect(inuse_connections=False)
            raise PredictionLogError(f"{self.name} {advice} ({error})") from error


def _are_promises(promises: dict[str, str]) -> bool:
    allowed = {"durable": ("managed",), "replicas": tuple("123456789")}
    return all(value in allowed.get(name, ()) for name, value in promises.items())


def _followers(about: dict[str, Any]) -> int:
    """Return how many replicas are in step and not silent, by INFO."""
    replicas = [value for name, value in about.items() if name.startswith("slave") and isinstance(value, dict)]
    return sum(each.get("state") == "online" and each.get("lag", 0) <= SILENT_SECONDS for each in replicas)
