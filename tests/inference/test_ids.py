"""Ids: whoever has one of a prediction may correct it. So nobody can guess one."""

import os
import re

import pytest
from stores.journal import open_journal


@pytest.fixture
def journal_url(tmp_path):
    return f"sqlite:///{tmp_path}/journal.sqlite"


@pytest.fixture
def client(serve, models_folder):
    with serve(models_folder) as client:
        yield client


def predicted(client, strokes):
    return client.post("/predict", json={"strokes": strokes}).json()["prediction_id"]


def feedback_ids(client, journal_url, ids):
    for prediction_id in ids:
        client.post("/feedback", json={"prediction_id": prediction_id, "actual_digit": 3}).raise_for_status()
    journal = open_journal(journal_url)
    try:
        return [feedback.feedback_id for feedback in journal.feedback(1000)]
    finally:
        journal.close()


def test_they_are_122_bits_of_chance_each(client, strokes, journal_url):
    predictions = [predicted(client, strokes) for _ in range(100)]
    feedbacks = feedback_ids(client, journal_url, predictions[:60])
    assert len(feedbacks) == 60
    for ids in (predictions, feedbacks):
        assert all(re.fullmatch("[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}", each) for each in ids)  # of UUIDs, version 4
        assert len(set(ids)) == len(ids)
        assert ids != sorted(ids)
        bits = [int(each, 16) for each in ids]
        changing = [place for place in range(128) if len({number >> place & 1 for number in bits}) == 2]
        assert len(changing) == 122


def test_the_system_is_whom_they_are_asked_of(client, strokes, monkeypatch):
    """Not a generator whose next numbers follow from the ones before."""
    monkeypatch.setattr(os, "urandom", lambda count: bytes(range(count)))
    assert predicted(client, strokes) == "000102030405460788090a0b0c0d0e0f"


def test_one_that_was_not_given_out_is_known_to_nobody(client, strokes, monkeypatch):
    monkeypatch.setattr("inference.feedback.LOOK_AGAIN_SECONDS", (0.0,))
    known = predicted(client, strokes)
    near = f"{int(known, 16) + 1:032x}"
    for guess in (near, known.upper() if known.upper() != known else near, known[:-1], f"{known} ", "%", "*", known[:8]):
        answer = client.post("/feedback", json={"prediction_id": guess, "actual_digit": 3})
        assert answer.status_code in (404, 422), guess
