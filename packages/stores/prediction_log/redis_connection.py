"""The Redis server of a prediction log: its URL, a client, and a check that acknowledged writes are durable.

`redis://host:6379/0`                       No password, no encryption: a Redis in the same private network.
`rediss://user:password@host:6379/0`        With TLS. The system's certificate authorities verify the certificate.
`rediss://…/0?durable=managed`              The operator guarantees durability, so the service does not check settings.
`rediss://…/0?durable=managed&replicas=1`   Feedback is acknowledged once this many replicas have it.
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
    "redis://host:6379/0 or, with TLS, rediss://user:password@host:6379/0; "
    "the only options are durable=managed and replicas=1 (up to 9), as in ?durable=managed&replicas=1"
)
CONNECT_SECONDS, COMMAND_SECONDS = 1.0, 2.0
PROBE = "doodle:probe"  # A test write shows whether enough replicas follow.
REPLICA_MILLISECONDS = 1500  # Less than COMMAND_SECONDS. More than the second between the syncs of a replica's file.
SILENT_SECONDS = 5  # A replica that follows reports each second.
# Settings that write a record to the disk before the reply, also during a rewrite, and keep it when memory is full.
DURABLE = {"appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "no", "maxmemory-policy": "noeviction"}

REPLICA = "is a read-only replica: use the primary in the prediction log's URL; after a failover, try again"
ADVICE = {  # By the server's error. The first match counts.
    redis.AuthenticationError: "rejects the user or password in the prediction log's URL",
    redis.exceptions.BusyLoadingError: "is still loading its data: try again later",
    redis.TimeoutError: "does not answer in time: check its load; a server without TLS needs a URL with redis://",
    redis.exceptions.InvalidResponse: "does not answer like Redis: a server with TLS needs a URL with rediss://",
    redis.ConnectionError: "cannot be reached: check that it runs, and check the prediction log's URL (redis:// without TLS, "
    "rediss:// with a certificate for that host, which this system or the file in SSL_CERT_FILE trusts)",
    redis.exceptions.OutOfMemoryError: "is out of memory: raise its maxmemory",
    redis.exceptions.ReadOnlyError: REPLICA,
    redis.RedisError: "rejects a command of the prediction log",
}


class DurableRedis:
    """A Redis server whose durability is checked. Several threads may use it. It connects on the first command."""

    def __init__(self, url: str):
        """Raise ValueError for a bad URL. The message does not show it, because it may contain a password."""
        try:
            parts = urlsplit(url)
            host, port, options = parts.hostname or "", parts.port or 6379, dict(parse_qsl(parts.query, keep_blank_values=True))
            is_sound = host and host.encode("idna") and int(parts.path.removeprefix("/") or 0) >= 0 and "#" not in url
        except ValueError:  # The port or database is not a number, or the host name is invalid.
            is_sound = False
        if not (is_sound and _are_options(options)):
            raise ValueError(f"a prediction log's URL in Redis must look like {URL_FORMS}")
        self.name = f"Redis at {host}:{port}"
        self.is_managed = "durable" in options  # The operator guarantees durability. The server may hide its settings.
        self.replicas = int(options.get("replicas", 0))  # Feedback is acknowledged once this many replicas have it.
        self.client = redis.Redis.from_url(
            parts._replace(query="").geturl(),
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=COMMAND_SECONDS,
            retry=Retry(NoBackoff(), 0),  # The caller decides how long to try.
            protocol=2,  # By default redis-py 8 uses 3, which has different answers.
            # redis-py 5 accepts a certificate for any host by default.
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
        """Call `write` and return its result once its changes are durable. PredictionLogError if they may not be."""
        if not self.is_managed:
            self._check_durable()
        with self.errors_explained():
            if not self.replicas:
                return write(self.client)
            # WAIT covers only the writes of its own connection.
            with redis.Redis(connection_pool=self.client.connection_pool, single_connection_client=True) as connection:
                return self._with_replicas(write, connection)

    def _with_replicas(self, write: Callable[[redis.Redis], T], connection: redis.Redis) -> T:
        wanted = self.replicas
        required = f"replicas than the prediction log's URL requires (replicas={wanted})"
        # A probe first: while too few replicas follow, records that clients send again must not pile up.
        connection.set(PROBE, "")
        if connection.wait(wanted, REPLICA_MILLISECONDS) < wanted:
            raise PredictionLogError(f"{self.name} has fewer {required}, so nothing was written: check INFO replication")
        result = write(connection)
        if self._arrived_at(connection) < wanted:
            raise PredictionLogError(
                f"{self.name} wrote it to fewer {required}: check INFO replication, set appendonly yes on each, then try again"
            )
        return result

    def _arrived_at(self, connection: redis.Redis) -> int:
        """Return how many replicas have this connection's writes: on their disks, if the server can tell (Redis 7.2 or newer).

        A managed server may be durable without such files, so ask it for replicas in memory.
        """
        if not self.is_managed:
            with suppress(redis.ResponseError):
                return connection.waitaof(1, self.replicas, REPLICA_MILLISECONDS)[1]
        return connection.wait(self.replicas, REPLICA_MILLISECONDS)

    def _about(self) -> dict[str, Any]:
        """Return the server's INFO. Managed servers omit parts of it, or all."""
        with self.errors_explained():
            try:
                return self.client.info("persistence", "memory", "replication")
            except redis.ResponseError:
                return {}

    def _is_durable(self, about: dict[str, Any]) -> bool | None:
        """Return False if feedback would fail, and None if its durability is unknown."""
        knows_replicas = "connected_slaves" in about
        if about.get("role") == "slave" or about.get("aof_last_write_status", "ok") != "ok":
            return False
        if knows_replicas and _followers(about) < self.replicas:
            return False
        if self.is_managed:
            return None
        try:
            self._check_durable()
        except PredictionLogError:
            return False
        return True if knows_replicas or not self.replicas else None

    def _check_durable(self) -> None:
        """Raise PredictionLogError unless the server's settings make each acknowledged write durable.

        Each write checks again (0.1 ms), because a server may restart with other settings.
        """
        with self.errors_explained():
            try:
                settings = self.client.config_get(*DURABLE)
            except redis.ResponseError as error:
                raise PredictionLogError(
                    f"{self.name} does not show whether feedback is durable ({error}): "
                    "allow its user CONFIG GET (ACL rule +config|get), or guarantee durability in the URL (?durable=managed)"
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
            if "cannot be used with replica instances" in str(error):  # WAIT's message instead of READONLY.
                advice = REPLICA
            if advice == REPLICA:
                # After a failover the host name leads to another server, but open connections stay with the old one.
                self.client.connection_pool.disconnect(inuse_connections=False)
            raise PredictionLogError(f"{self.name} {advice} ({error})") from error


def _are_options(options: dict[str, str]) -> bool:
    allowed = {"durable": ("managed",), "replicas": tuple("123456789")}
    return all(value in allowed.get(name, ()) for name, value in options.items())


def _followers(about: dict[str, Any]) -> int:
    """Return the number of replicas that are online and have reported recently, by INFO."""
    replicas = [value for name, value in about.items() if name.startswith("slave") and isinstance(value, dict)]
    return sum(each.get("state") == "online" and each.get("lag", 0) <= SILENT_SECONDS for each in replicas)
