"""The operator's key: where one is set, who gives feedback, or asks for candidates, must bring it."""

import hmac
from collections.abc import Callable
from typing import Annotated

from fastapi import HTTPException, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

BEARER = HTTPBearer(auto_error=False, description="`Authorization: Bearer KEY`, of DOODLE_API_KEY")
HEADER = APIKeyHeader(
    name="X-API-Key", auto_error=False, description="The same key, where Authorization is for a proxy in between"
)
WORDS = "only who has this service's key may do that: it belongs into the header Authorization: Bearer KEY, or X-API-Key"


def only_with(key: str) -> Callable:
    """What routes depend on that ask for this key; 401 where it is not among the request's headers."""
    expected = key.encode("ascii")

    async def has_key(
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
        header: Annotated[str | None, Security(HEADER)],
    ) -> None:
        brought = (bearer.credentials if bearer else "", header or "")
        # latin-1: as headers were decoded. compare_digest takes as long for a key that is nearly right as for any other.
        if not any([hmac.compare_digest(each.encode("latin-1"), expected) for each in brought]):
            raise HTTPException(401, WORDS, headers={"WWW-Authenticate": "Bearer"})

    return has_key
