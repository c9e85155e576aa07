"""Feedback is looked through before it is learnt from: what is odd is flagged, decisions are kept, nothing is decided twice."""

import numpy as np
import pytest
from digitnet.checkpoint import load
from digitnet.drawing import in_unit_range
from PIL import Image
from stores.journal import Feedback, open_journal
from trainer.__main__ import main
from trainer.decisions import Decisions, ReviewError
from trainer.review import FLOOD, Item, chosen, reviewed, table


class Certain:
    """A network that reads the digit that is written into a picture's first pixel, and is as sure as the second one says."""

    def read(self, pictures, temperature=1.0):
        digits = np.rint(pictures[:, 0, 0] * 255).astype(int)
        sure = pictures[:, 0, 1]
        probabilities = np.full((len(pictures), 10), 0.0)
        probabilities[np.arange(len(pictures)), digits % 10] = sure
        return probabilities, np.where(digits == 10, sure, 0.0)


NUMBER = iter(range(10**6))


def said(actual, reads=5, sure=255, source="somebody", time=None, **changes):
    """Feedback to a drawing that the network reads as that."""
    number = next(NUMBER)
    picture = bytes([reads, sure]) + number.to_bytes(4) + bytes(778)
    values = {"feedback_id": f"{number:08x}-id", "time": 1e9 + 3600 * number if time is None else time}
    values |= {"prediction_id": f"p{number}", "predicted_digit": reads % 10, "actual_digit": actual, "model_version": "m"}
    return Feedback(**values | {"picture": picture, "source": source} | changes)


def flags(*feedback):
    return [set(item.flags) for item in reviewed(feedback, Certain(), {"no_digit_threshold": 0.5})]


class TestFlags:
    def test_what_the_model_reads_too_is_not_odd(self):
        assert flags(said(5), said(None, reads=10)) == [set(), set()]

    def test_what_a_sure_model_reads_otherwise_is(self):
        assert flags(said(3), said(None), said(3, reads=10)) == [{"contradicts"}] * 3

    def test_what_an_unsure_model_reads_otherwise_needs_a_look_too(self):
        """The model may learn most from it; and that is where wrong labels hide."""
        assert flags(said(3, sure=200), said(3, reads=10, sure=200), said(None, sure=200)) == [{"unsure"}] * 3
        assert flags(said(5, sure=200), said(None, reads=10, sure=200)) == [set(), set()]

    def test_an_image_without_a_prediction_may_be_anything(self):
        assert flags(said(5, prediction_id=None)) == [{"no_prediction"}]

    def test_who_thinks_again_is_believed_the_second_time(self):
        first = said(3, sure=200)
        again = said(5, prediction_id=first.prediction_id, picture=first.picture)
        assert flags(first, again) == [{"superseded", "unsure"}, set()]

    def test_the_same_once_more_is_a_duplicate(self):
        first = said(5)
        again = said(5, prediction_id=first.prediction_id, picture=first.picture)
        elsewhere = said(5, prediction_id=None, picture=first.picture)
        assert flags(first, again, elsewhere) == [set(), {"duplicate"}, {"duplicate", "no_prediction"}]

    def test_one_drawing_that_two_call_differently_is_a_conflict_for_both(self):
        first = said(5, sure=200)
        assert flags(first, said(8, picture=first.picture)) == [{"conflict"}, {"conflict", "unsure"}]
        unknown = [said(digit, prediction_id=None, picture=first.picture) for digit in (5, 8)]
        assert ["conflict" in found for found in flags(*unknown)] == [True, True]

    def test_a_flood_is_very_many_from_one_sender_in_an_hour(self):
        few = [said(5, time=1e9 + second) for second in range(FLOOD)]
        assert set().union(*flags(*few)) == set()
        assert flags(*few, said(5, time=1e9 + 100)) == [{"flood"}] * (FLOOD + 1)
        assert set().union(*flags(*few, said(5, time=1e9 + 3601 + FLOOD))) == set()
        assert set().union(*flags(*few, said(5, time=1e9 + 100, source="another"))) == set()
        assert set().union(*flags(*few, *(said(5, time=1e9, source=None) for _ in range(FLOOD)))) == set()

    def test_a_blank_is_odd(self):
        assert flags(said(0, reads=0, picture=bytes(784))) == [{"blank"}]

    def test_of_nothing_there_is_nothing_to_say(self):
        assert reviewed([], Certain(), {}) == []

    def test_of_a_batch_of_wrong_labels_next_to_nothing_is_left_unflagged(self):
        """A thousand drawings that the model reads with confidence, each called something else, by one or by many."""
        for source in ("one", None):
            batch = [said((4 + n) % 10, reads=n % 10, source=source) for n in range(1000)]
            assert all("contradicts" in found for found in flags(*batch))


