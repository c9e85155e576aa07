"""After a restart the stack has its model, prediction log and measurements."""

import time

import httpx

BACK_SECONDS = 60.0
SETTLED = 1.0  # seconds after which a replica has logged its answers


def test_a_restart_keeps_model_and_prediction_log(stack, wait_until):
    ids = [stack.predict()["prediction_id"] for _ in range(5)]
    wait_until(lambda: stack.logged(ids) == ids, "the predictions are in the prediction log")
    version, total = httpx.get(f"{stack.api}/model").json()["version"], stack.exported()["doodle_journal_predictions_total"]
    wait_until(lambda: stack.query("up"), "Prometheus measures")
    before = time.time()
    measured = stack.query("up", time=before)

    stack.down()
    print(f"docker compose up --wait, with images and a model: {stack.up():.0f} s")

    assert httpx.get(f"{stack.api}/model").json()["version"] == version
    assert stack.logged(ids) == ids
    assert stack.exported()["doodle_journal_predictions_total"] >= total
    assert stack.query("up", time=before) == measured
    assert "event=watching " in stack.log("trainer")
    assert "epoch" not in stack.log("trainer")
    assert stack.predict()["digit"] == 1


def test_restarts_after_all_containers_are_killed(stack, wait_until, documented):
    """Simulate a power cut."""
    victims = [container for service in stack.services() for container in stack.containers(service)]

    def all_are_back():
        now = [container for service in stack.services() for container in stack.containers(service)]
        assert {container["Id"] for container in now} == {container["Id"] for container in victims}
        return {container["State"]["Health"]["Status"] for container in now} == {"healthy"} and {
            container["State"]["StartedAt"] for container in now
        }.isdisjoint(container["State"]["StartedAt"] for container in victims)

    with stack.load() as load:
        load.wait_for_answers(20)
        feedback = {"prediction_id": load.answers[0][1], "actual_digit": 1}
        httpx.post(f"{stack.api}/feedback", json=feedback, timeout=10).raise_for_status()
        killed = time.monotonic()
        for victim in victims:
            stack.kill(victim)
        wait_until(all_are_back, "every container is back and healthy", BACK_SECONDS)
        load.wait_for_answers(5)
    assert stack.predict()["digit"] == 1
    expected = [each for when, each in load.answers if not killed - SETTLED < when < killed + SETTLED]
    wait_until(lambda: set(stack.logged(expected)) == set(expected), "all earlier answers are in the prediction log")
    assert (feedback["prediction_id"], feedback["actual_digit"]) in stack.feedback()
    documented(
        "faults",
        "all containers are killed at once, as in a power cut",
        "`Connection Failed`; the page keeps the drawing and feedback" if load.failures else "nothing",
        f"within {BACK_SECONDS:.0f} s",
        "predictions of the last 0.01 s",
    )
