"""nginx before replicas that come, go and die. A test name server lists them, as Docker's does."""

import json
import socket
import socketserver
import struct
import threading
from collections import defaultdict
from contextlib import ExitStack, contextmanager

import httpx
import pytest

A, B, C, D = "127.0.0.11", "127.0.0.12", "127.0.0.13", "127.0.0.14"
UNREACHABLE = "the prediction service cannot be reached"
NO_MODEL = "No model yet"


class NameServer(socketserver.ThreadingUDPServer):
    """Answer with the `addresses` of each name and a lifetime of 10 minutes, like Docker's."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), None)
        self.addresses = defaultdict(list)

    def finish_request(self, request, client_address):
        query, connection = request
        end = query.index(b"\0", 12)
        question = query[12 : end + 5]  # the name, two bytes of type, two of class (RFC 1035, section 4.1)
        addresses = list(self.addresses[query[13:end].decode()])
        flags = 0x8180 if addresses else 0x8183  # 3: there is no such name
        answer = query[:2] + struct.pack(">HHHHH", flags, 1, len(addresses), 0, 0) + question
        for address in addresses:
            answer += struct.pack(">HHHIH", 0xC00C, 1, 1, 600, 4) + socket.inet_aton(address)
        connection.sendto(answer, client_address)


class Replica(socketserver.ThreadingTCPServer):
    """A replica that "answers", "has no model", "dies" on each request or "hangs". `asked` lists its requests."""

    allow_reuse_address, daemon_threads, request_queue_size = True, True, 64

    def __init__(self, address, port, manner):
        super().__init__((address, port), None)
        self.asked, self.end, self.hangs = [], threading.Event(), manner == "hangs"
        content = json.dumps({"detail": NO_MODEL} if manner == "has no model" else {"replica": address})
        status = "503 Busy\r\nRetry-After: 5" if manner == "has no model" else "200 OK"
        answer = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n\r\n{content}"
        self.answer = b"" if manner in ("dies", "hangs") else answer.encode()

    def finish_request(self, request, client_address):
        with request.makefile("rb") as lines:
            self.asked.append(lines.readline().split()[1].decode())
            while lines.readline().strip():
                pass  # the header; there is no body
        if self.hangs:
            self.end.wait()
        request.sendall(self.answer)


@contextmanager
def running(server):
    with server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server
        server.shutdown()


class Stack:
    """nginx and its replicas, under a unique name."""

    def __init__(self, nginx, name_server, port, closing):
        self.nginx, self.port, self._closing = nginx, port, closing
        self._addresses = name_server.addresses[f"inference{port}"]
        self._client = closing.enter_context(httpx.Client(timeout=20, headers={"Service": f"inference{port}:{port}"}))

    def add(self, address, manner):
        """Add a replica. One that "is gone" has an address but does not listen."""
        self._addresses.append(address)
        if manner != "is gone":
            replica = self._closing.enter_context(running(Replica(address, self.port, manner)))
            self._closing.callback(replica.end.set)
            return replica

    def ask(self, times, path="/predict", method="POST"):
        """Send `times` requests through both ports in turn, to a candidate only through port 7000. Return the answers."""
        urls = [self.nginx.api] if path.startswith("/candidate/") else [f"{self.nginx.page}/api", self.nginx.api]
        return [self._client.request(method, urls[i % len(urls)] + path) for i in range(times)]


@pytest.fixture(scope="module")
def nginx_and_names(nginx):
    """Run one nginx for all tests. A header names the service, so each test has a new name."""
    timeouts = [(f"proxy_read_timeout {seconds}s;", "proxy_read_timeout 1s;") for seconds in (5, 10)]
    with (
        running(NameServer()) as names,
        nginx("$http_service", f"127.0.0.1:{names.server_address[1]}", timeouts) as started,
    ):
        yield started, names


@pytest.fixture
def stack(nginx_and_names, free_port):
    with ExitStack() as closing:
        yield Stack(*nginx_and_names, free_port(), closing)


def test_spreads_load_and_finds_new_replicas(stack, eventually):
    stack.add(A, "answers")
    assert {answer.json()["replica"] for answer in stack.ask(2)} == {A}
    for address in (B, C):
        stack.add(address, "answers")
    eventually(lambda: {answer.json()["replica"] for answer in stack.ask(8)} == {A, B, C}, "all of them answer")


@pytest.mark.parametrize(
    ("manner", "method", "path"),
    [
        *(("is gone", "POST", path) for path in ("/predict/", "/feedback")),  # nothing was sent
        *((manner, "GET", "/model") for manner in ("dies", "has no model", "hangs")),
    ],
)
def test_retries_safe_requests_on_another_replica(stack, manner, method, path):
    stack.add(A, manner)
    stack.add(B, "answers")
    answers = stack.ask(2 if manner == "hangs" else 12, path, method)
    assert [answer.json() for answer in answers] == [{"replica": B}] * len(answers)
    assert manner == "hangs" or stack.nginx.logged(f'replicas="{A}:{stack.port}, ')


@pytest.mark.parametrize("path", ["/predict", "/candidate/predict", "/explain/?input=true"])
def test_does_not_retry_a_request_that_kills_its_replica(stack, path, documented):
    replicas = [stack.add(address, "dies") for address in (A, B, C)]
    for answer in stack.ask(4, path):
        assert (answer.status_code, answer.json()["detail"]) == (502, UNREACHABLE)
    assert sum(len(replica.asked) for replica in replicas) == 4
    documented("attacks", "a request that kills its replica", "nginx sends it to no other replica (502)")


@pytest.mark.parametrize(
    ("addresses", "manner", "status", "content"),
    [
        ((A, B, C, D), "has no model", 503, NO_MODEL),
        ((A, B, C, D), "is gone", 502, UNREACHABLE),
        ((A,), "hangs", 504, UNREACHABLE),
    ],
)
def test_reports_that_three_replicas_failed(stack, addresses, manner, status, content):
    for address in addresses:
        stack.add(address, manner)
    for answer in stack.ask(2):
        assert (answer.status_code, answer.json()["detail"]) == (status, content)
        assert answer.headers.get("retry-after") == ("5" if status == 503 else None)
    if manner == "is gone":
        lines = [line for line in stack.nginx.logged('answers="502, 502, 502"', 2) if f":{stack.port}," in line]
        assert len(lines) == 2


def test_serves_the_page_without_replicas_and_finds_the_first(stack, eventually):
    for answer in stack.ask(2):
        assert (answer.status_code, answer.json()["detail"]) == (502, UNREACHABLE)
    assert httpx.get(stack.nginx.page).status_code == 200
    stack.add(A, "answers")
    eventually(lambda: stack.ask(1)[0].status_code == 200, "the first replica answers")
