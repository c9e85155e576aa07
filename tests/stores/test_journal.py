"""What a journal promises, of both kinds: one suite, held against a real Redis and against SQLite."""

import subprocess
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stores.journal import DAY_SECONDS, FORMS, Feedback, FeedbackLimits, Prediction, Refusal, RefusedError, Summary

KINDS = ["redis", "sqlite"]


@pytest.fixture(params=KINDS)
def url(request, tmp_path):
    if request.param == "redis":
        return request.getfixturevalue("redis_server").url
    return f"sqlite:///{tmp_path}/state/journal.sqlite"


@pytest.fixture
def journal(url, open_journal_at):
    return open_journal_at(url)


@pytest.fixture
def predictions(make_prediction):
    return [make_prediction() for _ in range(10)]


class TestPredictions:
    def test_they_come_back_as_they_were_and_in_order(self, journal, predictions):
        journal.add_predictions(predictions[:3])
        journal.add_predictions(predictions[3:])
        assert journal.recent_predictions(10) == predictions

    @pytest.mark.parametrize(("count", "found"), [(3, 3), (1, 1), (0, 0), (-1, 0), (1000, 10)])
    def test_the_newest_are_given_as_many_as_are_wanted(self, journal, predictions, count, found):
        journal.add_predictions(predictions)
        assert journal.recent_predictions(count) == predictions[len(predictions) - found :]

    def test_more_than_one_page_can_be_read(self, journal, make_prediction):
        many = [make_prediction() for _ in range(1201)]
        journal.add_predictions(many)
        assert journal.recent_predictions(1200) == many[1:]

    def test_each_is_found_by_its_id(self, journal, predictions):
        journal.add_predictions(predictions)
        assert [journal.prediction(prediction.prediction_id) for prediction in predictions] == predictions

    @pytest.mark.parametrize("prediction_id", ["unknown", "", "\ud800", "a\nb", "x" * 10_000])
    def test_an_id_that_is_not_there_finds_nothing(self, journal, predictions, prediction_id):
        journal.add_predictions(predictions)
        assert journal.prediction(prediction_id) is None

    def test_adding_nothing_changes_nothing(self, journal):
        journal.add_predictions([])
        assert journal.summary() == Summary(0, 0, 0, None)

    def test_adding_the_same_again_changes_nothing(self, journal, predictions):
        journal.add_predictions(predictions)
        journal.add_predictions(predictions)
        assert journal.recent_predictions(100) == predictions
        assert journal.summary().predictions_total == 10

    def test_a_batch_of_which_a_part_is_there_adds_the_rest_in_order(self, journal, predictions):
        journal.add_predictions(predictions[:4])
        journal.add_predictions(predictions)
        assert journal.recent_predictions(100) == predictions

    def test_an_id_twice_in_one_batch_is_added_once(self, journal, predictions):
        journal.add_predictions([predictions[0], predictions[1], predictions[0]])
        assert journal.recent_predictions(100) == predictions[:2]

    def test_the_first_of_two_that_share_an_id_stays(self, journal, make_prediction):
        first, second = (make_prediction(prediction_id="the same") for _ in range(2))
        journal.add_predictions([first])
        journal.add_predictions([second])
        assert journal.prediction("the same") == first


