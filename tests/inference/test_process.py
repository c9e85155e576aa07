"""`python -m inference`: sockets, load, log lines and exit codes."""

import asyncio
import http.client
import json
import re
import signal
import socket
from collections import Counter

import numpy as np
import pytest
from inference import __main__ as program
from inference.app import MAX_REQUESTS
from inference.body import MAX_JSON_BYTES
from pngs import png_of
from polling import WAIT_SECONDS
from raw_http import connected, exchange, parts, post

BODY = json.dumps({"strokes": [[[140, 40], [150, 240]]]}).encode()
TOO_LARGE = MAX_JSON_BYTES + 1


@pytest.fixture(scope="module")
def running(run_service, models_folder):
    """Run a process, and end it while an idle client is connected."""
    with run_service(models_folder, DOODLE_LOG_LEVEL="debug") as running, connected(running.url) as idle:
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: doodle\r\n\r\n")
        assert idle.recv(100).startswith(b"HTTP/1.1 200")
        yield running
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(WAIT_SECONDS) == 0, running.log()
        assert "Traceback" not in running.log()


def test_answers_forbid_content_sniffing(running):
    for path in ("/healthz", "/model", "/metrics", "/docs", "/openapi.json", "/nothing", "/predict"):
        assert running.get(path).headers.get_list("x-content-type-options") == ["nosniff"]


def test_logs_a_rejection_as_one_line(running):
    before = len(running.log())
    named = {"Content-Type": "application/json", "X-Request-ID": "from-the-client"}
    assert running.client.post("/predict", content=b"{}", headers=named).headers["x-request-id"] == "from-the-client"
    (line,) = [line for line in running.log()[before:].splitlines() if "event=" in line]
    start = r"time=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} level=[A-Z]+ logger=[\w.]+ event="
    assert re.match(start + "refused path=/predict .* request=from-the-client$", line)


class TestLargeBody:
    def test_is_rejected_by_its_announced_length(self, running):
        head = post("/predict", bytes(TOO_LARGE)).removesuffix(bytes(TOO_LARGE))
        with connected(running.url) as connection:
            connection.sendall(head)
            assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")

    def test_is_answered_during_the_upload(self, running):
        """The connection stays open, so that nginx gets the answer and not a reset."""
        connection = http.client.HTTPConnection(running.client.base_url.host, running.client.base_url.port, timeout=5)
        for _ in range(10):
            connection.request("POST", "/predict", bytes(2 * TOO_LARGE), {"Content-Type": "application/json"})
            response = connection.getresponse()
            assert (response.status, json.load(response)["status"]) == (413, 413)
            assert response.headers["connection"] != "close"
        connection.close()

    def test_is_cut_off_far_above_the_limit(self, running):
        head = post("/predict").replace(b"Length: 2", b"Length: 10000000000")
        assert exchange(running.url, head).startswith(b"HTTP/1.1 413 ")


DRAWINGS = [json.dumps({"strokes": [[[140, 40 + 20 * n], [60 + 40 * n, 150], [200, 240]]]}).encode() for n in range(6)]
IMAGES = [png_of(np.tri(28, dtype=np.uint8) * 255), b"\x89PNG broken"]
LOAD = [
    *(post("/predict", drawing, last=True) for drawing in DRAWINGS),
    *(post("/predict", image, "image/png", last=True) for image in IMAGES),
]


@pytest.mark.anyio
async def test_under_load_answers_correctly_or_rejects_and_counts_all(running, samples):
    async def ask(content):
        reader, writer = await asyncio.open_connection(*running.url.removeprefix("http://").split(":"))
        writer.write(content)
        status, _, answer = parts(await reader.read())
        writer.close()
        ids.append(answer.pop("prediction_id", None))
        answer.pop("request_id", None)
        return status, answer

    ids, answers = [], []
    expected = [await ask(each) for each in LOAD]
    assert len({str(each) for each in expected}) == len(LOAD)
    before = samples(running)
    for _ in range(3):
        answers += await asyncio.gather(*map(ask, LOAD * (4 * MAX_REQUESTS // len(LOAD))))
    codes = Counter(status for status, _ in answers)
    assert set(codes) == {200, 422, 429}
    assert all(each[0] == 429 or each == expected[index % len(LOAD)] for index, each in enumerate(answers))
    assert len(set(ids) - {None}) == 7 + codes[200]
    after = samples(running)
    counted = {
        ("api_predict_calls_total", ()): len(answers),
        ("prediction_error_total", ()): codes[422] + codes[429],
        ("doodle_predict_errors_total", ("429",)): codes[429],
        ("doodle_http_requests_total", ("429", "/predict")): codes[429],
    }
    assert {name: after[name] - before.get(name, 0) for name in counted} == counted
    assert after["doodle_http_requests_inside", ()] == 0
    assert running.post_bytes(BODY, "application/json").status_code == 200


def test_exits_with_2_and_names_a_bad_variable(monkeypatch, capsys):
    monkeypatch.setenv("DOODLE_PORT", "seven")
    with pytest.raises(SystemExit) as ended:
        program.main()
    out, errors = capsys.readouterr()
    assert (ended.value.code, out, errors.count("\n")) == (2, "", 1)
    assert errors.startswith("inference: DOODLE_PORT: Input should be a valid integer")


def test_exits_with_an_error_if_the_port_is_in_use(monkeypatch, caplog):
    monkeypatch.setattr(program, "log_to_stdout", lambda _: None)
    monkeypatch.setattr(program, "end_when_told_to", lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("DOODLE_PORT", str(other.getsockname()[1]))
        with pytest.raises(SystemExit) as ended:
            program.main()
    assert ended.value.code != 0
    assert caplog.messages == ["[Errno 98] Address already in use"]
