"""The cost of following a model store in S3: each file is fetched once, and a look is one small request."""

import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from bounds import within
from digitnet.checkpoint import MOST_BYTES
from model_stores import requests_of
from stores.models import CANDIDATE, LIVE, StoreError
from stores.models import cache as models_cache


class Fetched:
    """A cache in a folder, and what was fetched because it was not in there."""

    def __init__(self, folder: Path):
        self.folder, self.fetched, self._cache = folder, [], models_cache.Cache(folder)

    def read(self, content: bytes):
        def fetch():
            time.sleep(0.01)
            self.fetched.append(content)
            return content

        assert self._cache.read(hashlib.sha256(content).hexdigest(), fetch) == content


@pytest.fixture
def cache(tmp_path):
    return Fetched(tmp_path / "cache")


class TestCache:
    def test_fetches_once_for_many_who_want_the_same_at_once(self, cache):
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(cache.read, [b"content"] * 6))
        Fetched(cache.folder).read(b"content")
        assert cache.fetched == [b"content"]

    @pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"conten"), lambda path: (path.unlink(), os.mkfifo(path))])
    def test_fetches_anew_what_is_damaged_or_no_file(self, cache, damage):
        cache.read(b"content")
        (cached,) = cache.folder.iterdir()
        damage(cached)
        with within():
            for _ in range(2):
                cache.read(b"content")
        assert cache.fetched == [b"content"] * 2
        assert cached.read_bytes() == b"content"

    @pytest.mark.parametrize("checksum", ["../../../live", "", 7, None, "0" * 63, "A" * 64])
    def test_a_checksum_that_is_none_becomes_no_path(self, cache, checksum):
        assert cache._cache.read(checksum, lambda: b"content") == b"content"
        assert not cache.folder.exists()

    def test_keeps_what_was_used_last_and_sweeps_what_was_abandoned(self, cache, monkeypatch):
        monkeypatch.setattr(models_cache, "KEPT", 2)
        cache.folder.mkdir()
        left, writing = cache.folder / ".left.tmp", cache.folder / ".writing.tmp"
        left.touch()
        writing.touch()
        os.utime(left, (0, 0))
        for content in (b"a", b"b", b"c", b"d"):
            cache.read(content)
            cache.read(b"a")
        cache.read(b"d")
        assert cache.fetched == [b"a", b"b", b"c", b"d"]
        assert len(list(cache.folder.iterdir())) == 3
        assert (left.exists(), writing.exists()) == (False, True)

    def test_says_once_that_it_cannot_be_used_and_fetches_each_time(self, caplog, tmp_path):
        (tmp_path / "file").write_text("in the way")
        cache = Fetched(tmp_path / "file" / "cache")
        for _ in range(2):
            cache.read(b"content")
        assert len(cache.fetched) == 2
        (line,) = [record.getMessage() for record in caplog.records if "models_cache_unusable" in record.getMessage()]
        assert f"folder={tmp_path}/file/cache" in line


@pytest.fixture
def version(store, model_folder):
    return store.publish(model_folder(snapshots=True))["version"]


class TestVersion:
    def test_costs_each_file_once_and_a_new_card_itself_alone(self, store, other, version, place, save_model, tmp_path):
        sent, card = requests_of(store), ("GET", f"versions/{version}/model.json")
        store.card(version)
        assert sent == [card]
        assert not place.cache.exists()
        for _ in range(3):
            store.load(version)
            store.golden_images(version)
            store.snapshots(version)
        assert [key for _, key in sent if not key.endswith(".json")] == [
            f"versions/{version}/{name}.npz" for name in ("weights", "snapshots")
        ]
        save_model(tmp_path / "model", 0, {"test": {"accuracy": 0.75}}, snapshots=True)
        store.publish(tmp_path / "model")
        for each in (store, other):
            sent = requests_of(each)
            assert each.load(version)[1]["test"] == {"accuracy": 0.75}
            assert sent == [card]

    def test_is_listed_with_its_size_and_the_time_when_it_was_published(self, store, version, place, model_folder):
        place.write("versions/no version/model.json", b"{}")
        assert store.versions() == [version]
        assert store.size(version) == sum(file.stat().st_size for file in model_folder(snapshots=True).iterdir())
        assert store.published_at(version) == pytest.approx(time.time(), abs=2.5)
        for use in (store.size, store.load, store.published_at):
            with pytest.raises(StoreError, match=r"/(weights\.npz|model\.json) cannot be read: No such file"):
                use("000000000000")

    def test_damaged_in_the_store_is_refused_by_its_name_and_not_kept(self, store, other, version, place):
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
    def test_larger_than_a_model_is_refused_and_not_fetched(self, store, version, place, monkeypatch, name):
        monkeypatch.setitem(MOST_BYTES, name, 100)
        with pytest.raises(StoreError, match=rf"^s3://{place.bucket}/models/versions/{version}/{name} has [\d,]+ bytes, and at"):
            store.load(version)
        assert not place.cache.exists() or list(place.cache.iterdir()) == []


class TestPointer:
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
