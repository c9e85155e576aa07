"""uvicorn with three changes: it disconnects slow clients, a shutdown loses no request, and a hung process ends."""

import asyncio
import faulthandler
import os
import socket
import sys
import threading
import time
from functools import partial

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# As in services/frontend/nginx.conf.
HEADER_SECONDS = 10.0  # for a whole header
BODY_SECONDS = 10.0  # between two pieces of a body

# A hung process ends, and Docker restarts it. Checks are counted, not seconds, so that a paused container may continue.
HANG_CHECKS, CHECK_SECONDS = 30, 1.0
BEGIN_SECONDS = 0.2  # a shutdown waits this long for the first request of each new connection


class TimedProtocol(HttpToolsProtocol):
    """HTTP/1.1, with the connection closed if a client stops in the middle of a request."""

    _timer: asyncio.TimerHandle | None = None
    _is_in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._expect_within(HEADER_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_within(None)
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._timer is None:
            self._expect_within(HEADER_SECONDS)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._expect_within(None)
        self._is_in_body = True

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._expect_within(None)
        self._is_in_body = False

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_in_body:
            self._expect_within(BODY_SECONDS)

    def _expect_within(self, seconds: float | None) -> None:
        """Close the connection unless the client sends more within these seconds; None: wait without a limit."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self.transport.close)


class DrainingServer(uvicorn.Server):
    """A server that answers all requests on connections from before the shutdown, and refuses later connections.

    uvicorn itself resets connections in the kernel's queue, and connections with an unread request. But nginx has already sent
    these requests, and must not repeat them on another replica.
    """

    _turns = 0

    async def on_tick(self, counter: int) -> bool:
        """Return whether to shut down. uvicorn calls this every 0.1 s, from the first turn of the event loop."""
        if self._turns == 0:
            threading.Thread(target=self._end_if_hung, name="hang", daemon=True).start()
        self._turns += 1
        return await super().on_tick(counter)

    def _end_if_hung(self) -> None:
        """End the process once the event loop has made no turn for HANG_CHECKS checks, and log where each thread is."""
        seen, hung = 0, 0
        while not self.should_exit:
            time.sleep(CHECK_SECONDS)
            seen, hung = self._turns, hung + 1 if seen == self._turns else 0
            if hung == HANG_CHECKS:
                print("event=hung", file=sys.stderr, flush=True)
                faulthandler.dump_traceback()
                os._exit(1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        waiting = _stop_listening(sockets[0]) if sockets else []
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        protocol = partial(TimedProtocol, self.config, self.server_state, self.lifespan.state)
        for connection in waiting:
            await loop.connect_accepted_socket(protocol, connection)
        deadline = loop.time() + BEGIN_SECONDS
        while loop.time() < deadline and any(map(_is_idle, self.server_state.connections)):
            await asyncio.sleep(0.01)
        await super().shutdown(sockets)


def _is_idle(connection: object) -> bool:
    return isinstance(connection, TimedProtocol) and connection.cycle is None


def _stop_listening(listener: socket.socket) -> list[socket.socket]:
    """Close a listening socket and its duplicates to new connections; return the connections in its queue."""
    waiting = []
    while True:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            break
        connection.setblocking(False)
        waiting.append(connection)
    listener.shutdown(socket.SHUT_RD)
    return waiting
