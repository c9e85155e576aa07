"""The whole stack on a real Docker engine, in a clone of its own, under a project name and on ports of its own."""

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from commands import run
from container_scripts import FEEDBACK, JOURNALLED, PUBLISH_ANOTHER
from load import Load, wrk_load
from polling import wait_until

GRAFANA_IMAGE = "grafana/grafana:13.2.3"
PORTS = (
    "DOODLE_FRONTEND_PORT",
    "DOODLE_PORT",
    "DOODLE_EXPORTER_PORT",
    "DOODLE_PROMETHEUS_PORT",
    "DOODLE_GRAFANA_PORT",
    "DOODLE_ALERTMANAGER_PORT",
)
LESS = {  # of what params.yaml says: that it trains well is measured by `make bench`
    r"(?m)^  epochs: 8\b": "  epochs: 3",
    r"(?m)^  digits: 30000\b": "  digits: 6000",
    r"(?m)^  non_digits: 20000\b": "  non_digits: 4000",
    r"(?m)^  held_out_digits: 5000\b": "  held_out_digits: 1000",
    r"(?m)^  held_out_non_digits: 2000\b": "  held_out_non_digits: 400",
}
UP_SECONDS = 1200  # a build, and a training in the container; two minutes as a rule
ONE = {"strokes": [[[140, 40], [145, 130], [150, 240]]]}


def docker(*arguments: str, timeout: float = 120) -> str:
    """What the command printed; its error as the test's failure."""
    return run("docker", *arguments, timeout=timeout)


class Receiver:
    """A webhook, on this machine's address in a Docker network. `messages`: what was posted there, as JSON says it."""

    def __init__(self, address: str):
        self.messages: list[dict] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                receiver.messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer((address, 0), Handler)
        self.url = f"http://{address}:{self._server.server_port}/told"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def alerts(self, name: str, status: str) -> list[dict]:
        """All of that name that it was told of as firing, or as resolved."""
        told = [alert for message in self.messages for alert in message["alerts"]]
        return [alert for alert in told if (alert["labels"]["alertname"], alert["status"]) == (name, status)]


class Stack:
    """`docker compose` in a folder that holds the project."""

    def __init__(self, folder: Path, ports: dict[str, int], services_left_out: Sequence[str]):
        self.folder, self.ports, self.services_left_out = folder, ports, services_left_out
        self.first_log, self._is_built = "", False
        self.name = f"doodle-test-{uuid.uuid4().hex[:8]}"
        # COMPOSE_… and DOODLE_… of whoever runs the tests are theirs; `name:` in the file is the user's own stack.
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("COMPOSE_", "DOODLE_", "GRAFANA_"))
        }
        self.environment = inherited | {name: str(port) for name, port in ports.items()} | {"COMPOSE_PROJECT_NAME": self.name}

    def compose(self, *arguments: str, timeout: float = 180, **options) -> str:
        options = {"cwd": self.folder, "env": self.environment} | options
        return run("docker", "compose", *arguments, timeout=timeout, **options)

    def up(self, *arguments: str) -> float:
        """`docker compose up --wait`, the first time with a build, and how many seconds it took."""
        started = time.monotonic()
        if not self._is_built:
            self.compose("build", "--quiet", timeout=UP_SECONDS)
            self._is_built = True
        # Compose pulls the image of a service even where it is scaled to none: what is left out must not be named.
        services = self.services() if self.services_left_out else []
        try:
            self.compose("up", "--wait", *arguments, *services, timeout=UP_SECONDS)
        except (AssertionError, subprocess.TimeoutExpired):
            print(self.compose("ps", "--all"), self.compose("logs", "--tail=40"))
            raise
        return time.monotonic() - started

    def down(self, *arguments: str) -> bool:
        """`docker compose down`; whether the engine removed the stack's networks.

        Docker before 28.1 now and then counts one too many that are attached to a network (moby 43286), and keeps it, empty as it
        is, until the engine starts anew. That alone is forgiven: engine.sh accepts Docker 28.0.
        """
        for _ in range(2):
            try:
                self.compose("down", *arguments)
                return True
            except AssertionError as error:
                if "has active endpoints" not in str(error):
                    raise
            wait_until(lambda: not self.attached(), "nothing is attached to the stack's networks any longer")
        print(f"{self.name}: the engine keeps a network to which nothing is attached")
        return False

    def attached(self) -> dict[str, list[str]]:
        """The containers that are attached to the stack's networks, by the network's name; nothing for one that is empty."""
        ids = docker("network", "ls", "--quiet", "--filter", f"label=com.docker.compose.project={self.name}").split()
        networks = json.loads(docker("network", "inspect", *ids)) if ids else []
        return {each["Name"]: list(each["Containers"]) for each in networks if each["Containers"]}

    def services(self) -> list[str]:
        return [name for name in self.compose("config", "--services").split() if name not in self.services_left_out]

    def containers(self, service: str) -> list[dict]:
        """What `docker inspect` says of the service's containers that run."""
        ids = self.compose("ps", "--quiet", "--status", "running", service).split()
        return json.loads(docker("inspect", *ids)) if ids else []

    def container(self, service: str) -> dict:
        (container,) = self.containers(service)
        return container

    def log(self, service: str) -> str:
        return self.compose("logs", "--no-log-prefix", service)

    def url(self, port: str) -> str:
        return f"http://127.0.0.1:{self.ports[port]}"

    @property
    def page(self) -> str:
        return self.url("DOODLE_FRONTEND_PORT")

    @property
    def api(self) -> str:
        return self.url("DOODLE_PORT")

    def predict(self, base: str | None = None) -> dict:
        answer = httpx.post(f"{base or self.api}/predict", json=ONE, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def exported(self) -> dict[str, float]:
        """The exporter's samples, by name and labels as they are written."""
        text = httpx.get(f"{self.url('DOODLE_EXPORTER_PORT')}/metrics", timeout=10).raise_for_status().text
        lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}

    def query(self, expression: str, **parameters) -> list[dict]:
        """What Prometheus answers to an instant query."""
        address = f"{self.url('DOODLE_PROMETHEUS_PORT')}/api/v1/query"
        answer = httpx.get(address, params={"query": expression, **parameters}, timeout=10).raise_for_status()
        return answer.json()["data"]["result"]

    def targets(self) -> list[dict]:
        address = f"{self.url('DOODLE_PROMETHEUS_PORT')}/api/v1/targets"
        return httpx.get(address, timeout=10).raise_for_status().json()["data"]["activeTargets"]

    def journalled(self, ids: Sequence[str]) -> list[str]:
        """Those of the predictions' ids that are in the journal."""
        return self.compose("exec", "-T", "exporter", "python", "-c", JOURNALLED, input="\n".join(ids), timeout=60).split()

    def feedback(self) -> list[tuple[str, int]]:
        """(the prediction's id, what it was said to be) of all feedback that is in the journal."""
        return [tuple(each) for each in json.loads(self.compose("exec", "-T", "exporter", "python", "-c", FEEDBACK))]

    def publish_another(self, change: str) -> str:
        """In the trainer's container, as a version of its own, what `change` makes of the live model's network; its version."""
        return self.compose("exec", "-T", "trainer", "python", "-c", PUBLISH_ANOTHER.replace("{change}", change)).strip()

    def load(self) -> Load:
        """`with stack.load() as load:` somebody draws while the block runs."""
        return Load(self.api, wait_until)

    def kill(self, container: dict) -> None:
        """kill -9, as the kernel does it when memory is short: the engine did not ask for it, so it is not a stop."""
        pid = container["State"]["Pid"]
        if os.geteuid() == 0:
            os.kill(pid, signal.SIGKILL)
        else:
            subprocess.run(["sudo", "--non-interactive", "kill", "-KILL", str(pid)], check=True)


