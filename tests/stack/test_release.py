"""serve, test, end in the running stack, by `docker compose exec trainer`: a candidate that passes is live, one that is worse is
not, and nobody who draws meanwhile notices either."""

import json

import httpx
import pytest

pytestmark = pytest.mark.usefixtures("three_replicas")

# What train leaves, changed: `{change}` does something to the network's parameters.
TRAIN_ANOTHER = """
from pathlib import Path
import numpy as np
from digitnet.checkpoint import load, npz_arrays, save
folder = Path("/training/artifacts/trained")
network, card = load(folder)
golden = npz_arrays((folder / "weights.npz").read_bytes())["golden_pictures"]
{change}
about = {{name: value for name, value in card.items() if name not in ("format", "version", "network", "weights_sha256")}}
save(folder, network, golden, about)
"""
A_LITTLE_LARGER = "network.parameters *= np.float32(1.001)"
MOSTLY_GONE = "network.parameters[::2] = 0"


@pytest.fixture(scope="module", autouse=True)
def as_it_was(stack, three_replicas, wait_until):
    """Other tests ask the same stack about the model that it made first."""
    (live,) = versions(stack, "live")
    in_trainer(stack, "cp", "-a", "/training/artifacts", "/training/as_it_was")
    yield
    in_trainer(stack, "sh", "-c", "rm -r /training/artifacts && mv /training/as_it_was /training/artifacts")
    in_trainer(stack, "python", "-m", "trainer", "models", "promote", live)
    wait_until(lambda: versions(stack, "live") == {live}, "all replicas are back at it")


def in_trainer(stack, *command):
    return stack.compose("exec", "-T", "trainer", *command, timeout=600)


def stage(stack, name):
    return in_trainer(stack, "python", "-m", "trainer", name)


def versions(stack, alias):
    """What all replicas say of it, None where they say that there is none."""
    return {httpx.get(f"{stack.api}/{alias}/model", timeout=10).json().get("version") for _ in range(12)}


def result(stack):
    return json.loads(in_trainer(stack, "cat", "/training/artifacts/test_result.json"))


def make_candidate(stack, change):
    in_trainer(stack, "python", "-c", TRAIN_ANOTHER.format(change=change))
    stage(stack, "evaluate")
    return json.loads(in_trainer(stack, "cat", "/training/artifacts/candidate/model.json"))


def test_a_candidate_that_passes_is_live_on_all_replicas(stack):
    (live,) = versions(stack, "live")
    with stack.load() as load:
        candidate = make_candidate(stack, A_LITTLE_LARGER)
        stage(stack, "serve")
        assert versions(stack, "candidate") == {candidate["version"]}
        assert versions(stack, "live") == {live}
        stage(stack, "test")
        assert versions(stack, "live") == {live}, "passed, and not yet released"
        stage(stack, "end")
        assert versions(stack, "live") == {candidate["version"]}
        load.wait_for_answers(20)
    assert load.failures == []
    said = result(stack)
    assert (said["passed"], said["version"], said["live"]) == (True, candidate["version"], live)
    assert said["mnist"]["drawings"] == 10_000
    assert said["mnist"]["accuracy"] == candidate["test"]["accuracy"]
    assert said["synthetic"]["accuracy"] == candidate["test"]["synthetic_accuracy"]


@pytest.mark.slow
def test_one_that_is_worse_is_refused_and_taken_down(stack, wait_until):
    (live,) = versions(stack, "live")
    with stack.load() as load:
        candidate = make_candidate(stack, MOSTLY_GONE)
        stage(stack, "serve")
        with pytest.raises(AssertionError, match=f"{candidate['version']} is rejected; {live} stays live: .*than the live model"):
            stage(stack, "test")
        with pytest.raises(AssertionError, match=f"{candidate['version']} was rejected"):
            stage(stack, "end")
        wait_until(lambda: versions(stack, "candidate") == {None}, "it is no candidate any more", 2)
        load.wait_for_answers(20)
    assert load.failures == []
    assert versions(stack, "live") == {live}
    assert not result(stack)["passed"]
