"""docs/security.md lists the code's ports, limits, headers and keys."""

import importlib
import inspect
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from deployment.server import BODY_SECONDS, HEADER_SECONDS
from digitnet.checkpoint import CARD_FILE, MOST_BYTES, WEIGHTS_FILE
from digitnet.images.pieces import MOST_CANDIDATES, MOST_DIGITS, MOST_LINES
from digitnet.network import MOST_LAYERS, MOST_NUMBERS
from inference.app import MAX_REQUESTS
from inference.body import MAX_IMAGE_BYTES, MAX_INFER_BYTES, MAX_JSON_BYTES, MAX_LARGE_IMAGES
from inference.image_files.base import MAX_PIXELS, MAX_SIDE
from inference.image_files.jpeg import MAX_SCANS
from inference.routes.infer import IMAGES_PER_PLACE
from inference.schemas.infer import MAX_IMAGES
from inference.schemas.requests import MAX_POINTS, MAX_STROKES
from inference.services import BATCHES_WAITING, INSPECTIONS_WAITING, LARGE_WAITING, READS_WAITING, SLOW_WAITING
from inference.settings import Settings
from stores.prediction_log import FEEDBACK_LIMITS, open_prediction_log
from stores.prediction_log.base import ERASED_FEEDBACK_KEPT

PROJECT = Path(__file__).parents[2]
DOCUMENT = PROJECT / "docs" / "security.md"
MEBIBYTE = 1024 * 1024
# Services in docker-compose.yml without a published port.
INSIDE = {"trainer", "inference", "redis"}


@pytest.fixture(scope="module")
def services():
    """Return the services of both Compose files, merged, without `backup`, which only `make backup` and `make restore` run."""
    base, override = (
        yaml.safe_load((PROJECT / name).read_text())["services"] for name in ("docker-compose.yml", "docker-compose.override.yml")
    )
    backup = override.pop("backup")
    assert (backup["network_mode"], backup["profiles"], backup["read_only"]) == ("none", ["backup"], True)
    assert set(override) <= set(base)
    return {name: service | override.get(name, {}) for name, service in base.items()}


@pytest.fixture(scope="module")
def nginx_conf():
    return (PROJECT / "services/frontend/nginx.conf").read_text()


def table(first_header):
    """Return the rows of the table with this first header, as lists of cells."""
    _, _, rest = DOCUMENT.read_text().partition(f"\n| {first_header} |")
    rows = rest.partition("\n\n")[0].splitlines()[2:]
    assert rows, first_header
    return [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in rows]


BIND = r"\$\{DOODLE_BIND:-127\.0\.0\.1\}"


def test_ports_are_the_published_ones_on_loopback(services):
    published = {}
    for name, service in services.items():
        for port in service.get("ports", ()):
            found = re.fullmatch(rf"(?:{BIND}|\$\{{DOODLE_FRONTEND_BIND:-{BIND}\}}):\$\{{DOODLE_\w+:-(\d+)\}}:\d+", port)
            assert found, f"{name} publishes {port}"
            published[found[1]] = name
    assert {port: service for port, service, _ in table("port")} == published
    assert INSIDE.isdisjoint(published.values())
    assert set(published.values()) | INSIDE == set(services)
    assert not any("network_mode" in service or "expose" in service for service in services.values())


