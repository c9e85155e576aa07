"""After `docker compose up --wait` every service is healthy, with few rights and only the published ports."""

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


def test_env_example_lists_all_settings_with_their_defaults(stack):
    """.env.example must not change the configuration."""
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


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_healthy_with_least_privilege(stack, request, service):
    if service in stack.excluded_services:
        pytest.skip(f"{service}'s image cannot be had here")
    if service == "alertmanager":
        request.getfixturevalue("alerting")
    container = stack.container(service)
    host = container["HostConfig"]
    assert container["State"]["Health"]["Status"] == "healthy"
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert not host["Privileged"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert 0 < host["Memory"] <= 2 * 1024**3
    assert 0 < host["PidsLimit"] <= 128
    published = {port: binding for port, binding in container["NetworkSettings"]["Ports"].items() if binding}
    assert {port.removesuffix("/tcp") for port in published} == set(PUBLISHED.get(service, ()))
    assert {binding["HostIp"] for bindings in published.values() for binding in bindings} <= {"127.0.0.1"}
    user, error = stack.compose("exec", "-T", service, "sh", "-c", "id -u; touch /written 2>&1 || true").splitlines()
    assert int(user) == 10001 if service in BUILT else int(user) != 0
    assert "Read-only file system" in error


def test_the_bind_address_can_be_set(stack):
    bound = stack.environment | {"DOODLE_BIND": "192.0.2.1", "COMPOSE_PROFILES": "alerting"}
    command = ["docker", "compose", "config", "--format", "json"]
    config = json.loads(subprocess.run(command, cwd=stack.folder, env=bound, capture_output=True, check=True).stdout)
    ports = [port for service in config["services"].values() for port in service.get("ports", ())]
    assert len(ports) == 6
    assert {port["host_ip"] for port in ports} == {"192.0.2.1"}


@pytest.mark.parametrize("built", BUILT)
def test_a_built_image_is_small_and_has_only_its_packages(stack, docker, built):
    (image,) = json.loads(docker("image", "inspect", stack.container(built)["Image"]))
    config = image["Config"]
    assert config["User"] not in ("", "root", "0")
    assert config["Healthcheck"]["Test"][0] == "CMD"
    assert config["Cmd"][:3] == ["python", "-m", built]  # without a shell, which would not forward SIGTERM
    found = stack.compose("exec", "-T", built, "ls", "/app/services", "/app/packages").split()
    packages = {"deployment", "digitnet", "stores"} | (set() if built == "inference" else {"drift"})
    assert set(found) - {"__pycache__"} == {"/app/services:", built, "/app/packages:"} | packages

    def kilobytes(image):  # measured inside, because engines count image sizes differently
        return int(docker("run", "--rm", "--user=0", "--entrypoint=du", image, "-skx", "/").split()[0])

    added = (kilobytes(image["Id"]) - kilobytes("python:3.14-slim")) / 1000
    print(f"{built} adds {added:.0f} MB to python:3.14-slim")
    assert built == "trainer" or added < 160


def test_every_image_is_pinned(stack):
    config = yaml.safe_load(stack.compose("--profile", "*", "config"))
    assert all("build" in service for service in config["services"].values())
    for folder in ("services", "monitoring"):
        stages = re.findall(r"(?m)^FROM (\S+) AS (\S+)$", (stack.folder / folder / "Dockerfile").read_text())
        for base in {base for base, _ in stages} - {name for _, name in stages}:
            assert re.search(r":v?\d", base), base


def test_trained_model_has_the_expected_accuracy(stack):
    assert stack.exported()["doodle_pipeline_test_accuracy_ratio"] >= 0.985  # after three epochs of eight


def test_services_stop_cleanly(stack, docker):
    containers = [stack.container(built) for built in BUILT]
    stack.compose("stop", *BUILT)
    stopped = json.loads(docker("inspect", *(container["Id"] for container in containers)))
    stack.up("--no-recreate")
    # 137 would be SIGKILL after the timeout.
    assert [(each["State"]["ExitCode"], each["State"]["OOMKilled"]) for each in stopped] == [(0, False)] * len(BUILT)
