"""Queues for expensive calls. Each queue has its own thread, so that ordinary predictions do not wait."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from inference.admission import TOO_MUCH
from inference.errors import too_many_requests
from inference.metrics import Metrics

Result = TypeVar("Result")


class WorkQueue:
    """A first-in, first-out queue that drops a waiting call when its client disconnects."""

    def __init__(self, name: str, max_waiting: int, metrics: Metrics):
        self._size = 1 + max_waiting
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._calls = 0  # running or waiting
        metrics.queued_calls.labels(name).set_function(lambda: self._calls)

    async def run(self, request: Request, call: Callable[..., Result], *arguments: object) -> Result:
        """Return the call's result. Call it on the event loop, after reading the request's body.

        Raise a 429 at once if the queue is full, and ClientDisconnect when the client disconnects; a running call still ends.
        """
        if self._calls >= self._size:
            raise too_many_requests(TOO_MUCH)
        work = self._executor.submit(call, *arguments)
        self._calls += 1
        loop = asyncio.get_running_loop()
        work.add_done_callback(lambda _: loop.call_soon_threadsafe(self._leave))  # only the loop's thread changes the count
        return await _unless_gone(request, asyncio.wrap_future(work))

    def _leave(self) -> None:
        self._calls -= 1

    def close(self) -> None:
        """Cancel waiting calls, without waiting for the running one."""
        self._executor.shutdown(wait=False, cancel_futures=True)


async def _unless_gone(request: Request, work: asyncio.Future[Result]) -> Result:
    """Return the work's result. Cancel it and raise ClientDisconnect if the client disconnects first."""
    gone = asyncio.ensure_future(_disconnection(request))
    try:
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ClientDisconnect
        return work.result()
    finally:
        gone.cancel()
        work.cancel()  # removes a waiting call from the queue


async def _disconnection(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
