"""Promotions and rollbacks while people draw, on three replicas: no request fails, and no answer is made of two models."""

import http.client
import json
import threading
import time

import httpx
import pytest

CLIENTS = 4
ROUNDS = 10  # each a promotion and a rollback

# The live model with weights a little larger: another version, which answers a little otherwise.
PUBLISH_ANOTHER = """
import tempfile
from pathlib import Path
import numpy as np
from digitnet.checkpoint import save
from stores.models import open_models
models = open_models("file:///models")
network, card = models.load(models.pointer("live"))
network.parameters *= 1.01
about = {name: card[name] for name in ("no_digit_threshold", "temperature") if name in card}
with tempfile.TemporaryDirectory() as folder:
    save(Path(folder), network, np.zeros((1, 28, 28), np.uint8), about)
    print(models.publish(Path(folder))["version"])
"""


@pytest.fixture(scope="module", autouse=True)
def three_replicas(stack):
    stack.up("--scale", "inference=3", "--no-recreate")
    yield
    stack.up("--scale", "inference=1", "--no-recreate")


class Crowd:
    """Clients that draw the same thing as fast as they can. `answers`: how often (version, probabilities); `failures`."""

    BODY = json.dumps({"strokes": [[[140, 40], [145, 130], [150, 240]]]})

    def __init__(self, url):
        self._address = httpx.URL(url)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.answers, self.failures = {}, []
        self._threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]

    def _run(self):
        connection = http.client.HTTPConnection(self._address.host, self._address.port, timeout=10)
        while not self._stop.is_set():
            try:
                connection.request("POST", "/predict", self.BODY, {"Content-Type": "application/json"})
                response = connection.getresponse()
                content = response.read()
                if response.getheader("Connection") == "close":  # nginx ends a connection after a thousand requests, and says so
                    connection.close()
                if response.status != 200:
                    raise http.client.HTTPException(f"{response.status} {content!r}")
                answer = json.loads(content)
                key = answer["model_version"], tuple(answer["probabilities"])
                with self._lock:
                    self.answers[key] = self.answers.get(key, 0) + 1
            except (OSError, http.client.HTTPException, ValueError) as error:
                with self._lock:
                    self.failures.append(repr(error))
                connection.close()
        connection.close()

    def __enter__(self):
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.seconds = time.monotonic() - self._began


def models(stack, *arguments):
    return stack.compose("exec", "-T", "trainer", "python", "-m", "trainer", "models", *arguments)


def test_twenty_promotions_and_rollbacks_in_a_row_fail_no_request_and_mix_no_answer(stack, wait_until):
    first = httpx.get(f"{stack.api}/model").json()["version"]
    second = stack.compose("exec", "-T", "trainer", "python", "-c", PUBLISH_ANOTHER).strip()
    assert second != first
    with Crowd(stack.api) as crowd:
        for _ in range(ROUNDS):
            models(stack, "promote", second)
            wait_until(lambda: stack.predict()["model_version"] == second, "the promoted model answers")
            models(stack, "rollback")
            wait_until(lambda: stack.predict()["model_version"] == first, "the one before answers again")
    asked = sum(crowd.answers.values())
    print(f"{asked} answers in {crowd.seconds:.0f} s, {asked / crowd.seconds:.0f} a second; {len(crowd.failures)} failed")
    assert crowd.failures == []
    # One drawing, so a version has one answer to it: a second one would have been made of two models.
    assert sorted(version for version, _ in crowd.answers) == sorted([first, second])
    assert f"{second}  " in models(stack, "list")


def test_a_candidate_answers_who_asks_for_it_and_nobody_else(stack, wait_until):
    live = httpx.get(f"{stack.api}/model").json()["version"]
    listed = [line.split()[0] for line in models(stack, "list").splitlines()[1:]]
    candidate = next(version for version in listed if version != live)
    models(stack, "candidate", candidate)
    ask = {"strokes": [[[140, 40], [145, 130], [150, 240]]]}

    def asked(times):
        answers = [httpx.post(f"{stack.page}/api/candidate/predict", json=ask, timeout=10) for _ in range(times)]
        return {answer.json()["model_version"] for answer in answers if answer.raise_for_status()}

    wait_until(lambda: asked(12) == {candidate}, "all three replicas have it")
    assert {stack.predict()["model_version"] for _ in range(12)} == {live}
    models(stack, "candidate")
    wait_until(lambda: httpx.post(f"{stack.api}/candidate/predict", json=ask).status_code == 503, "it is gone again")
