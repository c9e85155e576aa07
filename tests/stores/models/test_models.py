"""The model store, folder and S3: a version is published whole, an alias names one that is there, and readers see no half."""

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

PICTURE = np.random.default_rng(0).random((1, 28, 28), np.float32)
NOWHERE = "000000000000"


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.slow)])
def place(request):
    return request.getfixturevalue(f"{request.param}_place")


@pytest.fixture
def store(place):
    return place.models


@pytest.fixture
def publish(store, model_folder):
    """publish(seed, snapshots=True): a model's version in the store, once it is there."""
    return lambda *about, **more: store.publish(model_folder(*about, **more))["version"]


@pytest.fixture
def published(publish):
    return publish()


class TestPublish:
    def test_what_was_published_can_be_loaded_and_no_alias_moves(self, store, model_folder):
        folder = model_folder()
        card = checkpoint.load_card(folder)
        assert store.publish(folder) == store.publish(folder) == card
        assert store.versions() == [card["version"]]
        network, loaded = store.load(card["version"])
        assert loaded == card
        np.testing.assert_array_equal(network.predict(PICTURE), checkpoint.load(folder)[0].predict(PICTURE))
        assert store.size(card["version"]) == sum(file.stat().st_size for file in folder.iterdir())
        assert (store.alias(LIVE), store.alias(CANDIDATE)) == (None, None)

    def test_a_version_published_anew_has_its_new_card_is_mended_and_has_another_state(
        self, store, published, save_model, place, tmp_path
    ):
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
    def test_a_damaged_model_is_refused_by_its_own_name_and_leaves_nothing(self, store, model_folder, place, tmp_path, name):
        folder = shutil.copytree(model_folder(snapshots=True), tmp_path / "model")
        (folder / name).write_bytes(b"damage")
        with pytest.raises(StoreError, match=f"^{folder}/{name} is damaged"):
            store.publish(folder)
        with pytest.raises(StoreError, match=f"{tmp_path}/nowhere/model.json cannot be read: No such file"):
            store.publish(tmp_path / "nowhere")
        assert store.versions() == place.names() == []

    def test_a_version_may_have_no_snapshots_and_get_them_later(self, store, publish, published, model_folder):
        assert store.snapshots(published) is None
        assert publish(snapshots=True) == published
        assert store.snapshots(published).step.tolist() == [0, 10, 20]
        assert store.size(published) == sum(file.stat().st_size for file in model_folder(snapshots=True).iterdir())

    def test_snapshots_damaged_in_the_store_leave_the_model_in_service(self, store, publish, place):
        version = publish(snapshots=True)
        place.write(f"versions/{version}/snapshots.npz", b"damage")
        store.load(version)
        with pytest.raises(StoreError, match=f"^{store}/versions/{version}/snapshots.npz is damaged"):
            store.snapshots(version)


class TestPromoteAndRollback:
    @pytest.fixture
    def versions(self, store, publish):
        """Three, published and live one after the other."""
        versions = [publish(seed) for seed in range(3)]
        for version in versions:
            store.promote(version)
        return versions

    def test_what_was_live_comes_back_step_by_step(self, store, versions, place):
        first, second, third = versions
        store.promote(third)  # which is live already
        assert store.alias(LIVE) == third
        assert place.history() == [first, second]
        assert (store.rollback(), store.alias(LIVE)) == (second, second)
        store.promote(third)
        assert (store.rollback(), store.alias(LIVE)) == (second, second)
        assert (store.rollback(), store.alias(LIVE)) == (first, first)
        with pytest.raises(StoreError, match=f"no sound version that was live before {first}"):
            store.rollback()
        assert store.alias(LIVE) == first

    def test_who_is_live_is_no_candidate_any_more(self, store, versions):
        store.point(CANDIDATE, versions[0])
        store.promote(versions[1])
        assert store.alias(CANDIDATE) == versions[0]
        store.promote(versions[0])
        assert store.alias(CANDIDATE) is None
        store.clear(CANDIDATE)  # once more is no error

    def test_a_damaged_or_missing_version_is_not_promoted(self, store, versions, publish, place):
        damaged = publish(7)
        place.write(f"versions/{damaged}/weights.npz", b"damage")
        with pytest.raises(StoreError, match="is damaged"):
            store.promote(damaged)
        with pytest.raises(StoreError, match=NOWHERE):
            store.promote(NOWHERE)
        assert store.alias(LIVE) == versions[2]
        assert place.history() == versions[:2]

    def test_rollback_passes_over_what_is_damaged_or_gone(self, store, versions, place):
        place.write(f"versions/{versions[1]}/weights.npz", b"damage")
        assert store.rollback() == versions[0]

    def test_a_publisher_that_was_killed_between_the_two_steps_does_no_harm(self, store, versions, place):
        """The history has what is live in it already; the alias has not moved."""
        place.write("history", "".join(f"{version}\n" for version in versions).encode())
        assert store.rollback() == versions[1]

    def test_a_damaged_live_alias_or_history_can_be_mended_by_promoting(self, store, versions, place):
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
    def test_an_alias_names_a_version_that_is_there(self, store, publish):
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
    def test_there_are_two_aliases_and_no_other(self, store, name):
        for use in (lambda: store.alias(name), lambda: store.point(name, NOWHERE)):
            with pytest.raises(StoreError, match="is not an alias: use live or candidate"):
                use()

    @pytest.mark.parametrize("content", [b"", b"../../etc", b"\xff\xfe", b"0647f3f72a4", b"x" * 1000])
    def test_a_damaged_alias_is_an_error_not_a_path(self, store, content, place):
        place.write(LIVE, content)
        with pytest.raises(StoreError, match="live is damaged"):
            store.alias(LIVE)


