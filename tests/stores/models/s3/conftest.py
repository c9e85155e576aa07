"""A model store in an object store, with four versions."""

import boto3
import pytest
from stores.models import open_models


@pytest.fixture(scope="session")
def sdk_session(s3_server):
    return boto3.session.Session()


@pytest.fixture
def place(s3_place, sdk_session, monkeypatch):
    monkeypatch.setattr("boto3.session.Session", lambda: sdk_session)  # creating one takes longer than most tests
    return s3_place


@pytest.fixture
def store(place):
    return place.models


@pytest.fixture
def other(place):
    """Return the same store, opened by another client."""
    return open_models(place.url)


@pytest.fixture
def versions(store, model_folder):
    """Publish four versions; none is live."""
    return [store.publish(model_folder(seed))["version"] for seed in range(4)]


@pytest.fixture
def live(store, versions):
    """Promote the first three versions in turn and return them."""
    for version in versions[:3]:
        store.promote(version)
    return versions[:3]