def test_limits_are_those_of_service_and_nginx(nginx_conf, services):
    page = nginx_conf.partition("listen 7000;")[0]

    def find(pattern, where=nginx_conf):
        (found,) = set(re.findall(pattern, where))
        return found

    def by_port(kind, pattern, unit=""):
        on_page, on_api = (find(pattern.format(f"{port}_{kind}")) for port in ("page", "api"))
        return f"{on_page}{unit}; {on_api} on port 7000"

    rate, places = r"zone={}:2m +rate=(\d+)r/s;", r"limit_conn {} +(\d+);"
    (buffers,) = services["frontend"]["volumes"]

    megabytes = sorted(
        int(amount) * {"m": 1, "g": 1024}[unit]
        for amount, unit in (
            re.fullmatch(r"(\d+)([mg])", each["deploy"]["resources"]["limits"]["memory"]).groups() for each in services.values()
        )
    )
    assert megabytes[-1] == 2048
    assert {find(f"client_{part}_timeout (.*?);") for part in ("header", "body")} == {"10s"}
    assert (HEADER_SECONDS, BODY_SECONDS) == (10, 10)
    assert table("what") == [
        ["a body that may be an image or a batch", f"{find(r' {12}client_max_body_size ([0-9]+)m;')} MiB", "nginx, both ports"],
        ["any other body", f"{find(r'(?m)^ {4}client_max_body_size (.*?)m;')} MiB", "nginx, both ports"],
        [
            "a body of JSON",
            f"{MAX_JSON_BYTES // MEBIBYTE} MiB; {MAX_INFER_BYTES // MEBIBYTE} MiB for {MAX_IMAGES} images as a batch",
            "service",
        ],
        [
            "an image",
            f"{MAX_IMAGE_BYTES // MEBIBYTE} MiB, {MAX_PIXELS:,} pixels, {MAX_SIDE:,} in a row or column, {MAX_SCANS} JPEG scans",
            "service",
        ],
        ["a drawing", f"{MAX_POINTS:,} points, {MAX_STROKES:,} strokes", "service"],
        [
            "a drawing of numbers",
            f"{MOST_DIGITS} digits, {MOST_LINES} lines, {MOST_CANDIDATES} groups of marks that may be digits",
            "service",
        ],
        [
            "requests of one address",
            f"{find(r'zone=page_requests:2m rate=(.*?)r/s;')} a second, {find(r'zone=page_requests burst=(.*?) nodelay;', page)} "
            "at once beyond that",
            "nginx, port 3000",
        ],
        [
            "feedback and erasures of one address",
            f"{find(r'zone=page_feedback:2m rate=(.*?)r/s;')} a second, {find(r'zone=page_feedback burst=(.*?) nodelay;', page)} "
            "at once beyond that",
            "nginx, port 3000",
        ],
        ["feedback of one address, or of one IPv6 network (/64)", f"{FEEDBACK_LIMITS.per_source:,} a day", "prediction log"],
        ["feedback of all addresses", f"{FEEDBACK_LIMITS.per_day:,} a day", "prediction log"],
        ["numbers, explanations, units, snapshots and batches of one address", by_port("live", rate, " a second"), "nginx"],
        ["occlusions and trainings of one address", by_port("heavy", rate, " a second"), "nginx"],
        ["images and large bodies of one address", by_port("uploads", rate, " a second"), "nginx"],
        ["concurrent requests of one address", by_port("connections", places), "nginx"],
        ["concurrent costly requests of one address", by_port("answers", places), "nginx"],
        ["concurrent large bodies of one address", by_port("bodies", places), "nginx"],
        ["concurrent bodies of 1 MB or more of one address", by_port("images", places), "nginx"],
        ["bodies and responses buffered in `/tmp`", f"{buffers['tmpfs']['size'] // MEBIBYTE} MB", "nginx"],
        [
            "requests in flight",
            f"{MAX_REQUESTS} of each path; {IMAGES_PER_PLACE} images of a batch count as one",
            "service, each replica",
        ],
        ["images of more than 1 MiB in memory", str(MAX_LARGE_IMAGES), "service, each replica"],
        [
            "expensive calls that wait",
            f"{LARGE_WAITING} large bodies, {READS_WAITING} numbers, {INSPECTIONS_WAITING} inspections, "
            f"{BATCHES_WAITING} batches, "
            f"{SLOW_WAITING} of occlusion or training steps",
            "service, each replica",
        ],
        ["a header, and each piece of a body", "10 s", "nginx, service, `make run`"],
        ["memory", f"{megabytes[0]} MB to {megabytes[-1] // 1024} GB", "each container"],
        [
            "a model's files",
            f"{MOST_BYTES[WEIGHTS_FILE] // MEBIBYTE} MiB, its card {MOST_BYTES[CARD_FILE] // MEBIBYTE} MiB",
            "each reader",
        ],
        ["a model's network", f"{MOST_LAYERS} layers, {MOST_NUMBERS:,} numbers computed for one image", "each reader"],
    ]


def test_headers_are_those_of_the_page():
    sent = importlib.import_module("frontend.__main__").PAGE_HEADERS
    documented = {name.strip("`"): value.strip("`") for name, value in table("header")}
    assert documented == {name: value for name, value in sent.items() if name != "Cache-Control"}


def test_keys_and_passwords_have_no_default(services):
    example = (PROJECT / ".env.example").read_text()
    for name, _, _ in table("variable"):
        assert re.search(rf"^{name.strip('`')}=$", example, re.MULTILINE), name
    for name, where in (("DOODLE_API_KEY", ("exporter", "inference", "trainer")), ("GRAFANA_ADMIN_PASSWORD", ("grafana",))):
        having = {service for service, what in services.items() if f"{{{name}:-}}" in str(what.get("environment", ""))}
        assert having == set(where)
    for name, service in services.items():
        for variable, value in (service.get("environment") or {}).items():
            if re.search("PASSWORD|KEY|SECRET|TOKEN", variable):
                assert re.fullmatch(r"\$\{\w+:-\}", value), f"{name} has a {variable}"


def test_git_ignores_the_env_file(require):
    ignored = subprocess.run([require("git"), "check-ignore", ".env"], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert ignored.stdout == ".env\n"


def test_prometheus_has_no_admin_api(services):
    assert [option for option in services["prometheus"]["command"] if "enable" in option] == []


def test_sizes_of_prediction_log_and_logs_are_documented(services):
    text = " ".join(DOCUMENT.read_text().split())
    command = services["redis"]["command"]
    megabytes = command[command.index("--maxmemory") + 1].removesuffix("mb")
    assert f"Redis takes no more than {megabytes} MB" in text
    logs = services["frontend"]["logging"]["options"]
    assert f"Docker keeps {int(logs['max-size'].removesuffix('m')) * int(logs['max-file'])} MB" in text


def test_retention_of_personal_data_is_documented(services):
    kept = {data: (where, how_long) for data, where, how_long in table("data")}
    days = f"{Settings().retention_days} days (`DOODLE_RETENTION_DAYS`)"
    assert (
        services["inference"]["environment"]["DOODLE_RETENTION_DAYS"]
        == f"${{DOODLE_RETENTION_DAYS:-{Settings().retention_days}}}"
    )
    in_log = [how_long for where, how_long in kept.values() if where == "prediction log"]
    cap = inspect.signature(open_prediction_log).parameters["cap"].default
    assert in_log == [
        f"{days}, and among the newest {cap:,}",
        days,
        f"the newest {cap:,} predictions and {ERASED_FEEDBACK_KEPT:,} pieces of feedback",
    ]
