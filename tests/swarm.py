"""The stack on a Swarm of three machines, with a registry and an object store, as docs/advanced/scale.md describes."""

import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from cluster import HOST, Machine, Wire
from commands import run
from container_scripts import FEEDBACK, LOGGED_IDS
from load import DRAWING, wrk_load
from object_store import KEYS, S3Server
from polling import wait_until
from processes import PROJECT
from stores.models import open_models

BUILT = ("trainer", "inference", "exporter", "frontend", "redis", "prometheus")
COMPOSE_FILES = ("docker-compose.yml", "deploy/swarm.yml")
SETTLED_SECONDS = 180.0
LOAD_SECONDS = 240  # upper limit
LOAD_CONNECTIONS = 120
CAPACITY_SECONDS = 5
SHARE = 0.4  # of the capacity; a release or a lost machine takes much of the rest


class Registry:
    """docker-registry. This machine reaches it at 127.0.0.1, where engines need no certificate; the others at HOST."""

    def __init__(self, folder: Path, port: int):
        self.here, self.there = f"127.0.0.1:{port}", f"{HOST}:{port}"
        folder.mkdir()
        about = {
            "version": 0.1,
            "storage": {"filesystem": {"rootdirectory": str(folder / "images")}},
            "http": {"addr": f":{port}"},
        }
        (folder / "registry.yml").write_text(json.dumps(about))
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(["docker-registry", "serve", folder / "registry.yml"], stdout=log, stderr=log)
        wait_until(lambda: httpx.get(f"http://{self.here}/v2/").status_code == 200, "the registry answers")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


class Swarm:
    """The stack on several machines. The first machine keeps the state."""

    def __init__(self, machines: list[Machine], project: Path, environment: dict[str, str]):
        self.machines, self.project, self.environment = machines, project, environment

    @property
    def manager(self) -> Machine:
        """Return a manager with quorum. Raise LookupError during a leader election."""
        managing = next((each for each in self.machines if each.manages()), None)
        if managing is None:
            raise LookupError("no machine can manage")
        return managing

    def deploy(self, release: str, *more: str) -> None:
        """Deploy a release. Image digests are not resolved: the machines cannot reach a public registry."""
        files = [word for file in (*COMPOSE_FILES, *more) for word in ("-c", file)]
        environment = os.environ | self.environment | {"DOODLE_RELEASE": release}
        self.manager.docker(
            "stack", "deploy", "--resolve-image", "never", *files, "doodle", cwd=self.project, env=environment, timeout=300
        )

    def services(self) -> dict[str, dict]:
        ids = self.manager.docker("stack", "services", "--quiet", "doodle").split()
        return {each["Spec"]["Name"]: each for each in json.loads(self.manager.docker("service", "inspect", *ids))}

    def updates(self) -> dict[str, str]:
        """Return the state of each service's last update: updating, completed, rollback_completed …"""
        return {name: each["UpdateStatus"]["State"] for name, each in self.services().items() if each.get("UpdateStatus")}

    def settle(self) -> None:
        """Wait until all replicas run and no update is in progress."""
        wait_until(self.is_settled, "the stack has settled", SETTLED_SECONDS)

    def is_settled(self) -> bool:
        listed = self.manager.docker("stack", "services", "--format", "{{.Replicas}}", "doodle").splitlines()
        running = all(have == want for have, want in (each.split()[0].split("/") for each in listed))
        return running and not {"updating", "rollback_started"} & set(self.updates().values())

    def problems(self) -> str:
        """Return the state and error of each task."""
        return self.manager.docker(
            "stack", "ps", "--no-trunc", "--format", "{{.Name}} {{.Node}} {{.CurrentState}} {{.Error}}", "doodle"
        )

    def replicas(self) -> dict[str, int]:
        """Return the number of replicas on each machine that is up."""
        return {each.name: len(each.containers("doodle_inference")) for each in self.machines if each.is_up()}

    def live(self, machine: Machine) -> str:
        """Return the version that answers at this machine's port."""
        answer = httpx.post(f"http://{machine.address}:7000/predict", json=DRAWING, timeout=10)
        return answer.raise_for_status().json()["model_version"]

    def live_everywhere(self) -> set[str]:
        """Return the versions that answer, over enough requests to reach each replica."""
        return {self.live(each) for each in self.machines for _ in range(8)}

    def in_exporter(self, program: str, stdin: str = "") -> str:
        (container,) = self.machines[0].containers("doodle_exporter")
        return self.machines[0].docker("exec", "--interactive", container["Id"], "python", "-c", program, input=stdin)

    def logged(self, ids: list[str]) -> set[str]:
        return set(self.in_exporter(LOGGED_IDS, "\n".join(ids)).split())

    def feedback(self) -> set[str]:
        """Return the ids of predictions with feedback."""
        return {prediction for prediction, _ in json.loads(self.in_exporter(FEEDBACK))}

    def targets(self) -> list[dict]:
        """Return Prometheus's active targets."""
        answer = httpx.get(f"http://{self.machines[0].address}:9090/api/v1/targets", timeout=10).raise_for_status()
        return answer.json()["data"]["activeTargets"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, require):
    """Return the folder for all files of the Swarm."""
    if os.geteuid() != 0:
        pytest.skip("only root may make networks, and mount what containers see")
    for name in ("docker-registry", "ip", "iptables", "nsenter", "unshare"):
        require(name)
    return tmp_path_factory.mktemp("swarm")


@pytest.fixture(scope="module")
def registry(folder, free_port):
    registry = Registry(folder / "registry", free_port())
    yield registry
    registry.close()


@pytest.fixture(scope="module")
def project(folder, clone_project):
    return clone_project(folder / "doodle")


