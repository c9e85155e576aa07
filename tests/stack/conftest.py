"""Run the whole stack on a Docker engine, in a clone, with a unique project name and free ports."""

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
from container_scripts import FEEDBACK, LOGGED_IDS, PUBLISH_ANOTHER
from load import Load, wrk_load
from polling import wait_until
from processes import PROJECT

BASE_IMAGES = {  # by service
    service: image
    for folder in ("services", "monitoring")
    for image, service in re.findall(r"(?m)^FROM (\S+:\S+) AS (\w+)$", (PROJECT / folder / "Dockerfile").read_text())
}
PORTS = (
    "DOODLE_FRONTEND_PORT",
    "DOODLE_PORT",
    "DOODLE_EXPORTER_PORT",
    "DOODLE_PROMETHEUS_PORT",
    "DOODLE_GRAFANA_PORT",
    "DOODLE_ALERTMANAGER_PORT",
)
SMALL_PARAMS = {  # changes of params.yaml for a short training
    r"(?m)^  epochs: 8\b": "  epochs: 3",
    r"(?m)^  digits: 30000\b": "  digits: 6000",
    r"(?m)^  non_digits: 20000\b": "  non_digits: 4000",
    r"(?m)^  held_out_digits: 5000\b": "  held_out_digits: 1000",
    r"(?m)^  held_out_non_digits: 2000\b": "  held_out_non_digits: 400",
}
UP_SECONDS = 1200  # build and training usually take two minutes
ONE = {"strokes": [[[140, 40], [145, 130], [150, 240]]]}


def docker(*arguments: str, timeout: float = 120) -> str:
    """Return the command's output; fail the test with its error."""
    return run("docker", *arguments, timeout=timeout)


class Receiver:
    """A webhook on this machine's address in a Docker network. `messages` lists the posted JSON."""

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
        self.url = f"http://{address}:{self._server.server_port}/webhook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def alerts(self, name: str, status: str) -> list[dict]:
        """Return the received alerts with this name and status."""
        received = [alert for message in self.messages for alert in message["alerts"]]
        return [alert for alert in received if (alert["labels"]["alertname"], alert["status"]) == (name, status)]


class Stack:
    """`docker compose` in a folder that holds the project."""

    def __init__(self, folder: Path, ports: dict[str, int], excluded_services: Sequence[str]):
        self.folder, self.ports, self.excluded_services = folder, ports, excluded_services
        self.first_log, self._is_built = "", False
        self.name = f"doodle-test-{uuid.uuid4().hex[:8]}"
        # The caller's COMPOSE_… and DOODLE_… variables configure another stack.
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("COMPOSE_", "DOODLE_", "GRAFANA_"))
        }
        self.environment = inherited | {name: str(port) for name, port in ports.items()} | {"COMPOSE_PROJECT_NAME": self.name}

    def compose(self, *arguments: str, timeout: float = 180, **options) -> str:
        options = {"cwd": self.folder, "env": self.environment} | options
        return run("docker", "compose", *arguments, timeout=timeout, **options)

    def build(self) -> None:
        self.compose("build", "--quiet", *self._included(), timeout=UP_SECONDS)
        self._is_built = True

    def _included(self) -> list[str]:
        """Return the services to name in a command. Compose builds every service without names, the excluded ones too."""
        return self.services() if self.excluded_services else []

    def up(self, *arguments: str) -> float:
        """Run `docker compose up --wait`, with a build the first time. Return the seconds that it took."""
        started = time.monotonic()
        if not self._is_built:
            self.build()
        try:
            self.compose("up", "--wait", *arguments, *self._included(), timeout=UP_SECONDS)
        except (AssertionError, subprocess.TimeoutExpired):
            print(self.compose("ps", "--all"), self.compose("logs", "--tail=40"))
            raise
        return time.monotonic() - started

    def down(self, *arguments: str) -> bool:
        """Run `docker compose down`. Return whether the engine removed the stack's networks.

        Docker before 28.1 sometimes miscounts a network's containers (moby 43286) and keeps the empty network until the engine
        restarts. Only this error is ignored, because engine.sh accepts Docker 28.0.
        """
        for _ in range(2):
            try:
                self.compose("down", *arguments)
                return True
            except AssertionError as error:
                if "has active endpoints" not in str(error):
                    raise
            wait_until(lambda: not self.attached(), "no container is attached to the stack's networks")
        print(f"{self.name}: the engine keeps an empty network")
        return False

    def attached(self) -> dict[str, list[str]]:
        """Return the containers of each of the stack's networks that is not empty."""
        ids = docker("network", "ls", "--quiet", "--filter", f"label=com.docker.compose.project={self.name}").split()
        networks = json.loads(docker("network", "inspect", *ids)) if ids else []
        return {each["Name"]: list(each["Containers"]) for each in networks if each["Containers"]}

    def services(self) -> list[str]:
        return [name for name in self.compose("config", "--services").split() if name not in self.excluded_services]

    def containers(self, service: str) -> list[dict]:
        """Return `docker inspect` of the service's running containers."""
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
        """Return the exporter's samples by name and labels."""
        text = httpx.get(f"{self.url('DOODLE_EXPORTER_PORT')}/metrics", timeout=10).raise_for_status().text
        lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}

    def query(self, expression: str, **parameters) -> list[dict]:
        """Return Prometheus's answer to an instant query."""
        address = f"{self.url('DOODLE_PROMETHEUS_PORT')}/api/v1/query"
        answer = httpx.get(address, params={"query": expression, **parameters}, timeout=10).raise_for_status()
        return answer.json()["data"]["result"]

    def targets(self) -> list[dict]:
        address = f"{self.url('DOODLE_PROMETHEUS_PORT')}/api/v1/targets"
        return httpx.get(address, timeout=10).raise_for_status().json()["data"]["activeTargets"]

    def logged(self, ids: Sequence[str]) -> list[str]:
        """Return the ids that are in the prediction log."""
        return self.compose("exec", "-T", "exporter", "python", "-c", LOGGED_IDS, input="\n".join(ids), timeout=60).split()

    def feedback(self) -> list[tuple[str, int]]:
        """Return (prediction id, actual digit) of all feedback in the prediction log."""
        return [tuple(each) for each in json.loads(self.compose("exec", "-T", "exporter", "python", "-c", FEEDBACK))]

    def publish_another(self, change: str) -> str:
        """Publish the live model's network with `change` applied, and return the new version."""
        return self.compose("exec", "-T", "trainer", "python", "-c", PUBLISH_ANOTHER.replace("{change}", change)).strip()

    def load(self) -> Load:
        """`with stack.load() as load:` run one client while the block runs."""
        return Load(self.api, wait_until)

    def kill(self, container: dict) -> None:
        """Kill the process with SIGKILL. The engine sees a crash, not a stop."""
        pid = container["State"]["Pid"]
        if os.geteuid() == 0:
            os.kill(pid, signal.SIGKILL)
        else:
            subprocess.run(["sudo", "--non-interactive", "kill", "-KILL", str(pid)], check=True)


