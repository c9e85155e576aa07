"""What it costs to follow a model store in an object store: a file is fetched once, and looking is one small request."""

import os
import threading
import time

import pytest
from bounds import within
from digitnet.checkpoint import MOST_BYTES
from model_stores import requests_of
from stores import models_cache
from stores.models import CANDIDATE, LIVE, StoreError, open_models


class TestCache:
    @pytest.fixture
    def version(self, store, versions):
        return versions[0]

    def gets(self, sent, name):
        return [key for method, key in sent if method == "GET" and key.endswith(name)]

    def test_weights_and_snapshots_are_fetched_once(self, store, other, version):
        ours, theirs = requests_of(store), requests_of(other)
        for _ in range(3):
            store.load(version)
            store.golden_pictures(version)
            store.snapshots(version)
            other.load(version)
        assert (len(self.gets(ours, "weights.npz")), len(self.gets(ours, "snapshots.npz"))) == (1, 1)
        assert self.gets(theirs, ".npz") == []

    def test_a_new_card_of_the_same_version_costs_the_card_alone(self, store, version, save_model, tmp_path):
        store.load(version)
        save_model(tmp_path / "model-0", 0, {"test": {"accuracy": 0.75}}, snapshots=True)
        store.publish(tmp_path / "model-0")
        sent = requests_of(store)
        assert store.load(version)[1]["test"] == {"accuracy": 0.75}
        assert sent == [("GET", f"versions/{version}/model.json")]

    def test_the_card_needs_no_weights(self, store, version, place):
        sent = requests_of(store)
        store.card(version)
        assert len(sent) == 1
        assert not place.cache.exists()

    def test_what_is_damaged_there_is_fetched_anew(self, store, version, place):
        network, _ = store.load(version)
        (cached,) = place.cache.iterdir()
        cached.write_bytes(cached.read_bytes()[:-1])
        sent = requests_of(store)
        assert store.load(version)[0].parameters.tobytes() == network.parameters.tobytes()
        assert len(self.gets(sent, "weights.npz")) == 1

    def test_what_is_damaged_in_the_store_is_refused_by_its_name_and_not_kept(self, store, version, place):
        place.write(f"versions/{version}/weights.npz", b"damage")
        with pytest.raises(StoreError, match=f"^s3://{place.bucket}/models/versions/{version}/weights.npz is damaged"):
            store.load(version)
        assert list(place.cache.iterdir()) == []

    @pytest.mark.parametrize("name", ["weights.npz", "model.json"])
    def test_what_is_larger_than_a_model_is_refused_and_not_fetched(self, store, version, place, monkeypatch, name):
        monkeypatch.setitem(MOST_BYTES, name, 100)
        with pytest.raises(StoreError, match=rf"^s3://{place.bucket}/models/versions/{version}/{name} has [\d,]+ bytes, and at"):
            store.load(version)
        assert not place.cache.exists() or list(place.cache.iterdir()) == []

    def test_a_pointer_that_is_no_small_object_is_refused(self, store, place):
        place.write(LIVE, bytes(2**17))
        with pytest.raises(StoreError, match=f"^s3://{place.bucket}/models/live has 131,072 bytes, and at most 65,536 are read"):
            store.pointer(LIVE)

    def test_a_pipe_in_the_cache_is_replaced_by_what_is_fetched(self, store, version, place):
        store.load(version)
        (cached,) = place.cache.iterdir()
        cached.unlink()
        os.mkfifo(cached)
        with within():
            store.load(version)
        assert cached.is_file()

    def test_a_reader_goes_on_with_what_it_has_of_a_damaged_one_but_nobody_promotes_it(self, store, version, place):
        store.load(version)
        place.write(f"versions/{version}/weights.npz", b"damage")
        store.load(version)
        with pytest.raises(StoreError, match="is damaged"):
            store.promote(version)

    @pytest.mark.parametrize("checksum", ["../../../live", "", 7, None, "0" * 63, "A" * 64])
    def test_a_checksum_that_is_none_becomes_no_path(self, place, checksum):
        cache = models_cache.Cache(place.cache)
        assert cache.read(checksum, lambda: b"content") == b"content"
        assert not place.cache.exists()

    def test_old_files_do_not_pile_up_but_what_is_used_stays(self, place, store, versions, monkeypatch):
        monkeypatch.setattr(models_cache, "KEPT", 2)
        left = place.cache / ".abandoned.tmp"
        for number, version in enumerate(versions):
            store.load(version)
            time.sleep(0.01)
            store.load(versions[0])
            if number == 0:
                left.write_bytes(b"")
                os.utime(left, (0, 0))
        sent = requests_of(store)
        store.load(versions[0])
        store.load(versions[3])
        assert self.gets(sent, ".npz") == []
        assert len(list(place.cache.iterdir())) == 2

    def test_a_cache_that_cannot_be_used_is_said_once_and_costs_a_download_each_time(self, place, versions, caplog, tmp_path):
        (tmp_path / "file").write_text("in the way")
        store = open_models(f"s3://{place.bucket}/models?cache={tmp_path}/file/cache")
        sent = requests_of(store)
        store.load(versions[0])
        store.load(versions[0])
        assert len(self.gets(sent, "weights.npz")) == 2
        (line,) = [record.getMessage() for record in caplog.records if "models_cache_unusable" in record.getMessage()]
        assert f"folder={tmp_path}/file/cache" in line

    def test_many_who_want_the_same_at_once_fetch_it_once(self, place, version):
        stores = [open_models(place.url) for _ in range(6)]
        sent = [requests_of(store) for store in stores]
        threads = [threading.Thread(target=store.load, args=(version,)) for store in stores]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len([key for each in sent for key in self.gets(each, "weights.npz")]) == 1


