"""POST /feedback: kept for good before anyone is thanked, refused with a reason where it cannot be."""

import asyncio
import os
import signal
import threading
import time
from functools import partial

import numpy as np
import pytest
from digitnet.drawing import in_bytes, picture_from_vector
from fastapi.testclient import TestClient
from inference import feedback as module
from inference.app import create_app
from inference.metrics import Metrics
from inference.recorder import Recorder
from inference.settings import Settings
from stores.journal import FeedbackLimits, open_journal

THANKS = {"message": "Feedback received, thank you!"}
ID = "7b88140edcad49edb1cb4c9d8bc19318"
VECTOR = [0.0] * 300 + [0.9] * 184 + [0.0] * 300


@pytest.fixture
def journal_url(tmp_path):
    return f"sqlite:///{tmp_path}/journal.sqlite"


@pytest.fixture
def client(models_folder, journal_url, monkeypatch):
    monkeypatch.setattr(module, "LOOK_AGAIN_SECONDS", (0.01,))
    with TestClient(create_app(Settings(models=str(models_folder), journal=journal_url))) as client:
        yield client


@pytest.fixture
def kept(journal_url):
    """All feedback that is in the journal, as another process finds it."""

    def kept():
        journal = open_journal(journal_url)
        try:
            return journal.feedback(1000)
        finally:
            journal.close()

    return kept


@pytest.fixture
def answer(client, strokes):
    return client.post("/predict", json={"strokes": strokes}).json()


@pytest.mark.parametrize("path", ["/feedback", "/feedback/"])
def test_what_a_prediction_really_was_is_kept_with_its_drawing(client, answer, kept, path):
    response = client.post(path, json={"prediction_id": answer["prediction_id"], "actual_digit": 3})
    assert (response.status_code, response.json()) == (200, THANKS)
    (feedback,) = kept()
    assert feedback.prediction_id == answer["prediction_id"]
    assert (feedback.predicted_digit, feedback.actual_digit) == (answer["digit"], 3)
    assert feedback.model_version == answer["model_version"]


def test_the_picture_is_the_one_that_was_read(client, strokes, kept):
    answer = client.post("/predict?input=true", json={"strokes": strokes}).json()
    client.post("/feedback", json={"prediction_id": answer["prediction_id"], "actual_digit": 5})
    (feedback,) = kept()
    read = np.frombuffer(feedback.picture, np.uint8).reshape(28, 28) / 255
    np.testing.assert_allclose(read, answer["input"], atol=1e-3)


def test_a_drawing_may_be_no_digit(client, answer, kept):
    assert client.post("/feedback", json={"prediction_id": answer["prediction_id"], "actual_digit": None}).json() == THANKS
    assert kept()[0].actual_digit is None


def test_who_thinks_again_says_it_again(client, answer, kept):
    for digit in (3, 8):
        client.post("/feedback", json={"prediction_id": answer["prediction_id"], "actual_digit": digit})
    assert [feedback.actual_digit for feedback in kept()] == [3, 8]


@pytest.mark.parametrize("digits", [(3, 8), ("3", "8")], ids=["numbers", "text of an input field"])
def test_older_pages_send_the_pixels(client, kept, digits):
    predicted, actual = digits
    body = {"image_vector": VECTOR, "predicted_digit": predicted, "actual_digit": actual}
    assert client.post("/feedback", json=body).json() == THANKS
    (feedback,) = kept()
    assert (feedback.prediction_id, feedback.model_version) == (None, None)
    assert (feedback.predicted_digit, feedback.actual_digit) == (3, 8)
    assert feedback.picture == in_bytes(picture_from_vector(VECTOR)).tobytes()


def test_who_sent_it_is_told_from_others_and_not_named(client, answer, kept):
    body = {"prediction_id": answer["prediction_id"], "actual_digit": 3}
    for address in ("203.0.113.7", "198.51.100.1, 203.0.113.7", "203.0.113.8"):  # the last one is our own nginx's word
        client.post("/feedback", json=body, headers={"X-Forwarded-For": address})
    client.post("/feedback", json=body)
    sources = [feedback.source for feedback in kept()]
    assert sources[0] == sources[1]
    assert len(set(sources)) == 3
    assert not any("203" in source and "." in source for source in sources)


def test_an_ipv6_client_is_one_sender_whichever_of_its_addresses_it_uses(client, answer, kept):
    for address in ("2001:db8:1:2::3", "2001:DB8:1:2:ffff::4", "2001:db8:1:3::3"):
        said = {"prediction_id": answer["prediction_id"], "actual_digit": 3}
        client.post("/feedback", json=said, headers={"X-Forwarded-For": address})
    sources = [feedback.source for feedback in kept()]
    assert sources[0] == sources[1] != sources[2]


