"""The model store, folder and S3: versions are published atomically, and aliases name existing versions."""

import json
import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from bounds import within
from digitnet import checkpoint
from stores.models import ALIASES, CANDIDATE, LIVE, StoreError, base, open_models
from stores.models import folder as folder_models
from stores.models.folder import FolderModels

IMAGE = np.random.default_rng(0).random((1, 28, 28), np.float32)
NOWHERE = "000000000000"


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.slow)])
def place(request):
    return request.getfixturevalue(f"{request.param}_place")


@pytest.fixture
def store(place):
    return place.models


@pytest.fixture
def publish(store, model_folder):
    """publish(seed, snapshots=True): publish a model and return its version."""
    return lambda *about, **more: store.publish(model_folder(*about, **more))["version"]


@pytest.fixture
def published(publish):
    return publish()


class TestPublish:
    def test_publishes_a_model_without_moving_an_alias(self, store, model_folder):
        folder = model_folder()
        card = checkpoint.load_card(folder)
        assert store.publish(folder) == store.publish(folder) == card
        assert store.versions() == [card["version"]]
        network, loaded = store.load(card["version"])
        assert loaded == card
        np.testing.assert_array_equal(network.predict(IMAGE), checkpoint.load(folder)[0].predict(IMAGE))
        assert store.size(card["version"]) == sum(file.stat().st_size for file in folder.iterdir())
        assert (store.alias(LIVE), store.alias(CANDIDATE)) == (None, None)

    def test_publishing_again_repairs_a_version_and_changes_its_state(self, store, published, save_model, place, tmp_path):
        before = store.state(published)
        assert store.state(published) == before
        place.write(f"versions/{published}/weights.npz", b"damage")
        with pytest.raises(StoreError):
            store.load(published)
        save_model(tmp_path / "model", 0, {"test": {"accuracy": 0.25}})
        assert store.publish(tmp_path / "model")["version"] == published
        assert store.load(published)[1]["test"] == {"accuracy": 0.25}
        assert store.state(published) != before

    def test_versions_are_listed_oldest_first(self, store, publish, place):
        published = []
        for seed in (3, 1, 2):
            published.append(publish(seed))
            time.sleep(place.tick)
        assert store.versions() == published

    @pytest.mark.parametrize("name", ["weights.npz", "snapshots.npz"])
    def test_rejects_a_damaged_model_and_stores_nothing(self, store, model_folder, place, tmp_path, name):
        folder = shutil.copytree(model_folder(snapshots=True), tmp_path / "model")
        (folder / name).write_bytes(b"damage")
        with pytest.raises(StoreError, match=f"^{folder}/{name} is damaged"):
            store.publish(folder)
        with pytest.raises(StoreError, match=f"{tmp_path}/nowhere/model.json cannot be read: No such file"):
            store.publish(tmp_path / "nowhere")
        assert store.versions() == place.names() == []

    def test_adds_snapshots_to_a_version_later(self, store, publish, published, model_folder):
        assert store.snapshots(published) is None
        assert publish(snapshots=True) == published
        assert store.snapshots(published).step.tolist() == [0, 10, 20]
        assert store.size(published) == sum(file.stat().st_size for file in model_folder(snapshots=True).iterdir())

    def test_damaged_snapshots_do_not_affect_the_model(self, store, publish, place):
        version = publish(snapshots=True)
        place.write(f"versions/{version}/snapshots.npz", b"damage")
        store.load(version)
        with pytest.raises(StoreError, match=f"^{store}/versions/{version}/snapshots.npz is damaged"):
            store.snapshots(version)


