"""The page's server where there is no nginx: the page, and /api/ passed on. A service of our own answers behind it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked, so that one sees what arrives."""

    protocol_version = "HTTP/1.1"

    def _answer(self):
        length = int(self.headers.get("content-length", 0))
        seen = {
            "method": self.command,
            "path": self.path,
            "body": self.rfile.read(length).decode("latin1"),
            "content_type": self.headers.get("content-type"),
        }
        content = json.dumps(seen).encode()
        self.send_response(422 if self.path.startswith("/refuse") else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Retry-After", "5")
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _answer

    def log_message(self, *_):
        """Quiet."""


@pytest.fixture(scope="module")
def api():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def page(api, service, free_port):
    port = free_port()
    with (
        service("frontend", {"DOODLE_FRONTEND_PORT": port, "DOODLE_API_URL": api}, f"http://127.0.0.1:{port}/"),
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        yield client


@pytest.mark.parametrize("path", ["/", "/index.html"])
def test_the_page_is_there_under_both_its_names(page, path):
    answer = page.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert 'id="doodle-canvas"' in answer.text


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/js/main.js", "text/javascript"),
        ("/style.css", "text/css"),
        ("/results.css", "text/css"),
        ("/favicon.svg", "image/svg+xml"),
    ],
)
def test_what_the_page_needs_comes_with_its_type(page, path, media_type):
    assert page.get(path).headers["content-type"].startswith(media_type)


def test_the_page_lets_nothing_in_from_elsewhere(page):
    headers = page.get("/").headers
    assert headers["content-security-policy"] == "default-src 'self'; frame-ancestors 'none'"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/__main__.py", "/package.json", "/js/../__main__.py", "/js/%2e%2e/__main__.py", "/nothing"])
def test_nothing_but_the_page_is_served(page, path):
    assert page.get(path).status_code == 404


def test_a_request_reaches_the_service_whole(page):
    answer = page.post("/api/predict?input=true&a=%20b", content=b'{"strokes": []}', headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    assert answer.json() == {
        "method": "POST",
        "path": "/predict?input=true&a=%20b",
        "body": '{"strokes": []}',
        "content_type": "application/json",
    }


def test_an_empty_request_does_too(page):
    assert page.get("/api/readyz/").json() == {"method": "GET", "path": "/readyz/", "body": "", "content_type": None}


def test_an_error_of_the_service_comes_back_as_it_is(page):
    answer = page.post("/api/refuse", content=b"x")
    assert answer.status_code == 422
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["body"] == "x"


def test_a_service_that_is_not_there_gives_502_and_the_page_stays(service, free_port):
    port, nobody = free_port(), free_port()
    base = f"http://127.0.0.1:{port}"
    with service("frontend", {"DOODLE_FRONTEND_PORT": port, "DOODLE_API_URL": f"http://127.0.0.1:{nobody}"}, base):
        answer = httpx.post(f"{base}/api/predict", json={})
        assert answer.status_code == 502
        assert "cannot be reached" in answer.json()["detail"]
        assert httpx.get(base).status_code == 200
