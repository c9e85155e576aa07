"""Review flags odd feedback and stores each decision once."""

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
    """Return logits for the digit in the first pixel, with the confidence in the second."""
    digits, sure = np.rint(images[:, 0, 0] * 255).astype(int), images[:, 0, 1]
    probabilities = np.repeat((1.0 - sure[:, None]) / 9, 11, axis=1)
    probabilities[:, 10] = 0.0
    probabilities[np.arange(len(images)), digits] = sure
    return np.log(np.maximum(probabilities, 1e-9))


NETWORK, NUMBER = SimpleNamespace(predict_logits=predict_logits), itertools.count()


def labeled(actual, reads=5, sure=255, source="sender", time=None, **changes):
    """Return feedback on a drawing that the network predicts as `reads`."""
    number = next(NUMBER)
    image = bytes([reads, sure]) + number.to_bytes(4) + bytes(778)
    values = {"feedback_id": f"{number:08x}-id", "time": 1e9 + 3600 * number if time is None else time}
    values |= {"prediction_id": f"p{number}", "predicted_digit": reads % 10, "actual_digit": actual, "model_version": "m"}
    return Feedback(**values | {"picture": image, "source": source} | changes)


def flags(*feedback):
    return [set(item.flags) for item in reviewed(feedback, NETWORK, {"no_digit_threshold": 0.5})]


class TestFlags:
    def test_flags_labels_that_differ_from_the_prediction(self):
        """Unsure predictions are flagged too, because wrong labels are likely there."""
        assert (
            flags(
                labeled(5),
                labeled(None, reads=10),
                labeled(5, sure=200),
                labeled(None, reads=10, sure=200),
            )
            == [set()] * 4
        )
        assert flags(labeled(3), labeled(None), labeled(3, reads=10)) == [{"contradicts"}] * 3
        assert flags(labeled(3, sure=200), labeled(3, reads=10, sure=200), labeled(None, sure=200)) == [{"unsure"}] * 3

    def test_flags_superseded_labels(self):
        first = labeled(3, sure=200)
        again = labeled(5, prediction_id=first.prediction_id, picture=first.picture)
        assert flags(first, again) == [{"superseded", "unsure"}, set()]

    def test_flags_duplicates(self):
        first = labeled(5)
        again = labeled(5, prediction_id=first.prediction_id, picture=first.picture)
        elsewhere = labeled(5, prediction_id=None, picture=first.picture)
        assert flags(first, again, elsewhere) == [set(), {"duplicate"}, {"duplicate", "no_prediction"}]

    def test_flags_conflicting_labels(self):
        first = labeled(5, sure=200)
        assert flags(first, labeled(8, picture=first.picture)) == [{"conflict"}, {"conflict", "unsure"}]
        unknown = [labeled(digit, prediction_id=None, picture=first.picture) for digit in (5, 8)]
        assert ["conflict" in found for found in flags(*unknown)] == [True, True]

    def test_flags_a_flood_from_one_sender(self):
        few = [labeled(5, time=1e9 + second) for second in range(FLOOD)]
        assert flags(*few, labeled(5, time=1e9 + 100)) == [{"flood"}] * (FLOOD + 1)
        none_of_it = labeled(5, time=1e9 + 3601 + FLOOD), labeled(5, time=1e9 + 100, source="another")
        without_source = [labeled(5, time=1e9, source=None) for _ in range(FLOOD)]
        assert set().union(*flags(*few, *none_of_it, *without_source)) == set()

    def test_flags_blanks_and_missing_predictions(self):
        assert flags(labeled(None, picture=bytes(784))) == [{"blank"}]
        assert flags(labeled(5, prediction_id=None)) == [{"no_prediction"}]
        assert flags() == []


@pytest.fixture
def items():
    return reviewed([labeled(5), labeled(3), labeled(None, reads=10)], NETWORK, {"no_digit_threshold": 0.5})


def test_accepts_unique_id_prefixes(items):
    assert chosen(items, [items[1].feedback.feedback_id[:8]]) == [items[1]]
    for beginning, words in (("", "3 feedback ids"), ("nobody", "no feedback ids")):
        with pytest.raises(ReviewError, match=words):
            chosen(items, [beginning])


