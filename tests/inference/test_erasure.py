"""DELETE /predictions/{id} erases a drawing with its feedback before it answers; old records leave the log by themselves."""

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


def test_erases_a_drawing_with_all_feedback_on_it_and_no_other(client, prediction_log, strokes):
    erased, kept = predicted(client, strokes), predicted(client, strokes)
    for id_ in (erased, erased, kept):
        client.post("/feedback", json={"prediction_id": id_, "actual_digit": 3}).raise_for_status()
    answer = client.delete(f"/predictions/{erased}/")
    assert (answer.status_code, answer.json()) == (200, ERASED)
    assert [each.prediction_id for each in prediction_log.feedback(10)] == [kept]
    late = client.post("/feedback", json={"prediction_id": erased, "actual_digit": 3})
    assert late.status_code == 404
    assert client.delete(f"/predictions/{erased}").status_code == 200, "an answer may be lost, and the page asks again"
    client.__exit__()  # all that was still to be written is written
    assert [each.prediction_id for each in prediction_log.recent_predictions(10)] == [kept]


@pytest.mark.parametrize("unknown", [ID, "nobody", "x" * 1000, "%00", "{prediction_id}"])
def test_an_unknown_id_is_404(client, unknown, samples, documented):
    answer = client.delete(f"/predictions/{unknown}")
    assert (answer.status_code, answer.json()) == (404, {"detail": feedback.NOTHING_TO_ERASE})
    documented("bad-requests", "feedback to an unknown prediction, or its erasure", "404")
    assert samples(client)["doodle_http_requests_total", ("404", "/predictions/{prediction_id}")] == 1
    assert ID not in client.get("/metrics").text


def test_the_id_of_feedback_erases_nothing(client, prediction_log, strokes):
    """It stands in the trainer's files, which may be public."""
    client.post("/feedback", json={"prediction_id": predicted(client, strokes), "actual_digit": 3})
    (given,) = prediction_log.feedback(10)
    assert client.delete(f"/predictions/{given.feedback_id}").status_code == 404
    assert prediction_log.feedback(10) == [given]


@pytest.mark.anyio
async def test_a_prediction_that_waits_to_be_written_is_never_written(prediction_log):
    """Neither by the queue's next batch nor by one that is on its way to the disk."""
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
async def test_waits_for_one_that_another_replica_is_about_to_write(prediction_log):
    def erase(*arguments, **options):
        if log.erase.call_count == 2:
            prediction_log.add_predictions([A_PREDICTION])
        return prediction_log.erase(*arguments, **options)

    log = Mock()
    log.erase.side_effect = erase
    await feedback.FeedbackService(log, PredictionLogger(prediction_log, Metrics()), Metrics()).erase(ID)
    assert prediction_log.recent_predictions(10) == []


@pytest.mark.anyio
async def test_many_erasures_leave_threads_to_others():
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


def test_drops_what_is_older_than_the_setting(serve, models_folder, prediction_log, prediction_log_url, eventually):
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
async def test_tries_again_to_drop_records_when_the_log_was_out_of_reach(monkeypatch):
    monkeypatch.setattr(prediction_logger, "EXPIRY_SECONDS", 0.01)
    monkeypatch.setattr(prediction_logger, "PAUSE_SECONDS", 0.0)
    log = Mock()
    log.drop_expired.side_effect = [PredictionLogError("cannot be reached"), 200, 3, 0, asyncio.CancelledError]
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(prediction_logger.drop_expired(log, 90), 10)
    assert log.drop_expired.call_count == 5
    days, now = log.drop_expired.call_args.args
    assert (days, abs(now - time.time()) < 60) == (90, True)