@pytest.fixture
def items():
    return reviewed([said(5), said(3), said(None, reads=10)], Certain(), {"no_digit_threshold": 0.5})


def test_an_id_may_be_shortened_as_long_as_it_is_clear_which(items):
    assert chosen(items, [items[1].feedback.feedback_id[:8]]) == [items[1]]
    for beginning, words in (("", "3 feedback has"), ("nobody", "no feedback has")):
        with pytest.raises(ReviewError, match=words):
            chosen(items, [beginning])


def test_the_table_has_a_line_for_each_and_says_how_much_is_odd(items):
    lines = table(items).splitlines()
    assert lines[0].split() == ["ID", "SAID", "READ", "AS", "FLAGS"]
    assert lines[1].split() == [items[0].feedback.feedback_id[:8], "5", "5", "(100.0%)"]
    assert lines[2].split()[1:] == ["3", "5", "(100.0%)", "contradicts"]
    assert lines[3].split()[1:] == ["none", "none", "(100.0%)"]
    assert lines[4] == "3 to decide on, 1 of them flagged, 1 contradicts"


class TestCommand:
    @pytest.fixture
    def journal(self, tmp_path, monkeypatch, save_model):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("DOODLE_JOURNAL", f"sqlite:///{tmp_path}/journal.sqlite")
        save_model(tmp_path / "artifacts" / "model")
        journal = open_journal(f"sqlite:///{tmp_path}/journal.sqlite")
        yield journal
        journal.close()

    @pytest.fixture
    def three(self, journal, tmp_path):
        """Two that the model reads as they are called, and the first again."""
        network, _ = load(tmp_path / "artifacts" / "model")
        pictures = np.random.default_rng(0).integers(0, 256, (2, 28, 28), np.uint8)
        read = network.read(in_unit_range(pictures))[0].argmax(axis=1).tolist()
        feedback = [said(read[number], picture=pictures[number].tobytes()) for number in (0, 1, 0)]
        for each in feedback:
            journal.add_feedback(each)
        return feedback

    def test_review_lists_and_draws_what_is_undecided(self, three, tmp_path, capsys):
        assert main(["feedback", "review"]) == 0
        assert "3 to decide on, 1 of them flagged, 1 duplicate" in capsys.readouterr().out
        with Image.open(tmp_path / "feedback" / "review.png") as sheet:
            sheet.verify()

    def test_what_was_decided_on_is_not_asked_again(self, three, tmp_path, capsys):
        assert main(["feedback", "accept", "--unflagged"]) == 0
        assert [line["feedback_id"] for line in Decisions(tmp_path / "feedback").accepted()] == [
            each.feedback_id for each in three[:2]
        ]
        assert main(["feedback", "reject", three[2].feedback_id[:8]]) == 0
        main(["feedback", "review"])
        assert "0 to decide on" in capsys.readouterr().out

    @pytest.fixture
    def unsure_pictures(self, tmp_path):
        """unsure_pictures(n): n images that leave the model unsure, each with its best guess."""
        network, _ = load(tmp_path / "artifacts" / "model")
        generator = np.random.default_rng(3)

        def unsure_pictures(count):
            pictures = generator.integers(0, 30, (count, 28, 28), np.uint8)
            probabilities = network.read(in_unit_range(pictures))[0]
            assert probabilities.max() < 0.9
            return [(picture.tobytes(), int(each.argmax())) for picture, each in zip(pictures, probabilities)]

        return unsure_pictures

    @pytest.mark.parametrize("prediction", ["with", "without"])
    def test_no_wrong_label_of_an_unsure_model_is_accepted_unseen(self, journal, tmp_path, unsure_pictures, prediction):
        for number, (picture, guess) in enumerate(unsure_pictures(25)):
            id_ = f"p{number}" if prediction == "with" else None
            journal.add_feedback(said((guess + 1) % 10, prediction_id=id_, picture=picture, source=f"sender {number}"))
        assert main(["feedback", "accept", "--unflagged"]) == 0
        assert Decisions(tmp_path / "feedback").accepted() == []

    def test_no_sender_and_no_day_has_more_than_its_share_of_what_is_accepted_unseen(
        self, journal, tmp_path, unsure_pictures, caplog
    ):
        """However often one accepts. Their ids accept them anyway."""
        caplog.set_level("INFO")
        given = [
            said(guess, picture=picture, time=1e9 + 7200 * number, source="one" if number % 2 else f"sender {number}")
            for number, (picture, guess) in enumerate(unsure_pictures(50))
        ]
        for each in given:
            journal.add_feedback(each)
        for _ in range(2):
            assert main(["feedback", "accept", "--unflagged"]) == 0
            accepted = {line["feedback_id"] for line in Decisions(tmp_path / "feedback").accepted()}
            assert accepted == {each.feedback_id for each in [*given[0::2], *given[1:20:2]]}
            assert "held back 15 of senders with more than their share (10 of one, or 10%)" in caplog.text
        assert main(["feedback", "accept", given[-1].feedback_id]) == 0
        assert len(Decisions(tmp_path / "feedback").accepted()) == 36

    def test_rejecting_all_that_is_flagged_leaves_the_rest(self, three, capsys):
        assert main(["feedback", "reject", "--flagged"]) == 0
        main(["feedback", "review"])
        assert "2 to decide on, 0 of them flagged" in capsys.readouterr().out

    def test_a_decision_about_nothing_is_an_error(self, three, caplog):
        assert main(["feedback", "accept"]) == 1
        assert "accept what? Give ids" in caplog.messages[-1]
        assert main(["feedback", "accept", "nobody"]) == 1

    def test_a_drawing_is_erased_from_the_log_and_from_the_decisions(self, three, journal, tmp_path):
        decisions = Decisions(tmp_path / "feedback")
        main(["feedback", "accept", "--unflagged"])
        main(["feedback", "reject", "--flagged"])
        assert main(["feedback", "erase", three[0].feedback_id[:8], three[2].prediction_id]) == 0
        assert journal.feedback(10) == three[1:2]
        assert decisions.decided() == {three[1].feedback_id}

    def test_what_was_erased_by_its_id_over_the_api_leaves_the_decisions_with_the_next_command(self, three, journal, tmp_path):
        main(["feedback", "accept", "--unflagged"])
        journal.erase([three[0].prediction_id])
        assert main(["feedback", "review"]) == 0
        assert Decisions(tmp_path / "feedback").decided() == {three[1].feedback_id}

    @pytest.mark.parametrize("which", ["feedback_id", "prediction_id"])
    def test_a_drawing_that_the_log_has_no_more_leaves_the_decisions(self, three, journal, tmp_path, which):
        main(["feedback", "accept", "--unflagged"])
        journal.drop_older(time=1e11, count=100)
        assert main(["feedback", "erase", getattr(three[0], which)]) == 0
        assert Decisions(tmp_path / "feedback").decided() == {three[1].feedback_id}

    @pytest.mark.parametrize("unknown", ["", "0", "nobody-knows-this"])
    def test_an_id_that_erases_nothing_is_an_error(self, three, journal, caplog, unknown):
        journal.erase([], [each.feedback_id for each in three[1:]])
        assert main(["feedback", "erase", unknown]) == 1
        assert f"no prediction and no feedback has the id {unknown!r}" in caplog.messages[-1]
        assert journal.feedback(10) == three[:1]

    def test_an_id_that_fits_several_erases_none(self, journal, caplog):
        for number in range(2):
            journal.add_feedback(said(5, feedback_id=f"the-same-beginning-{number}"))
        assert main(["feedback", "erase", "the-same-beginning"]) == 1
        assert "2 feedback ids begin with 'the-same-beginning'" in caplog.messages[-1]
        assert len(journal.feedback(10)) == 2

    def test_an_empty_journal_and_one_that_cannot_be_reached(self, journal, capsys, caplog, monkeypatch):
        assert main(["feedback", "review"]) == 0
        assert "0 to decide on" in capsys.readouterr().out
        monkeypatch.setenv("DOODLE_JOURNAL", "redis://127.0.0.1:1/0")
        assert main(["feedback", "review"]) == 1
        assert "cannot be reached" in caplog.messages[-1]


def test_an_item_shows_its_picture():
    item = Item(said(5), 5, 1.0, ())
    assert item.picture.shape == (28, 28)
    assert item.picture[0, 0] == 5
