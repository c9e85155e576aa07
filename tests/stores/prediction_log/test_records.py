"""Invalid records and URLs are rejected early; errors name the field and show no password."""

import math

import pytest
from log_records import make_feedback, make_prediction
from stores.prediction_log import open_prediction_log
from stores.prediction_log.base import NAME_LENGTH

BAD_NAMES = ["", "x" * (NAME_LENGTH + 1), "a\nb", "a\0b", "\ud800", b"abc", 7]
BAD_TIMES = [-1.0, 1.7e12, math.nan, math.inf, "1.7e9"]  # the second is in milliseconds
BAD_DIGITS = [10, -1, 3.0, True, "3"]
BAD_PICTURES = [bytes(783), bytes(785), b"", [0] * 784, None]
BAD_PREDICTIONS = {
    "prediction_id": [*BAD_NAMES, None],
    "time": BAD_TIMES,
    "form": ["svg", "", None],
    "digit": [*BAD_DIGITS, None],
    "is_digit": [1, None, "yes"],
    "confidence": [1.0000001, -0.1, math.nan, True, "0.5"],
    "model_version": [*BAD_NAMES, None],
    "picture": BAD_PICTURES,
}
BAD_FEEDBACK = {
    "feedback_id": [*BAD_NAMES, None],
    "time": BAD_TIMES,
    "prediction_id": BAD_NAMES,
    "predicted_digit": BAD_DIGITS,
    "actual_digit": BAD_DIGITS,
    "model_version": BAD_NAMES,
    "picture": BAD_PICTURES,
    "source": BAD_NAMES,
}


@pytest.mark.parametrize(("maker", "bad"), [(make_prediction, BAD_PREDICTIONS), (make_feedback, BAD_FEEDBACK)])
def test_rejects_an_invalid_record_by_field(maker, bad):
    for field, value in ((field, value) for field, values in bad.items() for value in values):
        with pytest.raises(ValueError, match=rf"^1 validation error for \w+\n{field}\n  ") as refused:
            maker(**{field: value})
        assert len(str(refused.value)) < 250


BAD_URLS = [
    "state/journal.sqlite",
    "postgresql://user:hush@host/doodle",
    "sqlite:///",
    "sqlite:///state/",
    "sqlite:journal.sqlite",
    "redis://",
    "redis://user:hush@host:port/0",
    "redis://user:hush@host/doodle",
    "redis://user:hush@host/-1",
    "redis://user:hush@host/0?socket_timeout=1",
    "redis://user:hush@host/0?durable",
    "redis://user:hush@host/0?durable=hush",
    "redis://user:hush@host/0?replicas=10",
    "rediss://user:hush@host/0#durable=managed",
    "rediss://user:hu?sh#hush@host/0",
    "redis://user:hush@a..b/0",
    "redis://user:hush@[::1/0",
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_rejects_a_bad_url_without_showing_its_password(url):
    with pytest.raises(ValueError, match="prediction log's URL") as refused:
        open_prediction_log(url)
    assert "hush" not in str(refused.value)
