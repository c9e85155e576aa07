"""`python -m inference` as clients and its supervisor see it: sockets, crowds, the log, and its end."""

import asyncio
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack

import pytest
from inference import __main__ as program
from inference.settings import Settings
from raw_http import connected, parts, post, said

BODY = json.dumps({"strokes": [[[140, 40], [145, 130], [150, 240]]]}).encode()
MEBIBYTE = 1024 * 1024
KINDS = [("application/json", MEBIBYTE), ("image/png", 4 * MEBIBYTE)]


@pytest.fixture(scope="module")
def running(run_service, models_folder):
    """A process; at its end a client is still connected that has been answered."""
    with run_service(models_folder, DOODLE_LOG_LEVEL="debug") as running, connected(running.url) as idle:
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: doodle\r\n\r\n")
        assert idle.recv(100).startswith(b"HTTP/1.1 200")
        yield running
        running.process.send_signal(signal.SIGINT)
        assert running.stop() == 0, running.log()
        assert "Traceback" not in running.log()


def test_no_answer_may_be_taken_for_something_else_than_it_says(running):
    for path in ("/healthz", "/model", "/metrics", "/docs", "/openapi.json", "/nothing", "/predict"):
        assert running.get(path).headers.get_list("x-content-type-options") == ["nosniff"]


@pytest.mark.parametrize(("body", "event"), [(BODY, "predicted id="), (b"{}", "refused path=")])
def test_logs_a_call_as_one_line_with_time_level_logger_and_event(running, body, event):
    before = len(running.log())
    answer = running.post_bytes(body, "application/json").json()
    (line,) = [line for line in running.log()[before:].splitlines() if "event=" in line]
    start = r"time=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} level=[A-Z]+ logger=[\w.]+ event="
    assert re.match(start + event + answer.get("prediction_id", "/"), line)


@pytest.mark.parametrize(("content_type", "limit"), KINDS)
class TestABodyThatIsTooLarge:
    def test_is_rejected_as_soon_as_it_is_announced(self, running, content_type, limit):
        head, _, _ = post("/predict", bytes(limit + 1), content_type).partition(b"\r\n\r\n")
        with connected(running.url) as connection:
            connection.sendall(head + b"\r\n\r\n")  # and not a byte of the body
            assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")

    def test_is_answered_while_it_is_still_being_sent(self, running, content_type, limit):
        """And the connection goes on: a proxy in between, as nginx is, gets the answer and not a reset."""
        connection = http.client.HTTPConnection(running.client.base_url.host, running.client.base_url.port, timeout=5)
        for _ in range(10):
            connection.request("POST", "/predict", b" " * (limit + MEBIBYTE), {"Content-Type": content_type})
            response = connection.getresponse()
            assert (response.status, list(json.load(response))) == (413, ["detail"])
            assert response.headers["connection"] != "close"
        connection.close()

    def test_is_cut_off_when_it_is_larger_by_far(self, running, content_type, limit):
        head = f"POST /predict HTTP/1.1\r\nHost: d\r\nContent-Type: {content_type}\r\nContent-Length: 10000000000\r\n\r\n"
        assert said(running.url, head.encode()).startswith(b"HTTP/1.1 413 ")


def answers_of(url, requests):
    """What the service says to all of them at once: (status, JSON)."""

    async def ask(content):
        reader, writer = await asyncio.open_connection(*url.removeprefix("http://").split(":"))
        writer.write(content)
        status, _, answer = parts(await reader.read())
        writer.close()
        return status, answer

    async def all_of_them():
        return await asyncio.wait_for(asyncio.gather(*map(ask, requests)), 30)

    return asyncio.run(all_of_them())


def test_answers_each_of_a_crowd_or_tells_it_to_wait_and_counts_all(running, samples):
    before, rounds = samples(running), 3
    asked = [post("/predict", BODY, last=True)] * 4 * Settings.max_requests
    answers = [answer for _ in range(rounds) for answer in answers_of(running.url, asked)]
    well = [answer for status, answer in answers if status == 200]
    rejected = [answer for status, answer in answers if status == 429]
    assert len(well) + len(rejected) == len(answers)
    assert rejected, "the crowd was not large enough"
    assert len(well) >= rounds
    assert {each["digit"] for each in well} == {well[0]["digit"]}
    assert len({each["prediction_id"] for each in well}) == len(well)
    after = samples(running)
    counted = {
        ("api_predict_calls_total", ()): len(answers),
        ("prediction_error_total", ()): len(rejected),
        ("doodle_predict_errors_total", ("429",)): len(rejected),
        ("doodle_http_requests_total", ("429", "/predict")): len(rejected),
    }
    assert {name: after[name] - before.get(name, 0) for name in counted} == counted
    assert after["doodle_http_requests_inside", ()] == 0
    assert running.log().count("event=load_shed") == 1
    assert running.post_bytes(BODY, "application/json").status_code == 200


def test_connections_that_never_send_their_body_keep_nobody_out(running, eventually):
    with ExitStack() as open_:
        for _ in range(2 * Settings.max_requests):
            open_.enter_context(connected(running.url)).sendall(post("/predict", BODY)[:-10])
        eventually(lambda: running.sample("doodle_http_requests_inside") == 0, "all of them are waited for outside")
        assert [status for status, _ in answers_of(running.url, [post("/predict", BODY, last=True)] * 5)] == [200] * 5


@pytest.fixture
def main(monkeypatch, models_folder):
    """main(DOODLE_PORT=…): run the program in this process, and return its exit code."""
    monkeypatch.setattr(program, "log_to_stdout", lambda _: None)
    monkeypatch.setattr(program, "end_when_told_to", lambda: None)
    monkeypatch.setenv("DOODLE_MODELS", str(models_folder))

    def main(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return program.main()

    return main


def test_a_bad_variable_ends_it_with_2_and_one_line_that_names_it(main, capsys):
    with pytest.raises(SystemExit) as ended:
        main(DOODLE_PORT="seven")
    assert ended.value.code == 2
    assert capsys.readouterr() == ("", "inference: DOODLE_PORT must be a whole number, not 'seven'\n")


def test_a_port_in_use_ends_it_with_an_error_that_says_so(main, caplog):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(DOODLE_PORT=str(port)) == 1
    assert caplog.messages == [f'event=not_started reason="cannot listen on 127.0.0.1 port {port}: Address already in use"']


TOLD_TO_END_WHILE_IT_STARTS = """
import os, signal, sys
import inference.__main__ as program

def create_app(settings, create_app=program.create_app):
    os.kill(os.getpid(), signal.SIGTERM)
    return create_app(settings)

program.create_app = create_app
sys.exit(program.main())
"""


@pytest.mark.slow
def test_being_told_to_end_while_it_starts_is_not_forgotten(models_folder):
    environment = os.environ | {"DOODLE_PORT": "0", "DOODLE_MODELS": str(models_folder)}
    ended = subprocess.run([sys.executable, "-c", TOLD_TO_END_WHILE_IT_STARTS], env=environment, timeout=8, check=False)
    assert ended.returncode in (0, -signal.SIGTERM)