@pytest.fixture(scope="session")
def left_out(engine):
    """Grafana, where its image is neither here nor to be pulled. DOODLE_TEST_IMAGES=public says that it must be there."""
    here = subprocess.run(["docker", "image", "inspect", GRAFANA_IMAGE], capture_output=True, check=False).returncode == 0
    if here or subprocess.run(["docker", "pull", "--quiet", GRAFANA_IMAGE], capture_output=True, check=False).returncode == 0:
        return []
    assert os.environ.get("DOODLE_TEST_IMAGES") != "public", f"{GRAFANA_IMAGE} cannot be pulled"
    return ["grafana"]


@pytest.fixture(scope="session")
def new_stack(left_out, free_port, clone_project, tmp_path_factory):
    """new_stack(): a stack in a clone of its own, not yet up; taken down at the end with all that it made."""
    made = []

    def new_stack() -> Stack:
        folder = tmp_path_factory.mktemp("stack")
        folder.chmod(0o755)
        stack = Stack(clone_project(folder / "doodle"), {name: free_port() for name in PORTS}, left_out)
        made.append(stack)
        return stack

    yield new_stack
    for stack in made:
        stack.down("--volumes", "--remove-orphans", "--rmi", "local", "--timeout", "5")


@pytest.fixture(scope="session")
def stack(new_stack):
    """A stack where there is no model: built, MNIST fetched, one trained in the container, but LESS. Most tests ask it."""
    stack = new_stack()
    shutil.rmtree(stack.folder / "artifacts")
    (stack.folder / "artifacts").mkdir()
    params = stack.folder / "params.yaml"
    for pattern, less in LESS.items():
        text, count = re.subn(pattern, less, params.read_text())
        assert count == 1, pattern
        params.write_text(text)
    print(f"docker compose up --wait, from a clone without a model, which is trained: {stack.up():.0f} s")
    stack.first_log = stack.log("trainer")  # a later `down` takes it away
    return stack


@pytest.fixture(scope="session")
def alerting(stack):
    """The receiver that the stack's Alertmanager tells of alerts. From now on it is a part of the stack."""
    (network,) = json.loads(docker("network", "inspect", "bridge"))  # the engine's own: the stack's may come back with another
    (addresses,) = network["IPAM"]["Config"]
    receiver = Receiver(addresses["Gateway"])
    stack.environment |= {"COMPOSE_PROFILES": "alerting", "DOODLE_ALERT_WEBHOOK": receiver.url}
    stack.up("--no-recreate")
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def three_replicas(stack):
    """For tests that need several replicas, and what is between them."""
    stack.up("--scale", "inference=3", "--no-recreate")
    yield
    stack.up("--scale", "inference=1", "--no-recreate")


@pytest.fixture(scope="session")
def crowd(stack, require):
    """`with crowd(seconds, connections) as found:` that many clients draw at once; afterwards `found` has their answers."""
    wrk = require("wrk")
    return lambda seconds, connections, pause=0.0: wrk_load(wrk, stack.api, seconds, connections, pause)


@pytest.fixture(scope="session", name="wait_until")
def wait_until_fixture():
    return wait_until


@pytest.fixture(scope="session", name="docker")
def docker_fixture():
    return docker
