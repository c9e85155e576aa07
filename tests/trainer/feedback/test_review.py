"""Feedback is reviewed before it is learnt from: odd feedback is flagged, decisions are kept, nothing is decided twice."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from digitnet.checkpoint import load
from digitnet.decision import Decision
from digitnet.images.normalize import in_unit_range
from PIL import Image
from stores.prediction_log import Feedback, open_prediction_log
from trainer.__main__ import main
from trainer.feedback.decisions import Decisions, ReviewError
from trainer.feedback.review import FLOOD, chosen, reviewed, table


def predict_logits(images):
    """As a network that reads the digit in an image's first pixel, and is as sure as the second one says."""
    digits, sure = np.rint(images[:, 0, 0] * 255).astype(int), images[:, 0, 1]
    probabilities = np.repeat((1.0 - sure[:, None]) / 9, 11, axis=1)
    probabilities[:, 10] = 0.0
    probabilities[np.arange(len(images)), digits] = sure
    return np.log(np.maximum(probabilities, 1e-9))


CERTAIN, NUMBER = SimpleNamespace(predict_logits=predict_logits), itertools.count()


def said(actual, reads=5, sure=255, source="somebody", time=None, **changes):
    """Feedback to a drawing that the network reads as that."""
    number = next(NUMBER)
    image = bytes([reads, sure]) + number.to_bytes(4) + bytes(778)
    values = {"feedback_id": f"{number:08x}-id", "time": 1e9 + 3600 * number if time is None else time}
    values |= {"prediction_id": f"p{number}", "predicted_digit": reads % 10, "actual_digit": actual, "model_version": "m"}
    return Feedback(**values | {"picture": image, "source": source} | changes)


def flags(*feedback):
    return [set(item.flags) for item in reviewed(feedback, CERTAIN, {"no_digit_threshold": 0.5})]


class TestFlags:
    def test_a_label_that_the_model_does_not_read_is_odd_whether_it_is_sure_or_not(self):
        """The model may learn most from where it is unsure; and that is where wrong labels hide."""
        assert flags(said(5), said(None, reads=10), said(5, sure=200), said(None, reads=10, sure=200)) == [set()] * 4
        assert flags(said(3), said(None), said(3, reads=10)) == [{"contradicts"}] * 3
        assert flags(said(3, sure=200), said(3, reads=10, sure=200), said(None, sure=200)) == [{"unsure"}] * 3

    def test_a_second_label_for_a_prediction_supersedes_the_first(self):
        first = said(3, sure=200)
        again = said(5, prediction_id=first.prediction_id, picture=first.picture)
        assert flags(first, again) == [{"superseded", "unsure"}, set()]

    def test_the_same_once_more_is_a_duplicate(self):
        first = said(5)
        again = said(5, prediction_id=first.prediction_id, picture=first.picture)
        elsewhere = said(5, prediction_id=None, picture=first.picture)
        assert flags(first, again, elsewhere) == [set(), {"duplicate"}, {"duplicate", "no_prediction"}]

    def test_one_drawing_with_two_labels_is_a_conflict_for_both(self):
        first = said(5, sure=200)
        assert flags(first, said(8, picture=first.picture)) == [{"conflict"}, {"conflict", "unsure"}]
        unknown = [said(digit, prediction_id=None, picture=first.picture) for digit in (5, 8)]
        assert ["conflict" in found for found in flags(*unknown)] == [True, True]

    def test_a_flood_is_very_many_from_one_sender_in_an_hour(self):
        few = [said(5, time=1e9 + second) for second in range(FLOOD)]
        assert flags(*few, said(5, time=1e9 + 100)) == [{"flood"}] * (FLOOD + 1)
        none_of_it = said(5, time=1e9 + 3601 + FLOOD), said(5, time=1e9 + 100, source="another")
        without_source = [said(5, time=1e9, source=None) for _ in range(FLOOD)]
        assert set().union(*flags(*few, *none_of_it, *without_source)) == set()

    def test_a_blank_and_an_image_without_a_prediction_are_odd_and_no_feedback_is_not(self):
        assert flags(said(None, picture=bytes(784))) == [{"blank"}]
        assert flags(said(5, prediction_id=None)) == [{"no_prediction"}]
        assert flags() == []


@pytest.fixture
def items():
    return reviewed([said(5), said(3), said(None, reads=10)], CERTAIN, {"no_digit_threshold": 0.5})


def test_an_id_may_be_shortened_if_it_is_unique(items):
    assert chosen(items, [items[1].feedback.feedback_id[:8]]) == [items[1]]
    for beginning, words in (("", "3 feedback ids"), ("nobody", "no feedback ids")):
        with pytest.raises(ReviewError, match=words):
            chosen(items, [beginning])


def test_the_table_has_a_line_for_each_and_counts_the_flags(items):
    assert [line.split() for line in table(items).splitlines()] == [
        ["ID", "LABEL", "PREDICTION", "FLAGS"],
        [items[0].feedback.feedback_id[:8], "5", "5", "(100.0%)"],
        [items[1].feedback.feedback_id[:8], "3", "5", "(100.0%)", "contradicts"],
        [items[2].feedback.feedback_id[:8], "none", "none", "(100.0%)"],
        ["3", "undecided,", "1", "of", "them", "flagged,", "1", "contradicts"],
    ]
    assert (items[0].image.shape, items[0].image[0, 0]) == ((28, 28), 5)


