"""Redis servers, prediction logs and models for the stores' tests."""

import functools

import pytest
from stores.prediction_log import open_prediction_log


@pytest.fixture
def own_redis(new_redis):
    """Return a Redis for one test, not started."""
    server = new_redis()
    yield server
    server.kill()


@pytest.fixture
def open_at():
    """open_at(url, …): open_prediction_log, closed after the test."""
    opened = []

    def open_at(url, **options):
        opened.append(open_prediction_log(url, **options))
        return opened[-1]

    yield open_at
    for log in opened:
        log.close()


@pytest.fixture(scope="session")
def model_folder(save_model, tmp_path_factory):
    """model_folder(seed, snapshots=True): return a saved model's folder. Tests share it and must not change it."""

    @functools.cache
    def model_folder(seed=0, snapshots=False):
        folder = tmp_path_factory.mktemp("model")
        save_model(folder, seed, snapshots=snapshots)
        return folder

    return model_folder
