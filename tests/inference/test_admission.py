"""Admission rejects requests beyond a limit per path."""

import asyncio
import json

import pytest
from inference.admission import TURN, Admission

pytestmark = pytest.mark.anyio

LIMIT = 3


class LimitedApp:
    """An app behind an Admission. Its requests end when `open` is set."""

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
        """Send a request and return the answer's status, headers and body."""
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
    """Let every task run several times."""
    for _ in range(5):
        await asyncio.sleep(0)


async def statuses(tasks):
    return [status for status, *_ in await asyncio.gather(*tasks)]


async def test_rejects_requests_beyond_the_limit():
    app = LimitedApp()
    asked = app.asked(LIMIT + 2)
    await settled()
    assert [task.done() for task in asked] == [False] * LIMIT + [True] * 2
    status, headers, body = asked[-1].result()
    assert (status, headers[b"retry-after"], int(headers[b"content-length"])) == (429, b"1", len(body))
    assert json.loads(body)["detail"] == "too many requests at once: wait a second, then send it again"
    app.open.set()
    assert await statuses(asked) == [200] * LIMIT + [429] * 2
    assert (await app.ask())[0] == 200
    assert app.admission.in_flight == 0


async def test_counts_requests_that_wait_for_their_turn():
    app = LimitedApp()
    app.open.set()
    # The first TURN requests run in this turn of the loop; then LIMIT wait for the next.
    assert await statuses(app.asked(TURN + LIMIT + 4)) == [200] * TURN + [200] * LIMIT + [429] * 4


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"method": "GET", "path": "/x"}, 200),
        ({"method": "DELETE", "path": "/y"}, 429),
        ({"method": "POST", "path": "/predict"}, 200),
    ],
)
async def test_other_paths_and_probes_pass_while_one_path_is_full(request_, status):
    app = LimitedApp()
    in_flight = app.asked(LIMIT, path="/x")
    await settled()
    (asked,) = app.asked(1, **request_)
    await settled()
    app.open.set()
    assert (await asked)[0] == status
    await asyncio.gather(*in_flight)


async def test_starts_few_requests_per_loop_turn_in_order():
    app, turns = LimitedApp(limit=100), []
    app.open.set()
    asked = [asyncio.create_task(app.ask(path=f"/{number}")) for number in range(50)]
    while not all(task.done() for task in asked):
        await asyncio.sleep(0)
        turns.append(len(app.begun) - sum(turns))
    assert app.begun == [f"/{number}" for number in range(50)]
    assert max(turns) == TURN


async def test_a_disconnected_client_frees_its_place():
    app = LimitedApp()
    app.open.set()
    *first, gone, last = app.asked(TURN + 2)
    await asyncio.sleep(0)
    assert app.admission.in_flight == 2
    gone.cancel()
    assert await statuses([*first, last]) == [200] * (TURN + 1)
    await settled()
    assert app.admission.in_flight == 0
    assert (await app.ask())[0] == 200


async def test_a_failure_frees_its_place():
    async def fails(*_):
        raise RuntimeError

    admission = Admission(fails, 1, frozenset())
    for _ in range(3):
        with pytest.raises(RuntimeError):
            await admission({"type": "http", "method": "POST", "path": "/"}, None, None)
    assert admission.in_flight == 0
