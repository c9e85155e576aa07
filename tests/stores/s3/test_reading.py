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


@pytest.fixture
def version(store, model_folder):
    return store.publish(model_folder(snapshots=True))["version"]


class TestCache:
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

    def test_a_card_costs_itself_alone(self, store, version, place, save_model, tmp_path):
        sent, card = requests_of(store), ("GET", f"versions/{version}/model.json")
        store.card(version)
        assert sent == [card]
        assert not place.cache.exists()
        store.load(version)
        save_model(tmp_path / "model", 0, {"test": {"accuracy": 0.75}}, snapshots=True)
        open_models(place.url).publish(tmp_path / "model")
        sent.clear()
        assert store.load(version)[1]["test"] == {"accuracy": 0.75}
        assert sent == [card]

    def test_what_is_damaged_there_is_fetched_anew(self, store, version, place):
        network, _ = store.load(version)
        (cached,) = place.cache.iterdir()
        cached.write_bytes(cached.read_bytes()[:-1])
        sent = requests_of(store)
        assert store.load(version)[0].parameters.tobytes() == network.parameters.tobytes()
        assert len(self.gets(sent, "weights.npz")) == 1
        cached.unlink()
        os.mkfifo(cached)
        with within():
            store.load(version)
        assert cached.is_file()

    def test_what_is_damaged_in_the_store_is_refused_by_its_name_and_not_kept(self, store, other, version, place):
        weights = f"versions/{version}/weights.npz"
        sound = place.read(weights)
        place.write(weights, b"damage")
        with pytest.raises(StoreError, match=f"^s3://{place.bucket}/models/{weights} is damaged"):
            store.load(version)
        assert list(place.cache.iterdir()) == []
        place.write(weights, sound)
        store.load(version)
        place.write(weights, b"damage")
        other.load(version)  # a reader goes on with what it has, but nobody promotes it
        with pytest.raises(StoreError, match="is damaged"):
            store.promote(version)

    @pytest.mark.parametrize("name", ["weights.npz", "model.json"])
    def test_what_is_larger_than_a_model_is_refused_and_not_fetched(self, store, version, place, monkeypatch, name):
        monkeypatch.setitem(MOST_BYTES, name, 100)
        with pytest.raises(StoreError, match=rf"^s3://{place.bucket}/models/versions/{version}/{name} has [\d,]+ bytes, and at"):
            store.load(version)
        assert not place.cache.exists() or list(place.cache.iterdir()) == []

    @pytest.mark.parametrize("checksum", ["../../../live", "", 7, None, "0" * 63, "A" * 64])
    def test_a_checksum_that_is_none_becomes_no_path(self, tmp_path, checksum):
        cache = models_cache.Cache(tmp_path / "cache")
        assert cache.read(checksum, lambda: b"content") == b"content"
        assert not (tmp_path / "cache").exists()

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

    def test_a_cache_that_cannot_be_used_is_said_once_and_costs_a_download_each_time(self, place, version, caplog, tmp_path):
        (tmp_path / "file").write_text("in the way")
        store = open_models(f"s3://{place.bucket}/models?cache={tmp_path}/file/cache")
        sent = requests_of(store)
        store.load(version)
        store.load(version)
        assert len(self.gets(sent, "weights.npz")) == 2
        (line,) = [record.getMessage() for record in caplog.records if "models_cache_unusable" in record.getMessage()]
        assert f"folder={tmp_path}/file/cache" in line

    def test_many_who_want_the_same_at_once_fetch_it_once(self, tmp_path):
        fetched, content = [], b"content"

        def fetch():
            time.sleep(0.05)
            fetched.append(content)
            return content

        read = (models_cache._sha256(content), fetch)
        threads = [threading.Thread(target=models_cache.Cache(tmp_path).read, args=read) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert fetched == [content]


class TestPointer:
    def test_is_one_small_get_and_the_state_one_head(self, store, version, place):
        store.promote(version)
        sent = requests_of(store)
        store.pointer(LIVE)
        store.pointer(CANDIDATE)
        store.state(version)
        assert sent == [("GET", "live"), ("GET", "candidate"), ("HEAD", f"versions/{version}/model.json")]
        assert len(place.read(LIVE)) < 50

    def test_is_refused_where_it_is_no_small_object(self, store, place):
        place.write(LIVE, bytes(2**17))
        with pytest.raises(StoreError, match=f"^s3://{place.bucket}/models/live has 131,072 bytes, and at most 65,536 are read"):
            store.pointer(LIVE)

    def test_written_by_hand_is_as_good(self, place, store, versions):
        place.write(LIVE, f"{versions[1]}\n".encode())
        assert store.pointer(LIVE) == versions[1]
        store.promote(versions[2])
        assert store.history() == [versions[1]]

    def test_its_time_is_more_precise_than_the_store_s_clock(self, store, version):
        before = time.time()
        store.point(LIVE, version)
        assert before <= store.pointer_time(LIVE) <= time.time()
        assert store.pointer_time(CANDIDATE) is None

    @pytest.mark.parametrize("wrong_by", [-3600.0, 3600.0])
    def test_a_clock_of_ours_that_is_not_the_store_s_changes_nothing(self, store, version, monkeypatch, wrong_by):
        """The trainer's artifacts have times by its own clock, too. (The SDK's clock stays right: it signs with it.)"""
        ours = time.time
        store.point(LIVE, version)  # by somebody whose clock is the store's
        moment = ours() + wrong_by
        monkeypatch.setattr("stores.s3_bucket.time.time", lambda: ours() + wrong_by)
        assert store.pointer_time(LIVE) == pytest.approx(moment, abs=2.5)

    @pytest.mark.parametrize("line", ["{} 2001-01-01T00:00:00+00:00", "{} 2999-01-01T00:00:00+00:00", "{} soon", "{}"])
    def test_a_time_that_the_store_does_not_bear_out_is_not_believed(self, place, store, line):
        place.write(LIVE, line.format("0647f3f72a49").encode())
        assert store.pointer_time(LIVE) == pytest.approx(time.time(), abs=2.5)
