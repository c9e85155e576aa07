"""Decisions on feedback are stored with their drawings, and the last decision counts."""

import json

import numpy as np
import pytest
from stores.prediction_log import Feedback
from trainer.feedback.decisions import Decisions


@pytest.fixture
def feedback():
    """Return feedback on three drawings: a 5, a 3, and no digit."""
    return [
        Feedback(f"{number:08x}-id", 1e9 + number, f"p{number}", 5, actual, "m", bytes([number + 1] * 784))
        for number, actual in enumerate((5, 3, None))
    ]


def test_returns_accepted_drawings_as_images_and_labels(feedback, tmp_path):
    decisions = Decisions(tmp_path / "feedback")
    assert [array.shape for array in decisions.accepted_drawings()] == [(0, 28, 28), (0,)]
    decisions.accept([feedback[2], feedback[0]])
    decisions.reject([feedback[1]])
    assert decisions.decided() == {each.feedback_id for each in feedback}
    assert [line.actual_digit for line in decisions.accepted()] == [5, None]
    images, labels = decisions.accepted_drawings()
    assert (images.dtype, images.shape, labels.dtype, labels.tolist()) == (np.uint8, (2, 28, 28), np.uint8, [5, 10])
    assert [np.unique(image).tolist() for image in images] == [[1], [3]]


def test_files_do_not_depend_on_the_order(feedback, tmp_path):
    for name, order in (("a", feedback), ("b", feedback[::-1])):
        for each in order:
            Decisions(tmp_path / name).accept([each])
    written = (tmp_path / "a" / "accepted.jsonl").read_bytes()
    assert written == (tmp_path / "b" / "accepted.jsonl").read_bytes()
    assert not any(each.prediction_id.encode() in written for each in feedback), "these ids allow erasure"


@pytest.mark.parametrize("name", ["feedback_id", "prediction_id"])
def test_forgets_a_decision_by_feedback_or_prediction_id(feedback, tmp_path, name):
    decisions = Decisions(tmp_path)
    decisions.accept(feedback)
    id_ = getattr(feedback[1], name)
    assert decisions.forget([id_, "unknown"]) == {id_}
    assert decisions.decided() == {feedback[0].feedback_id, feedback[2].feedback_id}


def test_a_decision_may_be_changed(feedback, tmp_path):
    decisions = Decisions(tmp_path)
    decisions.accept(feedback)
    decisions.reject(feedback[:1])
    rejected = {"feedback_id": feedback[0].feedback_id, "actual_digit": 5}  # without the drawing
    assert [json.loads(line) for line in (tmp_path / "rejected.jsonl").read_text().splitlines()] == [rejected]
    assert len(decisions.accepted()) == 2
    decisions.accept(feedback[:1])
    assert len(decisions.accepted()) == 3
    assert (tmp_path / "rejected.jsonl").read_text() == "\n"
    decisions.reject(feedback)
    assert (tmp_path / "accepted.jsonl").read_text() == "\n"
    assert [array.shape for array in decisions.accepted_drawings()] == [(0, 28, 28), (0,)]