class TestCap:
    def test_the_oldest_make_room(self, url, open_journal_at, predictions):
        journal = open_journal_at(url, cap=4)
        for prediction in predictions:
            journal.add_predictions([prediction])
        assert journal.recent_predictions(100) == predictions[-4:]
        assert journal.summary() == Summary(10, 4, 0, predictions[-1].time)

    def test_what_was_pushed_out_is_not_found_and_what_is_kept_is(self, url, open_journal_at, predictions):
        journal = open_journal_at(url, cap=4)
        journal.add_predictions(predictions)
        found = [journal.prediction(prediction.prediction_id) for prediction in predictions]
        assert found == [None] * 6 + predictions[-4:]

    def test_a_retried_batch_pushes_nothing_out(self, url, open_journal_at, predictions):
        journal = open_journal_at(url, cap=10)
        for _ in range(3):
            journal.add_predictions(predictions)
        assert journal.recent_predictions(100) == predictions

    def test_a_cap_that_was_lowered_is_reached_by_and_by(self, url, open_journal_at, make_prediction):
        open_journal_at(url).add_predictions([make_prediction() for _ in range(500)])
        journal = open_journal_at(url, cap=2)
        kept = [500]
        for _ in range(100):
            journal.add_predictions([make_prediction()])
            kept.append(journal.summary().predictions_kept)
        assert 2 < kept[1] < 500, "one add did it all, or nothing"
        assert kept[-1] == 2
        assert journal.summary().predictions_total == 600

    def test_feedback_is_never_pushed_out(self, url, open_journal_at, make_feedback):
        journal, given = open_journal_at(url, cap=1), [make_feedback() for _ in range(20)]
        for feedback in given:
            journal.add_feedback(feedback)
        assert journal.feedback(100) == given


class TestFeedback:
    @pytest.fixture
    def given(self, journal, make_feedback):
        given = [make_feedback() for _ in range(10)]
        for feedback in given:
            journal.add_feedback(feedback)
        return given

    def test_it_comes_back_as_it_was_and_in_order(self, journal, given):
        assert journal.feedback(100) == given

    @pytest.mark.parametrize("field", ["prediction_id", "predicted_digit", "actual_digit", "model_version"])
    def test_what_is_unknown_stays_unknown(self, journal, make_feedback, field):
        feedback = make_feedback(**{field: None})
        journal.add_feedback(feedback)
        assert journal.feedback(1) == [feedback]

    @pytest.mark.parametrize("size", [1, 3, 10, 100])
    def test_it_can_be_read_page_by_page(self, journal, given, size):
        read, after = [], None
        while page := journal.feedback(size, after):
            read.extend(page)
            after = page[-1].feedback_id
        assert read == given

    def test_reading_on_finds_what_came_meanwhile(self, journal, given, make_feedback):
        later = make_feedback()
        journal.add_feedback(later)
        assert journal.feedback(100, after=given[-1].feedback_id) == [later]

    @pytest.mark.parametrize("after", ["unknown", "", "\ud800"])
    def test_reading_on_after_what_is_not_there_is_refused(self, journal, given, after):
        with pytest.raises(ValueError, match=r"there is no feedback|surrogates not allowed"):
            journal.feedback(100, after=after)
        assert journal.feedback(1) == given[:1]

    def test_adding_the_same_again_changes_nothing(self, journal, given):
        journal.add_feedback(given[3])
        assert journal.feedback(100) == given
        assert journal.summary().feedback_total == 10


