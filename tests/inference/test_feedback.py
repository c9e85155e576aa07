"""POST /feedback stores feedback before it answers, or rejects it with a reason."""

import os
import re
import time
from functools import partial

import numpy as np
import pytest
from digitnet.images.ink import image_from_vector
from digitnet.images.normalize import in_bytes
from inference import feedback as module
from inference.errors import LOG_UNREACHABLE
from inference.metrics import Metrics
from inference.prediction_logger import PredictionLogger
from stores.prediction_log import FeedbackLimits, open_prediction_log

THANKS = {"message": "Feedback received, thank you!"}
ID = "7b88140edcad49edb1cb4c9d8bc19318"
VECTOR = [0.0] * 300 + [0.9] * 184 + [0.0] * 300
OF_VECTOR = {"image_vector": VECTOR, "actual_digit": 5}


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setattr(module, "RETRY_SECONDS", (0.001, 0.001))


@pytest.fixture
def answer(client, strokes):
    return client.post("/predict?input=true", json={"strokes": strokes}).json()


@pytest.fixture
def give(client, answer):
    """give(digit): send feedback with this digit and return the response."""

    def give(digit, path="/feedback", address=None):
        body = {"prediction_id": answer["prediction_id"], "actual_digit": digit}
        return client.post(path, json=body, headers={"X-Forwarded-For": address} if address else {})

    return give


@pytest.fixture
def kept(prediction_log):
    return lambda: prediction_log.feedback(1000)


def test_stores_the_actual_digit_with_the_image(give, answer, kept):
    response = give(3, "/feedback/")
    assert (response.status_code, response.json()) == (200, THANKS)
    (feedback,) = kept()
    assert feedback.prediction_id == answer["prediction_id"]
    assert (feedback.predicted_digit, feedback.actual_digit) == (answer["digit"], 3)
    assert feedback.model_version == answer["model_version"]
    read = np.frombuffer(feedback.picture, np.uint8).reshape(28, 28) / 255
    np.testing.assert_allclose(read, answer["input"], atol=1e-3)


def test_accepts_null_numbers_text_and_repeated_feedback(give, kept):
    for digit in (None, 3, 5.0, "5"):  # clients without integers, and text of an input field
        assert give(digit).json() == THANKS
    assert [feedback.actual_digit for feedback in kept()] == [None, 3, 5, 5]


def test_accepts_pixels_from_older_pages(client, kept):
    body = {"image_vector": VECTOR, "predicted_digit": "3", "actual_digit": 8}
    assert client.post("/feedback", json=body).json() == THANKS
    (feedback,) = kept()
    assert (feedback.prediction_id, feedback.model_version) == (None, None)
    assert (feedback.predicted_digit, feedback.actual_digit) == (3, 8)
    assert feedback.picture == in_bytes(image_from_vector(VECTOR)).tobytes()


def test_pseudonymizes_senders(give, kept):
    addresses = {
        "203.0.113.7": 0,
        "198.51.100.1, 203.0.113.7": 0,  # nginx adds the last address
        "203.0.113.8": 1,
        "2001:db8:1:2::3": 2,  # a client has a whole IPv6 network
        "2001:DB8:1:2:ffff::4": 2,
        "2001:db8:1:3::3": 3,
        None: 4,
    }
    for address in addresses:
        give(3, address=address)
    sources = [feedback.source for feedback in kept()]
    assert [list(dict.fromkeys(sources)).index(source) for source in sources] == list(addresses.values())
    assert all(re.fullmatch("[0-9a-f]{12}", source) for source in sources)


