"""The Redis server of a prediction log: its URL, one client, and whether it keeps what it acknowledges.

redis://host:6379/0                                  no password, no encryption: a Redis beside the service
rediss://user:password@host:6379/0                   with TLS; the system's certificate authorities verify its certificate
rediss://…/0?durable=managed                         the operator vouches for its disk, so the service does not ask for settings
rediss://…/0?durable=managed&replicas=1              feedback is acknowledged once that many replicas have it
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from stores.prediction_log import redis_errors
from stores.prediction_log.base import Durability, PredictionLogError

T = TypeVar("T")

URL_FORMS = "redis://host:6379/0 or rediss://user:password@host:6379/0, where rediss is redis with TLS"
PROMISES = {"durable": ("managed",), "replicas": tuple("123456789")}
CONNECT_SECONDS, COMMAND_SECONDS = 1.0, 2.0
PROBE = "doodle:probe"  # a write that shows whether the replicas follow, where the URL asks for some
REPLICA_MILLISECONDS = 1500  # less than a command may take, and more than the second after which a replica's file may be synced
SILENT_SECONDS = 5  # a replica speaks each second: one that has been silent for longer does not follow
# Settings that put a record on the disk before the reply, also during a rewrite, and keep it when memory is full.
DURABLE = {"appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "no", "maxmemory-policy": "noeviction"}


@dataclass(frozen=True)
class RedisUrl:
    host: str
    port: int
    database: int
    has_tls: bool
    user: str | None = field(repr=False)
    password: str | None = field(repr=False)
    is_vouched_for: bool  # to be durable, by its operator: it may not show its settings
    replicas: int  # so many must have feedback before it is acknowledged

    @classmethod
    def parse(cls, url: str) -> "RedisUrl":
        """Return the parts of a URL. No ValueError shows the URL: a password may be anywhere in it."""
        try:
            parts = urlsplit(url)
            host, port, database = parts.hostname or "", parts.port or 6379, int(parts.path.removeprefix("/") or 0)
            is_sound = host and host.encode("idna") and database >= 0 and "#" not in url
        except ValueError:  # a port or database that is no number, or an impossible host name
            is_sound = False
        if not is_sound:
            raise ValueError(f"a prediction log's URL in Redis looks like {URL_FORMS}")
        promises = _promises(parts.query)
        user, password = (unquote(value) if value else None for value in (parts.username, parts.password))
        is_vouched_for, replicas = "durable" in promises, int(promises.get("replicas", 0))
        return cls(host, port, database, parts.scheme == "rediss", user, password, is_vouched_for, replicas)

    def client(self) -> redis.Redis:
        """redis-py's own reading of URLs takes more than is wanted, and complains only when it connects."""
        return redis.Redis(
            host=self.host,
            port=self.port,
            db=self.database,
            username=self.user,
            password=self.password,
            ssl=self.has_tls,
            ssl_cert_reqs="required",
            ssl_check_hostname=True,  # redis-py 5 would take a certificate for any host
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=COMMAND_SECONDS,
            retry=Retry(NoBackoff(), 0),  # the caller decides how long to try
            protocol=2,  # redis-py 5 begins with it and 8 with 3, which has other answers
        )


class DurableRedis:
    """Safe from several threads. It connects on the first command, and again after a lost connection."""

    def __init__(self, url: str):
        self.url = RedisUrl.parse(url)
        self.name = f"Redis at {self.url.host}:{self.url.port}"
        self.client = self.url.client()

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
        if not self.url.is_vouched_for:
            self._check_durable()
        with self.errors_explained():
            if not self.url.replicas:
                return write(self.client)
            # WAIT knows only what its own connection wrote.
            with redis.Redis(connection_pool=self.client.connection_pool, single_connection_client=True) as connection:
                return self._with_replicas(write, connection)

    def _with_replicas(self, write: Callable[[redis.Redis], T], connection: redis.Redis) -> T:
        wanted = self.url.replicas
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
        wanted = self.url.replicas
        if not self.url.is_vouched_for:
            try:
                return connection.waitaof(1, wanted, REPLICA_MILLISECONDS)[1]
            except redis.ResponseError as error:
                if not redis_errors.is_unknown_command(error):
                    raise
        return connection.wait(wanted, REPLICA_MILLISECONDS)

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
        if knows_replicas and _followers(about) < self.url.replicas:
            return False
        if self.url.is_vouched_for:
            return None
        try:
            self._check_durable()
        except PredictionLogError:
            return False
        return True if knows_replicas or not self.url.replicas else None

    def _check_durable(self) -> None:
        """Raise PredictionLogError unless a reply from this server means that the record is on its disk, for good.

        Each write asks anew (0.1 ms), because a server may restart with other settings. A server that hides its settings is not
        trusted.
        """
        with self.errors_explained():
            try:
                settings = self.client.config_get(*DURABLE)
            except redis.ResponseError as error:
                raise PredictionLogError(
                    f"{self.name} does not tell whether it would keep feedback ({redis_errors.words(error)}): "
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
            if redis_errors.is_from_replica(error):
                # After a failover the name leads to another server, but older connections lead to the old one forever.
                self.client.connection_pool.disconnect(inuse_connections=False)
            raise PredictionLogError(f"{self.name} {redis_errors.explained(error, self.url.has_tls)}") from error


def _promises(query: str) -> dict[str, str]:
    try:
        given = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        given = [("", "")]
    promises = dict(given)
    if len(promises) < len(given) or any(value not in PROMISES.get(name, ()) for name, value in given):
        allowed = "durable=managed, replicas=1 (to 9), or both with & between them"
        raise ValueError(f"behind the ? of a prediction log's URL in Redis stands nothing but {allowed}")
    return promises


def _followers(about: dict[str, Any]) -> int:
    """Return how many replicas are in step and not silent, by INFO."""
    replicas = [value for name, value in about.items() if name.startswith("slave") and isinstance(value, dict)]
    return sum(each.get("state") == "online" and each.get("lag", 0) <= SILENT_SECONDS for each in replicas)
