"""Measure the cost of the most expensive requests, for the service and for other clients: `make costs`, five minutes.

    python benchmarks/request_costs.py             measures all of worst_requests.py and writes the table of docs/security.md
    python benchmarks/request_costs.py --only PNG  measures requests with this text in their names, and writes nothing

The service runs with the repository's model behind nginx. CPU time and peak memory come from the kernel. In an attack, one
address repeats the request without a pause for some seconds, while another address draws. The exit code is 1 if a request costs
more than its limit.
"""

import argparse
import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
from serving import free_port, wait_for
from stores.models import LIVE, open_models
from worst_requests import WORST, WorstRequest

PROJECT = Path(__file__).resolve().parents[1]
DOCUMENT = PROJECT / "docs" / "security.md"
TABLE = re.compile(r"(<!-- table costs: .*? -->\n\n\|.*\|\n\|[-|]+\|\n)((?:\|.*\|\n)*)")
ROUNDS = 5
CPU_MS, MEMORY_MIB, P95_MS = 200.0, 64.0, 100.0
ORDINARY = "an ordinary drawing"
LISTED_CPU_MS, LISTED_MIB = 50.0, 50.0  # the table has the requests that cost this much of either, and ORDINARY
ATTACK_SECONDS, ATTACK_CONNECTIONS, DRAW_SECONDS = 3.0, 48, 0.05
VICTIM, ATTACKER = "127.0.0.1", "127.0.0.2"


