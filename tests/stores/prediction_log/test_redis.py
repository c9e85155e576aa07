"""The prediction log in Redis: acknowledged records survive a kill, and foreign entries do no harm."""

import threading
import time
import uuid

import numpy as np
import pytest
import yaml
from log_records import make_feedback, make_prediction
from polling import eventually
from processes import PROJECT
from stores.prediction_log import Feedback, FeedbackLimits, Prediction, PredictionLogError, Summary, redis_connection
from stores.prediction_log import redis as redis_log
from stores.prediction_log.base import ERASED_FEEDBACK_KEPT
from stores.prediction_log.redis import FEEDBACK, FEEDBACK_BY_PREDICTION, PREDICTIONS


@pytest.fixture
def log(redis_server, open_at):
    return open_at(redis_server.url)


def test_reads_more_than_one_page(log, monkeypatch):
    monkeypatch.setattr(redis_log, "PAGE", 10)
    predictions, feedback = [make_prediction() for _ in range(31)], [make_feedback() for _ in range(31)]
    log.add_predictions(predictions)
    for each in feedback:
        log.add_feedback(each)
    assert log.recent_predictions(30) == predictions[1:]
    assert log.feedback(30) == feedback[:30]
    ids = [each.feedback_id for each in feedback[:25]]
    assert log.erase([], ids) == log.erased(ids) == set(ids)


class TestKilled:
    @pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.slow)])
    def test_loses_no_acknowledged_record_and_duplicates_none(self, own_redis, open_at, kills):
        """Kill Redis during batches, right after feedback is acknowledged."""
        own_redis.start()
        log = open_at(own_redis.url)
        acknowledged, given, stop = [], [], threading.Event()

        def keep_adding():
            batch = [make_prediction() for _ in range(16)]
            while not stop.is_set():
                try:
                    log.add_predictions(batch)
                    acknowledged.extend(batch)
                    batch = [make_prediction() for _ in range(16)]
                except PredictionLogError:
                    stop.wait(0.01)

        adding = threading.Thread(target=keep_adding)
        adding.start()
        try:
            eventually(lambda: acknowledged, "a batch is acknowledged")
            for _ in range(kills):
                given.append(make_feedback())
                log.add_feedback(given[-1])
                own_redis.kill()
                own_redis.start()
        finally:
            stop.set()
            adding.join()
        assert log.feedback(100) == given
        kept = log.recent_predictions(50_000)
        assert len({each.prediction_id for each in kept}) == len(kept) == log.summary().predictions_total
        assert kept[: len(acknowledged)] == acknowledged

    def test_every_call_fails_while_redis_is_down_and_works_afterwards(self, own_redis, open_at):
        own_redis.start()
        log, prediction, feedback = open_at(own_redis.url), make_prediction(), make_feedback()
        calls = [
            (lambda: log.add_predictions([prediction]), None),
            (lambda: log.add_feedback(feedback), False),  # it is known
            (lambda: log.prediction(prediction.prediction_id), prediction),
            (lambda: log.recent_predictions(1), [prediction]),
            (lambda: log.feedback(1), [feedback]),
            (lambda: log.summary(), Summary(1, 1, 1, prediction.time)),
        ]
        for call, _ in calls:
            call()
        own_redis.kill()
        for call, _ in calls:
            with pytest.raises(PredictionLogError, match=f"^Redis at 127.0.0.1:{own_redis.port} cannot be reached"):
                call()
        own_redis.start()  # without scripts, while the pool has a dead connection
        assert [call() for call, _ in calls] == [answer for _, answer in calls]

    def test_times_out_on_a_server_that_hangs(self, own_redis, open_at, monkeypatch):
        monkeypatch.setattr(redis_connection, "COMMAND_SECONDS", 0.2)
        own_redis.start()
        own_redis.pause()
        with pytest.raises(PredictionLogError, match="does not answer in time"):
            open_at(own_redis.url).summary()


