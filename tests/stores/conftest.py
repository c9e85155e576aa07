"""What the tests of the stores share: records, Redis servers, and models."""

import functools

import pytest
from stores.prediction_log import open_prediction_log


@pytest.fixture
def own_redis(new_redis):
    """A Redis for the test alone, which starts it as it likes."""
    server = new_redis()
    yield server
    server.kill()


@pytest.fixture
def open_at():
    """open_prediction_log, but what it opens is closed after the test."""
    opened = []

    def open_at(url, **options):
        opened.append(open_prediction_log(url, **options))
        return opened[-1]

    yield open_at
    for log in opened:
        log.close()


@pytest.fixture(scope="session")
def model_folder(save_model, tmp_path_factory):
    """model_folder(seed, snapshots=True): a model as the trainer leaves it, made once: whoever changes it takes a copy."""

    @functools.cache
    def model_folder(seed=0, snapshots=False):
        folder = tmp_path_factory.mktemp("model")
        save_model(folder, seed, snapshots=snapshots)
        return folder

    return model_folder
