"""What the tests of the stores share: records, Redis servers, and models."""

import functools
import itertools

import pytest
from stores.journal import Feedback, Prediction, open_journal


@pytest.fixture
def own_redis(new_redis):
    """A Redis for the test alone, which starts it as it likes."""
    server = new_redis()
    yield server
    server.kill()


@pytest.fixture
def open_at():
    """open_journal, but what it opens is closed after the test."""
    opened = []

    def open_at(url, **options):
        opened.append(open_journal(url, **options))
        return opened[-1]

    yield open_at
    for journal in opened:
        journal.close()


def numbered(kind, values_of):
    numbers = itertools.count(1)
    return lambda **changes: kind(**values_of(next(numbers)) | changes)


@pytest.fixture(scope="session")
def make_prediction():
    """make_prediction(field=value, …): a prediction unlike any other, but for the fields given."""
    return numbered(
        Prediction,
        lambda number: {
            "prediction_id": f"prediction-{number}",
            "time": 1.7e9 + number / 8,
            "form": ("strokes", "image_vector", "png")[number % 3],
            "digit": number % 10,
            "is_digit": number % 2 == 0,
            "confidence": 1 / number,
            "model_version": f"model-{number % 2}",
            "picture": number.to_bytes(4) * 196,
        },
    )


@pytest.fixture(scope="session")
def make_feedback():
    """make_feedback(field=value, …): feedback unlike any other, but for the fields given."""
    return numbered(
        Feedback,
        lambda number: {
            "feedback_id": f"feedback-{number}",
            "time": 1.7e9 + number / 8,
            "prediction_id": f"prediction-{number}",
            "predicted_digit": number % 10,
            "actual_digit": (number + 1) % 10,
            "model_version": f"model-{number % 2}",
            "picture": number.to_bytes(4) * 196,
            "source": f"source-{number % 3}",
        },
    )


@pytest.fixture(scope="session")
def model_folder(save_model, tmp_path_factory):
    """model_folder(seed, snapshots=True): a model as the trainer leaves it, made once: whoever changes it takes a copy."""

    @functools.cache
    def model_folder(seed=0, snapshots=False):
        folder = tmp_path_factory.mktemp("model")
        save_model(folder, seed, snapshots=snapshots)
        return folder

    return model_folder
