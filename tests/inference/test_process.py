"""`python -m inference` as its supervisor sees it: exit codes, its log, and what it says when it cannot start."""

import os
import re
import signal
import socket
import subprocess
import sys

import pytest


def run_to_its_end(*command: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *command], env=os.environ | environment, capture_output=True, text=True, timeout=8, check=False
    )


def test_a_bad_variable_ends_it_with_2_and_one_line_that_names_it():
    ended = run_to_its_end("-m", "inference", DOODLE_PORT="seven")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "inference: DOODLE_PORT must be a whole number, not 'seven'\n"


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_a_port_in_use_ends_it_with_an_error_that_says_so(taken_port, models_folder):
    ended = run_to_its_end("-m", "inference", DOODLE_PORT=str(taken_port), DOODLE_MODELS=str(models_folder))
    assert ended.returncode not in (0, 2)
    assert f"cannot listen on 127.0.0.1 port {taken_port}: Address already in use" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr


@pytest.fixture
def idle_connection(run_service, models_folder):
    """A service with a client that has been answered and does not hang up: (service, connection)."""
    with run_service(models_folder) as running:
        url = running.client.base_url
        with socket.create_connection((url.host, url.port)) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: doodle\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
            yield running, connection


@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGINT], ids=lambda way: way.name)
def test_it_ends_with_0_when_told_to_whoever_is_still_connected(idle_connection, way):
    running, _ = idle_connection
    running.process.send_signal(way)
    assert running.process.wait(10) == 0, running.log()
    assert "Traceback" not in running.log()


TOLD_TO_END_WHILE_IT_STARTS = """
import os, signal, sys
import inference.__main__ as program

def create_app(settings, create_app=program.create_app):
    os.kill(os.getpid(), signal.SIGTERM)
    return create_app(settings)

program.create_app = create_app
sys.exit(program.main())
"""


def test_being_told_to_end_while_it_starts_is_not_forgotten(models_folder):
    ended = run_to_its_end("-c", TOLD_TO_END_WHILE_IT_STARTS, DOODLE_PORT="0", DOODLE_MODELS=str(models_folder))
    assert ended.returncode in (0, -signal.SIGTERM)


LOG_LINE = re.compile(r"time=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} level=[A-Z]+ logger=[\w.]+ event=(\w+) ")


@pytest.mark.parametrize(
    ("body", "event"), [({"strokes": [[[140, 40], [150, 240]]]}, "predicted"), ({}, "refused")], ids=["predicted", "refused"]
)
def test_a_call_is_logged_as_one_line_with_time_level_logger_and_event(service, body, event):
    before = len(service.log())
    service.post_json(body)
    (line,) = [line for line in service.log()[before:].splitlines() if "event=" in line]
    assert LOG_LINE.match(line)[1] == event


def test_the_log_of_a_prediction_names_its_id(service):
    answer = service.post_json({"strokes": [[[140, 40], [150, 240]]]}).json()
    assert f"id={answer['prediction_id']} " in service.log()
