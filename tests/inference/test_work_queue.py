"""The queue of expensive calls: its order, its size, and clients that go."""

import asyncio
import threading

import pytest
from fastapi import HTTPException
from inference.metrics import Metrics
from inference.work_queue import WorkQueue
from starlette.requests import ClientDisconnect, Request

pytestmark = pytest.mark.anyio

WAITING = 2


class Client:
    """A request, whose client leaves when `gone` is set."""

    def __init__(self):
        self.gone = asyncio.Event()
        self.request = Request({"type": "http"}, self._receive)

    async def _receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}


@pytest.fixture
def free():
    """An event that calls can wait for."""
    free = threading.Event()
    yield free
    free.set()


@pytest.fixture
def queue(free):
    queue = WorkQueue("large", WAITING, Metrics())
    yield queue
    queue.close()


@pytest.fixture
def ask(queue):
    """ask(call, …): put the call of another client into the queue."""
    return lambda *call: asyncio.create_task(queue.run(Client().request, *call))


async def test_a_full_queue_rejects_at_once_and_has_room_again_afterwards(ask, free):
    calls = [ask(free.wait) for _ in range(1 + WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(HTTPException):
        await ask(int)
    free.set()
    await asyncio.gather(*calls)
    assert await ask(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await ask(divmod, 1, 0)


async def test_calls_run_one_by_one_in_their_order_but_for_those_whose_client_goes(queue, ask, free):
    running, leaver, ran = ask(free.wait), Client(), []
    await asyncio.sleep(0)
    left = asyncio.create_task(queue.run(leaver.request, ran.append, "left"))
    waiting = ask(ran.append, "waiting")
    await asyncio.sleep(0)
    leaver.gone.set()
    with pytest.raises(ClientDisconnect):
        await left
    await asyncio.sleep(0)  # its place is free once the loop has turned
    next_one = ask(ran.append, "next")
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(running, waiting, next_one)
    assert ran == ["waiting", "next"]


async def test_a_call_that_runs_keeps_its_place_though_its_client_is_gone(queue, ask, free):
    """Else clients that come and go would start more of them than there are threads."""
    client, started = Client(), threading.Event()
    running = asyncio.create_task(queue.run(client.request, lambda: started.set() or free.wait()))
    await asyncio.to_thread(started.wait)
    client.gone.set()
    with pytest.raises(ClientDisconnect):
        await running
    waiting = [ask(int) for _ in range(WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(HTTPException):
        await ask(int)
    free.set()
    assert await asyncio.gather(*waiting) == [0] * WAITING
