"""nginx limits each address: rate by cost, concurrent requests, and size."""

from contextlib import ExitStack, suppress

import httpx
import pytest
from raw_http import connected, exchange, parts, post, statuses
from worst_requests import options

GET = b"GET /api/model HTTP/1.1\r\nHost: x\r\n\r\n"
LAST_GET = b"GET /api/model HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
LARGE = b"{}".ljust(60_000)
NO_REFILL = [(f"rate={rate}r/s", "rate=1r/s") for rate in (200, 60, 40)]  # only bursts count
NO_DELAYS = [(f" delay={requests};", " nodelay;") for requests in (40, 4, 15, 200, 10, 100)]
NO_RATES = [(f"rate={rate}r/s", "rate=9999r/s") for rate in (100, 60, 40, 5, 2)]
NO_ROOM = "there is no room for this request now: please wait a moment, then try again."
ATTACKER, OTHER = "127.0.0.2", "127.0.0.3"


def chunked(path):
    return (f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + "2\r\n{}\r\n0\r\n\r\n").encode()


@pytest.fixture(scope="module")
def flooded(nginx, free_port):
    """Run nginx without a service. A 502 means that the request would reach the service."""
    with nginx(f"127.0.0.1:{free_port()}", changes=NO_DELAYS + NO_REFILL) as running:
        yield running


def test_limits_a_flood_and_not_a_drawing(flooded):
    assert set(statuses(exchange(flooded.page, GET * 150 + LAST_GET, "127.0.1.1"))) == {502}

    flood = exchange(flooded.page, GET * 900 + LAST_GET, "127.0.1.2")
    assert set(statuses(flood)) == {502, 429}
    rejected = flood[flood.index(b"HTTP/1.1 429") :].split(b"HTTP/1.1 502")[0]
    assert b"Retry-After: 1\r\n" in rejected
    assert b'"detail": "please wait a moment, then try again."' in rejected

    assert set(statuses(exchange(flooded.page, GET * 50 + LAST_GET, "127.0.1.3"))) == {502}  # another client
    drawings = post("/predict") * 450 + post("/candidate/predict") * 449
    assert set(statuses(exchange(flooded.api, drawings + LAST_GET, "127.0.1.2"))) == {502}  # the pipeline sends test digits there


COSTLY = [  # the request, and its burst limit on the page's and on the API's port
    (post("{}/learn"), 9, 21),
    (post("{}/%6cearn/"), 9, None),
    (post("{}/explain?occlusion=true"), 9, 21),
    (post("{}/explain/?%6fcclusion=1"), 9, None),
    (post("{}/explain?options=1&occlusion=1"), 9, None),
    (post("{}/explain?number=true"), 161, 401),
    (post("{}/predict?input=true&number=true"), 161, 401),
    (post(f"{{}}/explain{options(changes=[{'layer': 0, 'unit': 0}])}"), 161, 401),
    (post("{}/unit"), 161, 401),
    (post("{}/read"), 161, 401),
    (post("{}/snapshots"), 161, 401),
    (post("{}/predict", b"\x89PNG", "Image/PNG; x=y"), 31, 201),
    (post("{}/predict", LARGE), 31, 201),
    (chunked("{}/predict"), 31, 201),
    (post("{}/feedback/"), 101, None),
    (b"DELETE {}/predictions/7b88140edcad HTTP/1.1\r\nHost: x\r\n\r\n", 101, None),
]


@pytest.mark.parametrize(
    ("port", "which", "most"),
    [(port, which, most) for which, row in enumerate(COSTLY) for port, most in zip(("page", "api"), row[1:]) if most],
)
def test_costly_requests_have_their_own_limit(flooded, port, which, most, documented):
    url, prefix = getattr(flooded, port), "/api" if port == "page" else ""
    request = COSTLY[which][0].replace(b"{}/", f"{prefix}/".encode(), 1)
    client = f"127.0.{2 + (port == 'api')}.{1 + which}"
    answers = statuses(exchange(url, request * (most + 40) + LAST_GET, client))
    assert most <= answers.count(502) - 1 <= most + 20  # the limit refills during the flood
    assert statuses(exchange(url, post(f"{prefix}/predict", last=True), client)) == [502]  # predictions still pass
    assert statuses(exchange(url, request + LAST_GET, OTHER)) == [502, 502]
    documented(
        "attacks",
        "many costly requests from one address",
        "nginx delays some and rejects the rest (429); the address can still draw, and others have no limit",
    )


def test_thirty_people_can_share_an_address(nginx, free_port):
    """Each requests explanations, a unit and a prediction."""
    with nginx(f"127.0.0.1:{free_port()}") as running, ExitStack() as open_:
        people = [open_.enter_context(connected(running.page, ATTACKER)) for _ in range(30)]
        for person in people:
            person.sendall(post("/api/explain") * 4 + post("/api/unit") + post("/api/predict", last=True))
        for person in people:
            assert statuses(b"".join(iter(lambda: person.recv(65536), b""))) == [502] * 6  # noqa: B023


