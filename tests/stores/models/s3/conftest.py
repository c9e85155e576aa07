"""A model store in an object store, with four versions."""

import boto3
import pytest
from stores.models import open_models


@pytest.fixture(scope="session")
def sdk_session(s3_server):
    return boto3.session.Session()


@pytest.fixture
def place(s3_place, sdk_session, monkeypatch):
    monkeypatch.setattr("boto3.session.Session", lambda: sdk_session)  # to make one takes longer than most tests
    return s3_place


@pytest.fixture
def store(place):
    return place.models


@pytest.fixture
def other(place):
    """The same store, opened by somebody else."""
    return open_models(place.url)


@pytest.fixture
def versions(store, model_folder):
    """Four that are published, none of them live."""
    return [store.publish(model_folder(seed))["version"] for seed in range(4)]


@pytest.fixture
def live(store, versions):
    """The first three, live one after the other."""
    for version in versions[:3]:
        store.promote(version)
    return versions[:3]
