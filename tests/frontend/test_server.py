"""Both servers of the page, nginx and the Python one: they serve the page and forward /api/."""

import http.client
import importlib
import json
import socketserver
import threading
from contextlib import suppress
from urllib.parse import unquote

import pytest
from inference.app import create_app
from inference.settings import Settings

PAGE_HEADERS = importlib.import_module("frontend.__main__").PAGE_HEADERS
UNREACHABLE = "the prediction service cannot be reached"


@pytest.fixture(scope="module")
def page(start_page, api):
    with start_page(api, as_process=True) as client:
        yield client


def get_verbatim(page, path, method="GET"):
    """Request a path that httpx would normalize."""
    connection = http.client.HTTPConnection(page.base_url.host, page.base_url.port, timeout=10)
    connection.request(method, path)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        *((path, "text/html; charset=utf-8") for path in ("/", "/index.html", "/learn/")),
        *((path, "text/javascript; charset=utf-8") for path in ("/js/main.js", "/learn/js/neuron.js")),
        *(("/style.css", "text/css; charset=utf-8"), ("/favicon.svg", "image/svg+xml")),
    ],
)
def test_serves_files_with_type_and_policy(page, path, media_type):
    answer = page.get(path)
    headers = answer.headers
    assert (answer.status_code, headers["content-type"]) == (200, media_type)
    assert path not in ("/", "/index.html") or 'id="doodle-canvas"' in answer.text
    assert {name: headers.get_list(name) for name in PAGE_HEADERS} == {name: [value] for name, value in PAGE_HEADERS.items()}


def test_redirects_learn_with_a_relative_address(page):
    answer = page.get("/learn")
    assert (answer.status_code, answer.headers["location"]) == (301, "learn/")


def test_answers_head_requests(page):
    whole, head = (page.request(method, "/", headers={"Accept-Encoding": "identity"}) for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (200, b"")
    assert (head.headers["content-length"], head.headers["etag"]) == (str(len(whole.content)), whole.headers["etag"])


def test_answers_304_for_an_unchanged_file(page):
    known = page.get("/").headers["etag"]
    again = page.get("/", headers={"If-None-Match": known})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "no-cache"
    assert page.get("/", headers={"If-None-Match": '"another"'}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/__main__.py",
            "/nginx.conf",
            "/page.conf",
            "/start.sh",
            "/tsconfig.json",
            "/js/answers.d.ts",
            "/js",
            "/js/",
            "/nothing",
            "/nothing.css",
        ),
        *("/js/../__main__.py", "/js/%2e%2e/__main__.py", "/js/..%2fnginx.conf", "/js/%2e%2e%2fnginx.conf"),
        *("/js/..%5cnginx.conf", "/js/main.js%00.css", "/../inference/app.py", "//etc/passwd"),
        *("/API/metrics", "/api/%2e%2e/metrics", "/api%2f..%2fmetrics", "/metrics", "/candidate/model", "/live/model"),
    ],
)
def test_serves_only_the_page(page, path):
    status, _ = get_verbatim(page, path)
    assert status in (404, 400)  # nginx answers 400 to a zero byte


def test_rejects_posts_to_the_page(page):
    assert page.post("/index.html", content=b"x").status_code == 405


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/predict?input=true&a=%20b", '{"strokes": []}'),
        *(("GET", "/readyz/", ""), ("DELETE", "/predictions/7b88140edcad49edb1cb4c9d8bc19318", ""), ("OPTIONS", "/predict", "")),
    ],
)
def test_forwards_requests_unchanged(page, method, path, body):
    headers = {"origin": "https://example.org", "host": "evil.example", "content-type": "application/json"}
    answer = page.request(method, f"/api{path}", content=body, headers={**headers, "X-Forwarded-For": "192.0.2.1"})
    seen = answer.raise_for_status().json()
    assert (seen["method"], seen["path"], seen["body"]) == (method, path, body)
    assert seen["headers"].items() >= {**headers, "x-forwarded-for": "127.0.0.1"}.items()  # ignores the client's claim


