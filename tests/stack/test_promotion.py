"""Promotions and rollbacks while people draw, on three replicas: no request fails, and no answer is made of two models."""

import re
import time

import httpx
import pytest

pytestmark = pytest.mark.usefixtures("three_replicas")

CONNECTIONS = 4
QUIET_SECONDS = 10  # of the same load, with nothing else going on

# In the trainer's container, so that nothing is started anew each time; a replica looks once a second.
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
def test_promotions_and_rollbacks_in_a_row_fail_no_request_and_mix_no_answer(stack, crowd, wait_until, rounds):
    first = httpx.get(f"{stack.api}/model").json()["version"]
    second = stack.publish_another("network.parameters *= 1.01")
    assert second != first
    with crowd(QUIET_SECONDS, CONNECTIONS) as quiet:
        pass
    with crowd(3 * rounds + 3, CONNECTIONS) as busy:
        time.sleep(1)
        stack.compose("exec", "-T", "trainer", "python", "-c", PROMOTE_AND_ROLL_BACK, second, str(rounds))
    print(f"{busy.answered} answers, {busy.rate:.0f} a second; p99 {busy.p99:.1f} ms, with nothing going on {quiet.p99:.1f} ms")
    assert (busy.refused, busy.failed) == (quiet.refused, quiet.failed) == ({}, 0)
    # One drawing, so a version has one answer to it: a second one would have been made of two models.
    assert sorted(answer.split()[0] for answer in busy.answers) == sorted([first, second])
    assert min(busy.answers.values()) > busy.answered / 10, "both were live for a good while"
    assert busy.p99 <= 2 * quiet.p99
    assert re.search(f"{second}  ", models(stack, "list"))
    wait_until(lambda: {stack.predict()["model_version"] for _ in range(12)} == {first}, "all replicas are back at the first")


def test_a_candidate_answers_who_asks_for_it_and_nobody_else(stack, wait_until):
    live = httpx.get(f"{stack.api}/model").json()["version"]
    listed = [line.split()[0] for line in models(stack, "list").splitlines()[1:]]
    candidate = next(version for version in listed if version != live)
    models(stack, "candidate", candidate)
    ask = {"strokes": [[[140, 40], [145, 130], [150, 240]]]}

    def asked(times):
        answers = [httpx.post(f"{stack.api}/candidate/predict", json=ask, timeout=10) for _ in range(times)]
        return {answer.json()["model_version"] for answer in answers if answer.raise_for_status()}

    wait_until(lambda: asked(12) == {candidate}, "all three replicas have it")
    assert {stack.predict()["model_version"] for _ in range(12)} == {live}
    models(stack, "candidate")
    wait_until(lambda: httpx.post(f"{stack.api}/candidate/predict", json=ask).status_code == 503, "it is gone again")


def test_what_a_candidate_would_have_answered_otherwise_is_counted_and_listed(stack, wait_until):
    live = httpx.get(f"{stack.api}/model").json()["version"]
    candidate = stack.publish_another("network.parameters[::2] = 0")
    models(stack, "candidate", candidate)
    try:
        found = wait_until(
            lambda: (stack.predict(), httpx.get(f"{stack.api}/candidate/disagreements").json()["disagreements"])[1],
            "a replica lists what it would have read otherwise",
        )
        assert (found[0]["live"]["model_version"], found[0]["candidate"]["model_version"]) == (live, candidate)
        counted = 'sum(doodle_shadow_predictions_total{outcome="disagree"})'
        wait_until(lambda: float(stack.query(counted)[0]["value"][1]) >= 1, "Prometheus has it")
        assert stack.predict()["model_version"] == live
    finally:
        models(stack, "candidate")
