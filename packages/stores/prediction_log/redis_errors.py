"""What to do about an error of Redis, in words."""

import ssl
from collections.abc import Iterator

import redis

REPLICA = "is a read-only replica: name the primary in the journal's URL; after a failover, try again"
NO_REDIS = "does not answer as Redis does: does it want TLS? Then the journal's URL begins with rediss://"
UNTRUSTED = (
    "has a certificate that cannot be trusted: its host must be the one in the journal's URL, and who signed it among those "
    "that this system trusts, or that are in the file which SSL_CERT_FILE names"
)
NO_TLS = "does not speak TLS as it should: if it has none, the journal's URL begins with redis://"
UNREACHABLE = "cannot be reached: is it running, and is the journal's URL right (rediss:// with TLS, redis:// without)?"
SLOW = "does not answer in time: is it overloaded?"

ADVICE = {  # by what the server says; the first that fits
    redis.AuthenticationError: "refuses the user or password in the journal's URL",
    redis.exceptions.BusyLoadingError: "is still loading its data: try again in a while",
    redis.TimeoutError: SLOW,
    redis.exceptions.InvalidResponse: NO_REDIS,
    redis.ConnectionError: UNREACHABLE,
    redis.exceptions.OutOfMemoryError: "is out of memory: raise its maxmemory",
    redis.exceptions.ReadOnlyError: REPLICA,
    redis.RedisError: "cannot do what the journal asks",
}


def is_from_replica(error: redis.RedisError) -> bool:
    """WAIT has words of its own for what other commands call READONLY."""
    return isinstance(error, redis.exceptions.ReadOnlyError) or "cannot be used with replica instances" in str(error)


def is_unknown_command(error: redis.RedisError) -> bool:
    return words(error).lower().startswith("unknown command")


def explained(error: redis.RedisError, has_tls: bool) -> str:
    """What goes behind the server's name: what is wrong, what to do, and the server's own words."""
    return f"{_advice(error, has_tls)} ({words(error)})"


def words(error: redis.RedisError) -> str:
    """What the server said, in one line, without the command that redis-py puts before it."""
    return " ".join(str(error).rpartition("caused error: ")[2].split())


def _advice(error, has_tls):
    for reason in _reasons(error):
        if isinstance(reason, ssl.SSLCertVerificationError):
            return UNTRUSTED
        if isinstance(reason, ssl.SSLError):
            return NO_TLS
    if is_from_replica(error):
        return REPLICA
    advice = next(advice for kind, advice in ADVICE.items() if isinstance(error, kind))
    # Some servers without TLS wait for the end of what they take for a command: the handshake, which has none.
    return f"{SLOW} Or it has no TLS: then the journal's URL begins with redis://" if advice == SLOW and has_tls else advice


def _reasons(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