@pytest.fixture(scope="module")
def release(engine, registry, project):
    """release(name): build the project's folder and push it."""
    pushed = []

    def release(name: str) -> None:
        about = {"DOODLE_REGISTRY": f"{registry.here}/doodle", "DOODLE_RELEASE": name, "DOODLE_BUCKET": "-"}
        environment = os.environ | about
        compose = ["docker", "compose", *(word for file in COMPOSE_FILES for word in ("-f", file))]
        run(*compose, "build", "--quiet", "--push", *BUILT, cwd=project, env=environment, timeout=600)
        pushed.extend(f"{registry.here}/doodle/{image}:{name}" for image in BUILT)

    yield release
    subprocess.run(["docker", "rmi", *pushed], capture_output=True, check=False)


@pytest.fixture(scope="module")
def wire():
    with Wire():
        yield


@pytest.fixture(scope="module")
def object_store(wire, free_port):
    """Return an S3 server that all machines reach, and its bucket's name."""
    server = S3Server(HOST, free_port())
    server.start()
    wait_until(lambda: httpx.get(f"{server.url}/moto-api/").status_code == 200, "the object store answers")
    yield server, server.new_bucket()
    server.stop()


@pytest.fixture(scope="module")
def store(object_store):
    """Return the model store, with the repository's model live."""
    server, bucket = object_store
    patch = pytest.MonkeyPatch()
    for name, value in server.environment.items():
        patch.setenv(name, value)
    models = open_models(f"s3://{bucket}/models")
    models.promote(models.publish(PROJECT / "artifacts/model")["version"])
    yield models
    patch.undo()


@pytest.fixture(scope="module")
def machines(wire, folder, registry):
    """Return three managers of one Swarm. The first keeps the state."""
    machines = [Machine(number, folder, registry.there) for number in (1, 2, 3)]
    try:
        for machine in machines:
            machine.up()
        for machine in machines:
            machine.wait()
        first = machines[0]
        first.docker("swarm", "init", "--advertise-addr", first.address)
        token = first.docker("swarm", "join-token", "--quiet", "manager").strip()
        for machine in machines[1:]:
            machine.join(first, token)
            wait_until(lambda: f"{machine.name} Ready" in first.nodes(), f"{machine.name} has joined")  # noqa: B023
        first.docker("swarm", "update", "--dispatcher-heartbeat", "2s")
        first.docker("node", "update", "--label-add", "doodle.state=true", first.name)
        yield machines
    finally:
        with ThreadPoolExecutor() as each:
            list(each.map(Machine.down, machines))


@pytest.fixture(scope="module")
def swarm(machines, project, release, registry, store, object_store):
    """The stack, settled."""
    server, bucket = object_store
    keys = {"aws_access_key_id": KEYS["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": KEYS["AWS_SECRET_ACCESS_KEY"]}
    about = {**keys, "region": KEYS["AWS_DEFAULT_REGION"], "endpoint_url": server.url}
    secret = "[default]\n" + "".join(f"{name} = {value}\n" for name, value in about.items())
    machines[0].docker("secret", "create", "doodle-s3", "-", input=secret)
    release("one")
    where = {"DOODLE_REGISTRY": f"{registry.there}/doodle", "DOODLE_BUCKET": f"{bucket}/models", "DOODLE_GRAFANAS": "0"}
    swarm = Swarm(machines, project, where)
    swarm.deploy("one")
    try:
        swarm.settle()
    except BaseException:
        print(swarm.problems())
        raise
    return swarm


@pytest.fixture(scope="module")
def balancing(folder, project, free_port, require):
    """`with balancing(machines) as url:` run nginx with deploy/balancer.conf before these machines; yield its API's URL."""
    nginx = require("nginx")

    @contextmanager
    def balancing(machines: list[Machine]):
        ports = {"80": free_port(), "7000": free_port()}
        lines = []
        for line in (project / "deploy/balancer.conf").read_text().splitlines():
            node = re.search(r"node(\d):", line)
            if node is None:
                lines.append(re.sub(r"listen (\d+);", lambda found: f"listen 127.0.0.1:{ports[found[1]]};", line))
            lines += [line.replace(node[0], f"{each.address}:") for each in machines if node and each.name[-1] == node[1]]
        own = [f"pid {folder}/balancer.pid;", f"error_log {folder}/balancer.log;", "daemon off;"]
        (folder / "balancer.conf").write_text("\n".join([*own, *lines]))
        url = f"http://127.0.0.1:{ports['7000']}"
        with subprocess.Popen([nginx, "-c", folder / "balancer.conf", "-p", folder]) as process:
            try:
                wait_until(lambda: httpx.get(f"{url}/healthz", timeout=5), "the balancer answers")
                yield url
            finally:
                process.terminate()

    return balancing


@pytest.fixture(scope="module")
def balancer(balancing, machines):
    """Return the URL of a balancer before the second and the third machine."""
    with balancing(machines[1:]) as url:
        yield url


@pytest.fixture(scope="module")
def capacity(swarm, balancer, require):
    """Return the answers per second through the balancer at full load."""
    with wrk_load(require("wrk"), balancer, CAPACITY_SECONDS, connections=24) as found:
        pass
    assert (found.refused, found.failed) == ({}, 0)
    return found.rate


@pytest.fixture
def background_load(balancer, capacity, require):
    """`with background_load() as found:` run clients at SHARE of the capacity; `found` is filled at the end."""
    pause = 1e3 * LOAD_CONNECTIONS / (SHARE * capacity)
    return lambda: wrk_load(require("wrk"), balancer, LOAD_SECONDS, LOAD_CONNECTIONS, pause, to_the_end=False)
