"""Promotions and rollbacks under load fail no request and mix no models."""

import re
import time

import httpx
import pytest

pytestmark = pytest.mark.usefixtures("three_replicas")

CONNECTIONS = 4
QUIET_SECONDS = 10  # of the same load without promotions

# Runs in the trainer's container. A replica checks the alias once a second.
PROMOTE_AND_ROLL_BACK = """
import sys, time
from stores.models import open_models
models = open_models("file:///models")
for _ in range(int(sys.argv[2])):
    models.promote(sys.argv[1])
    time.sleep(1.5)
    models.rollback()
    time.sleep(1.5)
"""


def models(stack, *arguments):
    return stack.compose("exec", "-T", "trainer", "python", "-m", "trainer", "models", *arguments)


@pytest.mark.parametrize("rounds", [3, pytest.param(10, marks=pytest.mark.slow)])
def test_promotions_and_rollbacks_fail_no_request(stack, many_clients, wait_until, rounds):
    first = httpx.get(f"{stack.api}/model").json()["version"]
    second = stack.publish_another("network.parameters *= 1.01")
    assert second != first
    with many_clients(QUIET_SECONDS, CONNECTIONS) as quiet:
        pass
    with many_clients(3 * rounds + 3, CONNECTIONS) as busy:
        time.sleep(1)
        stack.compose("exec", "-T", "trainer", "python", "-c", PROMOTE_AND_ROLL_BACK, second, str(rounds))
    print(f"{busy.answered} answers, {busy.rate:.0f} a second; p99 {busy.p99:.1f} ms, without promotions {quiet.p99:.1f} ms")
    assert (busy.refused, busy.failed) == (quiet.refused, quiet.failed) == ({}, 0)
    # All clients send one drawing, so each version has exactly one answer.
    assert sorted(answer.split()[0] for answer in busy.answers) == sorted([first, second])
    assert min(busy.answers.values()) > busy.answered / 10, "one version was hardly live"
    assert busy.p99 <= 2 * quiet.p99
    assert re.search(f"{second}  ", models(stack, "list"))
    wait_until(lambda: {stack.predict()["model_version"] for _ in range(12)} == {first}, "all replicas are back at the first")