@pytest.mark.parametrize(
    ("client", "header", "path", "most"),
    [
        ("127.0.5.1", "Content-Length: 9", "predict", 256),
        ("127.0.5.2", "Content-Length: 9", "explain", 64),
        ("127.0.5.4", "Content-Length: 000050000", "predict", 8),
        ("127.0.5.5", "Transfer-Encoding: chunked", "predict", 4),
        ("127.0.5.6", "Content-Length: 1000000", "predict", 4),
    ],
)
def test_limits_concurrent_requests_of_an_address(nginx, api, client, header, path, most):
    with nginx(api, changes=NO_RATES) as running, ExitStack() as held:

        def begin(url, path):
            """Start a request without its body and return the status; 100 means continue."""
            connection = held.enter_context(connected(url, client))
            connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\n{header}\r\nExpect: 100-continue\r\n\r\n".encode())
            return statuses(connection.recv(65536))[0]

        assert {begin(running.api, f"/{path}") for _ in range(most // 2)} == {100}  # each port counts separately
        assert [begin(running.page, f"/api/{path}") for _ in range(most + 1)] == [100] * most + [429]
        assert statuses(exchange(running.page, LAST_GET, client)) == [429 if most == 256 else 200]
        assert statuses(exchange(running.page, LAST_GET, OTHER)) == [200]
        assert statuses(exchange(running.page, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", client)) == [200]


def test_unfinished_bodies_leave_room_for_another_address(nginx, api, documented):
    image = bytes(4 * 1024 * 1024)
    head = "POST {}/predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 17000000\r\n\r\n"
    with nginx(api, changes=NO_RATES, room=64 * 1024 * 1024) as running, ExitStack() as held:
        for number in range(49):
            url, prefix = ((running.page, "/api"), (running.api, ""))[number % 2]
            connection = held.enter_context(connected(url, ATTACKER))
            with suppress(ConnectionError):  # nginx rejects most of them
                connection.sendall(head.format(prefix).encode() + image)
        for url, path in ((running.page, "/api/predict"), (running.api, "/predict")):
            answer = exchange(url, post(path, image, "image/png", last=True), OTHER)
            assert statuses(answer) == [200]
    documented(
        "attacks",
        "49 connections of one address with unfinished bodies of 17 MB",
        "nginx accepts 4 at port 3000 and 4 at port 7000, and rejects the rest (429); others can send images",
    )


def test_a_full_body_folder_affects_no_drawing_and_silent_clients_time_out(nginx, api, documented):
    short_timeouts = [(f"client_{part}_timeout 10s;", f"client_{part}_timeout 1s;") for part in ("header", "body")]
    with nginx(api, room=1024 * 1024, changes=short_timeouts) as running, ExitStack() as held:
        silent = [held.enter_context(connected(running.page)) for _ in range(2)]
        silent[0].sendall(b"GET / HTTP/1.1\r\nHost:")
        silent[1].sendall(b"POST /api/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1234")
        for url, path in ((running.page, "/api/predict"), (running.api, "/predict")):
            status, header, content = parts(exchange(url, post(path, bytes(2_000_000), "image/png", last=True)))
            assert (status, content["detail"]) == (503, NO_ROOM)
            assert "retry-after: 5\r\n" in header
            assert statuses(exchange(url, post(path, last=True))) == [200]  # a drawing stays in memory
        for connection in silent:
            with suppress(ConnectionResetError):  # nginx may reset the connection
                assert connection.recv(1) == b""
    documented(
        "attacks",
        "unfinished bodies that fill nginx's folder",
        "nginx rejects large bodies (503, `Retry-After`); drawings are answered",
    )


@pytest.mark.parametrize("announced", [True, False], ids=["of announced length", "of unknown length"])
@pytest.mark.parametrize("port", ["page", "api"])
@pytest.mark.parametrize(
    ("path", "most"), [("predict", 17), ("explain/", 17), ("feedback", 1), ("read", 17), ("learn", 17), ("unit/", 17)]
)
def test_rejects_a_large_body_in_json(flooded, port, path, most, announced):
    url, most = f"{flooded.page}/api" if port == "page" else flooded.api, most * 1024 * 1024
    content = bytes(most + 1) if announced else iter([bytes(most + 1)])
    with httpx.Client(transport=httpx.HTTPTransport(local_address=f"127.0.4.{len(path)}")) as client:
        answer = client.post(f"{url}/{path}", content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["detail"]) == (413, f"the body may have at most {most} bytes")
    assert answer.headers["content-type"] == "application/problem+json"
