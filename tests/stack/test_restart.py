"""The whole stack down and up again: model, journal and measurements are there, and nothing is made anew."""

import time

import httpx

BACK_SECONDS = 60.0
SETTLED = 1.0  # seconds; a replica has long written what it answered before that


def test_a_restart_finds_model_and_journal_and_trains_nothing(stack, wait_until):
    ids = [stack.predict()["prediction_id"] for _ in range(5)]
    wait_until(lambda: stack.journalled(ids) == ids, "the predictions are in the journal")
    version, total = httpx.get(f"{stack.api}/model").json()["version"], stack.exported()["doodle_journal_predictions_total"]
    wait_until(lambda: stack.query("up"), "Prometheus measures")
    before = time.time()
    measured = stack.query("up", time=before)

    stack.down()
    print(f"docker compose up --wait, with images and a model: {stack.up():.0f} s")

    assert httpx.get(f"{stack.api}/model").json()["version"] == version
    assert stack.journalled(ids) == ids
    assert stack.exported()["doodle_journal_predictions_total"] >= total
    assert stack.query("up", time=before) == measured
    assert "event=watching " in stack.log("trainer")
    assert "epoch" not in stack.log("trainer")
    assert stack.predict()["digit"] == 1


def test_all_of_it_killed_at_once_comes_back(stack, wait_until, documented):
    """As after a power cut: nobody was asked."""
    victims = [container for service in stack.services() for container in stack.containers(service)]

    def all_are_back():
        now = [container for service in stack.services() for container in stack.containers(service)]
        assert {container["Id"] for container in now} == {container["Id"] for container in victims}
        return {container["State"]["Health"]["Status"] for container in now} == {"healthy"} and {
            container["State"]["StartedAt"] for container in now
        }.isdisjoint(container["State"]["StartedAt"] for container in victims)

    with stack.load() as load:
        load.wait_for_answers(20)
        said = {"prediction_id": load.answers[0][1], "actual_digit": 1}
        httpx.post(f"{stack.api}/feedback", json=said, timeout=10).raise_for_status()
        killed = time.monotonic()
        for victim in victims:
            stack.kill(victim)
        wait_until(all_are_back, "every container is back and healthy", BACK_SECONDS)
        load.wait_for_answers(5)
    assert stack.predict()["digit"] == 1
    owed = [each for when, each in load.answers if not killed - SETTLED < when < killed + SETTLED]
    wait_until(lambda: set(stack.journalled(owed)) == set(owed), "all that was answered before is in the journal")
    assert (said["prediction_id"], said["actual_digit"]) in stack.feedback()
    documented(
        "faults",
        "all containers are killed at once, as in a power cut",
        "`Connection Failed`; the page keeps the drawing and feedback" if load.failures else "nothing",
        f"within {BACK_SECONDS:.0f} s",
        "predictions of the last 0.01 s",
    )