class TestPromoteAndRollback:
    @pytest.fixture
    def versions(self, store, publish):
        """Publish and promote three versions in turn."""
        versions = [publish(seed) for seed in range(3)]
        for version in versions:
            store.promote(version)
        return versions

    def test_rolls_back_step_by_step(self, store, versions, place):
        first, second, third = versions
        store.promote(third)  # already live
        assert store.alias(LIVE) == third
        assert place.history() == [first, second]
        assert (store.rollback(), store.alias(LIVE)) == (second, second)
        store.promote(third)
        assert (store.rollback(), store.alias(LIVE)) == (second, second)
        assert (store.rollback(), store.alias(LIVE)) == (first, first)
        with pytest.raises(StoreError, match=f"no sound version that was live before {first}"):
            store.rollback()
        assert store.alias(LIVE) == first

    def test_promotion_clears_the_candidate(self, store, versions):
        store.point(CANDIDATE, versions[0])
        store.promote(versions[1])
        assert store.alias(CANDIDATE) == versions[0]
        store.promote(versions[0])
        assert store.alias(CANDIDATE) is None
        store.clear(CANDIDATE)  # repeating is no error

    def test_does_not_promote_a_damaged_or_missing_version(self, store, versions, publish, place):
        damaged = publish(7)
        place.write(f"versions/{damaged}/weights.npz", b"damage")
        with pytest.raises(StoreError, match="is damaged"):
            store.promote(damaged)
        with pytest.raises(StoreError, match=NOWHERE):
            store.promote(NOWHERE)
        assert store.alias(LIVE) == versions[2]
        assert place.history() == versions[:2]

    def test_rollback_skips_damaged_versions(self, store, versions, place):
        place.write(f"versions/{versions[1]}/weights.npz", b"damage")
        assert store.rollback() == versions[0]

    def test_survives_a_kill_between_history_and_alias(self, store, versions, place):
        """The history already contains the live version."""
        place.write("history", "".join(f"{version}\n" for version in versions).encode())
        assert store.rollback() == versions[1]

    def test_promotion_repairs_a_damaged_alias_and_history(self, store, versions, place):
        place.write(LIVE, b"\xff")
        place.write("history", b"\xff../../etc\n" + versions[0].encode())
        store.promote(versions[2])
        assert store.alias(LIVE) == versions[2]
        assert store.rollback() == versions[0]

    def test_the_history_is_bounded(self, store, versions, monkeypatch, place):
        monkeypatch.setattr(base, "HISTORY_LENGTH", 4)
        for _ in range(3):
            for version in versions:
                store.promote(version)
        assert place.history() == [versions[i] for i in (1, 2, 0, 1)]


class TestAliases:
    def test_an_alias_names_an_existing_version(self, store, publish):
        versions = [publish(seed) for seed in range(2)]
        store.point(LIVE, versions[0])
        store.point(CANDIDATE, versions[1])
        assert (store.alias(LIVE), store.alias(CANDIDATE)) == tuple(versions)
        assert store.published_at(versions[0]) == pytest.approx(time.time(), abs=2.5)
        store.point(LIVE, versions[1])
        with pytest.raises(StoreError, match=f"has no version {NOWHERE}: publish it first"):
            store.point(LIVE, NOWHERE)
        assert store.alias(LIVE) == versions[1]

    @pytest.mark.parametrize("name", ["newest", "", "../live", "versions"])
    def test_rejects_other_aliases(self, store, name):
        for use in (lambda: store.alias(name), lambda: store.point(name, NOWHERE)):
            with pytest.raises(StoreError, match="is not an alias: use live or candidate"):
                use()

    @pytest.mark.parametrize("content", [b"", b"../../etc", b"\xff\xfe", b"0647f3f72a4", b"x" * 1000])
    def test_a_damaged_alias_is_an_error(self, store, content, place):
        place.write(LIVE, content)
        with pytest.raises(StoreError, match="live is damaged"):
            store.alias(LIVE)