@pytest.fixture(scope="session")
def excluded(engine):
    """Return ["grafana"] if its image is not available. DOODLE_TEST_IMAGES=public requires it."""
    image = BASE_IMAGES["grafana"]
    here = subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode == 0
    if here or subprocess.run(["docker", "pull", "--quiet", image], capture_output=True, check=False).returncode == 0:
        return []
    assert os.environ.get("DOODLE_TEST_IMAGES") != "public", f"{image} cannot be pulled"
    return ["grafana"]


@pytest.fixture(scope="session")
def new_stack(excluded, free_port, clone_project, tmp_path_factory):
    """new_stack(): return a stack in a new clone, not yet up. It is removed at the end."""
    made = []

    def new_stack() -> Stack:
        folder = clone_project(tmp_path_factory.mktemp("stack") / "doodle")
        stack = Stack(folder, {name: free_port() for name in PORTS}, excluded)
        made.append(stack)
        return stack

    yield new_stack
    for stack in made:
        stack.environment["COMPOSE_PROFILES"] = "alerting,backup"
        stack.down("--volumes", "--remove-orphans", "--rmi", "local", "--timeout", "5")
        docker("image", "prune", "--force", "--filter", f"label=com.docker.compose.project={stack.name}")  # of earlier builds


@pytest.fixture(scope="session")
def stack(new_stack):
    """Start a stack without a model: it fetches MNIST and trains with SMALL_PARAMS. Most tests share it."""
    stack = new_stack()
    shutil.rmtree(stack.folder / "artifacts")
    (stack.folder / "artifacts").mkdir()
    params = stack.folder / "params.yaml"
    for pattern, value in SMALL_PARAMS.items():
        text, count = re.subn(pattern, value, params.read_text())
        assert count == 1, pattern
        params.write_text(text)
    print(f"docker compose up --wait, from a clone without a model, which is trained: {stack.up():.0f} s")
    stack.first_log = stack.log("trainer")  # `down` deletes it
    return stack


@pytest.fixture(scope="session")
def alerting(stack):
    """Add Alertmanager to the stack and return the webhook that receives its alerts."""
    (network,) = json.loads(docker("network", "inspect", "bridge"))  # the stack's network may get another address
    (addresses,) = network["IPAM"]["Config"]
    receiver = Receiver(addresses["Gateway"])
    stack.environment |= {"COMPOSE_PROFILES": "alerting", "DOODLE_ALERT_WEBHOOK": receiver.url}
    stack.up("--no-recreate")
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def three_replicas(stack):
    """Scale the service to three replicas during a module."""
    stack.up("--scale", "inference=3", "--no-recreate")
    yield
    stack.up("--scale", "inference=1", "--no-recreate")


@pytest.fixture(scope="session")
def many_clients(stack, require):
    """`with many_clients(seconds, connections) as found:` run wrk; `found` is filled at the end."""
    wrk = require("wrk")
    return lambda seconds, connections, pause=0.0: wrk_load(wrk, stack.api, seconds, connections, pause)


@pytest.fixture(scope="session", name="wait_until")
def wait_until_fixture():
    return wait_until


@pytest.fixture(scope="session", name="docker")
def docker_fixture():
    return docker