def test_one_address_cannot_fill_the_log_and_many_cannot_within_a_day(models_folder, journal_url, monkeypatch, kept, documented):
    monkeypatch.setattr("inference.app.open_journal", partial(open_journal, limits=FeedbackLimits(per_source=3, per_day=5)))
    with TestClient(create_app(Settings(models=str(models_folder), journal=journal_url))) as client:

        def give(address):
            body = {"image_vector": VECTOR, "actual_digit": 5}
            return client.post("/feedback", json=body, headers={"X-Forwarded-For": address})

        answers = [give("203.0.113.7") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        words = answers[-1].json()["detail"]
        documented("bad-requests", "more feedback than an address may give in a day", "`/feedback`", "429", words)
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 86_400
        others = [give(f"203.0.113.{number}") for number in range(8, 12)]
        assert [answer.status_code for answer in others] == [200, 200, 429, 429]
        words = others[-1].json()["detail"]
        documented("bad-requests", "more feedback than all may give in a day", "`/feedback`", "429", words)
        assert 'doodle_feedback_errors_total{code="429"} 4.0' in client.get("/metrics").text
    assert len(kept()) == 5


def test_it_needs_no_model(journal_url, tmp_path, kept):
    with TestClient(create_app(Settings(models=str(tmp_path / "none"), journal=journal_url))) as client:
        assert client.post("/feedback", json={"image_vector": VECTOR, "actual_digit": 8}).json() == THANKS
    assert kept()[0].predicted_digit is None


@pytest.mark.parametrize("digit", [5.0, "5"], ids=["of a language without integers", "as text"])
def test_a_digit_may_be_written_otherwise(client, answer, kept, digit):
    said = {"prediction_id": answer["prediction_id"], "actual_digit": digit}
    assert client.post("/feedback", json=said).json() == THANKS
    assert [feedback.actual_digit for feedback in kept()] == [5]


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"prediction_id": "x"}, 422, "actual_digit: Field required"),
        ({"actual_digit": 5}, 422, 'send either "prediction_id" or "image_vector"'),
        ({"prediction_id": "x", "image_vector": VECTOR, "actual_digit": 5}, 422, "send either"),
        ({"prediction_id": "x", "actual_digit": 10}, 422, "actual_digit: Input should be less than or equal to 9"),
        ({"prediction_id": "x", "actual_digit": -1}, 422, "actual_digit: Input should be greater"),
        ({"prediction_id": "x", "actual_digit": 5.5}, 422, "actual_digit: Input should be a valid integer"),
        ({"prediction_id": "x", "actual_digit": True}, 422, "actual_digit: Input should be a valid integer"),
        ({"prediction_id": "x", "actual_digit": "five"}, 422, "actual_digit: Input should be a valid integer"),
        ({"prediction_id": "x", "actual_digit": [5]}, 422, "actual_digit: Input should be a valid integer"),
        ({"prediction_id": "", "actual_digit": 5}, 422, "prediction_id: String should have at least 1"),
        ({"prediction_id": "x" * 201, "actual_digit": 5}, 422, "prediction_id: String should have at most 200"),
        ({"prediction_id": 5, "actual_digit": 5}, 422, "prediction_id: Input should be a valid string"),
        ({"prediction_id": "nobody", "actual_digit": 5}, 404, "there is no prediction with this prediction_id"),
        ({"prediction_id": "a\x00b\ud800"[:3], "actual_digit": 5}, 404, "there is no prediction with this prediction_id"),
        ({"image_vector": VECTOR[1:], "actual_digit": 5}, 400, "Expected 784 values for MNIST image, got 783"),
        ({"image_vector": [2.0] * 784, "actual_digit": 5}, 422, "image_vector.0: Input should be less than or equal to 1"),
        ([], 422, "Input should be an object"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(client, kept, body, code, words):
    response = client.post("/feedback", json=body)
    assert response.status_code == code
    assert list(response.json()) == ["detail"]
    assert words in response.json()["detail"]
    assert kept() == []


def test_it_must_be_json(client):
    response = client.post("/feedback", content=b"5", headers={"Content-Type": "text/plain"})
    assert (response.status_code, response.json()) == (415, {"detail": "send application/json, not text/plain"})
    assert client.post("/feedback").json() == {"detail": "send application/json, not a body without a content-type"}
    too_large = client.post("/feedback", content=b" " * 2**21, headers={"Content-Type": "application/json"})
    assert too_large.status_code == 413


def test_it_is_counted_by_verdict_and_refusals_by_code(client, answer):
    def figures():
        lines = client.get("/metrics").text.splitlines()
        names = ("doodle_feedback", "prediction_error_total", "api_predict_calls_total")
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line.startswith(names))}

    before = figures()
    wrong = (answer["digit"] + 1) % 10
    for digit in (answer["digit"], wrong, wrong, None, None, None):
        client.post("/feedback", json={"prediction_id": answer["prediction_id"], "actual_digit": digit})
    client.post("/feedback", json={"prediction_id": "nobody", "actual_digit": 1})
    after = figures()
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        'doodle_feedback_total{verdict="right"}': 1,
        'doodle_feedback_total{verdict="wrong"}': 2,
        'doodle_feedback_total{verdict="no_digit"}': 3,
        'doodle_feedback_errors_total{code="404"}': 1,
    }


