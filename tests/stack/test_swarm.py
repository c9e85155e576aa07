"""docs/advanced/scale.md's Swarm under load: three machines, one with the state; releases, and machines that fail."""

import json
import time
from collections import Counter

import httpx
import numpy as np
import pytest
from digitnet.checkpoint import save
from load import DRAWING, Load
from polling import wait_until
from stores.models import LIVE
from swarm import SHARE

pytestmark = pytest.mark.slow

FOLLOWED_SECONDS = 10.0  # within which all replicas have another model
FEW = 0.01  # of the requests: those that are under way where something is switched off
TOGETHER_SECONDS = 1.0  # an engine that ends tells all its containers at once: Redis may be gone before a replica's last answer
TOLD_TO_WAIT = 0.03  # answered 429: those that then come all at once to who is left
AT_MOST_FEW = "at most 1%, and up to 3% get 429"
REMARK = "\n# Another release.\n"


@pytest.fixture
def somebody(balancer):
    """`with somebody() as load:` draws, and corrects each answer."""
    return lambda: Load(balancer, wait_until, corrects=True)


@pytest.fixture
def publish_another(store, tmp_path):
    """publish_another(factor): the live model, a little larger, as a version of its own; not yet live."""

    def publish_another(factor: float) -> str:
        network, card = store.load(store.alias(LIVE))
        network.parameters *= np.float32(factor)
        about = {name: card[name] for name in ("no_digit_threshold", "temperature") if name in card}
        save(tmp_path, network, np.zeros((1, 28, 28), np.uint8), about)
        return store.publish(tmp_path)["version"]

    return publish_another


def nodes(swarm):
    """Each machine's state as the managers see it: Ready or Down."""
    return dict(line.split() for line in swarm.manager.nodes())


def images(swarm):
    """How many replicas run which release."""
    found = (container for machine in swarm.machines for container in machine.containers("doodle_inference"))
    return Counter(container["Config"]["Image"].rpartition(":")[2] for container in found)


def nothing_is_lost(swarm, load, besides=(0.0, 0.0)):
    """Who was thanked is remembered, and so is each drawing that was answered, but for those answered between `besides`."""
    assert load.thanked
    assert set(load.thanked) <= swarm.feedback()
    first = load.answers[0][0]
    answered = {each: when - first for when, each in load.answers if not besides[0] <= when < besides[1]}

    def all_of_it_is_in_the_journal():
        kept = swarm.journalled(list(answered))
        missing = [f"{after:.1f}" for each, after in answered.items() if each not in kept]
        assert not missing, f"missing are {len(missing)} of {len(answered)}, answered after {missing} seconds"
        return True

    wait_until(all_of_it_is_in_the_journal, "all that was answered is in the journal")


def failed(found):
    """How many of a crowd's requests got no answer, or another than a digit."""
    return found.failed + sum(found.refused.values())


def check_few_failed(found, what):
    """Where something is lost; and say how it went."""
    told_to_wait = sum(count for said, count in found.refused.items() if said.startswith("429 1 "))
    print(f"{what}: {failed(found):.0f} of {found.answered} failed, {told_to_wait} of which had to wait; p99 {found.p99:.0f} ms")
    assert failed(found) - told_to_wait <= FEW * found.answered
    assert told_to_wait <= TOLD_TO_WAIT * found.answered


class TestDeployed:
    def test_there_is_a_replica_on_each_machine(self, swarm):
        assert swarm.replicas() == {"doodle1": 1, "doodle2": 1, "doodle3": 1}

    def test_each_machine_serves_page_and_api(self, swarm, store):
        assert swarm.live_everywhere() == {store.alias(LIVE)}
        for machine in swarm.machines:
            page = httpx.get(f"http://{machine.address}:3000/", timeout=10)
            assert (page.status_code, "doodle-canvas" in page.text) == (200, True)
            answer = httpx.post(f"http://{machine.address}:3000/api/predict", json=DRAWING, timeout=10)
            assert answer.json()["digit"] == 1

    def test_what_has_a_volume_is_where_it_was_put(self, swarm):
        for service in ("redis", "prometheus", "exporter", "trainer"):
            assert [len(machine.containers(f"doodle_{service}")) for machine in swarm.machines] == [1, 0, 0]

    def test_prometheus_finds_each_replica(self, swarm):
        wait_until(
            lambda: (
                Counter((each["labels"]["job"], each["health"]) for each in swarm.targets())
                == {("fastapi-app", "up"): 3, ("custom_exporter", "up"): 1, ("prometheus", "up"): 1}
            ),
            "all targets are up",
        )

    @pytest.mark.parametrize("service", ["trainer", "inference", "exporter", "frontend", "redis", "prometheus"])
    def test_nothing_of_a_machine_s_disk_and_no_secret_is_in_a_container(self, swarm, service):
        container = swarm.machines[0].containers(f"doodle_{service}")[0]
        assert {mount["Type"] for mount in container["Mounts"]} <= {"volume", "tmpfs"} | (
            {"bind"} if service == "prometheus" else set()
        )
        assert not container["HostConfig"]["Binds"]
        assert container["HostConfig"]["ReadonlyRootfs"]
        assert container["HostConfig"]["CapDrop"] == ["ALL"]
        assert "testing-secret" not in json.dumps(container)

    def test_the_keys_are_for_the_service_s_user_alone(self, swarm):
        (container,) = swarm.machines[0].containers("doodle_inference")
        said = swarm.machines[0].docker("exec", container["Id"], "stat", "-c", "%a %u", "/run/secrets/s3")
        assert said.split() == ["400", "10001"]


