"""Advice for each error of Redis."""

import ssl
from collections.abc import Iterator

import redis

REPLICA = "is a read-only replica: name the primary in the prediction log's URL; after a failover, try again"
NO_REDIS = "does not answer as Redis does: does it want TLS? Then the prediction log's URL begins with rediss://"
UNTRUSTED = (
    "has a certificate that cannot be trusted: its host must be the one in the prediction log's URL, and its signer one that "
    "this system, or the file that SSL_CERT_FILE names, trusts"
)
NO_TLS = "does not speak TLS as it should: if it has none, the prediction log's URL begins with redis://"
UNREACHABLE = "cannot be reached: is it running, and is the prediction log's URL right (rediss:// with TLS, redis:// without)?"
SLOW = "does not answer in time: is it overloaded?"

ADVICE = {  # by the server's error; the first that fits
    redis.AuthenticationError: "refuses the user or password in the prediction log's URL",
    redis.exceptions.BusyLoadingError: "is still loading its data: try again in a while",
    redis.TimeoutError: SLOW,
    redis.exceptions.InvalidResponse: NO_REDIS,
    redis.ConnectionError: UNREACHABLE,
    redis.exceptions.OutOfMemoryError: "is out of memory: raise its maxmemory",
    redis.exceptions.ReadOnlyError: REPLICA,
    redis.RedisError: "cannot do what the prediction log asks",
}


def is_from_replica(error: redis.RedisError) -> bool:
    """WAIT has its own words for the error READONLY of other commands."""
    return isinstance(error, redis.exceptions.ReadOnlyError) or "cannot be used with replica instances" in str(error)


def is_unknown_command(error: redis.RedisError) -> bool:
    return words(error).lower().startswith("unknown command")


def explained(error: redis.RedisError, has_tls: bool) -> str:
    """Return the words after the server's name: what is wrong, what to do, and the server's own words."""
    return f"{_advice(error, has_tls)} ({words(error)})"


def words(error: redis.RedisError) -> str:
    """Return the server's words in one line, without the command that redis-py puts before them."""
    return " ".join(str(error).rpartition("caused error: ")[2].split())


def _advice(error: redis.RedisError, has_tls: bool) -> str:
    for reason in _reasons(error):
        if isinstance(reason, ssl.SSLCertVerificationError):
            return UNTRUSTED
        if isinstance(reason, ssl.SSLError):
            return NO_TLS
    if is_from_replica(error):
        return REPLICA
    advice = next(advice for kind, advice in ADVICE.items() if isinstance(error, kind))
    # Some servers without TLS take the handshake for a command, and wait for its end.
    return f"{SLOW} Or without TLS: then the prediction log's URL begins with redis://" if advice == SLOW and has_tls else advice


def _reasons(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