class TestCommand:
    @pytest.fixture
    def journal(self, tmp_path, monkeypatch, save_model):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("DOODLE_JOURNAL", f"sqlite:///{tmp_path}/journal.sqlite")
        save_model(tmp_path / "artifacts" / "model")
        journal = open_prediction_log(f"sqlite:///{tmp_path}/journal.sqlite")
        yield journal
        journal.close()

    @pytest.fixture
    def three(self, journal, tmp_path):
        """Two that the model reads as they are called, and the first again."""
        network, _ = load(tmp_path / "artifacts" / "model")
        images = np.random.default_rng(0).integers(0, 256, (2, 28, 28), np.uint8)
        read = network.predict(in_unit_range(images))[:, :10].argmax(axis=1).tolist()
        feedback = [said(read[number], picture=images[number].tobytes()) for number in (0, 1, 0)]
        for each in feedback:
            journal.add_feedback(each)
        return feedback

    def test_lists_and_draws_undecided_feedback_and_asks_once(self, three, tmp_path, capsys):
        assert main(["feedback", "review"]) == 0
        assert "3 undecided, 1 of them flagged, 1 duplicate" in capsys.readouterr().out
        with Image.open(tmp_path / "feedback" / "review.png") as sheet:
            sheet.verify()
        assert main(["feedback", "reject", "--flagged"]) == 0
        main(["feedback", "review"])
        assert "2 undecided, 0 of them flagged" in capsys.readouterr().out
        assert main(["feedback", "reject", three[2].feedback_id[:8]]) == main(["feedback", "accept", "--unflagged"]) == 0
        accepted = [line.feedback_id for line in Decisions(tmp_path / "feedback").accepted()]
        assert accepted == [each.feedback_id for each in three[:2]]
        main(["feedback", "review"])
        assert "0 undecided" in capsys.readouterr().out

    def unsure_images(self, folder, count):
        """Images that leave the model unsure, each with its best guess."""
        network, _ = load(folder / "artifacts" / "model")
        images = np.random.default_rng(3).integers(0, 30, (count, 28, 28), np.uint8)
        probabilities = Decision().probabilities(network.predict_logits(in_unit_range(images)))
        assert probabilities.max() < 0.9
        return [(image.tobytes(), int(each.argmax())) for image, each in zip(images, probabilities)]

    def test_no_wrong_label_of_an_unsure_model_is_accepted_unseen(self, journal, tmp_path):
        for number, (image, guess) in enumerate(self.unsure_images(tmp_path, 25)):
            journal.add_feedback(said((guess + 1) % 10, picture=image, source=f"sender {number}"))
        assert main(["feedback", "accept", "--unflagged"]) == 0
        assert Decisions(tmp_path / "feedback").accepted() == []

    def test_no_sender_and_no_day_has_more_than_its_share_of_what_is_accepted_unseen(self, journal, tmp_path, caplog):
        """However often one accepts. Their ids accept them anyway."""
        caplog.set_level("INFO")
        given = [
            said(guess, picture=image, time=1e9 + 7200 * number, source="one" if number % 2 else f"sender {number}")
            for number, (image, guess) in enumerate(self.unsure_images(tmp_path, 50))
        ]
        for each in given:
            journal.add_feedback(each)
        for _ in range(2):
            assert main(["feedback", "accept", "--unflagged"]) == 0
            accepted = {line.feedback_id for line in Decisions(tmp_path / "feedback").accepted()}
            assert accepted == {each.feedback_id for each in [*given[0::2], *given[1:20:2]]}
            assert "held back 15 beyond the quota of a sender or day" in caplog.text
        assert main(["feedback", "accept", given[-1].feedback_id]) == 0
        assert len(Decisions(tmp_path / "feedback").accepted()) == 36

    def test_a_drawing_is_erased_from_the_log_and_from_the_decisions(self, three, journal, tmp_path):
        decisions = Decisions(tmp_path / "feedback")
        main(["feedback", "accept", "--unflagged"])
        main(["feedback", "reject", "--flagged"])
        assert main(["feedback", "erase", three[0].feedback_id[:8], three[2].prediction_id]) == 0
        assert journal.feedback(10) == three[1:2]
        assert decisions.decided() == {three[1].feedback_id}

    @pytest.mark.parametrize("which", ["feedback_id", "prediction_id", "over the API"])
    def test_a_drawing_that_the_log_no_longer_has_leaves_the_decisions(self, three, journal, tmp_path, which):
        main(["feedback", "accept", "--unflagged"])
        if which == "over the API":
            journal.erase([three[0].prediction_id])
            assert main(["feedback", "review"]) == 0
        else:
            journal.drop_older(time=1e11, count=100)
            assert main(["feedback", "erase", getattr(three[0], which)]) == 0
        assert Decisions(tmp_path / "feedback").decided() == {three[1].feedback_id}

    def test_an_id_that_fits_none_or_several_erases_nothing(self, journal, caplog):
        journal.add_feedback(said(5, feedback_id="the-same-beginning-0"))
        for unknown in ("", "t", "nobody-knows-this"):
            assert main(["feedback", "erase", unknown]) == 1
            assert f"no prediction and no feedback has the id {unknown!r}" in caplog.messages[-1]
        journal.add_feedback(said(5, feedback_id="the-same-beginning-1"))
        assert main(["feedback", "erase", "the-same-beginning"]) == 1
        assert "2 feedback ids begin with 'the-same-beginning'" in caplog.messages[-1]
        assert len(journal.feedback(10)) == 2

    def test_an_empty_log_has_nothing_to_decide_on_and_one_that_cannot_be_reached_is_an_error(
        self, journal, capsys, caplog, monkeypatch
    ):
        assert main(["feedback", "review"]) == 0
        assert "0 undecided" in capsys.readouterr().out
        assert main(["feedback", "accept"]) == main(["feedback", "accept", "nobody"]) == 1
        assert "accept needs ids" in caplog.text
        monkeypatch.setenv("DOODLE_JOURNAL", "redis://127.0.0.1:1/0")
        assert main(["feedback", "review"]) == 1
        assert "cannot be reached" in caplog.messages[-1]
