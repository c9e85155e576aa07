"""Requests of an S3 model store: polling costs one small request, and models are fetched on demand."""

import time

import pytest
from digitnet.checkpoint import MOST_BYTES
from model_stores import requests_of
from stores.models import CANDIDATE, LIVE, StoreError


@pytest.fixture
def version(store, model_folder):
    return store.publish(model_folder(snapshots=True))["version"]


class TestVersion:
    def test_costs_one_request_per_file(self, store, version):
        sent = requests_of(store)
        store.card(version)
        store.load(version)
        assert [key.rpartition("/")[2] for _, key in sent] == ["model.json", "model.json", "weights.npz"]

    def test_is_listed_with_size_and_time(self, store, version, place, model_folder):
        place.write("versions/no version/model.json", b"{}")
        assert store.versions() == [version]
        assert store.size(version) == sum(file.stat().st_size for file in model_folder(snapshots=True).iterdir())
        assert store.published_at(version) == pytest.approx(time.time(), abs=2.5)
        for use in (store.size, store.load, store.published_at):
            with pytest.raises(StoreError, match=r"/(weights\.npz|model\.json) cannot be read: No such file"):
                use("000000000000")

    def test_is_rejected_if_damaged(self, store, version, place):
        weights = f"versions/{version}/weights.npz"
        place.write(weights, b"damage")
        for use in (store.load, store.promote):
            with pytest.raises(StoreError, match=f"^s3://{place.bucket}/models/{weights} is damaged"):
                use(version)

    @pytest.mark.parametrize("name", ["weights.npz", "model.json"])
    def test_is_not_fetched_if_too_large(self, store, version, place, monkeypatch, name):
        monkeypatch.setitem(MOST_BYTES, name, 100)
        file = f"s3://{place.bucket}/models/versions/{version}/{name}"
        with pytest.raises(StoreError, match=rf"^{file} has [\d,]+ bytes; the limit"):
            store.load(version)


class TestAlias:
    def test_costs_one_small_get_and_its_state_one_head(self, store, version, place):
        store.promote(version)
        sent = requests_of(store)
        store.alias(LIVE)
        store.alias(CANDIDATE)
        store.state(version)
        assert sent == [("GET", "live"), ("GET", "candidate"), ("HEAD", f"versions/{version}/model.json")]
        assert len(place.read(LIVE)) < 50

    def test_is_rejected_if_too_large(self, store, place):
        place.write(LIVE, bytes(2**17))
        with pytest.raises(StoreError, match=f"^s3://{place.bucket}/models/live has 131,072 bytes; the limit is 65,536"):
            store.alias(LIVE)

    def test_can_be_written_by_hand(self, place, store, versions):
        place.write(LIVE, f"{versions[1]}\n".encode())
        assert store.alias(LIVE) == versions[1]
        store.promote(versions[2])
        assert place.history() == [versions[1]]
