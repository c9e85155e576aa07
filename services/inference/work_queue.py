"""Queues for expensive calls: each has a thread of its own, so that an ordinary prediction never waits for them."""

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
    """First in, first out; a call whose client disconnects leaves the queue."""

    def __init__(self, name: str, max_waiting: int, metrics: Metrics):
        self._size = 1 + max_waiting
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._calls = 0  # running or waiting
        metrics.queued_calls.labels(name).set_function(lambda: self._calls)

    async def run(self, request: Request, call: Callable[..., Result], *arguments: object) -> Result:
        """Return the call's result. Call it on the event loop, once the request's body is read.

        An error 429 at once where the queue is full. ClientDisconnect when the client has gone; a call that already runs keeps
        its thread until it ends.
        """
        if self._calls >= self._size:
            raise too_many_requests(TOO_MUCH)
        work = self._executor.submit(call, *arguments)
        self._calls += 1
        loop = asyncio.get_running_loop()
        work.add_done_callback(lambda _: loop.call_soon_threadsafe(self._leave))  # the count belongs to the loop's thread
        return await _unless_gone(request, asyncio.wrap_future(work))

    def _leave(self) -> None:
        self._calls -= 1

    def close(self) -> None:
        """Start no more calls; do not wait for those that run."""
        self._executor.shutdown(wait=False, cancel_futures=True)


async def _unless_gone(request: Request, work: asyncio.Future[Result]) -> Result:
    """Return the work's result; ClientDisconnect, and no more work, when the client goes first. Its body is skipped."""
    gone = asyncio.ensure_future(_disconnection(request))
    try:
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ClientDisconnect
        return work.result()
    finally:
        gone.cancel()
        work.cancel()  # takes a call that waits out of the queue


async def _disconnection(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