class TestErase:
    @pytest.fixture
    def given(self, journal, predictions, make_feedback):
        """Feedback: two pieces on the first prediction, one on the second, and one on a drawing without a prediction."""
        journal.add_predictions(predictions)
        ids = [predictions[0].prediction_id, predictions[0].prediction_id, predictions[1].prediction_id, None]
        given = [make_feedback(prediction_id=id_) for id_ in ids]
        for feedback in given:
            journal.add_feedback(feedback)
        return given

    def test_a_prediction_goes_with_all_feedback_on_it_and_nothing_else(self, url, journal, predictions, given, open_journal_at):
        erased = predictions[0].prediction_id
        assert journal.erase([erased, "unknown"]) == {erased}
        other = open_journal_at(url)
        assert other.prediction(erased) is None
        assert other.recent_predictions(100) == predictions[1:]
        assert other.feedback(100) == given[2:]
        assert other.summary() == Summary(10, 9, 4, predictions[-1].time)
        assert other.erased([each.feedback_id for each in given]) == {each.feedback_id for each in given[:2]}

    def test_feedback_goes_by_its_own_id_and_no_prediction_does(self, journal, predictions, given):
        found = journal.erase(feedback_ids=[given[3].feedback_id, predictions[1].prediction_id])
        assert found == {given[3].feedback_id}
        assert journal.feedback(100) == given[:3]
        assert journal.recent_predictions(100) == predictions

    def test_what_was_erased_cannot_be_added_again(self, journal, predictions, given, make_feedback):
        """A replica may still have it in its queue, or have looked at the prediction just before."""
        erased = predictions[0].prediction_id
        journal.erase([erased])
        journal.add_predictions(predictions)
        assert journal.recent_predictions(100) == predictions[1:]
        for late in (given[0], make_feedback(prediction_id=erased)):
            with pytest.raises(RefusedError) as refused:
                journal.add_feedback(late)
            assert refused.value.reason == Refusal.ERASED
        assert journal.feedback(100) == given[2:]

    def test_a_prediction_on_its_way_is_never_added(self, journal, make_prediction):
        on_its_way = make_prediction()
        assert journal.erase([on_its_way.prediction_id], is_expected=True) == {on_its_way.prediction_id}
        journal.add_predictions([on_its_way])
        assert journal.summary() == Summary(0, 0, 0, None)

    @pytest.mark.parametrize("unknown", ["unknown", "", "\ud800", "a\nb", "x" * 10_000])
    def test_an_id_that_is_not_there_erases_nothing(self, journal, predictions, given, unknown):
        assert journal.erase([unknown], [unknown]) == set()
        assert journal.erased([unknown]) == set()
        assert (journal.recent_predictions(100), journal.feedback(100)) == (predictions, given)

    def test_an_id_that_was_erased_is_found_again(self, journal, predictions, given):
        for _ in range(2):  # the first answer may have been lost
            assert journal.erase([predictions[0].prediction_id]) == {predictions[0].prediction_id}
            assert journal.erase([], [given[3].feedback_id]) == {given[3].feedback_id}

    def test_feedback_on_a_prediction_that_the_cap_pushed_out_goes_too(self, url, open_journal_at, predictions, make_feedback):
        journal, feedback = open_journal_at(url, cap=1), make_feedback(prediction_id=predictions[0].prediction_id)
        journal.add_predictions(predictions[:1])
        journal.add_feedback(feedback)
        journal.add_predictions(predictions[1:2])
        assert journal.erase([feedback.prediction_id]) == {feedback.prediction_id}
        assert journal.feedback(100) == []

    def test_reading_goes_on_after_feedback_that_was_erased(self, journal, given, make_feedback):
        journal.erase([], [given[1].feedback_id])
        assert journal.feedback(100, after=given[1].feedback_id) == given[2:]
        journal.erase([], [given[3].feedback_id])
        later = make_feedback()
        journal.add_feedback(later)
        assert journal.feedback(100, after=given[3].feedback_id) == [later]


class TestLimits:
    NOON = 1.7e9 // DAY_SECONDS * DAY_SECONDS + DAY_SECONDS / 2

    @pytest.fixture
    def journal(self, url, open_journal_at):
        return open_journal_at(url, limits=FeedbackLimits(per_source=2, per_day=5))

    @pytest.fixture
    def refusal(self, journal, make_feedback):
        """refusal(source, day): why feedback from it is refused then; None where it is kept."""

        def refusal(source, day=0):
            try:
                journal.add_feedback(make_feedback(source=source, time=self.NOON + day * DAY_SECONDS))
            except RefusedError as refused:
                return refused.reason
            return None

        return refusal

    def test_a_source_has_its_share_of_a_day_and_the_day_its_end(self, journal, refusal):
        assert [refusal("a") for _ in range(4)] == [None, None, Refusal.SOURCE, Refusal.SOURCE]
        assert [refusal(source) for source in "bcdef"] == [None, None, None, Refusal.DAY, Refusal.DAY]
        assert [refusal("a", day=1) for _ in range(3)] == [None, None, Refusal.SOURCE]
        assert journal.summary().feedback_total == 7

    def test_unknown_sources_count_for_the_day_alone(self, refusal):
        assert [refusal(None) for _ in range(6)] == [None] * 5 + [Refusal.DAY]

    def test_the_same_again_is_no_more(self, journal, refusal, make_feedback):
        feedback = make_feedback(source="a", time=self.NOON)
        for _ in range(4):
            journal.add_feedback(feedback)
        assert [refusal("a") for _ in range(2)] == [None, Refusal.SOURCE]

    def test_erasing_makes_no_room(self, journal, refusal):
        assert [refusal("a") for _ in range(2)] == [None, None]
        journal.erase([], [each.feedback_id for each in journal.feedback(10)])
        assert refusal("a") == Refusal.SOURCE

    def test_threads_and_replicas_together_take_no_more(self, url, open_journal_at, make_feedback):
        kept = []

        def add(journal):
            for _ in range(4):
                try:
                    journal.add_feedback(make_feedback(source=None, time=self.NOON))
                    kept.append(1)
                except RefusedError:
                    pass

        journals = [open_journal_at(url, limits=FeedbackLimits(per_source=2, per_day=5)) for _ in range(2)] * 2
        threads = [threading.Thread(target=add, args=(journal,)) for journal in journals]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(kept) == journals[0].summary().feedback_total == 5


