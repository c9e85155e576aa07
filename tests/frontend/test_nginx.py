"""What nginx does and its stand-in, which only serves its own machine, leaves out: gzip, limits, the log, port 7000."""

import json
import re
import socket
import time
from contextlib import ExitStack, suppress

import httpx
import pytest

GZIP = {"Accept-Encoding": "gzip"}
TOO_LARGE = 5 * 1024 * 1024 + 1


@pytest.fixture(scope="module")
def running(nginx, api):
    """nginx before the echoing service."""
    with nginx(api) as running:
        yield running


@pytest.fixture(params=["page", "api"])
def door(running, request):
    """The way to the service: through the page's port, and through its own."""
    return f"{running.page}/api" if request.param == "page" else running.api


def connected(url, client):
    """A connection from the address `client`, one of the many that a machine has for itself."""
    url = httpx.URL(url)
    connection = socket.create_connection((url.host, url.port), timeout=20, source_address=(client, 0))
    connection.settimeout(20)
    return connection


def said(url, request, client="127.0.0.1"):
    """All that comes back for these bytes, until nginx closes the connection."""
    with connected(url, client) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def statuses(answers):
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) ", answers)]


def parts(answer):
    """The status, header and JSON of an answer in bytes."""
    header, _, content = answer.partition(b"\r\n\r\n")
    return int(header.split()[1]), header.decode().lower(), json.loads(content)


@pytest.mark.parametrize(("path", "is_packed"), [("/", True), ("/js/main.js", True), ("/style.css", True), ("/api/small", False)])
def test_what_is_worth_it_is_packed_for_those_who_can_unpack(running, path, is_packed):
    packed = httpx.get(running.page + path, headers=GZIP)
    assert packed.headers.get("content-encoding") == ("gzip" if is_packed else None)
    plain = httpx.get(running.page + path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    if is_packed:
        assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
        assert packed.content == plain.content


def test_a_long_answer_of_the_service_is_packed_too(running):
    answer = httpx.post(f"{running.page}/api/predict", content=b"x" * 2000, headers=GZIP)
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json()["body"] == "x" * 2000


def test_a_packed_file_that_has_not_changed_is_not_sent_again(running):
    known = httpx.get(f"{running.page}/style.css", headers=GZIP).headers["etag"]
    assert httpx.get(f"{running.page}/style.css", headers={**GZIP, "If-None-Match": known}).status_code == 304


def test_the_version_is_nobodys_business(running):
    assert httpx.get(running.page).headers["server"] == "nginx"
    assert b"nginx/" not in httpx.get(f"{running.page}/nothing").content


def test_the_service_learns_who_asks_and_nobody_can_claim_to_be_another(door):
    claims = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "gopher", "X-Request-ID": "mine"}
    seen = httpx.get(f"{door}/model", headers=claims).json()["headers"]
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-forwarded-proto"] == "http"
    assert seen["host"] == httpx.URL(door).netloc.decode()
    assert re.fullmatch("[0-9a-f]{32}", seen["x-request-id"])


def test_replicas_close_their_connections_so_that_nginx_does_not_run_out_of_ports(door):
    assert httpx.get(f"{door}/model").json()["headers"]["connection"] == "close"
    assert httpx.post(f"{door}/predict", content=b"x" * 20_000).json()["headers"]["connection"] == "close"


def test_a_client_of_http_1_0_is_served(door):
    url = httpx.URL(door)
    assert said(door, f"GET {url.path.rstrip('/')}/model HTTP/1.0\r\n\r\n".encode()).startswith(b"HTTP/1.1 200")


def test_the_log_has_a_line_for_each_request_but_no_data_and_no_probes(running):
    request_id = httpx.post(f"{running.page}/api/predict?token=secret").json()["headers"]["x-request-id"]
    httpx.get(f"{running.page}/healthz")
    said(running.page, b'GET /odd%20path%0a"quoted HTTP/1.0\r\n\r\n')
    [line] = running.logged(request_id)
    assert re.fullmatch(
        rf"time=\S+ level=info logger=nginx event=request id={request_id} client=127\.0\.0\.1 port=\d+ method=POST "
        r'path=/api/predict status=200 bytes=\d+ seconds=[\d.]+ replicas="127\.0\.0\.1:\d+" answers="200"',
        line,
    )
    assert running.logged(r" method=GET path=/odd%20path%0a\x22quoted status=404 ")
    log = running.log.read_text()
    assert "secret" not in log
    assert "healthz" not in log


