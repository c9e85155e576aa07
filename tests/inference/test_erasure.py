"""DELETE /predictions/{id} erases a drawing with its feedback before it answers; old records leave the log by themselves."""

import asyncio
import threading
import time

import pytest
from fastapi.testclient import TestClient
from inference import erasure, feedback
from inference.app import create_app
from inference.metrics import Metrics
from inference.recorder import Recorder
from inference.settings import Settings
from stores.journal import DAY_SECONDS, Feedback, JournalError, Prediction, open_journal

ID = "7b88140edcad49edb1cb4c9d8bc19318"
ERASED = {"message": "The drawing and all feedback on it are erased."}


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setattr(feedback, "LOOK_AGAIN_SECONDS", (0.01, 0.01))


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/journal.sqlite"


@pytest.fixture
def log(url):
    """The prediction log, as another process sees it."""
    log = open_journal(url)
    yield log
    log.close()


@pytest.fixture
def client(models_folder, url):
    with TestClient(create_app(Settings(models=str(models_folder), journal=url))) as client:
        yield client


def predicted(client, strokes):
    return client.post("/predict", json={"strokes": strokes}).json()["prediction_id"]


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_drawing_is_erased_with_all_feedback_on_it_and_no_other_is(client, log, strokes, slash):
    erased, kept = predicted(client, strokes), predicted(client, strokes)
    for id_ in (erased, erased, kept):
        client.post("/feedback", json={"prediction_id": id_, "actual_digit": 3}).raise_for_status()
    answer = client.delete(f"/predictions/{erased}{slash}")
    assert (answer.status_code, answer.json()) == (200, ERASED)
    assert [each.prediction_id for each in log.feedback(10)] == [kept]
    late = client.post("/feedback", json={"prediction_id": erased, "actual_digit": 3})
    assert late.status_code == 404
    assert client.delete(f"/predictions/{erased}").status_code == 200, "an answer may be lost, and the page asks again"
    client.__exit__()  # all that was still to be written is written
    assert [each.prediction_id for each in log.recent_predictions(10)] == [kept]


@pytest.mark.parametrize("unknown", [ID, "nobody", "x" * 1000, "%00", "{prediction_id}"])
def test_an_unknown_id_is_404(client, unknown, documented):
    answer = client.delete(f"/predictions/{unknown}")
    assert (answer.status_code, answer.json()) == (404, {"detail": erasure.UNKNOWN})
    documented("bad-requests", "erasing a drawing by an unknown id", "`/predictions/{id}`", "404", erasure.UNKNOWN)


def test_the_id_of_feedback_erases_nothing(client, log, strokes):
    """It stands in the trainer's files, which may be public."""
    client.post("/feedback", json={"prediction_id": predicted(client, strokes), "actual_digit": 3})
    (given,) = log.feedback(10)
    assert client.delete(f"/predictions/{given.feedback_id}").status_code == 404
    assert log.feedback(10) == [given]


def test_it_needs_no_key_and_other_methods_are_refused(models_folder, url, strokes):
    settings = Settings(models=str(models_folder), journal=url, api_key="0123456789abcdef")
    with TestClient(create_app(settings)) as client:
        id_ = predicted(client, strokes)
        assert client.delete(f"/predictions/{id_}").status_code == 200
        refused = client.get(f"/predictions/{id_}")
        assert (refused.status_code, refused.headers["allow"]) == (405, "DELETE")


def test_erasures_count_under_one_route(client):
    for id_ in (ID, ID[::-1], "nobody"):
        client.delete(f"/predictions/{id_}")
    counted = client.get("/metrics").text
    assert 'doodle_http_requests_total{code="404",route="/predictions/{prediction_id}"} 3.0' in counted
    assert ID not in counted


