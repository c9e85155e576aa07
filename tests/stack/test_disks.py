"""Full, read-only and emptied disks under a small stack with limited volumes."""

import httpx
import pytest

pytestmark = pytest.mark.slow

# In-memory volumes of limited size. `holder` keeps them mounted; unused tmpfs volumes lose their content.
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
SMALL_CHANGE = "network.parameters *= 1.001"


@pytest.fixture(scope="module")
def small(new_stack):
    stack = new_stack()
    (stack.folder / "sized.yml").write_text(SIZED)
    stack.environment["COMPOSE_FILE"] = "docker-compose.yml:docker-compose.override.yml:sized.yml"
    stack.excluded_services = [*stack.excluded_services, *(name for name in stack.services() if name not in PARTS)]
    print(f"docker compose up --wait, of a small stack: {stack.up():.0f} s")
    return stack


def run_in_holder(stack, *command):
    """Run a command as root next to the volumes."""
    return stack.compose("exec", "-T", "holder", *command)


def fill(stack, folder):
    run_in_holder(stack, "sh", "-c", f"dd if=/dev/zero of={folder}/filling bs=64k 2>/dev/null; sync")


def feedback(stack, digit):
    """Predict, send feedback, and return the answer to it."""
    prediction_id = stack.predict()["prediction_id"]
    return httpx.post(f"{stack.api}/feedback", json={"prediction_id": prediction_id, "actual_digit": digit}, timeout=10)


def versions(stack):
    """Return the versions in the store."""
    program = "from stores.models import open_models; print(*open_models('file:///models').versions())"
    return set(stack.compose("exec", "-T", "trainer", "python", "-c", program).split())


def test_predictions_continue_while_the_prediction_log_s_disk_is_full(small, wait_until, documented):
    acknowledged = [digit for digit in range(5) if feedback(small, digit).status_code == 200]
    with small.load() as load:
        load.wait_for_answers(10)
        fill(small, "/redis")
        statuses = set()

        def is_refused():
            answer = feedback(small, 7)
            statuses.add((answer.status_code, answer.headers.get("Retry-After")))
            if answer.status_code == 200:
                acknowledged.append(7)
            return answer.status_code == 503

        wait_until(is_refused, "feedback is rejected")
        load.wait_for_answers(40)
        run_in_holder(small, "rm", "/redis/filling")
        wait_until(lambda: not is_refused(), "feedback is accepted again")
        load.wait_for_answers(10)
    ids = [each for _, each in load.answers]
    wait_until(lambda: set(small.logged(ids)) == set(ids), "all answers are in the prediction log")
    kept = [digit for _, digit in small.feedback()]
    for digit in acknowledged:
        kept.remove(digit)
    assert load.failures == []
    documented(
        "faults",
        "the prediction log's disk is full",
        f"predictions: nothing; feedback gets {max(status for status, _ in statuses)}, and the page sends it later",
        "once there is space",
        "nothing",
    )


def test_the_live_model_survives_a_full_model_disk(small, wait_until, documented):
    live = small.predict()["model_version"]
    fill(small, "/models")
    with small.load() as load:
        with pytest.raises(AssertionError, match="the model store /models cannot be written: No space left on device"):
            small.publish_another(SMALL_CHANGE)
        load.wait_for_answers(20)
    assert load.failures == []
    small.compose("restart", "--timeout", "10", "inference")  # loads the model from the volume
    assert wait_until(lambda: small.predict()["model_version"], "it is served again") == live
    run_in_holder(small, "rm", "/models/filling")
    another = small.publish_another(SMALL_CHANGE)
    assert another != live
    assert another in versions(small)
    documented("faults", MODELS_UNWRITABLE, "nothing; publishing fails", "once it is writable", "nothing")


def test_the_live_model_survives_a_read_only_model_disk(small, wait_until, documented):
    live = small.predict()["model_version"]
    run_in_holder(small, "mount", "-o", "remount,ro", "/models")
    try:
        with small.load() as load:
            with pytest.raises(AssertionError, match="the model store /models cannot be written: Read-only file system"):
                small.publish_another(SMALL_CHANGE)
            load.wait_for_answers(20)
    finally:
        run_in_holder(small, "mount", "-o", "remount,rw", "/models")
    assert load.failures == []
    assert small.predict()["model_version"] == live
    documented("faults", MODELS_UNWRITABLE, "nothing; publishing fails", "once it is writable", "nothing")


def test_the_trainer_restores_an_emptied_model_disk(small, wait_until, documented):
    live, published = small.predict()["model_version"], versions(small)
    with small.load() as load:
        run_in_holder(small, "sh", "-c", "rm -rf /models/*")
        label = f'doodle_store_pointer_info{{pointer="live",version="{live}"}}'
        wait_until(lambda: small.exported()[label] == 1, "it is back", BACK_SECONDS)
        load.wait_for_answers(20)
    assert load.failures == []
    small.compose("restart", "--timeout", "10", "inference")  # loads the restored model
    assert wait_until(lambda: small.predict()["model_version"], "it is served again") == live
    documented(
        "faults",
        "the model volume is emptied",
        "nothing: replicas hold their model in memory",
        f"within {BACK_SECONDS:.0f} s",
        "models that are no longer in `artifacts/`" if published - versions(small) else "nothing",
    )
