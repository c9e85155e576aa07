"""With `docker compose up --scale inference=3` all replicas share the load and Prometheus finds them."""

import time
from itertools import pairwise

import httpx
import pytest

pytestmark = pytest.mark.usefixtures("three_replicas")

CALLS = "api_predict_calls_total"
SCRAPED = 3  # seconds within which Prometheus scrapes each replica
EACH = 30  # predictions with three replicas, with one, and with three again
COUNTED = (  # counters that increase by one per prediction
    CALLS,
    'doodle_http_requests_total{route="/predict",code="200"}',
    'doodle_http_request_seconds_count{route="/predict"}',
    "doodle_drawings_total",
    "doodle_digits_total",
    "doodle_prediction_confidence_ratio_count",
    'doodle_predict_phase_seconds_count{phase="forward"}',
    'doodle_recorder_records_total{outcome="written"}',
)
COUNT = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:7000/metrics').read().decode())"


def calls_by_replica(stack, docker):
    """Return each replica's own count by its address."""
    counted = {}
    for container in stack.containers("inference"):
        (network,) = container["NetworkSettings"]["Networks"].values()
        lines = docker("exec", container["Id"], "python", "-c", COUNT).splitlines()
        counted[f"{network['IPAddress']}:7000"] = next(float(line.split()[1]) for line in lines if line.startswith(f"{CALLS} "))
    return counted


@pytest.mark.parametrize("way", ["page", "api"])
def test_spreads_load_and_counts_each_call_once(stack, docker, wait_until, way):
    base = f"{stack.page}/api" if way == "page" else stack.api
    wait_until(lambda: len(calls_by_replica(stack, docker)) == 3, "there are three replicas")
    stack.predict(base)
    before = calls_by_replica(stack, docker)

    def spread():
        with httpx.Client(base_url=base, timeout=10) as client:
            for _ in range(60):
                client.post("/predict", json={"strokes": [[[140, 40], [150, 240]]]}).raise_for_status()
        return [calls - before[address] for address, calls in calls_by_replica(stack, docker).items()]

    added = spread()
    assert sum(added) == 60
    assert min(added) >= 5  # fails by chance less than once in a million


def test_prometheus_follows_scaling(stack, wait_until):
    def targets_up():
        return sum(target["labels"]["job"] == "fastapi-app" and target["health"] == "up" for target in stack.targets())

    with stack.load() as load:
        stack.up("--scale", "inference=4", "--no-recreate")
        wait_until(lambda: targets_up() == 4, "the fourth is scraped")
        stack.up("--scale", "inference=3", "--no-recreate")
        wait_until(lambda: targets_up() == 3, "the fourth is forgotten")
        load.wait_for_answers(20)
    assert (load.failures, load.repeated) == ([], [])


def test_counts_survive_scaling(stack, wait_until):
    """Sums over replicas lose nothing and count nothing twice."""
    time.sleep(SCRAPED)
    began = time.time()

    def added(counter):
        """Return the increase since `began`, as rate() computes it: a falling counter belongs to a new replica."""
        window = int(time.time() - began) + SCRAPED
        total = 0.0
        for series in stack.query(f"{counter}[{window}s]"):
            counts = [(moment, float(count)) for moment, count in series["values"]]
            for (_, before), (moment, count) in pairwise([(0, 0.0), *counts]):
                if moment > began:
                    total += count - before if count >= before else count
        return total

    for replicas in (3, 1, 3):
        stack.up("--scale", f"inference={replicas}", "--no-recreate")
        for _ in range(EACH):
            stack.predict()
        time.sleep(SCRAPED)
    for counter in COUNTED:
        wait_until(lambda: added(counter) == 3 * EACH, f"{counter} has all of them")  # noqa: B023
