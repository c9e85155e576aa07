"""nginx alone, not the Python server: gzip, log, errors, port 7000 and CORS."""

import re
import subprocess
from pathlib import Path

import httpx
import pytest
import yaml
from deployment.problem import TITLES
from inference.schemas.responses import Problem
from inference.settings import Settings
from raw_http import exchange, parts, post

FRONTEND = Path(__file__).parents[2] / "services" / "frontend"


@pytest.fixture(scope="module")
def running(nginx, api):
    """Run nginx before the echo service."""
    with nginx(api) as running:
        yield running


@pytest.fixture(params=["page", "api"])
def base_url(running, request):
    """Return the service's URL on the page's port and on its own."""
    return f"{running.page}/api" if request.param == "page" else running.api


def test_compresses_text_but_not_empty_answers(running):
    for path in ("/", "/js/main.js", "/style.css"):
        packed, plain = (httpx.get(running.page + path, headers={"Accept-Encoding": each}) for each in ("gzip", "identity"))
        assert [answer.headers.get("content-encoding") for answer in (packed, plain)] == ["gzip", None]
        assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
        assert packed.content == plain.content
        known = {"Accept-Encoding": "gzip", "If-None-Match": packed.headers["etag"]}
        assert httpx.get(running.page + path, headers=known).status_code == 304
    for size, encoding in ((2000, "gzip"), (0, None)):
        answer = httpx.post(f"{running.page}/api/predict", content=b"x" * size, headers={"Accept-Encoding": "gzip"})
        assert answer.headers.get("content-encoding") == encoding
        assert answer.json()["body"] == "x" * size


def test_sets_the_client_s_address_and_ignores_its_claims(base_url):
    claims = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "gopher", "X-Request-ID": "mine, not plain"}
    seen = httpx.get(f"{base_url}/model", headers=claims).json()["headers"]
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-forwarded-proto"] == "http"
    assert seen["host"] == httpx.URL(base_url).netloc.decode()
    assert re.fullmatch("[0-9a-f]{32}", seen["x-request-id"])
    assert seen["connection"] == "close"  # otherwise nginx would run out of ports


def test_logs_each_request_without_data_or_probes(running):
    request_id = "named-by.the:client_1"
    sent = httpx.post(f"{running.page}/api/predict?token=secret", headers={"X-Request-ID": request_id})
    assert sent.json()["headers"]["x-request-id"] == request_id
    httpx.get(f"{running.page}/healthz")
    exchange(running.page, b'GET /odd%20path%0a"quoted HTTP/1.0\r\n\r\n')
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


def test_port_7000_passes_every_path(running):
    for path in ("/metrics", "/metrics/", "/predict?input=true", "/nothing"):
        assert httpx.get(running.api + path).json()["path"] == path


@pytest.mark.parametrize(
    ("request_bytes", "status", "detail"),
    [
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "the address is too long"),
        (b"GET /api/model HTTP/1.1\r\nHost: x\r\nCookie: " + b"a" * 20_000 + b"\r\n\r\n", 431, "the header is too large"),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400, "the request is invalid"),
        (b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400, "the request is invalid"),
        (b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", 405, "Method Not Allowed"),
        (
            b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
            501,
            "this transfer encoding is not supported: send a Content-Length, or use chunked",
        ),
        (b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505, "this version of HTTP is not supported: send HTTP/1.1"),
    ],
    ids=["long address", "large header", "TLS", "broken escape", "method", "transfer encoding", "HTTP/3"],
)
def test_rejects_malformed_requests_with_a_problem(base_url, request_bytes, status, detail):
    seen_status, header, content = parts(exchange(base_url, request_bytes))
    problem = Problem.model_validate(content)
    assert (seen_status, problem.status, problem.title, problem.detail) == (status, status, TITLES[status], detail)
    assert f"x-request-id: {problem.request_id}" in header
    assert "content-type: application/problem+json" in header
    assert "cache-control: no-store" in header
    assert "x-content-type-options: nosniff" in header