def test_nobody_is_thanked_where_it_cannot_be_kept(models_folder, tmp_path):
    (tmp_path / "folder.sqlite").mkdir()
    settings = Settings(models=str(models_folder), journal=f"sqlite:///{tmp_path}/folder.sqlite")
    with TestClient(create_app(settings)) as client:
        response = client.post("/feedback", json={"image_vector": VECTOR, "actual_digit": 5})
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert response.json()["detail"].startswith("the feedback could not be kept")
    assert str(tmp_path) not in response.json()["detail"]  # for the log, not for everybody


class SlowJournal:
    """One that writes feedback only when it is told to, and knows a prediction only when it was asked so many times."""

    def __init__(self, unknown=0):
        self.unknown, self.written, self.go = unknown, [], threading.Event()

    def prediction(self, prediction_id):
        self.unknown -= 1
        return None if self.unknown >= 0 else self.found

    def add_feedback(self, feedback):
        assert self.go.wait(10)
        self.written.append(feedback)


@pytest.fixture
def said():
    return module.FeedbackRequest(prediction_id=ID, actual_digit=4)


@pytest.fixture
def a_prediction():
    return module.Prediction(ID, 1e9, "strokes", 5, True, 0.9, "0647f3f72a49", bytes(784))


def desk_of(journal, waiting=()):
    metrics = Metrics()
    recorder = Recorder(journal, metrics)
    for prediction in waiting:
        recorder.record(prediction)
    return module.FeedbackDesk(journal, recorder, metrics)


def test_a_prediction_that_is_still_to_be_written_is_known(said, a_prediction):
    journal = SlowJournal(unknown=10**6)
    journal.go.set()
    asyncio.run(desk_of(journal, waiting=[a_prediction]).receive(said, None))
    assert journal.written[0].predicted_digit == 5


def test_one_that_another_replica_is_just_writing_is_waited_for(said, a_prediction, monkeypatch):
    monkeypatch.setattr(module, "LOOK_AGAIN_SECONDS", (0.01, 0.01))
    journal = SlowJournal(unknown=2)
    journal.found = a_prediction
    journal.go.set()
    asyncio.run(desk_of(journal).receive(said, None))
    assert journal.written[0].prediction_id == ID


def test_thanks_wait_for_the_disk(said, a_prediction):
    journal = SlowJournal()
    journal.found = a_prediction

    async def receive():
        receiving = asyncio.create_task(desk_of(journal).receive(said, None))
        await asyncio.sleep(0.2)
        assert not receiving.done()
        journal.go.set()
        await receiving

    asyncio.run(receive())
    assert len(journal.written) == 1


@pytest.mark.slow
def test_kill_right_after_the_thanks_loses_nothing(run_service, models_folder, tmp_path):
    """Twenty times; tests/stack does it to containers and Redis."""
    url = f"sqlite:///{tmp_path}/journal.sqlite"
    for round_ in range(20):
        with run_service(models_folder, DOODLE_JOURNAL=url) as service:
            assert service.post_json({"image_vector": VECTOR, "actual_digit": round_ % 10}, "/feedback").json() == THANKS
            os.kill(service.process.pid, signal.SIGKILL)
            service.process.wait()
    journal = open_journal(url)
    assert [feedback.actual_digit for feedback in journal.feedback(100)] == [round_ % 10 for round_ in range(20)]
    journal.close()


@pytest.mark.slow
def test_two_hundred_kills_of_redis_right_after_the_thanks_lose_nothing(run_service, models_folder, new_redis):
    """And ten of the service."""
    server, rounds = new_redis(), 200
    server.start()

    def thanked(service, digit):
        """Say it until it is kept: while Redis is away the answer is 503, and whoever got it has not been thanked."""
        deadline = time.monotonic() + 20
        said = {"image_vector": VECTOR, "actual_digit": digit}
        while (answer := service.post_json(said, "/feedback")).status_code != 200:
            assert answer.status_code == 503
            assert time.monotonic() < deadline, answer.text
        assert answer.json() == THANKS

    try:
        for first in range(0, rounds, 20):
            with run_service(models_folder, DOODLE_JOURNAL=server.url) as service:
                for round_ in range(first, first + 20):
                    thanked(service, round_ % 10)
                    server.kill()
                    server.start(until_loaded=False)
                thanked(service, 7)
                os.kill(service.process.pid, signal.SIGKILL)
                service.process.wait()
        journal = open_journal(server.url)
        kept = [feedback.actual_digit for feedback in journal.feedback(1000)]
        journal.close()
    finally:
        server.kill()
    asked = [digit for first in range(0, rounds, 20) for digit in (*((first + each) % 10 for each in range(20)), 7)]
    assert len(kept) >= len(asked) == rounds + rounds // 20
    # What Redis had written when it was killed, and could not say so, was sent again: then it is there twice in a row.
    assert [digit for index, digit in enumerate(kept) if index == 0 or digit != kept[index - 1]] == asked
