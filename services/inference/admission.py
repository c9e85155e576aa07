"""Admission: requests beyond a limit are rejected at once, instead of making all others wait."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LIMITED = {"POST", "DELETE"}
TOO_MUCH = "too many requests at once: wait a second, then send it again"
BODY = json.dumps({"detail": TOO_MUCH}).encode()
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode()), (b"retry-after", b"1")]


class Admission:
    """ASGI middleware that limits the requests in flight and answers 429 to the rest, which costs a part of a prediction.

    Each path of `own_limit` has the limit for itself; all others share one. So predictions always have room. A request is not in
    flight while its body arrives, while it waits in a queue (work_queue.py), or while its client takes the answer. GET has no
    limit: a rejected probe or scrape would make a busy service look dead.
    """

    def __init__(self, app: ASGIApp, limit: int, own_limit: frozenset[str] = frozenset()):
        self._app, self._limit, self._own_limit = app, limit, own_limit
        self._in_flight: Counter[str] = Counter()  # by path; "" for those that share a limit

    @property
    def in_flight(self) -> int:
        """All requests in flight."""
        return self._in_flight.total()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in LIMITED:
            await self._app(scope, receive, send)
            return
        kind = scope["path"] if scope["path"] in self._own_limit else ""
        if self._in_flight[kind] < self._limit:
            await self._admit(kind, scope, receive, send)
        else:
            await send({"type": "http.response.start", "status": 429, "headers": HEADERS})
            await send({"type": "http.response.body", "body": BODY})

    async def _admit(self, kind: str, scope: Scope, receive: Receive, send: Send) -> None:
        is_in_flight = True

        def leave() -> None:
            nonlocal is_in_flight
            self._in_flight[kind] -= is_in_flight
            is_in_flight = False

        async def receive_outside() -> Message:
            nonlocal is_in_flight
            leave()
            message = await receive()
            self._in_flight[kind] += 1
            is_in_flight = True
            return message

        def send_outside(message: Message) -> Awaitable[None]:
            leave()
            return send(message)

        self._in_flight[kind] += 1
        try:
            await asyncio.sleep(0)  # the other requests of this turn of the event loop are counted before any work begins
            await self._app(scope, receive_outside, send_outside)
        finally:
            leave()
