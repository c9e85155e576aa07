"""`python -m exporter`: answers, exit codes, log lines and start-up errors."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from polling import WAIT_SECONDS

LOG_LINE = re.compile(r"time=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} level=[A-Z]+ logger=[\w.]+ event=(\w+)( |$)")


def run_to_its_end(*command: str, **environment: str) -> tuple[int, str, str]:
    options = {"env": os.environ | environment, "capture_output": True, "text": True, "timeout": WAIT_SECONDS, "check": False}
    ended = subprocess.run([sys.executable, *command], **options)
    return ended.returncode, ended.stdout, ended.stderr


def test_serves_concurrently_and_exits_with_0_on_sigterm(
    environment, tmp_path, models, publish, log, fill, read, free_port, wait_for
):
    models.point("live", publish())
    fill(log)
    port = free_port()

    def scrape(_):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=WAIT_SECONDS) as answer:
            return read(answer.read().decode())

    variables = os.environ | environment | {"DOODLE_EXPORTER_PORT": str(port), "DOODLE_LOG_LEVEL": "debug"}
    with subprocess.Popen([sys.executable, "-m", "exporter"], env=variables, stdout=subprocess.PIPE, text=True) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz", seconds=WAIT_SECONDS, process=process)
            with socket.create_connection(("127.0.0.1", port)), ThreadPoolExecutor(4) as pool:
                for samples in list(pool.map(scrape, range(8))):
                    assert {value for labels, value in samples.items() if labels[0].endswith("_collector_success")} == {1}
                    assert samples["doodle_store_model_accuracy_ratio", "live"] == 0.75
                    assert samples["doodle_pipeline_test_accuracy_ratio",] == 0.9938
                    assert samples["doodle_journal_predictions_total",] == 3
                process.send_signal(signal.SIGTERM)
                assert process.wait(10) == 0  # with a client still connected
        finally:
            process.kill()
        assert {LOG_LINE.match(line)[1] for line in process.stdout} == {"listening"}


SIGTERM_DURING_START = """
import os, signal, sys
import exporter.__main__ as program

def create_app(settings, create_app=program.create_app):
    os.kill(os.getpid(), signal.SIGTERM)
    return create_app(settings)

program.create_app = create_app
program.main()
"""


def test_exits_on_sigterm_during_start(environment):
    assert run_to_its_end("-c", SIGTERM_DURING_START, DOODLE_EXPORTER_PORT="0", **environment) == (0, "", "")


def test_exits_with_2_and_names_a_bad_variable(environment):
    code, out, errors = run_to_its_end("-m", "exporter", **environment | {"DOODLE_EXPORTER_PORT": "many"})
    assert (code, out, errors.count("\n")) == (2, "", 1)
    assert errors.startswith("exporter: DOODLE_EXPORTER_PORT: Input should be a valid integer")


def test_exits_with_1_if_the_port_is_in_use(environment):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        code, out, errors = run_to_its_end("-m", "exporter", **environment, DOODLE_EXPORTER_PORT=port)
    assert (code, out, errors) == (1, "", f"exporter: cannot listen on 127.0.0.1 port {port}: Address already in use\n")
