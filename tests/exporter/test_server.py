"""The HTTP server with any app behind it: silent clients, a client that breaks off, and hosts of both families."""

import logging
import socket
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from exporter.server import RequestHandler, Server


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode()]


@contextmanager
def serving(host="127.0.0.1", app=app):
    """The address of a server in a thread."""
    with Server(host, 0, app) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[:2]
        finally:
            server.shutdown()
            thread.join()


def get(address, path):
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        return connection.makefile("rb").read()


@pytest.fixture
def lines(caplog):
    """lines(event): what was logged of it."""
    caplog.set_level(logging.DEBUG, logger="exporter.server")
    return lambda event: [line for line in (record.getMessage() for record in caplog.records) if f"event={event} " in line]


def test_a_client_that_says_nothing_loses_the_connection(monkeypatch):
    assert RequestHandler.timeout is not None
    monkeypatch.setattr(RequestHandler, "timeout", 0.1)
    with serving() as address, socket.create_connection(address, timeout=10) as silent:
        assert silent.recv(1) == b""


def test_a_client_that_breaks_off_is_a_line_for_who_debugs_and_no_traceback(lines, capfd, monkeypatch):
    noted = threading.Event()
    monkeypatch.setattr(Server, "handle_error", lambda *args, handle=Server.handle_error: (handle(*args), noted.set()))
    with serving() as address:
        with socket.create_connection(address) as broken:
            broken.sendall(b"GET /metr")
            broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closes with a reset
        assert noted.wait(10)
        assert get(address, "/next").endswith(b"/next")
    (line,) = lines("connection_broken")
    assert line.startswith("event=connection_broken client=127.0.0.1 reason=ConnectionResetError(")
    assert capfd.readouterr().err == ""


def test_a_request_line_cannot_forge_a_log_line(lines):
    with serving() as address:
        get(address, "/\x1b[2Jlevel=ERROR")
    (line,) = lines("request")
    assert line.isprintable()


def test_a_request_waits_for_no_other():
    """Each of these is answered only once the other has come."""
    meeting = threading.Barrier(2)

    def app_where_two_meet(environ, start_response):
        meeting.wait(timeout=10)
        return app(environ, start_response)

    with serving(app=app_where_two_meet) as address, ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda path: get(address, path), ["/first", "/second"]))
    assert [answer.rpartition(b"\n")[2] for answer in answers] == [b"/first", b"/second"]


@pytest.mark.parametrize("host", ["localhost", "::1"])
def test_a_host_may_be_a_name_or_an_address_of_either_family(host):
    try:
        socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        pytest.skip(f"this machine has no IPv6: {error}")
    with serving(host) as (_, port):
        assert get((host, port), "/path").endswith(b"/path")
