"""Ids: whoever has one of a prediction may correct it. So nobody can guess one."""

import os
import re

import pytest


@pytest.fixture
def predicted(client, strokes):
    return lambda: client.post("/predict", json={"strokes": strokes}).json()["prediction_id"]


def test_they_are_122_bits_of_chance_each(client, predicted, journal):
    predictions = [predicted() for _ in range(100)]
    for prediction_id in predictions[:60]:
        client.post("/feedback", json={"prediction_id": prediction_id, "actual_digit": 3}).raise_for_status()
    feedbacks = [feedback.feedback_id for feedback in journal.feedback(1000)]
    assert len(feedbacks) == 60
    for ids in (predictions, feedbacks):
        assert all(re.fullmatch("[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}", each) for each in ids)  # of UUIDs, version 4
        assert len(set(ids)) == len(ids)
        assert ids != sorted(ids)
        bits = [int(each, 16) for each in ids]
        changing = [place for place in range(128) if len({number >> place & 1 for number in bits}) == 2]
        assert len(changing) == 122


def test_they_come_from_the_system(predicted, monkeypatch):
    """Not from a generator whose next numbers follow from the ones before."""
    monkeypatch.setattr(os, "urandom", lambda count: bytes(range(count)))
    assert predicted() == "000102030405460788090a0b0c0d0e0f"


def test_one_like_it_is_unknown(client, predicted, monkeypatch):
    monkeypatch.setattr("inference.feedback.LOOK_AGAIN_SECONDS", (0.0,))
    known = predicted()
    for guess in (f"{int(known, 16) + 1:032x}", known.upper(), known[:-1], f"{known} ", "%", "*", known[:8]):
        answer = client.post("/feedback", json={"prediction_id": guess, "actual_digit": 3})
        assert answer.status_code == 404, guess