def test_limits_feedback_per_address_and_per_day(
    serve, models_folder, prediction_log_url, monkeypatch, kept, samples, documented
):
    monkeypatch.setattr(
        "inference.services.open_prediction_log", partial(open_prediction_log, limits=FeedbackLimits(per_source=3, per_day=5))
    )
    with serve(models_folder, prediction_log=prediction_log_url) as client:

        def give(address):
            return client.post("/feedback", json=OF_VECTOR, headers={"X-Forwarded-For": address})

        answers = [give("203.0.113.7") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        of_address = answers[-1].json()["detail"]
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 86_400
        assert answers[-1].headers["RateLimit"].startswith('"source";r=0;t=')
        others = [give(f"203.0.113.{number}") for number in range(8, 12)]
        assert [answer.status_code for answer in others] == [200, 200, 429, 429]
        assert others[-1].json()["detail"] != of_address, "each answer names its limit"
        documented("bad-requests", "more feedback than one address, or all, may give in a day", "429")
        assert samples(client)["doodle_feedback_errors_total", ("429",)] == 4
    assert [feedback.predicted_digit for feedback in kept()] == [None] * 5


def test_put_is_idempotent_and_the_last_word_holds(client, answer, kept, samples):
    url = f"/predictions/{answer['prediction_id']}/feedback"
    for digit in (3, 3, None, 4, 4):
        put = client.put(url, json={"actual_digit": digit})
        assert (put.status_code, put.json()) == (200, THANKS)
        assert [each.actual_digit for each in kept()] == [digit]
    assert put.headers["ratelimit-policy"].startswith('"source";q=500;w=86400, "day";q=2000;w=86400')
    assert client.put(f"/predictions/{ID}/feedback", json={"actual_digit": 3}).status_code == 404
    assert client.put(url, json={"actual_digit": 3, "prediction_id": ID}).status_code == 422
    found = samples(client)
    assert [found["doodle_feedback_errors_total", (code,)] for code in ("404", "422")] == [1, 1]


def test_a_repeated_idempotency_key_is_stored_once(client, kept, samples):
    for key, digit in (("a", 5), ("a", 5), ("a", 6), ("b", 5), (None, 5), (None, 5)):
        headers = {"Idempotency-Key": key} if key else {}
        sent = client.post("/feedback", json=OF_VECTOR | {"actual_digit": digit}, headers=headers)
        assert (sent.status_code, sent.json()) == (200, THANKS)
    assert [each.actual_digit for each in kept()] == [5, 6, 5, 5, 5]
    assert sum(samples(client)["doodle_feedback_total", (each,)] for each in ("right", "wrong")) == 5


def test_similar_ids_find_no_prediction(client, answer):
    known = answer["prediction_id"]
    for guess in (f"{int(known, 16) + 1:032x}", known.upper(), known[:-1], f"{known} ", "%", "*", known[:8]):
        assert client.post("/feedback", json={"prediction_id": guess, "actual_digit": 3}).status_code == 404, guess


def test_ids_come_from_the_system_s_random_numbers(client, give, kept, strokes, monkeypatch):
    """A pseudorandom generator would make ids predictable."""
    give(3)
    monkeypatch.setattr(os, "urandom", lambda count: bytes(range(count)))
    answer = client.post("/predict", json={"strokes": strokes}).json()
    give(3)
    assert answer["prediction_id"] == kept()[1].feedback_id == "000102030405460788090a0b0c0d0e0f"
    assert re.fullmatch("[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}", kept()[0].feedback_id)  # a UUID, version 4


def test_keeps_the_order_of_feedback_while_the_clock_jumps(give, kept, monkeypatch):

    for digit, hours in enumerate((0, 24, 0, -1, 87_600)):
        monkeypatch.setattr(module, "time", lambda: time.time() + 3600 * hours)  # noqa: B023 (called in this round)
        assert give(digit).json() == THANKS
    assert [feedback.actual_digit for feedback in kept()] == list(range(5))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"actual_digit": 5}, 'send either "prediction_id" or "image_vector"'),
        ({"prediction_id": "x", "actual_digit": -1}, "actual_digit: Input should be greater"),
        ({"prediction_id": "", "actual_digit": 5}, "prediction_id: String should have at least 1"),
        ({"prediction_id": "x" * 201, "actual_digit": 5}, "prediction_id: String should have at most 200"),
        ({"image_vector": [2.0] * 784, "actual_digit": 5}, "image_vector: the numbers must be from 0 to 1, not 2"),
    ],
)
def test_error_names_the_field(client, kept, body, words):

    response = client.post("/feedback", json=body)
    assert response.status_code == 422
    assert words in response.json()["detail"]
    assert kept() == []