class TestForeignEntries:
    """Entries by other versions or by hand."""

    @pytest.fixture
    def rewrite(self, redis_server):
        """rewrite(stream, changes): replace fields of its only entry; None removes a field."""

        def rewrite(stream, changes):
            ((entry, values),) = redis_server.client.xrange(stream)
            redis_server.client.xdel(stream, entry)
            changed = {name: value for name, value in (values | changes).items() if value is not None}
            redis_server.client.hset(f"{stream}:entries", next(iter(values.values())), redis_server.client.xadd(stream, changed))

        return rewrite

    @pytest.mark.parametrize(
        ("field", "damage"),
        [(b"digit", None), (b"digit", b"seven"), (b"digit", b"12"), (b"is_digit", b"maybe"), (b"model_version", b"\xff\xfe")],
    )
    def test_skips_an_invalid_prediction(self, log, rewrite, field, damage):
        damaged, *others = (make_prediction() for _ in range(3))
        log.add_predictions([damaged])
        rewrite(PREDICTIONS, {field: damage})
        log.add_predictions(others)
        assert log.recent_predictions(3) == others
        assert log.recent_predictions(1) == others[1:]
        assert log.prediction(damaged.prediction_id) is None
        assert log.summary() == Summary(4, 3, 0, others[1].time)

    def test_skips_feedback_without_a_digit_field(self, log, rewrite):
        damaged, sound = make_feedback(actual_digit=None), make_feedback()
        log.add_feedback(damaged)
        rewrite(FEEDBACK, {b"actual_digit": None})
        log.add_feedback(sound)
        assert log.feedback(1) == [sound]
        assert log.feedback(1, after=sound.feedback_id) == []

    def test_reads_feedback_without_a_source_and_fields_of_a_later_version(self, log, rewrite):
        feedback, prediction = make_feedback(source=None), make_prediction()
        log.add_feedback(feedback)
        log.add_predictions([prediction])
        rewrite(FEEDBACK, {b"source": None})
        rewrite(PREDICTIONS, {b"mood": b"good"})
        assert (log.feedback(1), log.recent_predictions(1)) == ([feedback], [prediction])

    def test_the_cap_also_drops_foreign_entries(self, redis_server, open_at):
        for _ in range(5):
            redis_server.client.xadd(PREDICTIONS, {"hello": "world"})
        log, predictions = open_at(redis_server.url, cap=2), [make_prediction() for _ in range(3)]
        log.add_predictions(predictions)
        assert log.recent_predictions(10) == predictions[1:]

    def test_a_key_of_another_type_is_an_error(self, log, redis_server):
        redis_server.client.set(PREDICTIONS, "in the way")
        with pytest.raises(PredictionLogError, match=r"rejects a command of the prediction log \(WRONGTYPE Operation"):
            log.add_predictions([make_prediction()])

    def test_survives_a_deleted_stream_and_flushed_scripts(self, log, redis_server):
        first, second = make_prediction(), make_prediction()
        log.add_predictions([first])
        redis_server.client.delete(PREDICTIONS)
        assert log.prediction(first.prediction_id) is None
        assert log.summary() == Summary(0, 0, 0, None)
        redis_server.client.script_flush()
        log.add_predictions([second])
        assert log.recent_predictions(10) == [second]


class TestIndexes:
    @pytest.fixture
    def filled(self, log):
        """Add six predictions, oldest first, with two pieces of feedback each."""
        predictions = [make_prediction(time=float(number)) for number in range(6)]
        log.add_predictions(predictions)
        given = [make_feedback(time=each.time, prediction_id=each.prediction_id) for each in predictions * 2]
        for each in given:
            log.add_feedback(each)
        return predictions, given

    def test_forget_predictions_dropped_by_the_cap(self, redis_server, open_at):
        log = open_at(redis_server.url, cap=7)
        for _ in range(10):
            log.add_predictions([make_prediction() for _ in range(3)])
        entries = redis_server.client.xrange(PREDICTIONS)
        assert len(entries) == 7
        assert redis_server.client.hgetall(f"{PREDICTIONS}:entries") == {
            values[b"prediction_id"]: entry for entry, values in entries
        }

    def test_forget_erased_and_expired_records(self, log, redis_server, filled):
        predictions, given = filled
        log.erase([predictions[4].prediction_id], [given[5].feedback_id])
        assert log.drop_older(time=3.0, count=100) == 3 + 6
        client = redis_server.client
        kept = {values[b"feedback_id"]: entry for entry, values in client.xrange(FEEDBACK)}
        assert set(kept) == {each.feedback_id.encode() for each in (given[3], given[9], given[11])}
        assert client.hgetall(f"{FEEDBACK}:entries") == kept
        kept_predictions = {predictions[number].prediction_id.encode() for number in (3, 5)}
        assert set(client.hgetall(f"{PREDICTIONS}:entries")) == kept_predictions
        assert set(client.hgetall(FEEDBACK_BY_PREDICTION)) == {b"", *kept_predictions}

    def test_erase_feedback_of_an_older_version(self, log, redis_server, filled, monkeypatch):
        """Older versions write no index by prediction, also during a rolling release."""
        monkeypatch.setattr(redis_log, "PAGE", 5)
        predictions, given = filled
        redis_server.client.delete(FEEDBACK_BY_PREDICTION)
        log.erase([predictions[0].prediction_id])
        redis_server.client.hdel(FEEDBACK_BY_PREDICTION, "")  # the read position: all is read again
        log.erase([predictions[1].prediction_id])
        assert log.feedback(100) == [*given[2:6], *given[8:]]

    def test_foreign_entries_expire(self, log, redis_server):
        """An entry without a time has the age of its stream id."""
        prediction, client = make_prediction(), redis_server.client
        log.add_predictions([prediction])
        client.xadd(FEEDBACK, {"prediction_id": prediction.prediction_id})
        for stream in (PREDICTIONS, FEEDBACK):
            client.xadd(stream, {"hello": "world"})
        log.erase([prediction.prediction_id])
        assert log.drop_older(time=1.6e9, count=10) == 0
        assert log.drop_older(time=time.time() + 60, count=10) == 2

    def test_keep_erased_ids_up_to_a_number(self, redis_server, open_at):
        log, predictions = open_at(redis_server.url, cap=3), [make_prediction() for _ in range(5)]
        for each in predictions:
            log.erase([each.prediction_id], is_expected=True)
        log.add_predictions(predictions)
        assert log.recent_predictions(5) == predictions[:2]


