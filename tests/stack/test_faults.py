"""kill -9 of each container in turn, under a light load: what users see of it, that it comes back, and that nothing is lost."""

import threading
import time

import httpx
import pytest

PAUSE = 0.05  # seconds between two requests of the load
SETTLED = 1.0  # seconds; a replica has long written what it answered before that


class Load:
    """Somebody draws and draws. `answers`: (when, id); `failures`: (when, what)."""

    def __init__(self, url):
        self.url, self.answers, self.failures = url, [], []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._stop.wait(PAUSE):
            try:
                answer = httpx.post(f"{self.url}/predict", json={"strokes": [[[140, 40], [150, 240]]]}, timeout=10)
                answer.raise_for_status()
                self.answers.append((time.monotonic(), answer.json()["prediction_id"]))
            except httpx.HTTPError as error:
                self.failures.append((time.monotonic(), repr(error)))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def wait_for_answers(self, count, wait_until):
        enough = len(self.answers) + count
        wait_until(lambda: len(self.answers) >= enough, f"{count} more answers")


@pytest.fixture(scope="module", autouse=True)
def three_replicas(stack):
    stack.up("--scale", "inference=3", "--no-recreate")
    yield
    stack.up("--scale", "inference=1", "--no-recreate")


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

    wait_until(is_back, f"{service} is back and healthy")
    print(f"{service}: healthy again {time.monotonic() - moment:.1f} s after kill -9")
    return moment


@pytest.mark.parametrize("service", ["trainer", "exporter", "prometheus", "redis", "inference", "grafana"])
def test_a_killed_container_comes_back_and_no_request_fails(stack, service, wait_until):
    if service in stack.services_left_out:
        pytest.skip(f"{service}'s image cannot be had here")
    version = httpx.get(f"{stack.api}/model").json()["version"]
    with Load(stack.api) as load:
        load.wait_for_answers(20, wait_until)
        killed = kill_and_see_it_back(stack, service, wait_until)
        load.wait_for_answers(20, wait_until)
    assert load.failures == []
    assert httpx.get(f"{stack.api}/model").json()["version"] == version

    # What a killed replica had answered a moment ago and not yet written is gone with it; all else must be there.
    owed = [each for when, each in load.answers if service != "inference" or not killed - SETTLED < when < killed + SETTLED]
    wait_until(lambda: set(stack.journalled(owed)) == set(owed), "all that was answered is in the journal")
    lost = len(load.answers) - len(stack.journalled([each for _, each in load.answers]))
    print(f"{service}: {len(load.answers)} answered, {len(load.failures)} failed, {lost} not in the journal")


def test_a_killed_nginx_comes_back_and_what_was_answered_is_kept(stack, wait_until):
    """It is the one door: while it is away there is nobody to answer."""
    with Load(stack.api) as load:
        load.wait_for_answers(20, wait_until)
        killed = kill_and_see_it_back(stack, "frontend", wait_until)
        back = time.monotonic()
        load.wait_for_answers(20, wait_until)
    assert all(killed - 0.1 <= when <= back + SETTLED for when, _ in load.failures), load.failures
    ids = [each for _, each in load.answers]
    wait_until(lambda: set(stack.journalled(ids)) == set(ids), "all that was answered is in the journal")
    assert httpx.get(stack.page).status_code == 200


def test_prometheus_still_knows_what_was_before_it_was_killed(stack, wait_until):
    before = time.time()
    wait_until(lambda: stack.query("up", time=before), "there is something to remember")
    remembered = stack.query("up", time=before)
    kill_and_see_it_back(stack, "prometheus", wait_until)
    assert stack.query("up", time=before) == remembered


def test_while_redis_is_away_predictions_go_on_and_are_written_when_it_is_back(stack, wait_until):
    with Load(stack.api) as load:
        load.wait_for_answers(10, wait_until)
        stack.compose("stop", "redis")
        try:
            load.wait_for_answers(60, wait_until)
            assert stack.exported()["doodle_journal_up"] == 0
        finally:
            stack.compose("start", "redis")
        load.wait_for_answers(10, wait_until)
    assert load.failures == []
    ids = [each for _, each in load.answers]
    wait_until(lambda: set(stack.journalled(ids)) == set(ids), "all that was answered is in the journal")
    wait_until(lambda: stack.exported()["doodle_journal_up"] == 1, "the exporter sees it again")


def test_feedback_that_was_acknowledged_outlives_a_kill_of_anything(stack, docker, wait_until):
    acknowledged = []
    for round_, service in enumerate(["redis", "inference", "frontend", "redis", "inference", "redis"]):
        prediction = stack.predict()
        said = {"prediction_id": prediction["prediction_id"], "actual_digit": round_}
        answer = httpx.post(f"{stack.page}/api/feedback", json=said, timeout=10)
        acknowledged.append((answer.raise_for_status() and prediction["prediction_id"], round_))
        kill_and_see_it_back(stack, service, wait_until)
    program = (
        "from stores.journal import open_journal\n"
        "feedback = open_journal('redis://redis:6379/0').feedback(1000)\n"
        "print(*((each.prediction_id, each.actual_digit) for each in feedback), sep=';')"
    )
    kept = docker("exec", stack.containers("inference")[0]["Id"], "python", "-c", program).strip().split(";")
    assert kept[-6:] == [str(each) for each in acknowledged]