def test_a_release_that_does_not_start_is_taken_back_by_itself(swarm, release, crowd_of, documented):
    program = swarm.project / "services/inference/__main__.py"
    sound = program.read_text()
    program.write_text("raise SystemExit('this release is broken')\n")
    release("broken")
    program.write_text(sound)
    with crowd_of() as found:
        swarm.deploy("broken")
        wait_until(lambda: swarm.updates().get("doodle_inference") == "rollback_completed", "it is taken back", 120)
    swarm.settle()
    assert images(swarm) == {"one": 3}
    assert failed(found) == 0
    documented("swarm", "a release that does not start", "none", "nothing", "Swarm rolls all replicas back")


def test_a_release_rolls_without_a_failed_request(swarm, release, capacity, crowd_of, somebody, documented):
    for part in ("services/inference/app.py", "services/exporter/app.py", "services/trainer/stages.py"):
        path = swarm.project / part
        path.write_text(path.read_text() + REMARK)
    page = swarm.project / "services/frontend/index.html"
    page.write_text(page.read_text() + "<!-- Another release. -->\n")
    release("two")
    with somebody() as load, crowd_of() as found:
        swarm.deploy("two")
        swarm.settle()
        load.wait_for_answers(20)
    assert images(swarm) == {"two": 3}
    for machine in swarm.machines:
        assert "Another release" in httpx.get(f"http://{machine.address}:3000/", timeout=10).text
    assert (failed(found), load.failures) == (0, [])
    assert found.rate > SHARE / 2 * capacity, "the load was lighter than was meant"
    nothing_is_lost(swarm, load)
    documented("swarm", "a new release", "none", "nothing", "nginx restarts on one machine at a time, for a second or two")


def test_another_model_is_live_on_all_machines(swarm, store, publish_another, crowd_of, documented):
    with crowd_of() as found:
        version = publish_another(1.001)
        store.promote(version)
        wait_until(lambda: swarm.live_everywhere() == {version}, "all replicas have it", FOLLOWED_SECONDS)
    assert failed(found) == 0
    documented("swarm", "a promoted model", "none", "nothing", "each replica serves it within two seconds")


def test_a_machine_that_dies_is_missed_and_comes_back(swarm, store, crowd_of, somebody, documented):
    first, second, third = swarm.machines
    with somebody() as load, crowd_of() as found:
        second.die()
        wait_until(lambda: nodes(swarm)[second.name] == "Down", "the others miss it")
        wait_until(lambda: sum(swarm.replicas()[each.name] for each in (first, third)) == 3, "its replica is made good for")
        second.start()
        second.wait()
        wait_until(lambda: nodes(swarm)[second.name] == "Ready", "it is back")
        swarm.settle()
    check_few_failed(found, "died")
    wait_until(lambda: swarm.live_everywhere() == {store.alias(LIVE)}, "all of them have the same model")
    assert set(load.thanked) <= swarm.feedback()
    documented(
        "swarm",
        "a machine loses power and returns",
        AT_MOST_FEW,
        "predictions of its last 0.01 s",
        "another machine starts a replica within ten seconds",
    )


def test_the_manager_restarts(swarm, store, crowd_of, somebody, documented):
    first = swarm.machines[0]
    with somebody() as load, crowd_of() as found:
        restarted = time.monotonic()
        first.restart_engine()
        wait_until(lambda: set(nodes(swarm).values()) == {"Ready"}, "it is back")
        swarm.settle()
        load.wait_for_answers(20)
    check_few_failed(found, "manager")
    wait_until(lambda: swarm.live_everywhere() == {store.alias(LIVE)}, "all of them have the same model")
    nothing_is_lost(swarm, load, besides=(restarted, restarted + TOGETHER_SECONDS))
    documented(
        "swarm",
        "the Docker engine of the state's node restarts",
        AT_MOST_FEW,
        "predictions that its replica makes while Redis stops",
        "feedback gets 503 until Redis is back; replicas queue predictions",
    )


# The last one: Swarm moves no replica back to the machine, so that another would then take more than one with it.
def test_a_machine_that_is_cut_off_goes_on_and_catches_up(
    swarm, store, object_store, publish_another, crowd_of, somebody, documented
):
    first, second, third = swarm.machines
    with somebody() as load, crowd_of() as found:
        third.cut_off([first, second], object_store[0].url)
        version = publish_another(1.001)
        store.promote(version)
        wait_until(lambda: nodes(swarm)[third.name] == "Down", "the others miss it")
        wait_until(lambda: sum(swarm.replicas()[each.name] for each in (first, second)) == 3, "its replica is made good for")
        alone = swarm.live(third)
        third.join_again([first, second], object_store[0].url)
        wait_until(lambda: nodes(swarm)[third.name] == "Ready", "it is back")
        load.wait_for_answers(20)
    swarm.settle()
    check_few_failed(found, "cut off")
    assert alone != version
    wait_until(lambda: swarm.live_everywhere() == {version}, "all of them have the same model")
    nothing_is_lost(swarm, load)
    documented(
        "swarm",
        "a machine loses its network",
        AT_MOST_FEW,
        "nothing",
        "it serves its old model to clients that reach it; on return it writes its queued predictions and loads the live model",
    )
