"""Predictions on their way to the journal: each once and in order, and a journal that is down holds up nobody."""

import asyncio
import itertools
import threading
import time

import numpy as np
import pytest
from digitnet.drawing import picture_from_strokes
from inference import recorder as module
from inference.metrics import Metrics
from inference.recorder import Recorder
from stores.journal import JournalError, Prediction, open_journal

IDS = itertools.count()


def prediction():
    return Prediction(f"id-{next(IDS)}", 1e9, "strokes", 5, True, 0.9, "0647f3f72a49", bytes(784))


class Journal:
    """Takes what it is given; `failing` decides what else it does."""

    def __init__(self, failing=lambda: None):
        self.taken, self.batches, self.failing, self.closed = [], [], failing, False

    def add_predictions(self, predictions):
        self.failing()
        self.batches.append(len(predictions))
        self.taken += [each for each in predictions if each not in self.taken]

    def close(self):
        self.closed = True


def down():
    raise JournalError("redis:6379 cannot be reached")


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def figure(metrics):
    """figure("written") -> how many records so far."""
    return lambda outcome: metrics.registry.get_sample_value("doodle_recorder_records_total", {"outcome": outcome})


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def run(journal, metrics, *steps):
    """Run each step with the recorder, one after the other."""

    async def all_steps():
        async with Recorder(journal, metrics) as recorder:
            for step in steps:
                await step(recorder)

    asyncio.run(all_steps())


def test_what_is_recorded_is_written_once_and_in_order(metrics, figure):
    journal, predictions = Journal(), [prediction() for _ in range(700)]

    async def record(recorder):
        for each in predictions:
            recorder.record(each)
        await until(lambda: len(journal.taken) == 700)

    run(journal, metrics, record)
    assert journal.taken == predictions
    assert max(journal.batches) <= module.BATCH
    assert figure("written") == 700
    assert metrics.registry.get_sample_value("doodle_recorder_pending_records") == 0


def test_what_still_waits_at_the_end_is_written_and_the_journal_closed(metrics):
    journal, predictions = Journal(), [prediction() for _ in range(600)]

    async def record(recorder):
        for each in predictions:
            recorder.record(each)

    run(journal, metrics, record)
    assert journal.taken == predictions
    assert journal.closed


def test_while_the_journal_is_down_predictions_wait_and_are_written_when_it_is_back(metrics, figure, caplog):
    caplog.set_level("INFO")
    journal, predictions = Journal(failing=down), [prediction() for _ in range(5)]

    async def fail(recorder):
        for each in predictions:
            recorder.record(each)
        await until(lambda: "event=journal_down" in caplog.text)
        await asyncio.sleep(0.05)
        assert metrics.registry.get_sample_value("doodle_recorder_pending_records") == 5
        assert figure("written") == 0

    async def recover(recorder):
        journal.failing = lambda: None
        await until(lambda: figure("written") == 5)

    run(journal, metrics, fail, recover)
    assert journal.taken == predictions
    events = [record.getMessage().split()[0] for record in caplog.records if "journal" in record.getMessage()]
    assert events == ["event=journal_down", "event=journal_up"]  # each said once, however often it was tried


def test_when_too_many_wait_the_oldest_are_dropped_and_counted(metrics, figure, monkeypatch):
    monkeypatch.setattr(module, "WAITING_AT_MOST", 10)
    journal, predictions = Journal(failing=down), [prediction() for _ in range(25)]

    async def record(recorder):
        for each in predictions:
            recorder.record(each)
        journal.failing = lambda: None
        await until(lambda: len(journal.taken) == 10)

    run(journal, metrics, record)
    assert journal.taken == predictions[-10:]
    assert (figure("written"), figure("dropped")) == (10, 15)


