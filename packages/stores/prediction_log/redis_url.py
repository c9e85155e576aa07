"""What the URL of a prediction log in Redis says: where it is, and what its operator promises for it or asks of it.

redis://host:6379/0                                  no password, no encryption: a Redis of one's own, beside the service
rediss://user:password@host:6379/0                   with TLS; its certificate is verified with those of the system
rediss://…/0?durable=managed                         the operator vouches for its disk: it is not asked for its settings
rediss://…/0?durable=managed&replicas=1              feedback is acknowledged once so many replicas have it
"""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

FORMS = "redis://host:6379/0 or rediss://user:password@host:6379/0, where rediss is redis with TLS"
PARAMETERS = "durable=managed, replicas=1 (to 9), or both with & between them"


@dataclass(frozen=True)
class RedisUrl:
    host: str
    port: int
    database: int
    has_tls: bool
    user: str | None = field(repr=False)
    password: str | None = field(repr=False)
    is_vouched_for: bool  # that it keeps what it acknowledges: whoever runs it does not let us ask
    replicas: int  # so many must have feedback before it is acknowledged

    @classmethod
    def parse(cls, url: str) -> "RedisUrl":
        """ValueError says what the URL should be, and nothing of what it is: there may be a password in it, anywhere."""
        try:
            parts = urlsplit(url)
            host, port, database = parts.hostname, parts.port or 6379, int(parts.path.removeprefix("/") or 0)
            is_sound = host and host.encode("idna") and database >= 0 and "#" not in url
        except ValueError:  # a port or database that is no number, a name that no host can have
            is_sound = False
        if not is_sound:
            raise ValueError(f"a journal's URL in Redis looks like {FORMS}")
        promises = _promises(parts.query)
        if promises is None:
            raise ValueError(f"behind the ? of a journal's URL in Redis stands nothing but {PARAMETERS}")
        user, password = (unquote(value) if value else None for value in (parts.username, parts.password))
        return cls(host, port, database, parts.scheme == "rediss", user, password, *promises)

    def options(self) -> dict:
        """What redis.Redis is told. Its own reading of URLs takes more than is wanted, and complains only when it connects."""
        options = {"host": self.host, "port": self.port, "db": self.database, "username": self.user, "password": self.password}
        if self.has_tls:
            # Said although it is the newest clients' default: redis-py 5 would take a certificate of any host's.
            options |= {"ssl": True, "ssl_cert_reqs": "required", "ssl_check_hostname": True}
        return options


def _promises(query: str) -> tuple[bool, int] | None:
    """Whether it is vouched for, and by how many replicas it must be had; None if there is anything that is not understood."""
    try:
        given = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        return None
    said = dict(given)
    durable, replicas = said.pop("durable", None), said.pop("replicas", None)
    is_sound = durable in (None, "managed") and (replicas is None or replicas in tuple("123456789"))
    if said or len(given) > len(said) + (durable is not None) + (replicas is not None) or not is_sound:
        return None
    return durable is not None, int(replicas or 0)