class TestRetention:
    NOW = 1.8e9

    @pytest.fixture
    def old_and_new(self, journal, make_prediction, make_feedback):
        """30 predictions and pieces of feedback of each age in days: 91 and 89."""
        made = []
        for make, add in ((make_prediction, lambda each: journal.add_predictions([each])), (make_feedback, journal.add_feedback)):
            made.append([make(time=self.NOW - age * DAY_SECONDS) for age in (91, 89) for _ in range(30)])
            for each in made[-1]:
                add(each)
        return made

    def test_what_is_older_leaves_in_batches_and_what_is_not_stays(self, url, journal, open_journal_at, old_and_new):
        predictions, feedback = old_and_new
        other = open_journal_at(url)  # of another replica, which does the same
        assert [each.drop_older(self.NOW - 90 * DAY_SECONDS, 20) for each in (journal, other, journal)] == [40, 20, 0]
        assert journal.recent_predictions(100) == predictions[30:]
        assert journal.feedback(100) == feedback[30:]
        assert journal.prediction(predictions[0].prediction_id) is None
        assert journal.summary() == Summary(60, 30, 60, predictions[-1].time)
        assert journal.erased([feedback[0].feedback_id]) == set()

    def test_the_retention_is_in_days_and_0_keeps_all(self, journal, old_and_new):
        assert [journal.drop_expired(days, self.NOW) for days in (0, 92, 90, 90)] == [0, 0, 60, 0]

    def test_a_log_that_is_not_there_has_nothing_to_drop(self, journal, tmp_path):
        assert journal.drop_expired(1, self.NOW) == 0
        assert not (tmp_path / "state").exists()


class TestSummary:
    def test_an_empty_journal_has_nothing(self, journal):
        assert journal.summary() == Summary(0, 0, 0, None)
        assert (journal.recent_predictions(5), journal.feedback(5), journal.prediction("any")) == ([], [], None)

    def test_it_counts_what_was_added(self, journal, predictions, make_feedback):
        journal.add_predictions(predictions)
        journal.add_feedback(make_feedback())
        assert journal.summary() == Summary(10, 10, 1, predictions[-1].time)


class TestDurability:
    def test_what_it_acknowledges_is_on_the_disk_and_takes_room_there(self, journal, predictions):
        empty = journal.durability()
        journal.add_predictions(predictions)
        filled = journal.durability()
        assert filled.is_durable
        assert filled.size_bytes - empty.size_bytes >= 10 * 784
        assert filled.delayed_syncs == 0