@pytest.mark.parametrize("cuts", [1, pytest.param(24, marks=pytest.mark.slow)])
def test_a_batch_cut_off_by_a_crash_can_be_sent_again(own_redis, open_at, cuts):
    own_redis.start()
    log, feedback = open_at(own_redis.url), make_feedback()
    first, batch = [make_prediction() for _ in range(3)], [make_prediction() for _ in range(4)]
    log.add_predictions(first)
    log.add_feedback(feedback)
    (file,) = own_redis.folder.glob("appendonlydir/*.incr.aof")
    length = file.stat().st_size
    log.add_predictions(batch)
    own_redis.kill()
    content = file.read_bytes()
    in_its_last_command = content.rindex(b"EXEC") - 3  # within a line, which Redis reports differently
    places = np.random.default_rng(0).choice(np.arange(length + 1, len(content)), cuts, replace=False).tolist()
    for place in (*places, in_its_last_command, len(content) - 1):
        file.write_bytes(content[:place])
        own_redis.start()
        assert log.recent_predictions(100) == first
        log.add_predictions(batch)
        for _ in range(2):
            own_redis.kill()
            own_redis.start()
            assert log.recent_predictions(100) == first + batch
            assert log.summary().predictions_total == len(first + batch)
            assert log.feedback(100) == [feedback]
        own_redis.kill()
    # Redis must not truncate a file that is damaged in the middle: an operator may have a copy.
    damaged = content[:length] + bytes([content[length] ^ 0xFF]) + content[length + 1 :]
    file.write_bytes(damaged)
    with pytest.raises(AssertionError, match="Bad file format reading the append only file"):
        own_redis.start()
    assert file.read_bytes() == damaged


def test_a_full_server_erases_and_drops(own_redis, open_at):
    own_redis.start()
    log, predictions = open_at(own_redis.url), [make_prediction(time=float(number)) for number in range(3)]
    log.add_predictions(predictions)
    own_redis.client.config_set("maxmemory", 1)
    assert log.drop_older(time=1.0, count=10) == 1
    assert log.erase([predictions[1].prediction_id]) == {predictions[1].prediction_id}
    assert log.recent_predictions(10) == predictions[2:]


def test_the_largest_log_fits_into_the_stack_s_memory(own_redis, open_at):
    """Measured with a hundredth of the records, of the service's sizes."""
    own_redis.start(appendonly="no")
    log, part, predictions = open_at(own_redis.url + "?durable=managed"), 100, 50_000
    services = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    days = services["inference"]["environment"]["DOODLE_RETENTION_DAYS"]  # "${DOODLE_RETENTION_DAYS:-90}"
    feedback = int(days.rpartition("-")[2].rstrip("}")) * FeedbackLimits().per_day
    empty = log.durability().memory_bytes
    ids = iter(lambda: uuid.uuid4().hex, None)
    for _ in range(predictions // part):
        image = uuid.uuid4().bytes * 49
        log.add_predictions([Prediction(next(ids), 1e9, "strokes", 5, True, 0.987654321, "0647f3f72a49", image)])
    for number in range(feedback // part):
        time_, image, source = 1e9 + number * 60, uuid.uuid4().bytes * 49, f"{number % 97:012x}"
        log.add_feedback(Feedback(next(ids), time_, next(ids), 5, 3, "0647f3f72a49", image, source))
    kept = part * (log.durability().memory_bytes - empty)
    erased = (predictions + ERASED_FEEDBACK_KEPT) * 160  # bytes per id in a sorted set
    command = services["redis"]["command"]
    limit = int(command[command.index("--maxmemory") + 1].removesuffix("mb")) * 2**20
    assert 784 * (predictions + feedback) < kept < 0.9 * limit - erased  # above it an alert fires


def test_each_database_is_a_separate_log(redis_server, open_at):
    other = open_at(redis_server.url.removesuffix("/0") + "/5")
    other.add_predictions([make_prediction()])
    assert open_at(redis_server.url).summary().predictions_total == 0
    assert redis_server.client.info("keyspace")["db5"]["keys"] == 2
