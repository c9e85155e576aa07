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

    def test_a_model_that_is_not_sure_may_learn_from_it(self):
        assert flags(said(3, sure=200), said(3, reads=10, sure=200)) == [set(), set()]

    def test_who_thinks_again_is_believed_the_second_time(self):
        first = said(3, sure=200)
        again = said(8, prediction_id=first.prediction_id, picture=first.picture)
        assert flags(first, again) == [{"superseded"}, set()]

    def test_the_same_once_more_is_a_duplicate(self):
        first = said(5)
        again = said(5, prediction_id=first.prediction_id, picture=first.picture)
        elsewhere = said(5, prediction_id=None, picture=first.picture)
        assert flags(first, again, elsewhere) == [set(), {"duplicate"}, {"duplicate"}]

    def test_one_drawing_that_two_call_differently_is_a_conflict_for_both(self):
        first = said(3, sure=200)
        assert flags(first, said(8, picture=first.picture)) == [{"conflict"}, {"conflict"}]
        assert flags(said(3, prediction_id=None, picture=first.picture), said(8, prediction_id=None, picture=first.picture)) == [
            {"conflict"},
            {"conflict"},
        ]

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
        """What the model reads, what it does not, and the first again."""
        network, _ = load(tmp_path / "artifacts" / "model")
        generator = np.random.default_rng(0)
        first, second = (generator.integers(0, 256, 784, np.uint8).tobytes() for _ in range(2))
        read = int(network.read(in_unit_range(np.frombuffer(first, np.uint8).reshape(1, 28, 28)))[0].argmax())
        feedback = [said(read, picture=first), said(3, picture=second), said(read, picture=first)]
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

    def test_rejecting_all_that_is_flagged_leaves_the_rest(self, three, capsys):
        assert main(["feedback", "reject", "--flagged"]) == 0
        main(["feedback", "review"])
        assert "2 to decide on, 0 of them flagged" in capsys.readouterr().out

    def test_a_decision_about_nothing_is_an_error(self, three, caplog):
        assert main(["feedback", "accept"]) == 1
        assert "accept what? Give ids" in caplog.messages[-1]
        assert main(["feedback", "accept", "nobody"]) == 1

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
