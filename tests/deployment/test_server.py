"""The services' HTTP server: it hangs up on half a request, and answers what had reached it when it was told to end."""

import asyncio
import importlib
import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress

import pytest
import uvicorn
from deployment import server as deployed
from deployment.server import DrainingServer, TimedProtocol
from raw_http import connected, said, statuses
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

GET = b"GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
QUEUED = 30


async def size(request):
    return PlainTextResponse(str(len(await request.body())))


async def slow(_):
    await asyncio.sleep(0.5)
    return PlainTextResponse("slow")


async def block(_):
    time.sleep(0.4)  # the event loop stands still, and connections wait in the kernel's queue
    return PlainTextResponse("blocked")


APP = Starlette(
    routes=[Route("/size", size, methods=["GET", "POST"]), Route("/slow", slow), Route("/block", block)],
)


@contextmanager
def serving(server_class=DrainingServer):
    """(the server, its URL)"""
    listener = socket.create_server(("127.0.0.1", 0))
    server = server_class(uvicorn.Config(APP, http=TimedProtocol, log_config=None, timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener, listener.dup()]})
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def test_every_request_that_reached_the_server_before_its_end_is_answered():
    with serving() as (server, url), ExitStack() as open_:
        blocking = open_.enter_context(connected(url))
        blocking.sendall(GET.replace(b"{}", b"/block"))
        time.sleep(0.1)
        queued = [open_.enter_context(connected(url)) for _ in range(QUEUED)]
        for connection in queued[::2]:
            connection.sendall(GET.replace(b"{}", b"/size"))
        server.should_exit = True
        for connection in queued[1::2]:  # a moment later
            connection.sendall(GET.replace(b"{}", b"/size"))
        for connection in [blocking, *queued]:
            assert statuses(connection.recv(65536)) == [200]
        with pytest.raises(ConnectionError):
            connected(url)


@pytest.fixture
def url(monkeypatch):
    monkeypatch.setattr(deployed, "HEADER_SECONDS", 0.3)
    monkeypatch.setattr(deployed, "BODY_SECONDS", 0.3)
    with serving() as (_, url):
        yield url


def is_closed(connection, begun):
    """Has the server hung up in time, without an answer?"""
    with suppress(ConnectionResetError):
        assert connection.recv(1) == b""
    return 0.2 < time.monotonic() - begun < 2.0


HEADER, BODY = b"GET /size HTTP/1.1\r\nHost: x\r\nX", b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1234"


@pytest.mark.parametrize("first", [b"", b"GET /size HTTP/1.1\r\nHost: x\r\n\r\n"], ids=["at once", "after a request"])
@pytest.mark.parametrize("half", [HEADER, BODY], ids=["half a header", "half a body"])
def test_a_client_that_stops_in_the_middle_of_a_request_is_cut_off(url, first, half):
    with connected(url) as connection:
        if first:
            connection.sendall(first)
            assert statuses(connection.recv(65536)) == [200]
        begun = time.monotonic()
        connection.sendall(half)
        assert is_closed(connection, begun)


def test_so_is_one_that_sends_nothing(url):
    begun = time.monotonic()
    with connected(url) as connection:
        assert is_closed(connection, begun)


def test_so_is_one_that_sends_a_header_for_ever(url):
    with connected(url) as connection:
        begun = time.monotonic()
        connection.sendall(b"GET /size HTTP/1.1\r\n")
        with suppress(ConnectionError):
            for _ in range(15):
                connection.sendall(b"X-More: 1\r\n")
                time.sleep(0.1)
        assert is_closed(connection, begun)


def test_a_slow_answer_and_a_body_in_pieces_take_their_time(url):
    assert statuses(said(url, GET.replace(b"{}", b"/slow"))) == [200]
    with connected(url) as connection:
        connection.sendall(b"POST /size HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\n")
        for _ in range(5):
            time.sleep(0.12)
            connection.sendall(b"x")
        assert connection.recv(65536).endswith(b"5")


@pytest.mark.parametrize(("service", "server_class"), [("frontend", uvicorn.Server), ("inference", DrainingServer)])
def test_the_services_run_so(service, server_class, monkeypatch, tmp_path):
    ran = []

    def run(server, sockets=None):
        server.started = True
        ran.append((type(server), server.config.http))

    program = importlib.import_module(f"{service}.__main__")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOODLE_PORT", "0")
    monkeypatch.setattr(uvicorn.Server, "run", run)
    for name in ("end_when_told_to", "log_to_stdout"):  # signals and logging are the tests' own here
        monkeypatch.setattr(program, name, lambda *_: None)
    assert program.main() == 0
    assert ran == [(server_class, TimedProtocol)]
