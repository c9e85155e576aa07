"""Load shedding: more at once than can be answered soon is turned away, instead of everybody waiting ever longer."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

TURN = 16  # begin at most between two looks at the sockets: some seven milliseconds
SPELL_SECONDS = 10.0  # what is turned away within so long of the last is of the same rush, and not said again
TURNED_AWAY_FOR_ONE = 4  # so many take about as long as one prediction
BODY = json.dumps({"detail": "too much is asked of this service at once: wait a second, then ask again"}).encode()
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode()), (b"retry-after", b"1")]


class Admission:
    """ASGI middleware: at most so many POST requests are inside; whoever comes beyond that is answered 429, which costs a part
    of what a prediction does. So a crowd makes nobody wait longer than for those who were inside already.

    Inside are those whose work waits or is done: not those whose body is still to come, nor those who are slow to take their
    answer, so that slow clients keep nobody out. `refused` is told the path of each who is turned away. GET is always let in: a
    probe or a scrape that is turned away would make a busy service look like a dead one.

    Most answers are worked out without a pause, and while one is, nobody is seen to come. So only a few of those inside begin in
    one turn of the event loop, first come, first served; then it looks at its sockets. Where many are turned away, and come back
    at once, more begin: turning away must not take all the time.
    """

    def __init__(self, app: ASGIApp, at_most: int, refused: Callable[[str], None]):
        self._app, self._at_most, self._tell = app, at_most, refused
        self._queue: deque[asyncio.Future] = deque()
        self._may_begin = TURN  # so many more, in this turn of the event loop
        self._turned_away = 0  # in this turn
        self._is_another_turn_due = False
        self._last_refusal = -SPELL_SECONDS
        self.inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
        elif self.inside >= self._at_most:
            await self._turn_away(scope["path"], send)
        else:
            await self._let_in(scope, receive, send)

    async def _let_in(self, scope, receive, send):
        is_inside, is_answered = True, False

        def leave() -> None:
            nonlocal is_inside
            self.inside -= is_inside
            is_inside = False

        async def receive_outside() -> Message:
            nonlocal is_inside
            leave()
            message = await receive()
            if not is_answered:
                self.inside, is_inside = self.inside + 1, True
            return message

        def send_outside(message: Message) -> Awaitable[None]:
            nonlocal is_answered
            is_answered = True
            leave()
            return send(message)

        self.inside += 1
        try:
            await self._turn()
            await self._app(scope, receive_outside, send_outside)
        finally:
            leave()

    async def _turn(self):
        """Returns when this request's work may begin."""
        if not self._is_another_turn_due:
            self._is_another_turn_due = True
            asyncio.get_running_loop().call_soon(self._next_turn)
        if self._may_begin and not self._queue:
            self._may_begin -= 1
        else:
            turn = asyncio.get_running_loop().create_future()
            self._queue.append(turn)
            await turn

    def _next_turn(self):
        """The next in the queue begin. Whoever has hung up meanwhile is not waited for."""
        self._is_another_turn_due = self._may_begin != TURN or bool(self._queue)
        self._may_begin, self._turned_away = TURN + self._turned_away // TURNED_AWAY_FOR_ONE, 0
        while self._queue and self._may_begin:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                self._may_begin -= 1
        if self._is_another_turn_due:
            asyncio.get_running_loop().call_soon(self._next_turn)

    async def _turn_away(self, path, send):
        self._turned_away += 1
        self._tell(path)
        if monotonic() - self._last_refusal > SPELL_SECONDS:
            log.warning("event=load_shed inside=%d path=%s", self.inside, quote(path)[:200])  # one line, whatever is asked for
        self._last_refusal = monotonic()
        await send({"type": "http.response.start", "status": 429, "headers": HEADERS})
        await send({"type": "http.response.body", "body": BODY})
