"""The queue of expensive calls: order, size and disconnected clients."""

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
    """A request whose client disconnects when `gone` is set."""

    def __init__(self):
        self.gone = asyncio.Event()
        self.request = Request({"type": "http"}, self._receive)

    async def _receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}


@pytest.fixture
def free():
    """Return an event that calls can wait for."""
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
    """ask(call, …): queue a call of a new client."""
    return lambda *call: asyncio.create_task(queue.run(Client().request, *call))


async def test_a_full_queue_rejects_until_there_is_room(ask, free):
    calls = [ask(free.wait) for _ in range(1 + WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(HTTPException):
        await ask(int)
    free.set()
    await asyncio.gather(*calls)
    assert await ask(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await ask(divmod, 1, 0)


async def test_runs_calls_in_order_and_skips_disconnected_clients(queue, ask, free):
    running, disconnecting, ran = ask(free.wait), Client(), []
    await asyncio.sleep(0)
    left = asyncio.create_task(queue.run(disconnecting.request, ran.append, "left"))
    waiting = ask(ran.append, "waiting")
    await asyncio.sleep(0)
    disconnecting.gone.set()
    with pytest.raises(ClientDisconnect):
        await left
    await asyncio.sleep(0)  # frees its place
    next_one = ask(ran.append, "next")
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(running, waiting, next_one)
    assert ran == ["waiting", "next"]


async def test_a_running_call_keeps_its_place_after_a_disconnect(queue, ask, free):
    """Otherwise disconnecting clients could start more calls than there are threads."""
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
