"""Disks that fill, turn read-only or are emptied, under a small stack whose volumes have a size: what is answered, and kept."""

import httpx
import pytest

pytestmark = pytest.mark.slow

# Volumes of a size, in memory. Somebody must have them open all the time: without users they would be gone.
SIZED = """
services:
  holder:
    image: python:3.14-slim
    user: root
    cap_add: [SYS_ADMIN]
    security_opt: ["apparmor:unconfined"]
    command: [sleep, infinity]
    stop_grace_period: 0s
    volumes: ["models:/models", "redis:/redis"]
volumes:
  models: {driver_opts: {type: tmpfs, device: tmpfs, o: "size=8m,mode=1777"}}
  redis: {driver_opts: {type: tmpfs, device: tmpfs, o: "size=24m,mode=1777"}}
"""
BACK_SECONDS = 10.0
PARTS = ("holder", "trainer", "inference", "frontend", "redis", "exporter")
MODELS_UNWRITABLE = "the model volume is full or read-only"
A_LITTLE_OTHERWISE = "network.parameters *= 1.001"


@pytest.fixture(scope="module")
def small(new_stack):
    stack = new_stack()
    (stack.folder / "sized.yml").write_text(SIZED)
    stack.environment["COMPOSE_FILE"] = "docker-compose.yml:docker-compose.override.yml:sized.yml"
    stack.services_left_out = [*stack.services_left_out, *(name for name in stack.services() if name not in PARTS)]
    print(f"docker compose up --wait, of a small stack: {stack.up():.0f} s")
    return stack


def hold(stack, *command):
    """A command of root's, where the volumes are."""
    return stack.compose("exec", "-T", "holder", *command)


def fill(stack, folder):
    hold(stack, "sh", "-c", f"dd if=/dev/zero of={folder}/filling bs=64k 2>/dev/null; sync")


def feedback(stack, digit):
    """Predict, and say what it was: the answer to that."""
    prediction_id = stack.predict()["prediction_id"]
    return httpx.post(f"{stack.api}/feedback", json={"prediction_id": prediction_id, "actual_digit": digit}, timeout=10)


def versions(stack):
    """What has been published and is in the store."""
    program = "from stores.models import open_models; print(*open_models('file:///models').versions())"
    return set(stack.compose("exec", "-T", "trainer", "python", "-c", program).split())


def test_when_the_journal_s_disk_is_full_predictions_go_on_and_nothing_that_was_thanked_for_is_lost(
    small, wait_until, documented
):
    thanked = [digit for digit in range(5) if feedback(small, digit).status_code == 200]
    with small.load() as load:
        load.wait_for_answers(10)
        fill(small, "/redis")
        statuses = set()

        def is_refused():
            answer = feedback(small, 7)
            statuses.add((answer.status_code, answer.headers.get("Retry-After")))
            if answer.status_code == 200:
                thanked.append(7)
            return answer.status_code == 503

        wait_until(is_refused, "feedback cannot be kept any more")
        load.wait_for_answers(40)
        hold(small, "rm", "/redis/filling")
        wait_until(lambda: not is_refused(), "feedback is kept again")
        load.wait_for_answers(10)
    ids = [each for _, each in load.answers]
    wait_until(lambda: set(small.journalled(ids)) == set(ids), "all that was answered is in the journal")
    kept = [digit for _, digit in small.feedback()]
    for digit in thanked:
        kept.remove(digit)
    assert load.failures == []
    documented(
        "faults",
        "the prediction log's disk is full",
        f"predictions: nothing; feedback gets {max(status for status, _ in statuses)}, and the page sends it later",
        "once there is space",
        "nothing",
    )


def test_when_the_models_disk_is_full_what_is_live_stays_and_the_next_is_published_once_there_is_room(
    small, wait_until, documented
):
    live = small.predict()["model_version"]
    fill(small, "/models")
    with small.load() as load:
        with pytest.raises(AssertionError, match="the model store /models cannot be written: No space left on device"):
            small.publish_another(A_LITTLE_OTHERWISE)
        load.wait_for_answers(20)
    assert load.failures == []
    small.compose("restart", "--timeout", "10", "inference")  # it is read again from there
    assert wait_until(lambda: small.predict()["model_version"], "it is served again") == live
    hold(small, "rm", "/models/filling")
    another = small.publish_another(A_LITTLE_OTHERWISE)
    assert another != live
    assert another in versions(small)
    documented("faults", MODELS_UNWRITABLE, "nothing; publishing fails", "once it is writable", "nothing")


def test_when_the_models_disk_is_read_only_what_is_live_stays(small, wait_until, documented):
    live = small.predict()["model_version"]
    hold(small, "mount", "-o", "remount,ro", "/models")
    try:
        with small.load() as load:
            with pytest.raises(AssertionError, match="the model store /models cannot be written: Read-only file system"):
                small.publish_another(A_LITTLE_OTHERWISE)
            load.wait_for_answers(20)
    finally:
        hold(small, "mount", "-o", "remount,rw", "/models")
    assert load.failures == []
    assert small.predict()["model_version"] == live
    documented("faults", MODELS_UNWRITABLE, "nothing; publishing fails", "once it is writable", "nothing")


def test_when_the_models_are_gone_the_replicas_go_on_and_the_trainer_brings_back_what_was_released(small, wait_until, documented):
    live, published = small.predict()["model_version"], versions(small)
    with small.load() as load:
        hold(small, "sh", "-c", "rm -rf /models/*")
        label = f'doodle_store_pointer_info{{pointer="live",version="{live}"}}'
        wait_until(lambda: small.exported()[label] == 1, "it is back", BACK_SECONDS)
        load.wait_for_answers(20)
    assert load.failures == []
    small.compose("restart", "--timeout", "10", "inference")  # from what is in the volume now
    assert wait_until(lambda: small.predict()["model_version"], "it is served again") == live
    documented(
        "faults",
        "the model volume is emptied",
        "nothing: replicas hold their model in memory",
        f"within {BACK_SECONDS:.0f} s",
        "models that are no longer in `artifacts/`" if published - versions(small) else "nothing",
    )