class TestReading:
    def test_an_empty_store_is_no_error(self, store):
        assert (store.versions(), store.alias(LIVE)) == ([], None)
        with pytest.raises(StoreError, match="was live before any other"):
            store.rollback()

    @pytest.mark.parametrize("version", ["", "..", "../../secrets", "0647F3F72A49", "0647f3f72a49/", NOWHERE])
    def test_rejects_invalid_and_missing_versions(self, store, version):
        for use in (store.load, store.card, store.size, store.state):
            with pytest.raises(StoreError, match="cannot be read: No such file" if version == NOWHERE else "is not a version"):
                use(version)

    def test_rejects_a_version_in_another_s_folder(self, store, place, published):
        for name in ("weights.npz", "model.json"):
            place.write(f"versions/{NOWHERE}/{name}", place.read(f"versions/{published}/{name}"))
        with pytest.raises(StoreError, match=f"has another version, {published}"):
            store.load(NOWHERE)

    def test_reads_the_card_without_the_weights(self, store, published, place):
        place.write(f"versions/{published}/weights.npz", b"damage")
        assert store.card(published)["version"] == published
        place.write(f"versions/{published}/model.json", json.dumps({"format": "another"}).encode())
        with pytest.raises(StoreError, match="is not the card of a digitnet model"):
            store.card(published)


def test_readers_never_see_a_partial_model(store, model_folder):
    folders, done, seen = [model_folder(seed) for seed in range(2)], threading.Event(), set()
    store.point(LIVE, store.publish(folders[0])["version"])

    def publish():
        while not done.is_set():
            for folder in folders:
                store.point(LIVE, store.publish(folder)["version"])

    with ThreadPoolExecutor(1) as pool:
        publishing, deadline = pool.submit(publish), time.monotonic() + 60
        try:
            while len(seen) < 2 and time.monotonic() < deadline:
                seen |= {store.load(store.alias(LIVE))[1]["version"] for _ in range(50)}
        finally:
            done.set()
        publishing.result()
    assert len(seen) == 2


class TestFolder:
    """Atomic files and folder URLs."""

    @pytest.fixture
    def place(self, folder_place):
        return folder_place

    def test_error_names_a_store_that_cannot_be_written(self, model_folder, tmp_path):
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(StoreError, match=f"the model store {tmp_path}/file/models cannot be written"):
            FolderModels(tmp_path / "file" / "models").publish(model_folder())

    def test_versions_and_aliases_appear_atomically(self, store, model_folder, monkeypatch):
        """Nothing is visible before the final rename."""

        def fail(*_):
            raise OSError("power cut")

        monkeypatch.setattr(folder_models.os, "rename", fail)
        with pytest.raises(StoreError, match="cannot be written: power cut"):
            store.publish(model_folder())
        assert store.versions() == list((store.folder / "versions").iterdir()) == []
        monkeypatch.undo()
        version = store.publish(model_folder())["version"]
        monkeypatch.setattr(os, "replace", fail)
        with pytest.raises(StoreError, match="cannot be written: power cut"):
            store.point(LIVE, version)
        assert store.alias(LIVE) is None

    @pytest.mark.parametrize(
        "make",
        [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda path: path.write_bytes(bytes(2**17))],
        ids=["a pipe", "a link to /dev/zero", "128 KiB"],
    )
    def test_rejects_an_alias_that_is_no_small_file(self, store, published, make):
        for alias in ALIASES:
            make(store.folder / alias)
            with within(), pytest.raises(StoreError, match=f"^{store.folder}/{alias} cannot be read: it "):
                store.alias(alias)
        assert store.versions() == [published]

    def test_accepts_paths_and_file_urls(self, published, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for url in (f"{tmp_path}/models", f"file://{tmp_path}/models", f"file://localhost{tmp_path}/models", "models"):
            assert open_models(url).versions() == [published]
        assert str(open_models("file:///my%20models")) == "/my models"

    @pytest.mark.parametrize("url", ["", "file://other-host/models", "file:", "redis://redis:6379", "S4://bucket/models"])
    def test_rejects_other_urls(self, url):
        with pytest.raises(StoreError, match="is not a model store"):
            open_models(url)