def test_names_its_rates(running):
    """The policies are the rates of the zones, on each port."""
    config = (FRONTEND / "nginx.conf").read_text()
    rates = {f"{port}_{name}": rate for port, name, rate in re.findall(r"zone=(page|api)_(\w+):2m +rate=(\d+)r/s", config)}
    drawing = {"Content-Type": "image/png"}
    for port, url in (("page", f"{running.page}/api"), ("api", running.api)):
        for path, zones in {"/model": [], "/read": ["live", "uploads"], "/learn": ["heavy", "uploads"]}.items():
            answer = httpx.post(url + path, content=b"x", headers=drawing if zones else {})
            policies = answer.headers.get("ratelimit-policy", "")
            expected = [*(["requests"] if port == "page" else []), *zones]
            assert policies == ", ".join(f'"{name}";q={rates[f"{port}_{name}"]};w=1' for name in expected), path


@pytest.fixture(scope="module")
def open_to_a_website(nginx, free_port):
    """Run nginx without a service, with two allowed origins."""
    service = f"127.0.0.1:{free_port()}"
    with nginx(service, changes=[(" delay=10;", " nodelay;")], origins="https://example.org, http://[::1]:8080") as running:
        yield running


ERRORS = {  # nginx's own: the request to port 7000 and its status
    "no replica": (post("/predict"), 502),
    "a large body": (post("/feedback", bytes(1024 * 1024 + 1)), 413),
    "a flood": (post("/learn") * 40, 429),
}


def test_answers_the_page_s_health_check_itself(open_to_a_website):
    answer = httpx.get(f"{open_to_a_website.page}/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    answer = httpx.get(f"{open_to_a_website.api}/healthz")  # port 7000 asks the service
    assert (answer.status_code, answer.json()["detail"]) == (502, "the prediction service cannot be reached")


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("origin", ["https://example.org", "http://[::1]:8080", "https://evil.example", None])
def test_allowed_origins_can_read_nginx_s_errors(open_to_a_website, error, origin):
    request, status = ERRORS[error]
    request = request.replace(b"Host: x\r\n", f"Host: x\r\nOrigin: {origin}\r\n".encode() if origin else b"Host: x\r\n")
    ending = b"GET /x HTTP/1.0\r\n\r\n"
    answers = exchange(open_to_a_website.api, request + ending)
    answer = answers[answers.index(f"HTTP/1.1 {status}".encode()) :].partition(b"\r\n\r\n")[0].decode().lower()
    is_allowed = origin in ("https://example.org", "http://[::1]:8080")
    assert (f"access-control-allow-origin: {origin}\r\n" in answer + "\r\n") == is_allowed
    assert ("access-control-expose-headers: ratelimit-policy, retry-after, x-request-id" in answer) == is_allowed
    assert is_allowed or "access-control" not in answer


def test_stack_gives_nginx_the_service_s_origins():
    services = yaml.safe_load((FRONTEND.parents[1] / "docker-compose.yml").read_text())["services"]
    origins = {services[name]["environment"]["DOODLE_CORS_ORIGINS"] for name in ("frontend", "inference")}
    assert origins == {"${DOODLE_CORS_ORIGINS:-}"}


@pytest.mark.parametrize(
    "text",
    [
        *("", "https://example.org", "HTTP://localhost:8080,https://[::1]:443", "https://a.example https://a.example"),
        *("*", "https://example.org/", "ftp://example.org", 'https://a"; root /', "https://$host", "https://a_b.example"),
    ],
)
def test_nginx_accepts_the_service_s_origins(tmp_path, text):
    """start.sh parses DOODLE_CORS_ORIGINS as services/inference/settings.py does."""
    script = (FRONTEND / "start.sh").read_text().replace("/tmp/", f"{tmp_path}/").replace("exec nginx", "exec true")
    ran = subprocess.run(["sh", "-c", script], env={"DOODLE_CORS_ORIGINS": text, "PATH": "/usr/bin:/bin"}, capture_output=True)
    try:
        expected = sorted({f'"{origin}" $http_origin;' for origin in Settings(cors_origins=text).cors_origins})
    except ValueError:
        assert (ran.returncode, b"frontend: DOODLE_CORS_ORIGINS: " in ran.stderr) == (1, True)
    else:
        assert ran.returncode == 0, ran.stderr
        assert (tmp_path / "origins.conf").read_text().splitlines() == expected
