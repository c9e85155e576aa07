"""Admission: reject requests beyond a limit at once, so that the others do not wait."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from deployment.problem import MEDIA_TYPE, problem
from starlette.types import ASGIApp, Receive, Scope, Send

LIMITED = {"POST", "PUT", "DELETE"}
Headers = list[tuple[bytes, bytes]]
TURN = 16  # requests that start in one turn of the event loop: about 7 ms of predictions
REJECTED_FOR_ONE = 4  # rejections that take about as long as one prediction
TOO_MUCH = "too many requests at once: wait a second, then send it again"
HEADERS = [(b"content-type", MEDIA_TYPE.encode()), (b"retry-after", b"1")]


class Admission:
    """ASGI middleware that limits the requests in flight, and answers 429 beyond the limit.

    Each of `paths` has its own limit, so that no other path delays predictions. All other paths share one. GET has no limit: a
    rejected probe or scrape would make a busy service look dead.

    Most requests compute without a pause, and the event loop reads no socket meanwhile. So only TURN requests start in a turn of
    the event loop. The others wait here, where the limit counts them, and not in the kernel.
    """

    def __init__(self, app: ASGIApp, limit: int, paths: frozenset[str]):
        self._app, self._limit, self._paths = app, limit, paths
        self._policy = b"ratelimit-policy", b'"in-flight";q=%d;qu="concurrent-requests"' % limit
        self._may_begin, self._rejected, self._is_next_due = TURN, 0, False  # in this turn of the event loop
        self._in_flight: Counter[str] = Counter()  # by path; "" for the shared limit

    @property
    def in_flight(self) -> int:
        """Return the number of requests in flight."""
        return self._in_flight.total()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in LIMITED:
            await self._app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in self._paths else ""
        is_full = self._in_flight[path] >= self._limit
        self._in_flight[path] += not is_full
        scope.setdefault("answer_headers", []).extend(self._limits(path))  # RequestIds sends them
        if is_full:
            self._rejected += 1
            body = problem(429, TOO_MUCH)
            headers = [*HEADERS, (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 429, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return
        scope["admission"] = self
        try:
            await self._wait_for_turn()
            await self._app(scope, receive, send)
        finally:
            self._in_flight[path] -= 1

    @contextmanager
    def more_places(self, path: str, count: int) -> Iterator[bool]:
        """Take more places for a request that is as much work as several, and yield whether they were free."""
        path = path if path in self._paths else ""
        is_admitted = self._in_flight[path] + count <= self._limit
        count = count if is_admitted else 0
        self._in_flight[path] += count
        try:
            yield is_admitted
        finally:
            self._in_flight[path] -= count

    def _limits(self, path: str) -> Headers:
        """Return the limit of a path and its free places, as in draft-ietf-httpapi-ratelimit-headers."""
        free = self._limit - self._in_flight[path]
        return [self._policy, (b"ratelimit", b'"in-flight";r=%d' % free if free > 0 else b'"in-flight";r=0;t=1')]

    async def _wait_for_turn(self) -> None:
        """Return when this request may start."""
        while not self._may_begin:
            await asyncio.sleep(0)
        self._may_begin -= 1
        if not self._is_next_due:
            self._is_next_due = True
            asyncio.get_running_loop().call_soon(self._next_turn)

    def _next_turn(self) -> None:
        # Rejected clients retry at once, so under load more requests start before the loop reads the sockets again.
        self._may_begin, self._rejected, self._is_next_due = TURN + self._rejected // REJECTED_FOR_ONE, 0, False
