"""`python -m exporter` as its supervisor sees it: answers, exit codes, its log, and what it says when it cannot start."""

import os
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

LOG_LINE = re.compile(r"time=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} level=[A-Z]+ logger=[\w.]+ event=(\w+)( |$)")


def run_to_its_end(*command: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *command], env=os.environ | environment, capture_output=True, text=True, timeout=10, check=False
    )


def test_it_answers_with_what_its_settings_name(exporter, models, publish, journal, fill):
    models.point("live", publish())
    fill(journal)
    samples = exporter.samples()
    assert samples["doodle_store_model_accuracy_ratio", "live"] == 0.75
    assert samples["doodle_pipeline_test_accuracy_ratio",] == 0.9938
    assert samples["doodle_journal_predictions_total",] == 3


def test_it_makes_nothing_that_is_not_there(run_exporter, tmp_path):
    """So that it runs on a file system that it may not write, as any user."""
    missing = {"DOODLE_MODELS": "models", "DOODLE_ARTIFACTS": "artifacts", "DOODLE_JOURNAL": "sqlite:///{}/journal/file"}
    before = set(tmp_path.rglob("*"))
    with run_exporter({name: value.format(tmp_path) for name, value in missing.items()}, folder=tmp_path) as exporter:
        samples = exporter.samples()
    assert {value for labels, value in samples.items() if labels[0].endswith("_collector_success")} == {1}
    assert set(tmp_path.rglob("*")) - before == {exporter.log_path}


def test_many_scrapes_at_once_all_succeed(exporter, models, publish):
    models.point("live", publish())
    with ThreadPoolExecutor(8) as pool:
        scrapes = list(pool.map(lambda _: exporter.samples(), range(40)))
    successes = {value for samples in scrapes for labels, value in samples.items() if labels[0].endswith("_collector_success")}
    assert successes == {1}
    assert len({frozenset(samples) for samples in scrapes}) == 1


def test_a_client_that_says_nothing_or_hangs_up_disturbs_nobody(exporter):
    address = "127.0.0.1", int(exporter.url.rpartition(":")[2])
    with socket.create_connection(address), socket.create_connection(address) as other:
        other.sendall(b"nonsense\r\n\r\n")
        assert other.recv(1000)
        with socket.create_connection(address) as third:
            third.sendall(b"GET /metrics HTTP/1.1\r\nHo")
            third.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # closes with a reset
        assert exporter.samples()
    assert "Traceback" not in exporter.log()


@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGINT], ids=lambda way: way.name)
def test_it_ends_with_0_when_told_to_whoever_is_still_connected(exporter, way):
    address = "127.0.0.1", int(exporter.url.rpartition(":")[2])
    with socket.create_connection(address):
        exporter.process.send_signal(way)
        assert exporter.process.wait(10) == 0, exporter.log()
    assert "Traceback" not in exporter.log()


TOLD_TO_END_WHILE_IT_STARTS = """
import os, signal, sys
import exporter.__main__ as program

def create_app(settings, create_app=program.create_app):
    os.kill(os.getpid(), signal.SIGTERM)
    return create_app(settings)

program.create_app = create_app
sys.exit(program.main())
"""


def test_being_told_to_end_while_it_starts_is_not_forgotten(environment):
    ended = run_to_its_end("-c", TOLD_TO_END_WHILE_IT_STARTS, DOODLE_EXPORTER_PORT="0", **environment)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("DOODLE_EXPORTER_PORT", "many", "DOODLE_EXPORTER_PORT must be a whole number, not 'many'\n"),
        ("DOODLE_JOURNAL", "mysql://host", "DOODLE_JOURNAL: "),
    ],
)
def test_a_bad_variable_ends_it_with_2_and_one_line_that_names_it(environment, variable, text, said):
    ended = run_to_its_end("-m", "exporter", **{**environment, "DOODLE_EXPORTER_PORT": "0", variable: text})
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"exporter: {said}")
    assert ended.stderr.count("\n") == 1


def test_a_port_in_use_ends_it_with_an_error_that_says_so(environment):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        ended = run_to_its_end("-m", "exporter", **environment, DOODLE_EXPORTER_PORT=port)
    assert (ended.returncode, ended.stderr) == (1, "")
    assert f"event=cannot_listen host=127.0.0.1 port={port} reason='Address already in use'\n" in ended.stdout
    assert ended.stdout.count("\n") == 1


def test_a_host_that_is_not_here_ends_it_with_an_error_that_says_so(environment):
    ended = run_to_its_end("-m", "exporter", **environment, DOODLE_EXPORTER_PORT="0", DOODLE_HOST="192.0.2.1")
    assert (ended.returncode, ended.stderr) == (1, "")
    assert "event=cannot_listen host=192.0.2.1 port=0 reason='Cannot assign requested address'\n" in ended.stdout


def test_the_log_is_lines_of_time_level_logger_and_event(run_exporter, environment):
    with run_exporter({**environment, "DOODLE_LOG_LEVEL": "debug"}) as exporter:
        exporter.scrape()
        lines = exporter.log().splitlines()
    events = [LOG_LINE.match(line)[1] for line in lines]
    assert events[0] == "listening"
    assert set(events) == {"listening", "request"}


def test_a_scrape_is_not_worth_a_line_unless_one_debugs(exporter):
    exporter.scrape()
    exporter.scrape()
    assert len(exporter.log().splitlines()) == 1
