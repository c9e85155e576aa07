"""Admission: requests beyond the limit are rejected at once, and each path has a limit of its own."""

import asyncio
import json

import pytest
from inference.admission import TURN, Admission

pytestmark = pytest.mark.anyio

LIMIT = 3


class Door:
    """An app whose requests end when `open` is set, behind an Admission."""

    def __init__(self, limit=LIMIT, paths=frozenset({"/predict"})):
        self.open, self.begun = asyncio.Event(), []
        self.admission = Admission(self._app, limit, paths)

    async def _app(self, scope, receive, send):
        self.begun.append(scope["path"])
        await receive()
        await self.open.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ask(self, method="POST", path="/predict"):
        """The answer's status, headers and body."""
        sent = []

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            sent.append(message)

        await self.admission({"type": "http", "method": method, "path": path}, receive, send)
        return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]

    def asked(self, count, **options):
        return [asyncio.create_task(self.ask(**options)) for _ in range(count)]


async def settled():
    """Until everybody has had several turns."""
    for _ in range(5):
        await asyncio.sleep(0)


async def statuses(tasks):
    return [status for status, *_ in await asyncio.gather(*tasks)]


async def test_rejects_requests_beyond_the_limit():
    door = Door()
    asked = door.asked(LIMIT + 2)
    await settled()
    assert [task.done() for task in asked] == [False] * LIMIT + [True] * 2
    status, headers, body = asked[-1].result()
    assert (status, headers[b"retry-after"], int(headers[b"content-length"])) == (429, b"1", len(body))
    assert json.loads(body) == {"detail": "too many requests at once: wait a second, then send it again"}
    door.open.set()
    assert await statuses(asked) == [200] * LIMIT + [429] * 2
    assert (await door.ask())[0] == 200
    assert door.admission.in_flight == 0


async def test_counts_requests_that_wait_for_their_turn():
    door = Door()
    door.open.set()
    # A turn's worth is answered, each before the next comes; then LIMIT wait for the next turn.
    assert await statuses(door.asked(TURN + LIMIT + 4)) == [200] * TURN + [200] * LIMIT + [429] * 4


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"method": "GET", "path": "/x"}, 200),
        ({"method": "DELETE", "path": "/y"}, 429),
        ({"method": "POST", "path": "/predict"}, 200),
    ],
)
async def test_probes_and_predictions_have_room_while_others_fill_the_service(request_, status):
    door = Door()
    inside = door.asked(LIMIT, path="/x")
    await settled()
    (asked,) = door.asked(1, **request_)
    await settled()
    door.open.set()
    assert (await asked)[0] == status
    await asyncio.gather(*inside)


async def test_begins_few_requests_in_a_turn_of_the_event_loop_first_come_first_served():
    door, turns = Door(limit=100), []
    door.open.set()
    asked = [asyncio.create_task(door.ask(path=f"/{number}")) for number in range(50)]
    while not all(task.done() for task in asked):
        await asyncio.sleep(0)
        turns.append(len(door.begun) - sum(turns))
    assert door.begun == [f"/{number}" for number in range(50)]
    assert max(turns) == TURN


async def test_a_client_that_hangs_up_while_it_waits_leaves_its_place():
    door = Door()
    door.open.set()
    *first, gone, last = door.asked(TURN + 2)
    await asyncio.sleep(0)
    assert door.admission.in_flight == 2
    gone.cancel()
    assert await statuses([*first, last]) == [200] * (TURN + 1)
    await settled()
    assert door.admission.in_flight == 0
    assert (await door.ask())[0] == 200


async def test_an_app_that_fails_leaves_its_place():
    async def fails(*_):
        raise RuntimeError

    admission = Admission(fails, 1, frozenset())
    for _ in range(3):
        with pytest.raises(RuntimeError):
            await admission({"type": "http", "method": "POST", "path": "/"}, None, None)
    assert admission.in_flight == 0
