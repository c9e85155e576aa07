"""Make records of the prediction log. Each differs from all others, except in the given fields."""

import itertools
from dataclasses import replace

from stores.prediction_log import FORMS, Feedback, Prediction

numbers = itertools.count(1)


def make_prediction(**changes) -> Prediction:
    n = next(numbers)
    made = Prediction(
        f"prediction-{n}", 1.7e9 + n / 8, FORMS[n % 3], n % 10, n % 2 == 0, 1 / n, f"model-{n % 2}", n.to_bytes(4) * 196
    )
    return replace(made, **changes)


def make_feedback(**changes) -> Feedback:
    n = next(numbers)
    about = f"prediction-{n}", n % 10, (n + 1) % 10, f"model-{n % 2}"
    made = Feedback(f"feedback-{n}", 1.7e9 + n / 8, *about, n.to_bytes(4) * 196, f"source-{n % 3}")
    return replace(made, **changes)