def test_what_is_dropped_while_it_is_written_confuses_nobody(metrics, figure, monkeypatch):
    """The queue overflows while its oldest records are on their way to the disk."""
    monkeypatch.setattr(module, "WAITING_AT_MOST", 10)
    writing, go_on = threading.Event(), threading.Event()

    def slowly():
        writing.set()
        go_on.wait(10)

    journal, predictions = Journal(failing=slowly), [prediction() for _ in range(16)]

    async def record(recorder):
        for each in predictions[:10]:
            recorder.record(each)
        await until(writing.is_set)
        for each in predictions[10:]:
            recorder.record(each)
        go_on.set()
        await until(lambda: len(journal.taken) == 16)

    run(journal, metrics, record)
    assert journal.taken == predictions
    assert figure("written") + figure("dropped") == 16


def test_a_fault_in_a_batch_does_not_hold_up_the_next(metrics, figure, caplog):
    def fault():
        raise ZeroDivisionError

    journal = Journal(failing=fault)

    async def fail(recorder):
        recorder.record(prediction())
        await until(lambda: figure("dropped") == 1)

    async def go_on(recorder):
        journal.failing = lambda: None
        recorder.record(prediction())
        await until(lambda: figure("written") == 1)

    run(journal, metrics, fail, go_on)
    assert "event=journal_write_failed" in caplog.text


def test_a_journal_that_is_down_at_the_end_delays_it_by_seconds_at_most_and_the_loss_is_logged(metrics, caplog):
    async def record(recorder):
        for _ in range(3):
            recorder.record(prediction())

    run(Journal(failing=down), metrics, record)
    assert "event=journal_not_flushed lost=3" in caplog.text


class TestInTheService:
    STROKES = (((140.0, 40.0), (150.0, 240.0)),)

    @pytest.fixture
    def journal_url(self, tmp_path):
        return f"sqlite:///{tmp_path}/journal.sqlite"

    @pytest.fixture
    def running(self, run_service, models_folder, journal_url):
        with run_service(models_folder, DOODLE_JOURNAL=journal_url) as running:
            yield running

    def test_each_answer_is_in_the_journal_with_the_picture_that_was_read(self, running, journal_url, eventually):
        started = time.time()
        answers = [running.post_json({"strokes": self.STROKES}).json(), running.post_json({"strokes": []}).json()]
        journal = open_journal(journal_url)
        eventually(lambda: journal.summary().predictions_total == 2, "both are in the journal")
        for answer, recorded in zip(answers, journal.recent_predictions(2), strict=True):
            assert recorded.prediction_id == answer["prediction_id"]
            assert recorded.is_digit == answer["is_digit"]
            # The likeliest digit and its probability, also of a rejected drawing: drift is measured on them.
            assert recorded.digit == int(np.argmax(answer["probabilities"]))
            assert recorded.confidence == pytest.approx(max(answer["probabilities"]))
            assert (recorded.model_version, recorded.form) == (answer["model_version"], "strokes")
            assert started - 1 <= recorded.time <= time.time() + 1
        drawn, blank = (np.frombuffer(each.picture, np.uint8) for each in journal.recent_predictions(2))
        expected = picture_from_strokes(self.STROKES, 20)
        np.testing.assert_allclose(drawn.reshape(28, 28) / 255.0, expected, atol=1e-6)
        assert not blank.any()

    def test_refused_calls_are_not_in_it(self, running, journal_url, eventually):
        running.post_json({})
        running.post_json({"strokes": self.STROKES})
        eventually(lambda: running.sample("doodle_recorder_records_total", "written") == 1, "the good one is written")
        assert open_journal(journal_url).summary().predictions_total == 1

    def test_a_service_that_ends_leaves_nothing_unwritten(self, running, journal_url):
        ids = [running.post_json({"strokes": self.STROKES}).json()["prediction_id"] for _ in range(20)]
        assert running.stop() == 0
        assert [each.prediction_id for each in open_journal(journal_url).recent_predictions(100)] == ids

    def test_without_its_journal_it_answers_all_the_same_and_ends_in_time(self, run_service, models_folder):
        with run_service(models_folder, DOODLE_JOURNAL="redis://127.0.0.1:1/0") as running:
            for _ in range(5):
                assert running.post_json({"strokes": self.STROKES}).status_code == 200
            assert running.stop() == 0
            assert "event=journal_not_flushed lost=5" in running.log()