def test_counts_verdicts_and_rejections(client, answer, give, samples):
    wrong = (answer["digit"] + 1) % 10
    for digit in (answer["digit"], wrong, wrong, None, None, None):
        give(digit)
    client.post("/feedback", json={"prediction_id": "nobody", "actual_digit": 1})
    counters = ("doodle_feedback", "prediction_error_total", "api_predict_calls_total")
    counted = {name: value for name, value in samples(client).items() if value and name[0].startswith(counters)}
    assert {name: value for name, value in counted.items() if not name[0].endswith("_created")} == {
        ("api_predict_calls_total", ()): 1,
        ("doodle_feedback_total", ("right",)): 1,
        ("doodle_feedback_total", ("wrong",)): 2,
        ("doodle_feedback_total", ("no_digit",)): 3,
        ("doodle_feedback_errors_total", ("404",)): 1,
    }


def test_answers_503_if_the_log_is_out_of_reach(serve, models_folder, tmp_path):
    (tmp_path / "folder.sqlite").mkdir()
    with serve(models_folder, prediction_log=f"sqlite:///{tmp_path}/folder.sqlite") as client:
        answers = client.post("/feedback", json=OF_VECTOR), client.delete(f"/predictions/{ID}")
    for answer in answers:
        assert (answer.status_code, answer.json()["detail"], answer.headers["Retry-After"]) == (503, LOG_UNREACHABLE, "5")


PREDICTION = module.Prediction(ID, 1e9, "strokes", 5, True, 0.9, "0647f3f72a49", bytes(784))


class SlowLog:
    """Find the prediction only after `unknown` calls, and write feedback slowly."""

    def __init__(self, unknown):
        self.unknown, self.written = unknown, []

    def prediction(self, prediction_id):
        self.unknown -= 1
        return None if self.unknown >= 0 else PREDICTION

    def add_feedback(self, feedback, replaces):
        time.sleep(0.02)
        self.written.append(feedback)
        return True


@pytest.mark.parametrize(
    ("unknown", "waiting"), [(10**6, [PREDICTION]), (2, [])], ids=["still to be written", "another replica is writing it"]
)
@pytest.mark.anyio
async def test_finds_queued_predictions_and_answers_after_the_write(unknown, waiting):
    prediction_log, metrics = SlowLog(unknown), Metrics()
    logger = PredictionLogger(prediction_log, metrics)
    for each in waiting:
        logger.log(each)
    request = module.FeedbackRequest(prediction_id=ID, actual_digit=4)
    await module.FeedbackService(prediction_log, logger, metrics).receive(request, None)
    assert [(each.prediction_id, each.predicted_digit) for each in prediction_log.written] == [(ID, 5)]


@pytest.mark.slow
def test_two_hundred_kills_of_redis_lose_no_acknowledged_feedback(run_service, models_folder, new_redis):
    """Kill Redis after each acknowledgment, and the service ten times."""
    server, asked = new_redis(), []
    server.start()

    def give_until_acknowledged(service, digit):
        """Send feedback until the service acknowledges it. While Redis is down the answer is 503."""
        asked.append(digit)
        deadline = time.monotonic() + 20
        while (answer := service.post_json({"image_vector": VECTOR, "actual_digit": digit}, "/feedback")).status_code != 200:
            assert answer.status_code == 503
            assert time.monotonic() < deadline, answer.text
        assert answer.json() == THANKS

    try:
        for _ in range(10):
            with run_service(models_folder, DOODLE_JOURNAL=server.url) as service:
                for round_ in range(20):
                    give_until_acknowledged(service, round_ % 9)
                    server.kill()
                    server.start(until_loaded=False)
                give_until_acknowledged(service, 9)
                service.process.kill()
                service.process.wait()
        prediction_log = open_prediction_log(server.url)
        kept = [feedback.actual_digit for feedback in prediction_log.feedback(1000)]
        prediction_log.close()
    finally:
        server.kill()
    # Feedback that Redis wrote without acknowledging is sent again, and is then there twice in a row.
    assert [digit for index, digit in enumerate(kept) if index == 0 or digit != kept[index - 1]] == asked