def test_the_health_check_is_answered_without_the_service(nginx, free_port):
    with nginx(f"127.0.0.1:{free_port()}") as running:
        answer = httpx.get(f"{running.page}/healthz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        answer = httpx.get(f"{running.api}/healthz")  # is the service's own there
        assert (answer.status_code, answer.json()) == (502, {"detail": "the prediction service cannot be reached"})


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/predict?input=true", "/nothing"])
def test_port_7000_passes_everything_on(running, path):
    assert httpx.get(running.api + path).json()["path"] == path


@pytest.mark.parametrize("announced", [True, False], ids=["of announced length", "of unknown length"])
def test_a_body_that_is_too_large_is_refused_in_json(door, announced):
    content = bytes(TOO_LARGE) if announced else iter([bytes(TOO_LARGE)])
    answer = httpx.post(f"{door}/predict", content=content)
    assert answer.status_code == 413
    assert answer.json() == {"detail": "the body may have at most 5242880 bytes"}
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("request_bytes", "status", "detail"),
    [
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "the address is too long"),
        (b"GET /api/model HTTP/1.1\r\nHost: x\r\nCookie: " + b"a" * 20_000 + b"\r\n\r\n", 431, "the header is too large"),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400, "the request cannot be understood"),
        (b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400, "the request cannot be understood"),
    ],
    ids=["a very long address", "a very large header", "TLS on a plain port", "a broken escape"],
)
def test_what_cannot_be_read_is_refused_in_json(door, request_bytes, status, detail):
    seen_status, header, content = parts(said(door, request_bytes))
    assert (seen_status, content) == (status, {"detail": detail})
    assert "cache-control: no-store" in header
    assert "x-content-type-options: nosniff" in header


GET_IN_A_ROW = b"GET /api/model HTTP/1.1\r\nHost: x\r\n\r\n"
LAST_GET = b"GET /api/model HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def test_drawing_meets_no_limit_but_a_flood_does(nginx, free_port):
    # No service behind: nginx is then fast enough to be flooded on any machine.
    with nginx(f"127.0.0.1:{free_port()}") as running:
        assert set(statuses(said(running.page, GET_IN_A_ROW * 150 + LAST_GET, "127.0.0.2"))) == {502}

        flood = said(running.page, GET_IN_A_ROW * 900 + LAST_GET, "127.0.0.3")
        assert set(statuses(flood)) == {502, 429}
        refused = flood[flood.index(b"HTTP/1.1 429") :].split(b"HTTP/1.1 502")[0]
        assert b"Retry-After: 1\r\n" in refused
        assert b'{"detail": "please wait a moment, then try again."}' in refused

        assert set(statuses(said(running.page, GET_IN_A_ROW * 50 + LAST_GET, "127.0.0.4"))) == {502}  # another client
        unlimited = [part.replace(b"/api", b"") for part in (GET_IN_A_ROW * 900, LAST_GET)]
        assert set(statuses(said(running.api, b"".join(unlimited), "127.0.0.3"))) == {502}


@pytest.mark.parametrize("slash", ["", "/"])
def test_of_feedback_nobody_gives_more_than_a_room_full_of_people_does(nginx, free_port, slash):
    def feedback(path):
        header = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
        return (header + "\r\n{}").encode(), (header + "Connection: close\r\n\r\n{}").encode()

    with nginx(f"127.0.0.1:{free_port()}") as running:
        one, last = feedback(f"/api/feedback{slash}")
        assert statuses(said(running.page, one * 99 + last, "127.0.0.7")) == [502] * 100
        assert statuses(said(running.page, one * 99 + last, "127.0.0.7")).count(429) > 50
        erasure = b"DELETE /api/predictions/7b88140edcad49edb1cb4c9d8bc19318 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert statuses(said(running.page, erasure, "127.0.0.7")) == [429]  # each is a write, too
        assert statuses(said(running.page, last, "127.0.0.8")) == [502]  # another client
        _, drawing = feedback("/api/predict")
        assert statuses(said(running.page, drawing, "127.0.0.7")) == [502]  # who may still draw


def test_a_client_with_too_many_requests_under_way_has_to_wait(running):
    with ExitStack() as held:

        def begin(url, path):
            """The status of a request whose body is still to come; 100 is nginx's "go on"."""
            connection = held.enter_context(connected(url, "127.0.0.5"))
            connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n".encode())
            return statuses(connection.recv(65536))[0]

        assert {begin(running.api, "/predict") for _ in range(150)} == {100}  # and these do not count on the other port
        assert {begin(running.page, "/api/predict") for _ in range(200)} == {100}
        time.sleep(0.8)  # their rate has a limit too
        assert [begin(running.page, "/api/predict") for _ in range(57)] == [100] * 56 + [429]
        assert statuses(said(running.page, LAST_GET, "127.0.0.5")) == [429]
        assert statuses(said(running.page, LAST_GET, "127.0.0.6")) == [200]
        assert statuses(said(running.page, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "127.0.0.5")) == [200]


def test_who_sends_nothing_any_more_is_cut_off(nginx, api):
    patience = [(f"client_{part}_timeout 10s;", f"client_{part}_timeout 1s;") for part in ("header", "body")]
    with (
        nginx(api, changes=patience) as running,
        connected(running.page, "127.0.0.1") as half_a_header,
        connected(running.page, "127.0.0.1") as half_a_body,
    ):
        half_a_header.sendall(b"GET / HTTP/1.1\r\nHost:")
        half_a_body.sendall(b"POST /api/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1234")
        for connection in (half_a_header, half_a_body):
            with suppress(ConnectionResetError):  # nginx may leave without a word of goodbye
                assert connection.recv(1) == b""