class TestReading:
    def test_an_empty_store_is_no_error(self, store):
        assert (store.versions(), store.alias(LIVE)) == ([], None)
        with pytest.raises(StoreError, match="was live before any other"):
            store.rollback()

    @pytest.mark.parametrize("version", ["", "..", "../../secrets", "0647F3F72A49", "0647f3f72a49/", NOWHERE])
    def test_a_name_that_is_no_version_reads_no_file_and_a_missing_version_is_named(self, store, version):
        for use in (store.load, store.card, store.size, store.state):
            with pytest.raises(StoreError, match="cannot be read: No such file" if version == NOWHERE else "is not a version"):
                use(version)

    def test_a_version_in_another_one_s_place_is_refused(self, store, place, published):
        for name in ("weights.npz", "model.json"):
            place.write(f"versions/{NOWHERE}/{name}", place.read(f"versions/{published}/{name}"))
        with pytest.raises(StoreError, match=f"has another version, {published}"):
            store.load(NOWHERE)

    def test_the_card_is_read_as_json_and_the_weights_stay_unread(self, store, published, place):
        place.write(f"versions/{published}/weights.npz", b"damage")
        assert store.card(published)["version"] == published
        place.write(f"versions/{published}/model.json", json.dumps({"format": "another"}).encode())
        with pytest.raises(StoreError, match="is not the card of a digitnet model"):
            store.card(published)


def test_readers_never_see_half_a_model(store, model_folder):
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
    """What only files know, and how a URL names a folder."""

    @pytest.fixture
    def place(self, folder_place):
        return folder_place

    def test_a_store_that_cannot_be_written_is_named(self, model_folder, tmp_path):
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(StoreError, match=f"the model store {tmp_path}/file/models cannot be written"):
            FolderModels(tmp_path / "file" / "models").publish(model_folder())

    def test_a_version_and_an_alias_appear_all_at_once(self, store, model_folder, monkeypatch):
        """Nothing is to be seen before the last step, a rename."""

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
    def test_an_alias_that_is_no_small_file_is_refused_without_a_wait(self, store, published, make):
        for alias in ALIASES:
            make(store.folder / alias)
            with within(), pytest.raises(StoreError, match=f"^{store.folder}/{alias} cannot be read: it "):
                store.alias(alias)
        assert store.versions() == [published]

    def test_a_folder_can_be_named_in_several_ways(self, published, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for url in (f"{tmp_path}/models", f"file://{tmp_path}/models", f"file://localhost{tmp_path}/models", "models"):
            assert open_models(url).versions() == [published]
        assert str(open_models("file:///my%20models")) == "/my models"

    @pytest.mark.parametrize("url", ["", "file://other-host/models", "file:", "redis://redis:6379", "S4://bucket/models"])
    def test_what_names_no_store_is_refused(self, url):
        with pytest.raises(StoreError, match="is not a model store"):
            open_models(url)
