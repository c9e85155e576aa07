"""Records that cannot be so are refused when they are made, and the field is named."""

import math

import pytest
from stores.journal import NAME_LENGTH, Feedback, open_journal

BAD_NAMES = {
    "empty": "",
    "too long": "x" * (NAME_LENGTH + 1),
    "two lines": "a\nb",
    "a null character": "a\0b",
    "half a surrogate pair": "\ud800",
    "bytes": b"abc",
    "a number": 7,
}
BAD_TIMES = {"before 1970": -1.0, "milliseconds": 1.7e12, "not a number": math.nan, "endless": math.inf, "text": "1.7e9"}
BAD_DIGITS = {"ten": 10, "negative": -1, "a fraction": 3.0, "a truth value": True, "text": "3"}
BAD_PICTURES = {"a byte short": bytes(783), "a byte long": bytes(785), "empty": b"", "a list": [0] * 784, "nothing": None}
BAD_PREDICTIONS = {
    "prediction_id": BAD_NAMES | {"nothing": None},
    "time": BAD_TIMES,
    "form": {"unknown": "svg", "empty": "", "nothing": None},
    "digit": BAD_DIGITS | {"nothing": None},
    "is_digit": {"a number": 1, "nothing": None, "text": "yes"},
    "confidence": {"above 1": 1.0000001, "below 0": -0.1, "not a number": math.nan, "a truth value": True, "text": "0.5"},
    "model_version": BAD_NAMES | {"nothing": None},
    "picture": BAD_PICTURES,
}
BAD_FEEDBACK = {
    "feedback_id": BAD_NAMES | {"nothing": None},
    "time": BAD_TIMES,
    "prediction_id": BAD_NAMES,
    "predicted_digit": BAD_DIGITS,
    "actual_digit": BAD_DIGITS,
    "model_version": BAD_NAMES,
    "picture": BAD_PICTURES,
    "source": BAD_NAMES,
}


CASES = [
    (maker, field, value)
    for maker, bad in (("make_prediction", BAD_PREDICTIONS), ("make_feedback", BAD_FEEDBACK))
    for field, values in bad.items()
    for value in values.values()
]


@pytest.mark.parametrize(("maker", "field", "value"), CASES)
def test_a_record_that_cannot_be_is_refused_by_the_field_s_name(request, maker, field, value):
    with pytest.raises(ValueError, match=f"^{field} must be "):
        request.getfixturevalue(maker)(**{field: value})


def test_a_refusal_does_not_repeat_a_whole_picture(make_prediction):
    with pytest.raises(ValueError, match="picture must be 784 bytes") as refused:
        make_prediction(picture=bytes(100_000))
    assert len(str(refused.value)) < 200


def test_feedback_may_know_nothing_but_the_picture(make_feedback):
    unknown = dict.fromkeys(("prediction_id", "predicted_digit", "actual_digit", "model_version", "source"))
    made = make_feedback(**unknown)
    assert made == Feedback(made.feedback_id, made.time, None, None, None, None, made.picture)


BAD_URLS = {
    "nothing": "",
    "a path": "state/journal.sqlite",
    "another database": "postgresql://user:hush@host/doodle",
    "no scheme": "hush@host:6379",
    "SQLite without a file": "sqlite:///",
    "SQLite in a folder": "sqlite:///state/",
    "SQLite on a host": "sqlite://host/journal.sqlite",
    "SQLite without slashes": "sqlite:journal.sqlite",
    "Redis without a host": "redis://",
    "Redis with no host but a port": "redis://:6379/0",
    "Redis with a port that is none": "redis://user:hush@host:port/0",
    "Redis with a port out of range": "redis://user:hush@host:65536/0",
    "Redis with a database that is no number": "redis://user:hush@host/doodle",
    "Redis with a negative database": "redis://user:hush@host/-1",
    "Redis with options": "redis://user:hush@host/0?socket_timeout=1",
    "Redis with a promise that nobody knows": "redis://user:hush@host/0?durable=hush",
    "Redis with an empty promise": "redis://user:hush@host/0?durable=",
    "Redis with half a promise": "redis://user:hush@host/0?durable",
    "Redis with a promise twice": "redis://user:hush@host/0?durable=managed&durable=managed",
    "Redis with a promise and more": "rediss://user:hush@host/0?durable=managed&password=hush",
    "Redis with no replicas": "redis://user:hush@host/0?replicas=0",
    "Redis with too many replicas": "redis://user:hush@host/0?replicas=10",
    "Redis with replicas that are no number": "redis://user:hush@host/0?replicas=all",
    "Redis with replicas twice": "redis://user:hush@host/0?replicas=1&replicas=2",
    "Redis with a fragment": "rediss://user:hush@host/0#durable=managed",
    "Redis with a password that is not escaped": "rediss://user:hu?sh#hush@host/0",
    "Redis with TLS without a host": "rediss://",
    "Redis on a host that cannot be": "redis://user:hush@a..b/0",
    "Redis on half an address": "redis://user:hush@[::1/0",
}


@pytest.mark.parametrize("url", BAD_URLS.values(), ids=BAD_URLS)
def test_a_url_that_names_no_journal_is_refused_and_its_password_not_shown(url):
    with pytest.raises(ValueError, match="journal's URL") as refused:
        open_journal(url)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("cap", [0, -1])
def test_a_journal_that_keeps_nothing_is_refused(cap):
    with pytest.raises(ValueError, match="cap must be at least 1"):
        open_journal("sqlite:///journal.sqlite", cap=cap)
