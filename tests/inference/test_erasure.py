"""DELETE /predictions/{id} erases a drawing with its feedback, and old records expire."""

import asyncio
import threading
import time
from dataclasses import replace
from unittest.mock import Mock

import pytest
from inference import feedback, prediction_logger
from inference.metrics import Metrics
from inference.prediction_logger import PredictionLogger
from stores.prediction_log import Feedback, Prediction, PredictionLogError
from stores.prediction_log.base import DAY_SECONDS

ID = "7b88140edcad49edb1cb4c9d8bc19318"
ERASED = {"message": "The drawing and all feedback on it are erased."}
A_PREDICTION = Prediction(ID, 1e9, "strokes", 5, True, 0.9, "0647f3f72a49", bytes(784))


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setattr(feedback, "RETRY_SECONDS", (0.01, 0.01))


def predicted(client, strokes):
    return client.post("/predict", json={"strokes": strokes}).json()["prediction_id"]


def test_erases_a_drawing_with_its_feedback(client, prediction_log, strokes):
    erased, kept = predicted(client, strokes), predicted(client, strokes)
    for id_ in (erased, erased, kept):
        client.post("/feedback", json={"prediction_id": id_, "actual_digit": 3}).raise_for_status()
    answer = client.delete(f"/predictions/{erased}/")
    assert (answer.status_code, answer.json()) == (200, ERASED)
    assert [each.prediction_id for each in prediction_log.feedback(10)] == [kept]
    late = client.post("/feedback", json={"prediction_id": erased, "actual_digit": 3})
    assert late.status_code == 404
    assert client.delete(f"/predictions/{erased}").status_code == 200, "the page may repeat the request"
    client.__exit__()  # flushes the queue
    assert [each.prediction_id for each in prediction_log.recent_predictions(10)] == [kept]


@pytest.mark.parametrize("unknown", [ID, "nobody", "x" * 1000, "%00", "{prediction_id}"])
def test_answers_404_to_an_unknown_id(client, unknown, samples, documented):
    answer = client.delete(f"/predictions/{unknown}")
    assert (answer.status_code, answer.json()["detail"]) == (404, feedback.NOTHING_TO_ERASE)
    documented("bad-requests", "feedback to an unknown prediction, or its erasure", "404")
    assert samples(client)["doodle_http_requests_total", ("404", "/predictions/{prediction_id}")] == 1
    assert ID not in client.get("/metrics").text


def test_a_feedback_id_erases_nothing(client, prediction_log, strokes):
    """The trainer's files contain it, and they may be public."""
    client.post("/feedback", json={"prediction_id": predicted(client, strokes), "actual_digit": 3})
    (given,) = prediction_log.feedback(10)
    assert client.delete(f"/predictions/{given.feedback_id}").status_code == 404
    assert prediction_log.feedback(10) == [given]


@pytest.mark.anyio
async def test_an_erased_prediction_in_the_queue_is_never_written(prediction_log):
    """Neither the next batch nor the current one writes it."""
    writing, go_on = threading.Event(), threading.Event()

    class SlowLog:
        erase, close = prediction_log.erase, prediction_log.close

        def add_predictions(self, predictions):
            writing.set()
            assert go_on.wait(10)
            prediction_log.add_predictions(predictions)

    slow = SlowLog()
    async with PredictionLogger(slow, Metrics()) as logger:
        logger.log(A_PREDICTION)
        await asyncio.to_thread(writing.wait, 10)
        await feedback.FeedbackService(slow, logger, Metrics()).erase(ID)
        go_on.set()
    assert prediction_log.recent_predictions(10) == []


@pytest.mark.anyio
async def test_waits_for_a_prediction_that_another_replica_writes(prediction_log):
    def erase(*arguments, **options):
        if log.erase.call_count == 2:
            prediction_log.add_predictions([A_PREDICTION])
        return prediction_log.erase(*arguments, **options)

    log = Mock()
    log.erase.side_effect = erase
    await feedback.FeedbackService(log, PredictionLogger(prediction_log, Metrics()), Metrics()).erase(ID)
    assert prediction_log.recent_predictions(10) == []


@pytest.mark.anyio
async def test_limits_concurrent_erasures():
    inside, counts = [], []

    class SlowLog:
        def erase(self, *_, **__):
            inside.append(ID)
            counts.append(len(inside))
            time.sleep(0.01)
            return {inside.pop()}

    service = feedback.FeedbackService(SlowLog(), PredictionLogger(SlowLog(), Metrics()), Metrics())
    await asyncio.gather(*(service.erase(f"{number:032x}") for number in range(20)))
    assert max(counts) == feedback.MAX_ERASURES


def test_drops_records_older_than_the_setting(serve, models_folder, prediction_log, prediction_log_url, eventually):
    now = time.time()
    for number, days in enumerate((1.5, 0.5)):
        at, id_ = now - days * DAY_SECONDS, f"{number:032x}"
        prediction_log.add_predictions([replace(A_PREDICTION, prediction_id=id_, time=at)])
        prediction_log.add_feedback(Feedback(id_, at, id_, 5, 3, "0647f3f72a49", bytes(784)))
    with serve(models_folder, prediction_log=prediction_log_url, retention_days=1):
        eventually(
            lambda: len(prediction_log.recent_predictions(10)) == len(prediction_log.feedback(10)) == 1, "the old ones are gone"
        )
    assert prediction_log.feedback(10)[0].feedback_id == prediction_log.recent_predictions(10)[0].prediction_id == f"{1:032x}"


@pytest.mark.anyio
async def test_retries_the_expiry_after_an_error(monkeypatch):
    monkeypatch.setattr(prediction_logger, "EXPIRY_SECONDS", 0.01)
    monkeypatch.setattr(prediction_logger, "PAUSE_SECONDS", 0.0)
    log = Mock()
    log.drop_expired.side_effect = [PredictionLogError("cannot be reached"), 200, 3, 0, asyncio.CancelledError]
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(prediction_logger.drop_expired(log, 90), 10)
    assert log.drop_expired.call_count == 5
    days, now = log.drop_expired.call_args.args
    assert (days, abs(now - time.time()) < 60) == (90, True)
