"""The services' HTTP server closes stalled connections, and answers accepted requests before it stops."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress

import pytest
import uvicorn
from deployment import server as deployed
from deployment.server import DrainingServer, TimedProtocol
from raw_http import connected, exchange, statuses
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

GET = b"GET /%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
LIMIT = 0.3  # seconds for a header, and between two parts of a body
loop_blocked, goes_on = threading.Event(), threading.Event()


async def size(request):
    return PlainTextResponse(str(len(await request.body())))


async def slow(_):
    await asyncio.sleep(1.5 * LIMIT)
    return PlainTextResponse("slow")


async def block(_):
    loop_blocked.set()
    goes_on.wait(10)  # the event loop stands still, and connections wait in the kernel's queue
    return PlainTextResponse("blocked")


APP = Starlette(routes=[Route("/size", size, methods=["GET", "POST"]), Route("/slow", slow), Route("/block", block)])


@contextmanager
def serving():
    """Yield the server and its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = DrainingServer(uvicorn.Config(APP, http=TimedProtocol, log_config=None, timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener, listener.dup()]})
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


HANGING = """
import asyncio, time, uvicorn
from deployment import server

async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    asyncio.get_running_loop().call_later(0.3, block)
    await receive()

def block():
    time.sleep(60)

server.CHECK_SECONDS = 0.05
server.DrainingServer(uvicorn.Config(app, port=0, log_config=None)).run()
"""


def test_a_hung_process_ends_and_shows_where():
    ran = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=30, check=False)
    assert ran.returncode == 1
    assert "event=hung" in ran.stderr
    assert "in block" in ran.stderr


def test_answers_requests_on_connections_made_before_shutdown(monkeypatch):
    monkeypatch.setattr(deployed, "BEGIN_SECONDS", 5.0)
    with serving() as (server, url), ExitStack() as open_:
        blocking = open_.enter_context(connected(url))
        blocking.sendall(GET % b"block")
        assert loop_blocked.wait(10)
        queued = [open_.enter_context(connected(url)) for _ in range(30)]
        for connection in queued[::2]:
            connection.sendall(GET % b"size")
        server.should_exit = True
        time.sleep(0.15)  # uvicorn checks should_exit every 0.1 s
        goes_on.set()
        time.sleep(0.1)
        for connection in queued[1::2]:
            connection.sendall(GET % b"size")
        for connection in [blocking, *queued]:
            assert statuses(connection.recv(65536)) == [200]
        with pytest.raises(ConnectionError):
            connected(url)


@pytest.fixture
def url(monkeypatch):
    for name in ("HEADER_SECONDS", "BODY_SECONDS"):
        monkeypatch.setattr(deployed, name, LIMIT)
    with serving() as (_, url):
        yield url


HEADER, BODY = b"GET /size HTTP/1.1\r\nHost: x\r\nX", b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1234"


@pytest.mark.parametrize(
    ("half", "more"),
    [(HEADER, b""), (BODY, b""), (b"", b""), (b"GET /size HTTP/1.1\r\n", b"X-More: 1\r\n")],
    ids=["half a header", "half a body", "nothing", "a header for ever"],
)
def test_closes_the_connection_of_a_stalled_client(url, half, more):
    for first in (b"", b"GET /size HTTP/1.1\r\nHost: x\r\n\r\n") if half and not more else (b"",):
        with connected(url) as connection:
            if first:
                connection.sendall(first)
                assert statuses(connection.recv(65536)) == [200]
            begun = time.monotonic()
            connection.sendall(half)
            with suppress(ConnectionError):
                for _ in range(15 * bool(more)):
                    connection.sendall(more)
                    time.sleep(LIMIT / 3)
            with suppress(ConnectionResetError):
                assert connection.recv(1) == b""
            assert 0.6 * LIMIT < time.monotonic() - begun < 2.0


def test_allows_slow_answers_and_bodies_in_parts(url):
    assert statuses(exchange(url, GET % b"slow")) == [200]
    with connected(url) as connection:
        connection.sendall(b"POST /size HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\n")
        for _ in range(5):
            time.sleep(LIMIT / 4)
            connection.sendall(b"x")
        assert connection.recv(65536).endswith(b"5")