def test_nothing_is_called_erased_where_the_log_is_out_of_reach(models_folder, tmp_path):
    (tmp_path / "folder.sqlite").mkdir()
    with TestClient(create_app(Settings(models=str(models_folder), journal=f"sqlite:///{tmp_path}/folder.sqlite"))) as client:
        answer = client.delete(f"/predictions/{ID}")
    assert (answer.status_code, answer.json()) == (503, {"detail": erasure.NOT_ERASED})
    assert answer.headers["Retry-After"] == "5"


A_PREDICTION = Prediction(ID, 1e9, "strokes", 5, True, 0.9, "0647f3f72a49", bytes(784))


def test_a_prediction_that_waits_to_be_written_is_never_written(url, log):
    """Neither by the queue's next batch nor by one that is on its way to the disk."""
    writing, go_on = threading.Event(), threading.Event()

    class SlowLog:
        erase, close = log.erase, log.close

        def add_predictions(self, predictions):
            writing.set()
            assert go_on.wait(10)
            log.add_predictions(predictions)

    async def erase_while_it_is_written():
        slow = SlowLog()
        async with Recorder(slow, Metrics()) as recorder:
            recorder.record(A_PREDICTION)
            await asyncio.to_thread(writing.wait, 10)
            await erasure.Eraser(slow, recorder).erase(ID)
            go_on.set()

    asyncio.run(erase_while_it_is_written())
    assert log.recent_predictions(10) == []


def test_one_that_another_replica_is_about_to_write_is_waited_for(log):
    class AnotherWrites:
        calls = 0

        def erase(self, *arguments, **options):
            self.calls += 1
            if self.calls == 2:
                log.add_predictions([A_PREDICTION])
            return log.erase(*arguments, **options)

    asyncio.run(erasure.Eraser(AnotherWrites(), Recorder(log, Metrics())).erase(ID))
    assert log.recent_predictions(10) == []


def test_many_erasures_leave_threads_to_others():
    inside, most, lock = 0, 0, threading.Lock()

    class SlowLog:
        def erase(self, *_, **__):
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.01)
            with lock:
                inside -= 1
            return {ID}

    async def erase_many():
        eraser = erasure.Eraser(SlowLog(), Recorder(SlowLog(), Metrics()))
        await asyncio.gather(*(eraser.erase(f"{number:032x}") for number in range(20)))

    asyncio.run(erase_many())
    assert most == erasure.ERASURES_AT_ONCE


class TestRetention:
    def test_the_service_drops_what_is_older_than_its_setting(self, models_folder, url, log, eventually):
        now = time.time()
        for number, days in enumerate((1.5, 0.5)):
            at, id_ = now - days * DAY_SECONDS, f"{number:032x}"
            log.add_predictions([Prediction(id_, at, "strokes", 5, True, 0.9, "0647f3f72a49", bytes(784))])
            log.add_feedback(Feedback(id_, at, id_, 5, 3, "0647f3f72a49", bytes(784)))
        with TestClient(create_app(Settings(models=str(models_folder), journal=url, retention_days=1))):
            eventually(lambda: len(log.recent_predictions(10)) == len(log.feedback(10)) == 1, "the old ones are gone")
        assert log.feedback(10)[0].feedback_id == log.recent_predictions(10)[0].prediction_id == f"{1:032x}"

    def test_a_log_out_of_reach_is_tried_again(self, monkeypatch):
        monkeypatch.setattr(erasure, "EXPIRED_EVERY_SECONDS", 0.01)
        monkeypatch.setattr(erasure, "PAUSE_SECONDS", 0.0)
        answers = [JournalError("cannot be reached"), 200, 3, 0]

        class Log:
            def drop_expired(self, days, now):
                assert (days, abs(now - time.time()) < 60) == (90, True)
                answer = answers.pop(0) if answers else 0
                if isinstance(answer, JournalError):
                    raise answer
                return answer

        async def until_all_is_dropped():
            dropping = asyncio.create_task(erasure.drop_expired(Log(), 90))
            async with asyncio.timeout(10):
                while answers:
                    await asyncio.sleep(0.005)
            dropping.cancel()

        asyncio.run(until_all_is_dropped())