class TestSharing:
    def test_another_journal_at_the_same_place_sees_what_was_added(self, url, journal, open_journal_at, predictions):
        reader = open_journal_at(url)
        assert reader.recent_predictions(10) == []
        journal.add_predictions(predictions)
        assert reader.recent_predictions(10) == predictions

    def test_a_journal_that_was_closed_opens_again_when_it_is_used(self, journal, predictions):
        journal.add_predictions(predictions)
        journal.close()
        journal.close()
        assert journal.recent_predictions(10) == predictions

    def test_threads_that_add_at_once_lose_and_double_nothing(self, journal, make_prediction, make_feedback):
        batches = [[make_prediction() for _ in range(5)] for _ in range(24)]
        given = [make_feedback() for _ in range(24)]
        faults = []

        def add(number):
            try:
                for batch, feedback in zip(batches[number::4], given[number::4]):
                    journal.add_predictions(batch)
                    journal.add_feedback(feedback)
                    assert journal.prediction(batch[0].prediction_id) == batch[0]
                    journal.summary()
            except BaseException as fault:
                faults.append(fault)

        threads = [threading.Thread(target=add, args=(number % 4,)) for number in range(8)]  # each batch is added by two
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert faults == []
        assert journal.summary() == Summary(120, 120, 24, journal.recent_predictions(1)[0].time)
        kept = {prediction.prediction_id: number for number, prediction in enumerate(journal.recent_predictions(1000))}
        for batch in batches:
            first = kept[batch[0].prediction_id]
            assert [kept[prediction.prediction_id] for prediction in batch] == list(range(first, first + 5)), "torn apart"

    WRITE = """
import sys
from stores.journal import Feedback, Prediction, open_journal
journal, name = open_journal(sys.argv[1]), sys.argv[2]
sys.stdin.readline()
for number in range(50):
    journal.add_predictions([Prediction(f"{name}-{number}", float(number), "strokes", 3, True, 0.5, "v", bytes(784))])
    journal.add_feedback(Feedback(f"{name}-{number}", float(number), None, 3, 5, None, bytes(784)))
"""

    def test_processes_that_add_at_once_lose_and_double_nothing(self, url, journal):
        """They begin at the same moment, where there is nothing yet. Two of the three add the same records."""
        writers = [
            subprocess.Popen([sys.executable, "-c", self.WRITE, url, name], stdin=subprocess.PIPE) for name in ("a", "a", "b")
        ]
        for writer in writers:
            writer.stdin.write(b"begin\n")
            writer.stdin.close()
        while any(writer.poll() is None for writer in writers):
            journal.summary()  # reads all the while
        assert [writer.returncode for writer in writers] == [0, 0, 0]
        assert (journal.summary().predictions_total, journal.summary().feedback_total) == (100, 100)
        for kept in (
            [prediction.prediction_id for prediction in journal.recent_predictions(1000)],
            [feedback.feedback_id for feedback in journal.feedback(1000)],
        ):
            for name in ("a", "b"):
                assert [id_ for id_ in kept if id_.startswith(name)] == [f"{name}-{number}" for number in range(50)]


NAMES = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=40)  # of any alphabet
TIMES, DIGITS = st.floats(0.0, 1e11), st.integers(0, 9)
PICTURES = st.binary(min_size=784, max_size=784)
ROUND_TRIPS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@ROUND_TRIPS
@given(st.builds(Prediction, NAMES, TIMES, st.sampled_from(FORMS), DIGITS, st.booleans(), st.floats(0.0, 1.0), NAMES, PICTURES))
def test_any_prediction_survives_the_journal(journal, prediction):
    number = journal.summary().predictions_total
    prediction = Prediction(**vars(prediction) | {"prediction_id": f"{number} {prediction.prediction_id}"})
    journal.add_predictions([prediction])
    assert journal.recent_predictions(1) == [prediction] == [journal.prediction(prediction.prediction_id)]


@ROUND_TRIPS
@given(st.builds(Feedback, NAMES, TIMES, NAMES | st.none(), DIGITS | st.none(), DIGITS | st.none(), NAMES | st.none(), PICTURES))
def test_any_feedback_survives_the_journal(journal, feedback):
    number = journal.summary().feedback_total
    feedback = Feedback(**vars(feedback) | {"feedback_id": f"{number} {feedback.feedback_id}"})
    journal.add_feedback(feedback)
    assert journal.feedback(1000)[-1] == feedback
