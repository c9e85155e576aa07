"""A model store in an object store, with four versions."""

import pytest
from stores.models import open_models


@pytest.fixture
def place(s3_place):
    return s3_place


@pytest.fixture
def store(place):
    return place.models


@pytest.fixture
def other(place):
    """The same store, opened by somebody else."""
    return open_models(place.url)


@pytest.fixture
def versions(store, save_model, tmp_path):
    """Four that are published, none of them live."""

    def publish(seed):
        save_model(tmp_path / f"model-{seed}", seed, snapshots=True)
        return store.publish(tmp_path / f"model-{seed}")["version"]

    return [publish(seed) for seed in range(4)]


@pytest.fixture
def live(store, versions):
    """The first three, live one after the other."""
    for version in versions[:3]:
        store.promote(version)
    return versions[:3]
