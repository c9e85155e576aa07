"""The HTTP server: silent clients, concurrency, IPv4 and IPv6."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from exporter.__main__ import RequestHandler, Server
from exporter.app import with_head


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode()]


@contextmanager
def serving(host="127.0.0.1", app=app):
    """Run a server in a thread and yield its address."""
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


def test_closes_a_silent_connection(monkeypatch):
    assert RequestHandler.timeout is not None
    monkeypatch.setattr(RequestHandler, "timeout", 0.1)
    with serving() as address, socket.create_connection(address, timeout=10) as silent:
        assert silent.recv(1) == b""


def test_answers_requests_concurrently():
    """Each request is answered only after the other has arrived."""
    meeting = threading.Barrier(2)

    def app_where_two_meet(environ, start_response):
        meeting.wait(timeout=10)
        return app(environ, start_response)

    with serving(app=app_where_two_meet) as address, ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda path: get(address, path), ["/first", "/second"]))
    assert [answer.rpartition(b"\n")[2] for answer in answers] == [b"/first", b"/second"]


@pytest.mark.parametrize("host", ["localhost", "::1"])
def test_listens_on_names_and_ipv6_addresses(host):
    try:
        socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        pytest.skip(f"this machine has no IPv6: {error}")
    with serving(host) as (_, port):
        assert get((host, port), "/path").endswith(b"/path")


def test_head_has_the_headers_of_get_and_no_body():
    with serving(app=with_head(app)) as address:
        url = f"http://{address[0]}:{address[1]}/metrics"
        got, head = httpx.get(url), httpx.head(url)
    assert (head.status_code, head.headers["content-type"], head.content) == (200, "text/plain", b"")
    assert head.headers["content-length"] == got.headers["content-length"] == "8"
