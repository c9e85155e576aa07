"""Quotas limit the share of a sender and of a day in automatic acceptance."""

from stores.prediction_log import Feedback
from stores.prediction_log.base import DAY_SECONDS
from trainer.feedback.review import within_quotas


def given(count, source="one", day=0):
    return [Feedback(f"{source}-{day}-{n}", day * DAY_SECONDS + n, "p", 5, 5, "m", bytes(784), source) for n in range(count)]


def many(count, day=0):
    return [each for number in range(count) for each in given(1, f"sender {day} {number}", day)]


def test_limits_a_sender_to_ten_or_a_tenth():
    assert within_quotas(given(11), []) == given(10)
    others = [each for day in range(9) for each in many(99, day)]  # with 99 of one sender, 990 in total
    assert len(within_quotas(given(200, day=20) + others, [])) == 990


def test_limits_a_day_to_a_hundred_or_a_quarter():
    assert within_quotas(many(150), []) == many(150)[:100]
    others = [each for day in range(1, 8) for each in many(100, day)]
    assert within_quotas(many(250) + others, []) == many(250)[:233] + others


def test_earlier_acceptances_count():
    assert within_quotas(given(5), given(8, day=3)) == given(2)
    assert within_quotas(given(5, source=None), given(10, source=None)) == []
