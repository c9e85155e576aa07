"""Kill each container under light load: it restarts, users see no errors, and no record is lost."""

import os
import time

import httpx
import pytest

pytestmark = pytest.mark.usefixtures("three_replicas")

KILLS = int(os.environ.get("DOODLE_TEST_KILLS", "14"))
KILL_SECONDS = 2.0  # between kills; Docker backs off for containers that run less than ten seconds
SETTLED = 1.0  # seconds after which a replica has logged its answers
BACK_SECONDS = 30.0  # upper limit; usually three, but Docker backs off
FAULTS = {
    "trainer": "Redis, the trainer or Grafana is killed",
    "exporter": "the exporter or Prometheus is killed",
    "prometheus": "the exporter or Prometheus is killed",
    "grafana": "Redis, the trainer or Grafana is killed",
    "redis": "Redis, the trainer or Grafana is killed",
    "inference": "one of three replicas is killed",
}
MEASURING = ("exporter", "prometheus")
UNWRITTEN = "predictions of its last 0.01 s"
REPEATED = "nothing: the page repeats the request; other clients get 502 for requests in progress"


def kill_and_wait(stack, service, wait_until):
    """Kill one container of the service and wait until it is healthy. Return the time of the kill."""
    victim, count = stack.containers(service)[0], len(stack.containers(service))
    moment = time.monotonic()
    stack.kill(victim)

    def is_back():
        containers = {container["Id"]: container for container in stack.containers(service)}
        state = containers[victim["Id"]]["State"]
        return (
            len(containers) == count
            and state["StartedAt"] != victim["State"]["StartedAt"]
            and state["Health"]["Status"] == "healthy"
        )

    wait_until(is_back, f"{service} is back and healthy", BACK_SECONDS)
    print(f"{service}: healthy again {time.monotonic() - moment:.1f} s after kill -9")
    return moment


@pytest.mark.parametrize("service", FAULTS)
def test_a_killed_container_restarts_without_a_failed_request(stack, service, wait_until, documented):
    if service in stack.excluded_services:
        pytest.skip(f"{service}'s image cannot be had here")
    version = httpx.get(f"{stack.api}/model").json()["version"]
    with stack.load() as load:
        load.wait_for_answers(20)
        killed = kill_and_wait(stack, service, wait_until)
        load.wait_for_answers(20)
    assert load.failures == []
    assert len(load.repeated) <= (service == "inference")  # the request in flight
    assert httpx.get(f"{stack.api}/model").json()["version"] == version

    # A killed replica loses the answers that it had not logged yet.
    expected = [each for when, each in load.answers if service != "inference" or not killed - SETTLED < when < killed + SETTLED]
    wait_until(lambda: set(stack.logged(expected)) == set(expected), "all answers are in the prediction log")
    lost = len(load.answers) - len(stack.logged([each for _, each in load.answers]))
    print(f"{service}: {len(load.answers)} answered, {len(load.failures)} failed, {lost} not in the prediction log")
    documented(
        "faults",
        FAULTS[service],
        REPEATED if service == "inference" else "nothing",
        f"within {BACK_SECONDS:.0f} s",
        UNWRITTEN if service == "inference" else "metrics of that time" if service in MEASURING else "nothing",
    )


@pytest.mark.slow
def test_predictions_continue_without_prometheus_and_grafana(stack, wait_until, documented):

    stopped = [service for service in ("prometheus", "grafana") if service in stack.services()]
    with stack.load() as load:
        stack.compose("stop", *stopped)
        try:
            load.wait_for_answers(20)
        finally:
            stack.compose("start", *stopped)
        load.wait_for_answers(10)
    assert load.failures == []
    wait_until(lambda: stack.query("up"), "it measures again")
    documented("faults", "Prometheus and Grafana are stopped", "nothing", "once they are started", "metrics of that time")


def restart(stack, service, wait_until):
    """Run `docker compose restart`. Return the time before it."""
    moment = time.monotonic()
    stack.compose("restart", service)
    wait_until(lambda: httpx.get(f"{stack.api}/readyz").status_code == 200, f"{service} is back")
    return moment


@pytest.mark.parametrize(
    "cause",
    [pytest.param(kill_and_wait, id="killed"), pytest.param(restart, id="restarted", marks=pytest.mark.slow)],
)
def test_nginx_restarts_and_keeps_answered_predictions(stack, wait_until, documented, cause):
    """All requests pass nginx, so they fail while it is down."""
    with stack.load() as load:
        load.wait_for_answers(20)
        killed = cause(stack, "frontend", wait_until)
        back = time.monotonic()
        load.wait_for_answers(20)
    assert all(killed - 0.1 <= when <= back + SETTLED for when, _ in load.failures), load.failures
    ids = [each for _, each in load.answers]
    wait_until(lambda: set(stack.logged(ids)) == set(ids), "all answers are in the prediction log")
    assert httpx.get(stack.page).status_code == 200
    seen = "`Connection Failed`; the page keeps the drawing and feedback" if load.failures else "nothing"
    documented("faults", "nginx is killed or restarted", seen, f"within {BACK_SECONDS:.0f} s", "nothing")


@pytest.mark.slow
def test_acknowledged_feedback_survives_every_kill(stack, wait_until, documented):
    """Kill one container after another, each right after an acknowledgment, without waiting for its health."""
    victims = [service for service in stack.services() if stack.containers(service)]
    acknowledged = []

    def give_feedback(digit):
        prediction_id = stack.predict()["prediction_id"]
        body = {"prediction_id": prediction_id, "actual_digit": digit}
        httpx.post(f"{stack.page}/api/feedback", json=body, timeout=10).raise_for_status()
        return prediction_id, digit

    for round_ in range(KILLS):
        acknowledged.append(wait_until(lambda: give_feedback(round_ % 10), "feedback is acknowledged"))  # noqa: B023
        containers = wait_until(lambda: stack.containers(victims[round_ % len(victims)]), "a container runs")  # noqa: B023
        stack.kill(containers[round_ // len(victims) % len(containers)])
        time.sleep(KILL_SECONDS)
    stack.up("--scale", "inference=3", "--no-recreate")
    lost = set(acknowledged) - set(stack.feedback())
    print(f"{KILLS} kills, {len(acknowledged)} acknowledged, {len(lost)} lost")
    assert lost == set()
    documented(
        "faults",
        "containers are killed in turn, each right after feedback is acknowledged",
        "nothing, or one error; the page keeps the feedback",
        "as above",
        "nothing",
    )
