"""The prediction log's contract, on a real Redis and on SQLite."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from log_records import make_feedback, make_prediction
from stores.prediction_log import FeedbackLimits, Refusal, RefusedError, Summary
from stores.prediction_log.base import DAY_SECONDS, NAME_LENGTH

UNKNOWN = ["unknown", "", "\ud800", "a\nb", "x" * 10_000]


@pytest.fixture(params=["redis", "sqlite"])
def url(request, tmp_path):
    if request.param == "redis":
        return request.getfixturevalue("redis_server").url
    return f"sqlite:///{tmp_path}/state/journal.sqlite"


@pytest.fixture
def log(url, open_at):
    return open_at(url)


@pytest.fixture
def predictions():
    return [make_prediction() for _ in range(10)]


class TestPredictions:
    def test_returns_predictions_in_order_by_id_and_count(self, log, predictions):
        log.add_predictions(predictions[:3])
        log.add_predictions(predictions[3:])
        assert [log.prediction(each.prediction_id) for each in predictions] == predictions
        for count, found in ((3, 3), (1, 1), (0, 0), (-1, 0), (10, 10), (1000, 10)):
            assert log.recent_predictions(count) == predictions[10 - found :]

    def test_adding_again_changes_nothing(self, log, predictions):
        """Add an empty batch, overlapping batches, repeated ids, and another prediction with a known id."""
        namesake = make_prediction(prediction_id=predictions[0].prediction_id)
        first = predictions[:4]
        for batch in ([], first, [predictions[4], predictions[5], predictions[4]], predictions, predictions, [namesake]):
            log.add_predictions(batch)
        assert log.recent_predictions(100) == predictions
        assert log.summary() == Summary(10, 10, 0, predictions[-1].time)

    def test_unknown_ids_find_and_erase_nothing(self, log, predictions):
        log.add_predictions(predictions)
        added = [make_feedback(prediction_id=predictions[0].prediction_id)]
        log.add_feedback(added[0])
        for unknown in UNKNOWN:
            assert log.prediction(unknown) is None
            assert log.erase([unknown], [unknown]) == log.erased([unknown]) == set()
        for unknown in UNKNOWN[:3]:
            with pytest.raises(ValueError, match=r"has no feedback|surrogates not allowed"):
                log.feedback(100, after=unknown)
        assert (log.recent_predictions(100), log.feedback(100)) == (predictions, added)


class TestCap:
    def test_drops_the_oldest_predictions_and_keeps_feedback(self, url, open_at, predictions):
        log, added = open_at(url, cap=4), [make_feedback() for _ in range(6)]
        for prediction in predictions:
            log.add_predictions([prediction])
        for feedback in added:
            log.add_feedback(feedback)
        for _ in range(2):
            assert log.recent_predictions(100) == predictions[-4:]
            assert [log.prediction(each.prediction_id) for each in predictions] == [None] * 6 + predictions[-4:]
            assert log.summary() == Summary(10, 4, 6, predictions[-1].time)
            log.add_predictions(predictions[-4:])  # a retry drops nothing
        assert log.feedback(100) == added

    def test_a_batch_may_exceed_the_cap(self, url, open_at, predictions):
        log = open_at(url, cap=4)
        log.add_predictions(predictions)
        assert log.recent_predictions(100) == predictions[-4:]

    def test_reaches_a_lowered_cap_gradually(self, url, open_at):
        open_at(url).add_predictions([make_prediction() for _ in range(500)])
        log, kept = open_at(url, cap=2), []
        for _ in range(100):
            log.add_predictions([make_prediction()])
            kept.append(log.summary().predictions_kept)
        assert 2 < kept[0] < 500, "one call dropped all, or nothing"
        assert kept[-1] == 2


def test_returns_feedback_in_order_by_page(log):
    optional = ["prediction_id", "predicted_digit", "actual_digit", "model_version"]
    added = [make_feedback(**{field: None}) for field in optional] + [make_feedback() for _ in range(6)]
    for feedback in [*added, added[3]]:  # repeating one changes nothing
        log.add_feedback(feedback)
    assert log.summary().feedback_total == 10
    for size in (1, 3, 10, 100):
        read, after = [], None
        while page := log.feedback(size, after):
            read.extend(page)
            after = page[-1].feedback_id
        assert read == added


def test_replacing_feedback_keeps_the_last_word(url, log, open_at):
    """Equal feedback stays, and a refused replacement erases nothing."""
    first, others = make_feedback(actual_digit=3), [make_feedback(actual_digit=3) for _ in range(2)]
    about = {"prediction_id": first.prediction_id}
    assert log.add_feedback(first, replaces=True)
    assert not log.add_feedback(make_feedback(**about, actual_digit=3), replaces=True)
    for feedback in others:
        log.add_feedback(feedback)
    second, last = make_feedback(**about, actual_digit=4), make_feedback(**about, actual_digit=None)
    assert log.add_feedback(second, replaces=True)
    assert not log.add_feedback(second, replaces=True)
    log.add_feedback(make_feedback(**about, actual_digit=None))
    assert log.add_feedback(last, replaces=True)
    assert log.feedback(100) == [*others, last]
    replaced = {first.feedback_id, second.feedback_id}
    assert log.erased([*replaced, last.feedback_id]) == replaced
    with pytest.raises(RefusedError):
        open_at(url, limits=FeedbackLimits(per_day=0)).add_feedback(make_feedback(**about, actual_digit=5), replaces=True)
    assert log.feedback(100) == [*others, last]


class TestErase:
    @pytest.fixture
    def added(self, log, predictions):
        """Add two pieces of feedback on the first prediction, one on the second, and one without a prediction."""
        log.add_predictions(predictions)
        ids = predictions[0].prediction_id, predictions[0].prediction_id, predictions[1].prediction_id, None
        added = [make_feedback(prediction_id=id_) for id_ in ids]
        for feedback in added:
            log.add_feedback(feedback)
        return added

    def test_erases_a_prediction_with_its_feedback(self, url, log, predictions, added, open_at):
        erased = predictions[0].prediction_id
        for _ in range(2):  # repeating is safe
            assert log.erase([erased, "unknown"]) == {erased}
            other = open_at(url)
            assert other.prediction(erased) is None
            assert other.recent_predictions(100) == predictions[1:]
            assert other.feedback(100) == added[2:]
            assert other.summary() == Summary(10, 9, 4, predictions[-1].time)
            assert other.erased([each.feedback_id for each in added]) == {each.feedback_id for each in added[:2]}

    def test_erases_feedback_by_its_own_id(self, log, predictions, added):
        for _ in range(2):
            erased = log.erase(feedback_ids=[added[3].feedback_id, predictions[1].prediction_id])
            assert erased == {added[3].feedback_id}
            assert (log.feedback(100), log.recent_predictions(100)) == (added[:3], predictions)

    def test_erased_records_cannot_be_added_again(self, log, predictions, added):
        """A replica may still have the record in its queue."""
        erased = predictions[0].prediction_id
        log.erase([erased])
        log.add_predictions(predictions)
        assert log.recent_predictions(100) == predictions[1:]
        for late in (added[0], make_feedback(prediction_id=erased)):
            with pytest.raises(RefusedError) as refused:
                log.add_feedback(late)
            assert refused.value.reason == Refusal.ERASED
        assert log.feedback(100) == added[2:]

    def test_an_expected_prediction_can_be_erased_in_advance(self, log):
        expected = make_prediction()
        assert log.erase([expected.prediction_id], is_expected=True) == {expected.prediction_id}
        log.add_predictions([expected])
        assert log.summary() == Summary(0, 0, 0, None)

    def test_erases_feedback_on_a_dropped_prediction(self, url, open_at, predictions):
        log, feedback = open_at(url, cap=1), make_feedback(prediction_id=predictions[0].prediction_id)
        log.add_predictions(predictions[:1])
        log.add_feedback(feedback)
        log.add_predictions(predictions[1:2])
        assert log.erase([feedback.prediction_id]) == {feedback.prediction_id}
        assert log.feedback(100) == []

    def test_reading_continues_after_erased_feedback(self, log, added):
        log.erase([], [added[1].feedback_id])
        assert log.feedback(100, after=added[1].feedback_id) == added[2:]
        log.erase([], [added[3].feedback_id])
        later = make_feedback()
        log.add_feedback(later)
        assert log.feedback(100, after=added[3].feedback_id) == [later]


class TestLimits:
    NOON = 1.7e9 // DAY_SECONDS * DAY_SECONDS + DAY_SECONDS / 2
    LIMITS = FeedbackLimits(per_source=2, per_day=5)

    @pytest.fixture
    def log(self, url, open_at):
        return open_at(url, limits=self.LIMITS)

    @pytest.fixture
    def refusal(self, log):
        """refusal(source, day): add feedback; return the reason if it is rejected, else None."""

        def refusal(source, day=0, log=log):
            try:
                log.add_feedback(make_feedback(source=source, time=self.NOON + day * DAY_SECONDS))
            except RefusedError as refused:
                return refused.reason
            return None

        return refusal

    def test_limits_feedback_by_source_and_day(self, log, refusal):
        assert [refusal("a") for _ in range(4)] == [None, None, Refusal.SOURCE, Refusal.SOURCE]
        assert [refusal(source) for source in "bcdef"] == [None, None, None, Refusal.DAY, Refusal.DAY]
        assert [refusal("a", day=1) for _ in range(3)] == [None, None, Refusal.SOURCE]
        assert log.summary().feedback_total == 7

    def test_unknown_sources_count_only_for_the_day(self, refusal):
        assert [refusal(None) for _ in range(6)] == [None] * 5 + [Refusal.DAY]

    def test_repeats_do_not_count_and_erasing_frees_nothing(self, log, refusal):
        feedback = make_feedback(source="a", time=self.NOON)
        for _ in range(4):
            log.add_feedback(feedback)
        assert refusal("a") is None
        log.erase([], [each.feedback_id for each in log.feedback(10)])
        assert refusal("a") == Refusal.SOURCE

    def test_limits_hold_across_threads_and_replicas(self, url, open_at, refusal):
        logs = [open_at(url, limits=self.LIMITS) for _ in range(2)] * 2
        with ThreadPoolExecutor(4) as pool:
            refusals = list(pool.map(lambda log: refusal(None, log=log), logs * 4))
        assert sorted(refusals, key=str) == [None] * 5 + [Refusal.DAY] * 11
        assert logs[0].summary().feedback_total == 5


class TestRetention:
    NOW = 1.8e9

    @pytest.fixture
    def old_and_new(self, log):
        """Add 30 predictions and 30 pieces of feedback of 91 and of 89 days."""
        times = [self.NOW - age * DAY_SECONDS for age in (91, 89) for _ in range(30)]
        predictions, added = [make_prediction(time=time) for time in times], [make_feedback(time=time) for time in times]
        log.add_predictions(predictions)
        for feedback in added:
            log.add_feedback(feedback)
        return predictions, added

    def test_drops_older_records_in_batches(self, url, log, open_at, old_and_new):
        predictions, feedback = old_and_new
        other = open_at(url)  # another replica does the same
        assert [each.drop_older(self.NOW - 90 * DAY_SECONDS, 20) for each in (log, other, log)] == [40, 20, 0]
        assert log.recent_predictions(100) == predictions[30:]
        assert log.feedback(100) == feedback[30:]
        assert log.prediction(predictions[0].prediction_id) is None
        assert log.summary() == Summary(60, 30, 60, predictions[-1].time)
        assert log.erased([feedback[0].feedback_id]) == set()

    def test_the_retention_is_in_days_and_0_keeps_all(self, log, old_and_new):
        assert [log.drop_expired(days, self.NOW) for days in (0, 92, 90, 90)] == [0, 0, 60, 0]

    def test_an_empty_log_reads_and_drops_nothing(self, log, tmp_path):
        assert (log.recent_predictions(5), log.feedback(5), log.prediction("any")) == ([], [], None)
        assert not (tmp_path / "state").exists()
        assert (log.drop_expired(1, self.NOW), log.summary()) == (0, Summary(0, 0, 0, None))


def test_acknowledged_records_are_on_disk(log, predictions):
    empty = log.durability()
    log.add_predictions(predictions)
    filled = log.durability()
    assert filled.is_durable
    assert filled.size_bytes - empty.size_bytes >= 10 * 784
    assert filled.delayed_syncs == 0


class TestSharing:
    def test_readers_see_other_writers_and_reopen_after_close(self, url, log, open_at, predictions):
        reader = open_at(url)
        assert reader.recent_predictions(10) == []
        log.add_predictions(predictions)
        for _ in range(2):
            assert reader.recent_predictions(10) == predictions
            reader.close()

    def test_concurrent_writers_lose_and_duplicate_nothing(self, url, open_at):
        """They start on an empty log and add each batch twice, through two logs."""
        logs = [open_at(url) for _ in range(3)]
        added = [([make_prediction() for _ in range(5)], make_feedback()) for _ in range(24)]

        def add(number):
            log = logs[number // 3]
            for batch, feedback in added[number % 4 :: 4]:
                log.add_predictions(batch)
                log.add_feedback(feedback)
                assert log.prediction(batch[0].prediction_id) == batch[0]
                log.summary()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(add, range(8)))
        kept = logs[0].recent_predictions(1000)
        assert logs[0].summary() == Summary(120, 120, 24, kept[-1].time)
        for batch, _ in added:
            first = kept.index(batch[0])
            assert kept[first : first + 5] == batch, "the batch is split"


@pytest.mark.parametrize(("name", "number"), [("ж" * NAME_LENGTH, 0.0), ("'\"\\%:*{日本}", 1.0), ("🖉", 1 / 3)])
def test_returns_unusual_records_unchanged(log, name, number):
    prediction = make_prediction(prediction_id=name, model_version=name, time=number * 1e10, confidence=number)
    feedback = make_feedback(feedback_id=name, prediction_id=name, model_version=name, time=number * 1e10, source=name)
    log.add_predictions([prediction])
    log.add_feedback(feedback)
    assert [log.prediction(name)] == log.recent_predictions(1) == [prediction]
    assert log.feedback(1) == [feedback]
    assert log.erase([name]) == {name}
