"""Load on three replicas: a soak below capacity, a burst far above it, and slow clients.

`make soak` sets a longer DOODLE_SOAK_SECONDS than the default of 24.
"""

import json
import os
import re
import socket
import subprocess
import time
from collections import Counter
from contextlib import ExitStack, suppress
from statistics import median

import httpx
import pytest
from load import DRAWING

pytestmark = pytest.mark.usefixtures("three_replicas")

SOAK_SECONDS = int(os.environ.get("DOODLE_SOAK_SECONDS", "24"))
SHARE = 0.8  # of the capacity
SOAK_CONNECTIONS = 64
# Allowed growth during the soak. A leak of 1 KB per request would be 15 MB.
MEMORY_MB, DESCRIPTORS = 8.0, 24

BURST_CONNECTIONS = 4 * 3 * 64  # four times the limit of three replicas
BURST_SECONDS = 8
RECOVERED_SECONDS = 2.0

SLOW_CLIENTS = 200  # of each kind, on each port
SLOW_SECONDS = 13
HEAD = b"POST /predict HTTP/1.1\r\nHost: doodle\r\nContent-Type: application/json\r\nContent-Length: 400\r\n"

SERVERS = ("inference", "frontend", "exporter")  # Redis and Prometheus store data, so they grow
MEASURE = (  # `if`, because `&&` would give a process that ended as the loop's status
    "for process in /proc/[0-9]*; do if [ -r $process/fd ]; then "
    "echo $(grep VmRSS $process/status) $(ls $process/fd | wc -l) $(cat $process/comm); fi; done"
)


@pytest.fixture(scope="module")
def capacity(many_clients):
    """Return the answers per second at full load."""
    with many_clients(5, 24) as found:
        pass
    assert (found.refused, found.failed) == ({}, 0)
    return found.rate


def used(stack, docker):
    """Return (MB, open files) of all server processes in each container."""
    found = {}
    for service in SERVERS:
        for container in stack.containers(service):
            lines = docker("exec", container["Id"], "sh", "-c", MEASURE).splitlines()
            measured = [re.match(r"VmRSS: (\d+) kB (\d+) (python|nginx)", line) for line in lines]
            processes = [(int(each[1]) / 1024, int(each[2])) for each in measured if each]
            assert processes, lines
            found[service, container["Id"]] = tuple(map(sum, zip(*processes)))
    return found


