"""Admission: requests beyond a limit are rejected at once, instead of making all others wait."""

import asyncio
import json
from collections import Counter

from starlette.types import ASGIApp, Receive, Scope, Send

LIMITED = {"POST", "DELETE"}
TURN = 16  # requests: some seven milliseconds of predictions
REJECTED_FOR_ONE = 4  # rejections take about as long as one prediction
TOO_MUCH = "too many requests at once: wait a second, then send it again"
BODY = json.dumps({"detail": TOO_MUCH}).encode()
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode()), (b"retry-after", b"1")]


class Admission:
    """ASGI middleware that limits the requests in flight and answers 429 to the rest, which costs a part of a prediction.

    Each of these paths has the limit for itself, so that no other holds up predictions; all other paths share one. GET has no
    limit: a rejected probe or scrape would make a busy service look dead.

    Most answers are computed without a pause, and no socket is read meanwhile. So only TURN requests begin in a turn of the event
    loop: the others wait where they are counted, not unseen in the kernel.
    """

    def __init__(self, app: ASGIApp, limit: int, paths: frozenset[str]):
        self._app, self._limit, self._paths = app, limit, paths
        self._may_begin, self._rejected, self._is_next_due = TURN, 0, False  # in this turn of the event loop
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
            self._rejected += 1
            await send({"type": "http.response.start", "status": 429, "headers": HEADERS})
            await send({"type": "http.response.body", "body": BODY})
            return
        self._in_flight[path] += 1
        try:
            await self._turn()
            await self._app(scope, receive, send)
        finally:
            self._in_flight[path] -= 1

    async def _turn(self) -> None:
        """Return when this request's work may begin."""
        while not self._may_begin:
            await asyncio.sleep(0)
        self._may_begin -= 1
        if not self._is_next_due:
            self._is_next_due = True
            asyncio.get_running_loop().call_soon(self._next_turn)

    def _next_turn(self) -> None:
        # Rejected clients come back at once: the more there are, the more requests begin between two looks at the sockets.
        self._may_begin, self._rejected, self._is_next_due = TURN + self._rejected // REJECTED_FOR_ONE, 0, False
