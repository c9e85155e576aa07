"""`python -m exporter` as its supervisor sees it: answers, exit codes, its log, and what it says when it cannot start."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from polling import PATIENCE

LOG_LINE = re.compile(r"time=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} level=[A-Z]+ logger=[\w.]+ event=(\w+)( |$)")


@contextmanager
def running(environment, port, folder, wait_for):
    """An exporter that answers, run in a folder, and its log; it is ended afterwards in any case."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DOODLE_")}
    variables = inherited | {"DOODLE_EXPORTER_PORT": str(port), "DOODLE_LOG_LEVEL": "debug"} | environment
    with (folder / "exporter.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "exporter"], cwd=folder, env=variables, stdout=log, stderr=log)
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", seconds=PATIENCE, process=process)
        yield process, folder / "exporter.log"
    finally:
        process.kill()
        process.wait()


def scrape(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
        return answer.read().decode()


def run_to_its_end(*command: str, **environment: str) -> tuple[int, str, str]:
    options = {"env": os.environ | environment, "capture_output": True, "text": True, "timeout": PATIENCE, "check": False}
    ended = subprocess.run([sys.executable, *command], **options)
    return ended.returncode, ended.stdout, ended.stderr


def test_serves_several_at_once_and_ends_with_0_when_told_to(
    environment, tmp_path, models, publish, journal, fill, read, free_port, wait_for
):
    models.point("live", publish())
    fill(journal)
    port = free_port()
    with running(environment, port, tmp_path, wait_for) as (process, log):
        with socket.create_connection(("127.0.0.1", port)), ThreadPoolExecutor(4) as pool:
            for samples in [read(text) for text in pool.map(lambda _: scrape(port), range(8))]:
                assert {value for labels, value in samples.items() if labels[0].endswith("_collector_success")} == {1}
                assert samples["doodle_store_model_accuracy_ratio", "live"] == 0.75
                assert samples["doodle_pipeline_test_accuracy_ratio",] == 0.9938
                assert samples["doodle_journal_predictions_total",] == 3
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0, log.read_text()  # with a client that is still connected
        assert {LOG_LINE.match(line)[1] for line in log.read_text().splitlines()} == {"listening", "request"}


def test_makes_nothing_that_is_not_there(tmp_path, free_port, wait_for, read):
    """So that it runs on a file system that it may not write, as any user."""
    missing = {"DOODLE_MODELS": "models", "DOODLE_ARTIFACTS": "artifacts", "DOODLE_JOURNAL": f"sqlite:///{tmp_path}/journal/file"}
    port = free_port()
    with running(missing, port, tmp_path, wait_for) as (_, log):
        samples = read(scrape(port))
    assert {value for labels, value in samples.items() if labels[0].endswith("_collector_success")} == {1}
    assert list(tmp_path.rglob("*")) == [log]


TOLD_TO_END_WHILE_IT_STARTS = """
import os, signal, sys
import exporter.__main__ as program

def create_app(settings, create_app=program.create_app):
    os.kill(os.getpid(), signal.SIGTERM)
    return create_app(settings)

program.create_app = create_app
sys.exit(program.main())
"""


def test_does_not_forget_to_end_if_told_to_while_it_starts(environment):
    assert run_to_its_end("-c", TOLD_TO_END_WHILE_IT_STARTS, DOODLE_EXPORTER_PORT="0", **environment) == (0, "", "")


def test_a_bad_variable_ends_it_with_2_and_one_line_that_names_it(environment):
    code, out, said = run_to_its_end("-m", "exporter", **environment | {"DOODLE_EXPORTER_PORT": "many"})
    assert (code, out, said) == (2, "", "exporter: DOODLE_EXPORTER_PORT must be a whole number, not 'many'\n")


def test_a_port_in_use_ends_it_with_1_and_one_line_that_says_so(environment):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        code, out, said = run_to_its_end("-m", "exporter", **environment, DOODLE_EXPORTER_PORT=port)
    assert (code, said) == (1, "")
    assert f"event=cannot_listen host=127.0.0.1 port={port} reason='Address already in use'\n" in out
    assert out.count("\n") == 1
