"""Decisions on feedback: kept with the drawings, changed by the last word, and never read from a file that is damaged."""

import json

import numpy as np
import pytest
from stores.journal import Feedback
from trainer.decisions import Decisions, ReviewError


@pytest.fixture
def feedback():
    """Three drawings: said to be a 5, a 3, and no digit."""
    return [
        Feedback(
            feedback_id=f"{number:08x}-id", time=1e9 + number, prediction_id=f"p{number}", predicted_digit=5, actual_digit=actual,
            model_version="m", picture=bytes([number + 1] * 784), source=None,
        )
        for number, actual in enumerate((5, 3, None))
    ]  # fmt: skip


def test_what_was_accepted_has_its_drawing_and_what_it_is(feedback, tmp_path):
    decisions = Decisions(tmp_path / "feedback")
    decisions.accept([feedback[0], feedback[2]])
    decisions.reject([feedback[1]])
    assert decisions.decided() == {each.feedback_id for each in feedback}
    assert [line["actual_digit"] for line in decisions.accepted()] == [5, None]


def test_the_same_decisions_are_the_same_file_in_whatever_order(feedback, tmp_path):
    for name, order in (("a", feedback), ("b", feedback[::-1])):
        for each in order:
            Decisions(tmp_path / name).accept([each])
    assert (tmp_path / "a" / "accepted.jsonl").read_bytes() == (tmp_path / "b" / "accepted.jsonl").read_bytes()


def test_no_drawing_of_rejected_feedback_is_kept(feedback, tmp_path):
    decisions = Decisions(tmp_path)
    decisions.reject(feedback[:1])
    assert [json.loads(line) for line in (tmp_path / "rejected.jsonl").read_text().splitlines()] == [
        {"feedback_id": feedback[0].feedback_id, "actual_digit": 5}
    ]


def test_those_that_an_older_version_kept_go_with_the_next_command(feedback, tmp_path):
    decisions = Decisions(tmp_path)
    decisions.accept(feedback[:2])
    (tmp_path / "accepted.jsonl").rename(tmp_path / "rejected.jsonl")
    assert decisions.decided() == {each.feedback_id for each in feedback[:2]}
    decisions.forget([])
    assert decisions.decided() == {each.feedback_id for each in feedback[:2]}
    assert "picture" not in (tmp_path / "rejected.jsonl").read_text()


@pytest.mark.parametrize("name", ["feedback_id", "prediction_id"])
def test_a_decision_is_forgotten_by_the_id_of_feedback_and_of_its_prediction(feedback, tmp_path, name):
    decisions = Decisions(tmp_path)
    decisions.accept(feedback)
    id_ = getattr(feedback[1], name)
    assert decisions.forget([id_, "unknown"]) == {id_}
    assert decisions.decided() == {feedback[0].feedback_id, feedback[2].feedback_id}


def test_the_file_does_not_tell_the_ids_by_which_anybody_can_erase(feedback, tmp_path):
    Decisions(tmp_path).accept(feedback)
    assert not any(f'"{each.prediction_id}"' in (tmp_path / "accepted.jsonl").read_text() for each in feedback)


def test_a_decision_may_be_changed(feedback, tmp_path):
    decisions = Decisions(tmp_path)
    decisions.accept(feedback)
    decisions.reject(feedback[:1])
    assert len(decisions.accepted()) == 2
    decisions.accept(feedback[:1])
    assert len(decisions.accepted()) == 3
    assert (tmp_path / "rejected.jsonl").read_text() == "\n"


@pytest.mark.parametrize(
    "content", ["{", "5", '{"feedback_id": "a"}', '{"feedback_id": "a", "actual_digit": 12, "picture": ""}',
                '{"feedback_id": "a", "actual_digit": 1, "picture": "AAAA"}']
)  # fmt: skip
def test_a_damaged_file_is_named_and_left_alone(feedback, tmp_path, content):
    (tmp_path / "accepted.jsonl").write_text(content)
    for use in (Decisions(tmp_path).accepted, lambda: Decisions(tmp_path).accept(feedback)):
        with pytest.raises(ReviewError, match=r"accepted\.jsonl is damaged in line 1 "):
            use()
    assert (tmp_path / "accepted.jsonl").read_text() == content


def test_accepted_drawings_are_pictures_and_labels(feedback, tmp_path):
    decisions = Decisions(tmp_path)
    decisions.accept(feedback)
    pictures, labels = decisions.accepted_drawings()
    assert (pictures.dtype, pictures.shape, labels.tolist()) == (np.uint8, (3, 28, 28), [5, 3, 10])
    assert [np.unique(picture).tolist() for picture in pictures] == [[1], [2], [3]]


def test_where_nothing_was_accepted_there_are_none(tmp_path):
    for folder in (tmp_path / "none", tmp_path):
        pictures, labels = Decisions(folder).accepted_drawings()
        assert (pictures.shape, labels.shape) == ((0, 28, 28), (0,))
        (tmp_path / "accepted.jsonl").write_text("\n")
