"""The API key. If DOODLE_API_KEY is set, feedback, /live/ and /candidate/ need it."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import HTTPException, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

BEARER = HTTPBearer(auto_error=False, description="`Authorization: Bearer KEY`, with the key in DOODLE_API_KEY")
HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, description="The same key, if a proxy uses Authorization")
KEY_NEEDED = "this call needs the API key: send it in the header Authorization: Bearer KEY, or X-API-Key"


def needs_key(key: str) -> Callable[..., Awaitable[None]]:
    """Return a route dependency that answers 401 to a request without this key."""
    expected = key.encode("ascii")

    async def check_key(
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
        header: Annotated[str | None, Security(HEADER)],
    ) -> None:
        given = (bearer.credentials if bearer else "", header or "")
        # Starlette decodes headers as latin-1. compare_digest takes the same time for any wrong key.
        if not any([hmac.compare_digest(each.encode("latin-1"), expected) for each in given]):
            raise HTTPException(401, KEY_NEEDED, headers={"WWW-Authenticate": "Bearer"})

    return check_key