def test_forwards_large_and_chunked_bodies(page):
    image = bytes(range(256)) * (4 * 1024 * 1024 // 256 + 1)  # the service rejects it, not the page's server
    answer = page.post("/api/predict", content=image, headers={"Content-Type": "image/png"})
    assert answer.json()["body"] == image.decode("latin1")
    assert page.post("/api/predict", content=iter([b"one", b"two"])).json()["body"] == "onetwo"


def test_returns_the_service_s_errors_and_headers(page):
    answer = page.post("/api/refuse", content=b"x")
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["body"]) == (422, "5", "x")
    assert [name for name in PAGE_HEADERS if name in answer.headers] == []


@pytest.mark.parametrize("size", [1_000, 49_000, 60_000, 300_000, 4_000_000])
@pytest.mark.parametrize("form", ["of announced length", "of unknown length"])
def test_returns_an_answer_that_comes_before_the_body_is_read(page, size, form):
    for _ in range(3):  # a race
        content = bytes(size) if form == "of announced length" else iter([bytes(size)])
        answer = page.post("/api/explain", content=content)
        assert (answer.status_code, answer.json()["detail"]) == (503, "No model yet")


@pytest.mark.parametrize(
    "path",
    [
        *("/api/metrics", "/api/metrics/", "/api//metrics", "/api/%6detrics", "/api/./metrics", "/api/x/../metrics"),
        *("/api/x%2f..%2fmetrics", "/api/live/model", "/api/live/predict/", "/api/candidate/model", "/api/candidate/predict"),
        *(
            "/api/v2/models/doodle/infer",
            "/api/candidate/disagreements?x=/api/model",
            "/api/candidate",
            "/api/candidate%2fmodel",
            "/api//candidate//model",
        ),
        *("/api/%63andidate/model", "/api/%2fcandidate%2fmodel", "/api/predict/../live/model"),
        *("/api/predict/%2e%2e/live/model", "/api/./live/./model"),
    ],
)
def test_hides_metrics_and_models_by_alias(page, path):
    for method in ("GET", "POST", "OPTIONS"):
        status, content = get_verbatim(page, path, method)
        assert (status, json.loads(content)["detail"]) == (404, "Not Found")


def test_forwards_all_other_routes(page):
    described = create_app(Settings()).openapi()["paths"]
    passed_on = {path for path in described if page.get(f"/api{path}").status_code == 200}
    assert passed_on == {
        *("/predict", "/read", "/explain", "/unit", "/learn", "/snapshots", "/feedback"),
        *("/model", "/healthz", "/readyz", "/predictions/{prediction_id}"),
        "/predictions/{prediction_id}/feedback",
    }
    assert page.get("/api/docs").json()["path"] == "/docs"


@pytest.mark.parametrize(
    "path",
    [
        *("/api/%256detrics", "/api/metricsx", "/api/METRICS", "/api/metrics;x", "/api/metrics%20"),
        *("/api/live%5cmodel", "/api/candidates", "/api/Live/model", "/api/model/live", "/api/%6c%69ve%3f/model"),
    ],
)
def test_forwards_paths_that_only_look_like_hidden_ones(page, path):
    status, content = get_verbatim(page, path)
    assert status == 200
    assert unquote(json.loads(content)["path"]) == unquote(path.removeprefix("/api"))


def test_answers_502_without_a_service_and_serves_the_page(start_page, free_port):
    with start_page(f"127.0.0.1:{free_port()}") as page:
        for answer in (page.post("/api/predict", json={}), page.get("/api/model")):
            assert (answer.status_code, answer.json()["detail"]) == (502, UNREACHABLE)
            assert answer.headers["x-content-type-options"] == "nosniff"
        assert page.get("/").status_code == 200


class OneAnswerEach(socketserver.StreamRequestHandler):
    """Keep connections open and close each on the next request, as a service does with idle ones."""

    def handle(self):
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        with suppress(ConnectionError):
            self.rfile.readline()


def test_reconnects_after_an_idle_connection_closes(start_page):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), OneAnswerEach) as server:
        threading.Thread(target=server.serve_forever).start()
        with start_page(f"127.0.0.1:{server.server_address[1]}") as page:
            assert [page.post("/api/predict").status_code for _ in range(3)] == [200] * 3
        server.shutdown()
