"""kill -9 of each container in turn, under a light load: what users see of it, that it comes back, and that nothing is lost."""

import os
import time

import httpx
import pytest

pytestmark = pytest.mark.usefixtures("three_replicas")

KILLS = int(os.environ.get("DOODLE_TEST_KILLS", "14"))
KILL_SECONDS = 2.0  # between them: Docker waits ever longer before it starts again what has not run for ten seconds
SETTLED = 1.0  # seconds; a replica has long written what it answered before that
BACK_SECONDS = 30.0  # at most: three as a rule, but Docker waits longer each time
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


def kill_and_see_it_back(stack, service, wait_until):
    """kill -9 one container of the service; returns when, once it is healthy again."""
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
def test_a_killed_container_comes_back_and_no_request_fails(stack, service, wait_until, documented):
    if service in stack.services_left_out:
        pytest.skip(f"{service}'s image cannot be had here")
    version = httpx.get(f"{stack.api}/model").json()["version"]
    with stack.load() as load:
        load.wait_for_answers(20)
        killed = kill_and_see_it_back(stack, service, wait_until)
        load.wait_for_answers(20)
    assert load.failures == []
    assert len(load.repeated) <= (service == "inference")  # the one under way
    assert httpx.get(f"{stack.api}/model").json()["version"] == version

    # What a killed replica had answered a moment ago and not yet written is gone with it; all else must be there.
    owed = [each for when, each in load.answers if service != "inference" or not killed - SETTLED < when < killed + SETTLED]
    wait_until(lambda: set(stack.journalled(owed)) == set(owed), "all that was answered is in the journal")
    lost = len(load.answers) - len(stack.journalled([each for _, each in load.answers]))
    print(f"{service}: {len(load.answers)} answered, {len(load.failures)} failed, {lost} not in the journal")
    documented(
        "faults",
        FAULTS[service],
        REPEATED if service == "inference" else "nothing",
        f"within {BACK_SECONDS:.0f} s",
        UNWRITTEN if service == "inference" else "metrics of that time" if service in MEASURING else "nothing",
    )


@pytest.mark.slow
def test_while_prometheus_is_away_nobody_who_draws_notices(stack, wait_until, documented):
    """And Grafana, which shows what it has measured."""
    away = [service for service in ("prometheus", "grafana") if service in stack.services()]
    with stack.load() as load:
        stack.compose("stop", *away)
        try:
            load.wait_for_answers(20)
        finally:
            stack.compose("start", *away)
        load.wait_for_answers(10)
    assert load.failures == []
    wait_until(lambda: stack.query("up"), "it measures again")
    documented("faults", "Prometheus and Grafana are stopped", "nothing", "once they are started", "metrics of that time")


def restart(stack, service, wait_until):
    """`docker compose restart`; returns when."""
    moment = time.monotonic()
    stack.compose("restart", service)
    wait_until(lambda: httpx.get(f"{stack.api}/readyz").status_code == 200, f"{service} is back")
    return moment


@pytest.mark.parametrize(
    "bring_about",
    [pytest.param(kill_and_see_it_back, id="killed"), pytest.param(restart, id="restarted", marks=pytest.mark.slow)],
)
def test_an_nginx_that_was_away_comes_back_and_what_was_answered_is_kept(stack, wait_until, documented, bring_about):
    """It is the one door: while it is away there is nobody to answer."""
    with stack.load() as load:
        load.wait_for_answers(20)
        killed = bring_about(stack, "frontend", wait_until)
        back = time.monotonic()
        load.wait_for_answers(20)
    assert all(killed - 0.1 <= when <= back + SETTLED for when, _ in load.failures), load.failures
    ids = [each for _, each in load.answers]
    wait_until(lambda: set(stack.journalled(ids)) == set(ids), "all that was answered is in the journal")
    assert httpx.get(stack.page).status_code == 200
    seen = "`Connection Failed`; the page keeps the drawing and feedback" if load.failures else "nothing"
    documented("faults", "nginx is killed or restarted", seen, f"within {BACK_SECONDS:.0f} s", "nothing")


@pytest.mark.slow
def test_prometheus_still_knows_what_was_before_it_was_killed(stack, wait_until):
    before = time.time()
    wait_until(lambda: stack.query("up", time=before), "there is something to remember")
    remembered = stack.query("up", time=before)
    kill_and_see_it_back(stack, "prometheus", wait_until)
    assert stack.query("up", time=before) == remembered


@pytest.mark.slow
def test_feedback_that_was_acknowledged_outlives_a_kill_of_anything(stack, wait_until, documented):
    """kill -9 of one container after the other, each right after the thanks. The next round does not wait until it is healthy."""
    victims = [service for service in stack.services() if stack.containers(service)]
    acknowledged = []

    def thanked(digit):
        prediction_id = stack.predict()["prediction_id"]
        said = {"prediction_id": prediction_id, "actual_digit": digit}
        httpx.post(f"{stack.page}/api/feedback", json=said, timeout=10).raise_for_status()
        return prediction_id, digit

    for round_ in range(KILLS):
        acknowledged.append(wait_until(lambda: thanked(round_ % 10), "feedback is acknowledged"))  # noqa: B023
        containers = wait_until(lambda: stack.containers(victims[round_ % len(victims)]), "there is something to kill")  # noqa: B023
        stack.kill(containers[round_ // len(victims) % len(containers)])
        time.sleep(KILL_SECONDS)
    stack.up("--scale", "inference=3", "--no-recreate")
    lost = set(acknowledged) - set(stack.feedback())
    print(f"{KILLS} kills, {len(acknowledged)} times thanked, {len(lost)} lost")
    assert lost == set()
    documented(
        "faults",
        "containers are killed in turn, each right after feedback is acknowledged",
        "nothing, or one error; the page keeps the feedback",
        "as above",
        "nothing",
    )