def test_table_lists_feedback_and_counts_flags(items):
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
    def log(self, tmp_path, monkeypatch, save_model):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("DOODLE_JOURNAL", f"sqlite:///{tmp_path}/log.sqlite")
        save_model(tmp_path / "artifacts" / "model")
        log = open_prediction_log(f"sqlite:///{tmp_path}/log.sqlite")
        yield log
        log.close()

    @pytest.fixture
    def three(self, log, tmp_path):
        """Add two correct pieces of feedback, and the first again."""
        network, _ = load(tmp_path / "artifacts" / "model")
        images = np.random.default_rng(0).integers(0, 256, (2, 28, 28), np.uint8)
        predicted = network.predict(in_unit_range(images))[:, :10].argmax(axis=1).tolist()
        feedback = [labeled(predicted[number], picture=images[number].tobytes()) for number in (0, 1, 0)]
        for each in feedback:
            log.add_feedback(each)
        return feedback

    def test_reviews_and_decides_feedback_once(self, three, tmp_path, capsys):
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
        """Return images that the model is unsure of, each with its best guess."""
        network, _ = load(folder / "artifacts" / "model")
        images = np.random.default_rng(3).integers(0, 30, (count, 28, 28), np.uint8)
        probabilities = Decision().probabilities(network.predict_logits(in_unit_range(images)))
        assert probabilities.max() < 0.9
        return [(image.tobytes(), int(each.argmax())) for image, each in zip(images, probabilities)]

    def test_does_not_accept_wrong_labels_of_unsure_predictions(self, log, tmp_path):
        for number, (image, guess) in enumerate(self.unsure_images(tmp_path, 25)):
            log.add_feedback(labeled((guess + 1) % 10, picture=image, source=f"sender {number}"))
        assert main(["feedback", "accept", "--unflagged"]) == 0
        assert Decisions(tmp_path / "feedback").accepted() == []

    def test_applies_quotas_to_automatic_acceptance(self, log, tmp_path, caplog):
        """Repeated acceptance does not exceed the quotas; acceptance by id does."""
        caplog.set_level("INFO")
        given = [
            labeled(guess, picture=image, time=1e9 + 7200 * number, source="one" if number % 2 else f"sender {number}")
            for number, (image, guess) in enumerate(self.unsure_images(tmp_path, 50))
        ]
        for each in given:
            log.add_feedback(each)
        for _ in range(2):
            assert main(["feedback", "accept", "--unflagged"]) == 0
            accepted = {line.feedback_id for line in Decisions(tmp_path / "feedback").accepted()}
            assert accepted == {each.feedback_id for each in [*given[0::2], *given[1:20:2]]}
            assert "held back 15 beyond the quota of a sender or day" in caplog.text
        assert main(["feedback", "accept", given[-1].feedback_id]) == 0
        assert len(Decisions(tmp_path / "feedback").accepted()) == 36

    def test_erases_a_drawing_from_log_and_decisions(self, three, log, tmp_path):
        decisions = Decisions(tmp_path / "feedback")
        main(["feedback", "accept", "--unflagged"])
        main(["feedback", "reject", "--flagged"])
        assert main(["feedback", "erase", three[0].feedback_id[:8], three[2].prediction_id]) == 0
        assert log.feedback(10) == three[1:2]
        assert decisions.decided() == {three[1].feedback_id}

    @pytest.mark.parametrize("which", ["feedback_id", "prediction_id", "over the API"])
    def test_forgets_decisions_on_missing_drawings(self, three, log, tmp_path, which):
        main(["feedback", "accept", "--unflagged"])
        if which == "over the API":
            log.erase([three[0].prediction_id])
            assert main(["feedback", "review"]) == 0
        else:
            log.drop_older(time=1e11, count=100)
            assert main(["feedback", "erase", getattr(three[0], which)]) == 0
        assert Decisions(tmp_path / "feedback").decided() == {three[1].feedback_id}

    def test_ambiguous_and_unknown_ids_erase_nothing(self, log, caplog):
        log.add_feedback(labeled(5, feedback_id="the-same-beginning-0"))
        for unknown in ("", "t", "nobody-knows-this"):
            assert main(["feedback", "erase", unknown]) == 1
            assert f"no prediction and no feedback has the id {unknown!r}" in caplog.messages[-1]
        log.add_feedback(labeled(5, feedback_id="the-same-beginning-1"))
        assert main(["feedback", "erase", "the-same-beginning"]) == 1
        assert "2 feedback ids begin with 'the-same-beginning'" in caplog.messages[-1]
        assert len(log.feedback(10)) == 2

    def test_handles_an_empty_and_an_unreachable_log(self, log, capsys, caplog, monkeypatch):
        assert main(["feedback", "review"]) == 0
        assert "0 undecided" in capsys.readouterr().out
        assert main(["feedback", "accept"]) == main(["feedback", "accept", "nobody"]) == 1
        assert "accept needs ids" in caplog.text
        monkeypatch.setenv("DOODLE_JOURNAL", "redis://127.0.0.1:1/0")
        assert main(["feedback", "review"]) == 1
        assert "cannot be reached" in caplog.messages[-1]
