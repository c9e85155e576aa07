"""Admission: requests beyond a limit are rejected at once, instead of making all others wait."""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Awaitable
from time import monotonic
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

LIMITED = {"POST", "DELETE"}
TURN = 16  # requests: some seven milliseconds of predictions
REJECTED_FOR_ONE = 4  # rejections take about as long as one prediction
SPELL_SECONDS = 10.0  # rejections within this time of the last one belong to the same spell, and are not logged again
TOO_MUCH = "too many requests at once: wait a second, then send it again"
BODY = json.dumps({"detail": TOO_MUCH}).encode()
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode()), (b"retry-after", b"1")]


class Admission:
    """ASGI middleware that limits the requests in flight and answers 429 to the rest, which costs a part of a prediction.

    Each of `own_limit`, a set of paths, has the limit for itself; all other paths share one. So predictions always have room.
    A request is in flight while its work waits or runs. It is not while its body arrives, while it waits in a queue
    (work_queue.py), or while its client takes the answer. Only POST and DELETE are limited: a rejected probe or scrape would
    make a busy service look dead.

    Most answers are computed without a pause, and no socket is read meanwhile. So only TURN requests begin in a turn of the event
    loop: the others wait where they are counted, not unseen in the kernel.
    """

    def __init__(self, app: ASGIApp, limit: int, own_limit: frozenset[str] = frozenset()):
        self._app, self._limit, self._own_limit = app, limit, own_limit
        self._may_begin, self._rejected, self._is_next_due = TURN, 0, False  # in this turn of the event loop
        self._last_rejection = -SPELL_SECONDS
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
        if self._in_flight[kind] >= self._limit:
            await self._reject(scope["path"], send)
        else:
            await self._admit(kind, scope, receive, send)

    async def _admit(self, kind: str, scope: Scope, receive: Receive, send: Send) -> None:
        is_in_flight, is_answered = True, False

        def leave() -> None:
            nonlocal is_in_flight
            self._in_flight[kind] -= is_in_flight
            is_in_flight = False

        async def receive_outside() -> Message:
            nonlocal is_in_flight
            leave()
            message = await receive()
            if not is_answered:
                self._in_flight[kind] += 1
                is_in_flight = True
            return message

        def send_outside(message: Message) -> Awaitable[None]:
            nonlocal is_answered
            is_answered = True
            leave()
            return send(message)

        self._in_flight[kind] += 1
        try:
            await self._turn()
            await self._app(scope, receive_outside, send_outside)
        finally:
            leave()

    async def _turn(self) -> None:
        """Return when this request's work may begin."""
        if not self._is_next_due:
            self._is_next_due = True
            asyncio.get_running_loop().call_soon(self._next_turn)
        while not self._may_begin:
            await asyncio.sleep(0)
        self._may_begin -= 1

    def _next_turn(self) -> None:
        # Rejected clients come back at once: the more there are, the more requests begin between two looks at the sockets.
        self._may_begin, self._rejected, self._is_next_due = TURN + self._rejected // REJECTED_FOR_ONE, 0, False

    async def _reject(self, path: str, send: Send) -> None:
        self._rejected += 1
        if monotonic() - self._last_rejection > SPELL_SECONDS:
            log.warning("event=load_shed inside=%d path=%s", self.in_flight, quote(path)[:200])  # one line, whatever the path
        self._last_rejection = monotonic()
        await send({"type": "http.response.start", "status": 429, "headers": HEADERS})
        await send({"type": "http.response.body", "body": BODY})
