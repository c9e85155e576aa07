"""The logger writes each prediction once and in order; a log that is down delays no answer."""

import asyncio
import threading
import time
from unittest.mock import Mock

import numpy as np
import pytest
from digitnet.images.strokes import image_from_strokes
from inference import prediction_logger as module
from inference.metrics import Metrics
from inference.prediction_logger import PredictionLogger
from stores.prediction_log import Prediction, PredictionLogError


def predictions(count):
    return [Prediction(f"id-{n}", 1e9, "strokes", 5, True, 0.9, "0647f3f72a49", bytes(784)) for n in range(count)]


class PredictionLog:
    """Store records; `before` may wait or fail."""

    def __init__(self, before=lambda: None):
        self.taken, self.batches, self.before, self.close = [], [], before, Mock()

    def add_predictions(self, predictions):
        self.before()
        self.batches.append(len(predictions))
        self.taken += [each for each in predictions if each not in self.taken]


def down():
    raise PredictionLogError("redis:6379 cannot be reached")


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def figure(metrics):
    """figure("written"): return the number of records."""
    return lambda outcome: metrics.registry.get_sample_value("doodle_recorder_records_total", {"outcome": outcome})


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)


def logging(prediction_log, metrics, records):
    logger = PredictionLogger(prediction_log, metrics)
    for each in records:
        logger.log(each)
    return logger


@pytest.mark.anyio
class TestPredictionLogger:
    @pytest.mark.parametrize("ends_at_once", [False, True])
    async def test_writes_each_record_once_in_order_and_closes_the_log(self, metrics, figure, ends_at_once):
        prediction_log, records = PredictionLog(), predictions(700)
        async with logging(prediction_log, metrics, records):
            if not ends_at_once:
                await until(lambda: len(prediction_log.taken) == 700)
        assert prediction_log.taken == records
        assert max(prediction_log.batches) <= module.BATCH
        assert figure("written") == 700
        assert metrics.registry.get_sample_value("doodle_recorder_pending_records") == 0
        prediction_log.close.assert_called_once_with()

    async def test_records_wait_while_the_log_is_down(self, metrics, figure, caplog):
        caplog.set_level("INFO")
        tries = []
        prediction_log, records = PredictionLog(before=lambda: (tries.append(1), down())), predictions(5)
        async with logging(prediction_log, metrics, records):
            await until(lambda: len(tries) > 3)
            assert metrics.registry.get_sample_value("doodle_recorder_pending_records") == 5
            assert figure("written") == 0
            prediction_log.before = lambda: None
            await until(lambda: figure("written") == 5)
        assert prediction_log.taken == records
        events = [message.split()[0] for message in caplog.messages if "prediction_log_" in message]
        assert events == ["event=prediction_log_down", "event=prediction_log_up"]  # once each

    async def test_drops_and_counts_the_oldest_records_of_a_full_queue(self, metrics, figure, monkeypatch):
        monkeypatch.setattr(module, "MAX_QUEUE", 10)
        prediction_log, records = PredictionLog(before=down), predictions(25)
        async with logging(prediction_log, metrics, records):
            prediction_log.before = lambda: None
            await until(lambda: len(prediction_log.taken) == 10)
        assert prediction_log.taken == records[-10:]
        assert (figure("written"), figure("dropped")) == (10, 15)

    async def test_counts_records_dropped_during_a_write_once(self, metrics, figure, monkeypatch):
        monkeypatch.setattr(module, "MAX_QUEUE", 10)
        writing, go_on = threading.Event(), threading.Event()
        prediction_log, records = PredictionLog(before=lambda: (writing.set(), go_on.wait(10))), predictions(16)
        async with logging(prediction_log, metrics, records[:10]) as logger:
            await until(writing.is_set)
            for each in records[10:]:
                logger.log(each)
            go_on.set()
            await until(lambda: len(prediction_log.taken) == 16)
        assert prediction_log.taken == records
        assert figure("written") + figure("dropped") == 16

    async def test_continues_after_a_failed_batch(self, metrics, figure, caplog):
        prediction_log = PredictionLog(before=lambda: 1 / 0)
        async with logging(prediction_log, metrics, predictions(1)) as logger:
            await until(lambda: figure("dropped") == 1)
            prediction_log.before = lambda: None
            logger.log(*predictions(1))
            await until(lambda: figure("written") == 1)
        assert "event=prediction_log_write_failed" in caplog.text

    async def test_waits_for_a_log_that_is_down_at_shutdown(self, metrics, caplog):
        tries = []
        prediction_log, records = PredictionLog(before=lambda: (tries.append(1), len(tries) < 4 and down())), predictions(3)
        async with logging(prediction_log, metrics, records):
            pass
        assert prediction_log.taken == records
        assert "not_flushed" not in caplog.text

    async def test_logs_the_loss_if_the_log_stays_down_at_shutdown(self, metrics, caplog, monkeypatch):
        monkeypatch.setattr(module, "FLUSH_SECONDS", 0.2)
        async with logging(PredictionLog(before=down), metrics, predictions(3)):
            pass
        assert "event=prediction_log_not_flushed lost=3" in caplog.text


def test_the_service_logs_each_answer_with_its_image(client, prediction_log, strokes):
    answers = [client.post("/predict", json={"strokes": each}).json() for each in (strokes, [])]
    client.post("/predict", json={})  # is rejected and not logged
    client.__exit__()  # flushes the queue
    logged = prediction_log.recent_predictions(10)
    assert prediction_log.summary().predictions_total == 2
    for answer, each in zip(answers, logged, strict=True):
        assert (each.prediction_id, each.is_digit) == (answer["prediction_id"], answer["is_digit"])
        # Drift needs the likeliest digit and its probability, also if it is no digit.
        assert each.digit == int(np.argmax(answer["probabilities"]))
        assert each.confidence == pytest.approx(max(answer["probabilities"]))
        assert (each.model_version, each.form) == (answer["model_version"], "strokes")
        assert each.time == pytest.approx(time.time(), abs=60)
    drawn, blank = (np.frombuffer(each.picture, np.uint8) for each in logged)
    np.testing.assert_allclose(drawn.reshape(28, 28) / 255.0, image_from_strokes(strokes, 20), atol=1e-6)
    assert not blank.any()
