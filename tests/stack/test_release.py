"""serve, test and end in the running stack release a candidate without a failed request."""

import json

import httpx
import pytest

pytestmark = pytest.mark.usefixtures("three_replicas")

# Apply `{change}` to the parameters of the trained network.
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


@pytest.fixture(scope="module", autouse=True)
def restore_the_model(stack, three_replicas, wait_until):
    """Restore the stack's first model for other tests."""
    (live,) = versions(stack, "live")
    in_trainer(stack, "cp", "-a", "/training/artifacts", "/training/backup")
    yield
    in_trainer(stack, "sh", "-c", "rm -r /training/artifacts && mv /training/backup /training/artifacts")
    in_trainer(stack, "python", "-m", "trainer", "models", "promote", live)
    wait_until(lambda: versions(stack, "live") == {live}, "all replicas are back at it")


def in_trainer(stack, *command):
    return stack.compose("exec", "-T", "trainer", *command, timeout=600)


def stage(stack, name):
    return in_trainer(stack, "python", "-m", "trainer", name)


def versions(stack, alias):
    """Return the versions of the alias on all replicas; None if a replica has none."""
    return {httpx.get(f"{stack.api}/{alias}/model", timeout=10).json().get("version") for _ in range(12)}


def result(stack):
    return json.loads(in_trainer(stack, "cat", "/training/artifacts/test_result.json"))


def make_candidate(stack, change):
    in_trainer(stack, "python", "-c", TRAIN_ANOTHER.format(change=change))
    stage(stack, "evaluate")
    return json.loads(in_trainer(stack, "cat", "/training/artifacts/candidate/model.json"))


def test_releases_a_passing_candidate_on_all_replicas(stack):
    (live,) = versions(stack, "live")
    with stack.load() as load:
        candidate = make_candidate(stack, A_LITTLE_LARGER)
        stage(stack, "serve")
        assert versions(stack, "candidate") == {candidate["version"]}
        assert versions(stack, "live") == {live}
        stage(stack, "test")
        assert versions(stack, "live") == {live}, "not yet released"
        stage(stack, "end")
        assert versions(stack, "live") == {candidate["version"]}
        load.wait_for_answers(20)
    assert load.failures == []
    found = result(stack)
    assert (found["passed"], found["version"], found["live"]) == (True, candidate["version"], live)
    assert found["mnist"]["drawings"] == 10_000
    assert found["mnist"]["accuracy"] == candidate["test"]["accuracy"]
    assert found["synthetic"]["accuracy"] == candidate["test"]["synthetic_accuracy"]
