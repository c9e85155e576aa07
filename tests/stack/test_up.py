"""`docker compose up --wait`: everything is healthy, nothing else is reachable, nobody may do more than needed."""

import json
import re
import subprocess

import pytest
import yaml

BUILT = ("trainer", "inference", "exporter")
SERVICES = (*BUILT, "frontend", "redis", "prometheus", "grafana", "alertmanager")
PUBLISHED = {
    "frontend": ("3000", "7000"),
    "exporter": ("18000",),
    "prometheus": ("9090",),
    "grafana": ("3000",),
    "alertmanager": ("9093",),
}


@pytest.fixture(params=SERVICES)
def service(request, stack):
    if request.param in stack.services_left_out:
        pytest.skip(f"{request.param}'s image cannot be had here")
    if request.param == "alertmanager":
        request.getfixturevalue("alerting")
    return request.param


@pytest.fixture
def container(stack, service):
    return stack.container(service)


def test_the_file_is_right_without_any_setting(stack):
    nothing_set = {name: value for name, value in stack.environment.items() if not name.startswith(("DOODLE_", "COMPOSE_"))}
    checked = subprocess.run(
        ["docker", "compose", "config", "--quiet"], cwd=stack.folder, env=nothing_set, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_env_example_names_all_that_can_be_set_and_its_values_are_the_defaults(stack):
    """A stack with .env.example as its .env is the stack without one."""
    nothing_set = {name: value for name, value in stack.environment.items() if not name.startswith(("DOODLE_", "COMPOSE_"))}

    def configured(*options):
        command = ["docker", "compose", *options, "config", "--format", "json"]
        return json.loads(subprocess.run(command, cwd=stack.folder, env=nothing_set, capture_output=True, check=True).stdout)

    assert configured("--env-file", ".env.example") == configured()
    compose, override, example = (
        (stack.folder / name).read_text() for name in ("docker-compose.yml", "docker-compose.override.yml", ".env.example")
    )
    settable = set(re.findall(r"\$\{(\w+)", compose + override)) | {"PIP_INDEX_URL", "COMPOSE_PROFILES"}
    assert set(re.findall(r"^#? ?(\w+)=", example, re.MULTILINE)) == settable


def test_it_is_healthy(container):
    assert container["State"]["Health"]["Status"] == "healthy"


def test_it_restarts_when_it_ends_by_itself(container):
    assert container["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"


def test_its_ports_are_published_on_this_machine_alone(stack, service, container):
    published = {port: binding for port, binding in container["NetworkSettings"]["Ports"].items() if binding}
    assert {port.removesuffix("/tcp") for port in published} == set(PUBLISHED.get(service, ()))
    assert {binding["HostIp"] for bindings in published.values() for binding in bindings} <= {"127.0.0.1"}


def test_another_address_can_be_chosen(stack):
    bound = stack.environment | {"DOODLE_BIND": "192.0.2.1", "COMPOSE_PROFILES": "alerting"}
    command = ["docker", "compose", "config", "--format", "json"]
    config = json.loads(subprocess.run(command, cwd=stack.folder, env=bound, capture_output=True, check=True).stdout)
    ports = [port for service in config["services"].values() for port in service.get("ports", ())]
    assert len(ports) == 6
    assert {port["host_ip"] for port in ports} == {"192.0.2.1"}


def test_it_may_do_no_more_than_it_must(container):
    host = container["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert not host["Privileged"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert 0 < host["Memory"] <= 2 * 1024**3
    assert 0 < host["PidsLimit"] <= 128


def test_it_runs_as_somebody_who_is_not_root(stack, service):
    user = stack.compose("exec", "-T", service, "id", "-u").strip()
    assert user != "0"
    if service in BUILT:
        assert user == "10001"


def test_its_root_cannot_be_written(stack, service):
    command = ["docker", "compose", "exec", "-T", service, "touch", "/written", "/etc/written"]
    touched = subprocess.run(command, cwd=stack.folder, env=stack.environment, capture_output=True, text=True, check=False)
    assert touched.returncode != 0
    assert "Read-only file system" in touched.stderr


@pytest.mark.parametrize("built", BUILT)
def test_a_built_image_says_how_to_run_it_and_how_it_does(stack, docker, built):
    (image,) = json.loads(docker("image", "inspect", stack.container(built)["Image"]))
    config = image["Config"]
    assert config["User"] not in ("", "root", "0")
    assert config["Healthcheck"]["Test"][0] == "CMD"
    assert config["Cmd"][:3] == ["python", "-m", built]  # without a shell, which would keep SIGTERM for itself


@pytest.mark.parametrize("built", ["inference", "exporter"])
def test_a_built_image_adds_less_than_150_MB_to_its_base(stack, docker, built):
    def kilobytes(image):  # as a container sees it: engines count an image's own size in different ways
        return int(docker("run", "--rm", "--user=0", "--entrypoint=du", image, "-skx", "/").split()[0])

    added = (kilobytes(stack.container(built)["Image"]) - kilobytes("python:3.13-slim")) / 1000
    print(f"{built} adds {added:.0f} MB to python:3.13-slim")
    assert added < 150


@pytest.mark.parametrize("built", BUILT)
def test_an_image_holds_no_more_of_the_project_than_it_runs(stack, built):
    found = stack.compose("exec", "-T", built, "ls", "/app/services", "/app/packages").split()
    packages = {"deployment", "digitnet", "stores"} | (set() if built == "inference" else {"drift"})
    assert set(found) - {"__pycache__"} == {"/app/services:", built, "/app/packages:"} | packages


def test_every_image_is_pinned(stack):
    services = yaml.safe_load((stack.folder / "docker-compose.yml").read_text())["services"]
    images = {service["image"] for service in services.values() if "image" in service}
    bases = {
        line.split()[1] for line in (stack.folder / "services/Dockerfile").read_text().splitlines() if line.startswith("FROM")
    }
    for image in images | {base for base in bases if ":" in base}:
        assert image.rpartition(":")[2][:1].isdigit() or image.rpartition(":")[2].startswith(("v0.", "v2.")), image


def test_the_log_of_the_trainer_says_how_far_it_is(stack):
    log = stack.first_log
    for stage in ("fetch", "preprocess", "synthesize", "disturb", "train", "evaluate"):
        assert f"event=stage name={stage}\n" in log
    assert re.search(r"epoch 1/\d+  loss ", log)
    assert "event=model_published version=" in log


def test_what_it_trained_reads_as_it_should(stack):
    assert stack.exported()["doodle_pipeline_test_accuracy_ratio"] >= 0.985  # after three epochs of eight


@pytest.mark.parametrize("built", BUILT)
def test_it_ends_cleanly_when_it_is_told_to(stack, docker, built, wait_until):
    container = stack.container(built)
    stack.compose("stop", built)
    (stopped,) = json.loads(docker("inspect", container["Id"]))
    stack.up("--no-recreate")
    assert stopped["State"]["ExitCode"] == 0  # 137 is the end of patience
    assert not stopped["State"]["OOMKilled"]