@pytest.mark.slow
def test_a_soak_fails_no_request_and_leaks_nothing(stack, many_clients, capacity, docker, documented):
    pause = 1e3 * SOAK_CONNECTIONS / (SHARE * capacity)
    with many_clients(max(SOAK_SECONDS // 4, 5), SOAK_CONNECTIONS, pause) as warming_up:
        pass  # warm-up
    pause -= 1e3 * SOAK_CONNECTIONS * (1 / warming_up.rate - 1 / (SHARE * capacity))  # subtracts the time of an answer
    before = used(stack, docker)
    with many_clients(SOAK_SECONDS, SOAK_CONNECTIONS, pause) as found:
        pass
    after = used(stack, docker)
    share = found.rate / capacity
    print(f"{found.answered} answers in {SOAK_SECONDS} s, {share:.0%} of {capacity:.0f} a second; p99 {found.p99:.0f} ms")
    for (service, container), (memory, files) in after.items():
        print(f"{service} {container[:6]}: {before[service, container]} -> {memory, files} (MB, open files)")
    # A leak affects every replica, so compare the median.
    grown = {
        service
        for service in SERVERS
        for index, most in enumerate((MEMORY_MB, DESCRIPTORS))
        if median(after[each][index] - before[each][index] for each in after if each[0] == service) > most
    }
    assert (found.refused, found.failed, grown) == ({}, 0, set())
    assert share > SHARE / 2, "the load was too light"
    documented(
        "load",
        "80% of the capacity of three replicas, sustained",
        "every request is answered" + ("" if grown else "; memory and open files do not grow"),
    )


def test_sheds_a_burst_and_recovers_within_two_seconds(stack, many_clients, documented):
    with many_clients(BURST_SECONDS, BURST_CONNECTIONS) as found:
        pass
    ended = time.monotonic()
    while (answer := httpx.post(f"{stack.api}/predict", json=DRAWING, timeout=10)).status_code != 200:  # still shedding
        assert time.monotonic() < ended + RECOVERED_SECONDS, answer.text
        time.sleep(0.05)
    recovered = time.monotonic() - ended
    print(f"{found.answered} answered, {found.refused.total()} refused; an answer {recovered:.2f} s after it")
    assert found.failed == 0
    assert found.answered > 0
    assert found.refused, "the burst was too small"
    kinds = {tuple(refusal.split(" ")[:2]) for refusal in found.refused}  # status and Retry-After
    assert kinds <= {("429", "1"), ("503", "1")}, found.refused
    assert recovered < RECOVERED_SECONDS
    statuses = " or ".join(sorted({status for status, _ in kinds}))
    documented(
        "load",
        "768 requests at once, four times what three replicas admit, repeated without pause",
        f"each is answered or gets {statuses} with `Retry-After: 1`; two seconds later the service is normal",
    )


KEPT = "200 clients that read no answer, or send a byte a second"
CLOSED = "200 clients that send nothing, or a header line a second"
# The row, and what each client sends first and then repeats. Clients with a time limit come last.
WAYS = [
    (KEPT, HEAD.replace(b"/predict", b"/explain") + b"\r\n" + json.dumps(DRAWING).encode().ljust(400), b""),
    (CLOSED, b"", b""),
    (CLOSED, HEAD, b"X-More: 1\r\n"),
    (KEPT, HEAD + b'\r\n{"strokes": [[', b" "),
]


def connected(url):
    """Open a connection with a small receive buffer."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(10)
    connection.connect((url.host, url.port))
    return connection


# Another address requests both ports once a second and prints each status.
OTHER_CLIENT = """
import json, sys, time, urllib.request
for _ in range(int(sys.argv[1])):
    for url in ("http://frontend:3000/api/predict", "http://frontend:7000/predict"):
        request = urllib.request.Request(url, sys.argv[2].encode(), {"Content-Type": "application/json"})
        try:
            print(urllib.request.urlopen(request, timeout=5).status)
        except OSError as error:
            print(error)
    time.sleep(0.9)
"""


def processes(stack, docker):
    """Return the processes of nginx and the service, to detect silent restarts."""
    nginx = docker("top", stack.container("frontend")["Id"], "-o", "pid,comm").splitlines()
    servers = {line for line in nginx if line.endswith("nginx")}
    return servers | {str(container["State"]["Pid"]) for container in stack.containers("inference")}


def is_closed(connection):
    """Return whether the server closed the connection, ignoring received data."""
    connection.setblocking(False)
    try:
        while connection.recv(65536):
            pass
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True


@pytest.mark.slow
def test_slow_clients_block_nobody(stack, docker, wait_until, documented):
    """All kinds at once, on both ports."""
    clients, before = [], processes(stack, docker)
    command = ["docker", "exec", stack.container("exporter")["Id"], "python", "-c", OTHER_CLIENT, str(SLOW_SECONDS)]
    with ExitStack() as connections:
        for kind, first, again in WAYS:
            for url, prefix in ((stack.page, b"POST /api/"), (stack.api, b"POST /")):
                for _ in range(SLOW_CLIENTS):
                    connection = connections.enter_context(connected(httpx.URL(url)))
                    connection.sendall(first.replace(b"POST /", prefix))
                    clients.append((kind, connection, again))
        # Wait until the 400 explanations are computed or rejected.
        wait_until(lambda: httpx.post(f"{stack.api}/predict", json=DRAWING, timeout=5).raise_for_status(), "the queue has room")
        with subprocess.Popen([*command, json.dumps(DRAWING)], stdout=subprocess.PIPE, text=True) as others:
            while others.poll() is None:
                for _, connection, again in clients:
                    with suppress(OSError):  # closed connections
                        connection.sendall(again)
                time.sleep(0.9)
            statuses = others.stdout.read().split("\n")[:-1]
        left = Counter(kind for kind, connection, _ in clients if not is_closed(connection))
    print(f"open connections of {4 * SLOW_CLIENTS} each: {left}")
    assert statuses == ["200"] * 2 * SLOW_SECONDS
    assert processes(stack, docker) == before
    for kind in (KEPT, CLOSED):
        documented("load", kind, "all others are answered" + ("" if left[kind] else "; nginx closes these after ten seconds"))
