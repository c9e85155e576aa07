"""The queue of expensive calls: its order, its size, and clients that go."""

import asyncio
import threading

import pytest
from inference.metrics import Metrics
from inference.work_queue import QueueFullError, WorkQueue, pause
from starlette.requests import ClientDisconnect, Request

WAITING = 2


class Client:
    """Who sent a request; `leaves` when told."""

    def __init__(self):
        self.gone = asyncio.Event()
        self.request = Request({"type": "http"}, self._receive)

    async def _receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}


@pytest.fixture
def run():
    """run(test): test(queue of one thread with room for two more calls, event that calls can wait for)."""

    def run(test):
        async def whole():
            queue, free = WorkQueue("large", WAITING, Metrics()), threading.Event()
            try:
                await asyncio.wait_for(test(queue, free), 10)
            finally:
                free.set()
                queue.close()

        asyncio.run(whole())

    return run


def test_calls_run_one_after_the_other_in_their_order(run):
    async def test(queue, free):
        done = []
        calls = [asyncio.create_task(queue.run(Client().request, lambda n=n: free.wait() and done.append(n))) for n in range(3)]
        await asyncio.sleep(0)
        assert done == []
        free.set()
        await asyncio.gather(*calls)
        assert done == [0, 1, 2]

    run(test)


def test_it_gives_what_the_call_gives_and_raises_what_it_raises(run):
    async def test(queue, _):
        assert await queue.run(Client().request, divmod, 7, 2) == (3, 1)
        with pytest.raises(ZeroDivisionError):
            await queue.run(Client().request, divmod, 1, 0)

    run(test)


def test_a_full_queue_rejects_at_once_and_has_room_again_afterwards(run):
    async def test(queue, free):
        calls = [asyncio.create_task(queue.run(Client().request, free.wait)) for _ in range(1 + WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError):
            await queue.run(Client().request, int)
        free.set()
        await asyncio.gather(*calls)
        assert await queue.run(Client().request, int) == 0

    run(test)


def test_a_call_whose_client_goes_leaves_the_queue_and_never_runs(run):
    async def test(queue, free):
        running = asyncio.create_task(queue.run(Client().request, free.wait))
        clients, ran = [Client() for _ in range(WAITING)], []
        waiting = [asyncio.create_task(queue.run(client.request, ran.append, client)) for client in clients]
        await asyncio.sleep(0)
        clients[0].gone.set()
        with pytest.raises(ClientDisconnect):
            await waiting[0]
        await asyncio.sleep(0)  # its place is free once the loop has turned
        next_one = asyncio.create_task(queue.run(Client().request, ran.append, "next"))
        free.set()
        await asyncio.gather(running, waiting[1], next_one)
        assert ran == [clients[1], "next"]

    run(test)


def test_a_call_that_runs_keeps_its_place_though_its_client_is_gone(run):
    """Else clients that come and go would start more of them than there are threads."""

    async def test(queue, free):
        client, started = Client(), threading.Event()
        running = asyncio.create_task(queue.run(client.request, lambda: started.set() or free.wait()))
        await asyncio.to_thread(started.wait)
        client.gone.set()
        with pytest.raises(ClientDisconnect):
            await running
        waiting = [asyncio.create_task(queue.run(Client().request, int)) for _ in range(WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError):
            await queue.run(Client().request, int)
        free.set()
        assert await asyncio.gather(*waiting) == [0] * WAITING

    run(test)


def test_a_pause_ends_when_the_client_goes():
    async def test():
        client = Client()
        await pause(client.request, 0.001)
        pausing = asyncio.create_task(pause(client.request, 3600))
        await asyncio.sleep(0)
        client.gone.set()
        with pytest.raises(ClientDisconnect):
            await pausing

    asyncio.run(asyncio.wait_for(test(), 10))