class TestLooking:
    """What a replica does each second."""

    def test_a_pointer_is_one_get_and_the_state_one_head(self, store, live):
        sent = requests_of(store)
        store.pointer(LIVE)
        store.pointer(CANDIDATE)
        store.state(live[2])
        assert sent == [("GET", "live"), ("GET", "candidate"), ("HEAD", f"versions/{live[2]}/model.json")]

    def test_the_pointer_is_small(self, place, live):
        assert len(place.read(LIVE)) < 50

    def test_a_pointer_that_was_written_by_hand_is_as_good(self, place, store, versions):
        place.write(LIVE, f"{versions[1]}\n".encode())
        assert store.pointer(LIVE) == versions[1]
        store.promote(versions[2])
        assert store.history() == [versions[1]]


class TestPointerTime:
    def test_it_is_more_precise_than_the_store_s_clock(self, store, versions):
        before = time.time()
        store.point(LIVE, versions[0])
        assert before <= store.pointer_time(LIVE) <= time.time()
        assert store.pointer_time(CANDIDATE) is None

    @pytest.mark.parametrize("wrong_by", [-3600.0, 3600.0])
    def test_a_clock_of_ours_that_is_not_the_store_s_changes_nothing(self, store, versions, monkeypatch, wrong_by):
        """The trainer's artifacts have times by its own clock, too. (The SDK's clock stays right: it signs with it.)"""
        ours = time.time
        store.point(LIVE, versions[0])  # by somebody whose clock is the store's
        moment = ours() + wrong_by
        monkeypatch.setattr("stores.s3_bucket.time.time", lambda: ours() + wrong_by)
        assert store.pointer_time(LIVE) == pytest.approx(moment, abs=2.5)

    @pytest.mark.parametrize("line", ["{} 2001-01-01T00:00:00+00:00", "{} 2999-01-01T00:00:00+00:00", "{} soon", "{}"])
    def test_a_time_that_the_store_does_not_bear_out_is_not_believed(self, place, store, versions, line):
        place.write(LIVE, line.format(versions[0]).encode())
        assert store.pointer_time(LIVE) == pytest.approx(time.time(), abs=2.5)
