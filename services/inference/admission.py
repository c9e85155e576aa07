"""Admission: requests beyond a limit are rejected at once, instead of making all others wait."""

import asyncio
import json
from collections import Counter

from starlette.types import ASGIApp, Receive, Scope, Send

LIMITED = {"POST", "DELETE"}
TOO_MUCH = "too many requests at once: wait a second, then send it again"
BODY = json.dumps({"detail": TOO_MUCH}).encode()
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode()), (b"retry-after", b"1")]


class Admission:
    """ASGI middleware that limits the requests in flight and answers 429 to the rest, which costs a part of a prediction.

    Each of these paths has the limit for itself, so that no other holds up predictions; all other paths share one. GET has no
    limit: a rejected probe or scrape would make a busy service look dead.
    """

    def __init__(self, app: ASGIApp, limit: int, paths: frozenset[str]):
        self._app, self._limit, self._paths = app, limit, paths
        self._in_flight: Counter[str] = Counter()  # by path; "" for those that share a limit

    @property
    def in_flight(self) -> int:
        """All requests in flight."""
        return self._in_flight.total()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in LIMITED:
            await self._app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in self._paths else ""
        if self._in_flight[path] >= self._limit:
            await send({"type": "http.response.start", "status": 429, "headers": HEADERS})
            await send({"type": "http.response.body", "body": BODY})
            return
        self._in_flight[path] += 1
        try:
            await asyncio.sleep(0)  # the other requests of this turn of the event loop are counted before any work begins
            await self._app(scope, receive, send)
        finally:
            self._in_flight[path] -= 1