class Cost(NamedTuple):
    """The cost of one kind of request."""

    status: int
    cpu_ms: float  # the median
    memory_mib: float  # peak memory of the process, less the memory before
    victim_ms: float  # the median of another client's predictions during the attack
    victim_p95_ms: float
    victim_failures: int  # answers other than 200
    accepted: int  # requests of the attack that nginx passed on


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of all threads of a process."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def memory_mib(pid: int, name: str) -> float:
    return int(re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def cost_of(url: str, pid: int, request: WorstRequest) -> tuple[int, float, float]:
    """Return status, CPU milliseconds and mebibytes of a request, sent to the service directly."""
    body, headers = request.body(), {"Content-Type": request.content_type}
    milliseconds, mebibytes, status = [], [], 0
    with httpx.Client(base_url=url, timeout=60) as client:
        for _ in range(ROUNDS):
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # resets the peak
            memory, cpu = memory_mib(pid, "VmRSS"), cpu_seconds(pid)
            status = client.post(request.path, content=body, headers=headers).status_code
            milliseconds.append((cpu_seconds(pid) - cpu) * 1e3)
            mebibytes.append(memory_mib(pid, "VmHWM") - memory)
    return status, statistics.median(milliseconds), max(mebibytes)


async def ask(port: int, address: str, path: str, content_type: str, body: bytes) -> int:
    """POST it on a connection of its own, from this address; the status, 0 where the connection broke."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {content_type}\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
        try:
            writer.write(head.encode() + body)
            answer = await reader.read()
            return int(answer.split(b" ", 2)[1]) if answer else 0
        finally:
            writer.close()
    except OSError:
        return 0


async def attack(port: int, request: WorstRequest) -> int:
    """Send it without a pause; how many were not rejected by nginx's limits."""
    body, until, accepted = request.body(), time.monotonic() + ATTACK_SECONDS, 0

    async def attacker():
        nonlocal accepted
        while time.monotonic() < until:
            status = await ask(port, ATTACKER, f"/api{request.path}", request.content_type, body)
            accepted += status not in (0, 429)
            if status == 429:
                await asyncio.sleep(0.02)  # leaves the processor to the measured processes

    await asyncio.gather(*(attacker() for _ in range(ATTACK_CONNECTIONS)))
    return accepted


async def draw(port: int, seconds: float) -> tuple[list[float], int]:
    """Draw twenty times a second; milliseconds of each answer, and answers other than 200."""
    ordinary, until = WORST["an ordinary drawing"], time.monotonic() + seconds
    milliseconds, failures = [], 0
    while time.monotonic() < until:
        started = time.perf_counter()
        failures += await ask(port, VICTIM, f"/api{ordinary.path}", ordinary.content_type, ordinary.body()) != 200
        milliseconds.append((time.perf_counter() - started) * 1e3)
        await asyncio.sleep(DRAW_SECONDS)
    return milliseconds, failures


@contextmanager
def running(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Yield the service's URL and process id, and nginx's port."""
    service_port, page, api = free_port(), free_port(), free_port()
    models = open_models(f"{folder}/models")
    models.point(LIVE, models.publish(PROJECT / "artifacts" / "model")["version"])
    settings = {
        "DOODLE_PORT": service_port,
        "DOODLE_MODELS": f"{folder}/models",
        "DOODLE_JOURNAL": f"sqlite:///{folder}/log.sqlite",
    }
    environment = os.environ | {name: str(value) for name, value in settings.items()} | {"MALLOC_ARENA_MAX": "1"}
    configuration = (PROJECT / "services/frontend/nginx.conf").read_text()
    for there, here in (
        ("/tmp/", f"{folder}/"),  # noqa: S108 # nosec B108
        ("listen 3000;", f"listen 127.0.0.1:{page};"),
        ("listen 7000;", f"listen 127.0.0.1:{api};"),
        ("/srv/page", f"{PROJECT}/services/frontend"),
        ("default inference:7000;", f"default 127.0.0.1:{service_port};"),
        ("/dev/stdout", "/dev/null"),
        ("error_log stderr", f"error_log {folder}/errors"),
    ):
        configuration = configuration.replace(there, here)
    (folder / "origins.conf").touch()
    (folder / "nginx.conf").write_text(("user root;\n" if os.geteuid() == 0 else "") + configuration)
    commands = (
        [sys.executable, "-m", "inference"],
        ["nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "errors", "-g", "daemon off;"],
    )
    processes = [subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) for command in commands]
    try:
        for port, what in ((service_port, "the service"), (page, "nginx")):
            wait_for(port, what)
        yield f"http://127.0.0.1:{service_port}", processes[0].pid, page
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def measure(name: str, request: WorstRequest) -> Cost:
    """Measure each request on a new service, so that one attack does not affect the next."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as (url, pid, page):
        for _ in range(ROUNDS):
            cost_of(url, pid, WORST["an ordinary drawing"])  # warms up: imports, and objects that are made once
        alone = cost_of(url, pid, request)
        program = [sys.executable, __file__, "--attack", name, str(page)]
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as attack:
            milliseconds, failures = asyncio.run(draw(page, ATTACK_SECONDS))
            accepted = int(attack.stdout.read())
        p95 = statistics.quantiles(milliseconds, n=20)[-1]
        return Cost(*alone, statistics.median(milliseconds), p95, failures, accepted)


def row(name: str, path: str, cost: Cost) -> str:
    cells = (
        name,
        f"`{path}`",
        str(cost.status),
        f"{cost.cpu_ms:.0f}",
        f"{max(cost.memory_mib, 0):.0f}",
        f"{cost.victim_ms:.0f}, {cost.victim_p95_ms:.0f}",
    )
    return f"| {' | '.join(cells)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="TEXT", help="only requests with this text in their names; writes nothing")
    parser.add_argument("--attack", nargs=2, metavar=("NAME", "PORT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.attack:
        name, port = arguments.attack
        print(asyncio.run(attack(int(port), WORST[name])))
        return 0
    costs = {}
    for name, request in WORST.items():
        if arguments.only in name:
            costs[name] = measure(name, request)
            print(row(name, request.path, costs[name]), costs[name].accepted, costs[name].victim_failures, flush=True)
    if not arguments.only:
        listed = {
            name: cost
            for name, cost in costs.items()
            if name == ORDINARY or cost.cpu_ms >= LISTED_CPU_MS or cost.memory_mib >= LISTED_MIB
        }
        rows = "".join(f"{row(name, WORST[name].path, cost)}\n" for name, cost in listed.items())
        DOCUMENT.write_text(TABLE.sub(lambda found: found[1] + rows, DOCUMENT.read_text()))
    over = [
        name
        for name, cost in costs.items()
        if cost.cpu_ms > CPU_MS or cost.memory_mib > MEMORY_MIB or cost.victim_p95_ms > P95_MS or cost.victim_failures
    ]
    print("over the limits:", ", ".join(over) or "none")
    return bool(over)


if __name__ == "__main__":
    sys.exit(main())
