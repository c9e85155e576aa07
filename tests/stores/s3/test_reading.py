"""The cost of following a model store in S3: a look is one small request, and a model is fetched when it is needed."""

import time

import pytest
from digitnet.checkpoint import MOST_BYTES
from model_stores import requests_of
from stores.models import CANDIDATE, LIVE, StoreError


@pytest.fixture
def version(store, model_folder):
    return store.publish(model_folder(snapshots=True))["version"]


class TestVersion:
    def test_costs_one_request_for_each_file_that_is_needed(self, store, version):
        sent = requests_of(store)
        store.card(version)
        store.load(version)
        assert [key.rpartition("/")[2] for _, key in sent] == ["model.json", "model.json", "weights.npz"]

    def test_is_listed_with_its_size_and_the_time_when_it_was_published(self, store, version, place, model_folder):
        place.write("versions/no version/model.json", b"{}")
        assert store.versions() == [version]
        assert store.size(version) == sum(file.stat().st_size for file in model_folder(snapshots=True).iterdir())
        assert store.published_at(version) == pytest.approx(time.time(), abs=2.5)
        for use in (store.size, store.load, store.published_at):
            with pytest.raises(StoreError, match=r"/(weights\.npz|model\.json) cannot be read: No such file"):
                use("000000000000")

    def test_damaged_in_the_store_is_refused_by_its_name_and_not_promoted(self, store, version, place):
        weights = f"versions/{version}/weights.npz"
        place.write(weights, b"damage")
        for use in (store.load, store.promote):
            with pytest.raises(StoreError, match=f"^s3://{place.bucket}/models/{weights} is damaged"):
                use(version)

    @pytest.mark.parametrize("name", ["weights.npz", "model.json"])
    def test_larger_than_a_model_is_refused_and_not_fetched(self, store, version, place, monkeypatch, name):
        monkeypatch.setitem(MOST_BYTES, name, 100)
        with pytest.raises(StoreError, match=rf"^s3://{place.bucket}/models/versions/{version}/{name} has [\d,]+ bytes, and at"):
            store.load(version)


class TestAlias:
    def test_is_one_small_get_and_the_state_one_head(self, store, version, place):
        store.promote(version)
        sent = requests_of(store)
        store.alias(LIVE)
        store.alias(CANDIDATE)
        store.state(version)
        assert sent == [("GET", "live"), ("GET", "candidate"), ("HEAD", f"versions/{version}/model.json")]
        assert len(place.read(LIVE)) < 50

    def test_is_refused_where_it_is_no_small_object(self, store, place):
        place.write(LIVE, bytes(2**17))
        with pytest.raises(StoreError, match=f"^s3://{place.bucket}/models/live has 131,072 bytes, and at most 65,536 are read"):
            store.alias(LIVE)

    def test_written_by_hand_is_as_good(self, place, store, versions):
        place.write(LIVE, f"{versions[1]}\n".encode())
        assert store.alias(LIVE) == versions[1]
        store.promote(versions[2])
        assert store.history() == [versions[1]]

    def test_its_time_is_more_precise_than_the_store_s_clock(self, store, version):
        before = time.time()
        store.point(LIVE, version)
        assert before <= store.alias_time(LIVE) <= time.time()
        assert store.alias_time(CANDIDATE) is None

    @pytest.mark.parametrize("wrong_by", [-3600.0, 3600.0])
    def test_a_clock_of_ours_that_is_not_the_store_s_changes_nothing(self, store, version, monkeypatch, wrong_by):
        """The trainer's artifacts have times by its own clock, too. (The SDK's clock stays right: it signs with it.)"""
        ours = time.time
        store.point(LIVE, version)  # by somebody whose clock is the store's
        moment = ours() + wrong_by
        monkeypatch.setattr("stores.models.s3_bucket.time.time", lambda: ours() + wrong_by)
        assert store.alias_time(LIVE) == pytest.approx(moment, abs=2.5)

    def test_a_time_that_the_store_does_not_bear_out_is_not_believed(self, place, store):
        for said in (" 2001-01-01T00:00:00+00:00", " 2999-01-01T00:00:00+00:00", " soon", ""):
            before = time.time()
            place.write(LIVE, f"0647f3f72a49{said}".encode())
            assert before - 2.5 < store.alias_time(LIVE) < time.time() + 1.0
