"""The model store, of either kind: what is published is whole, what a pointer names is there, nobody sees half of anything."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
from digitnet import checkpoint
from stores import models
from stores.models import CANDIDATE, LIVE, StoreError

PICTURE = np.random.default_rng(0).random((1, 28, 28), np.float32)


@pytest.fixture
def store(place):
    return place.models


@pytest.fixture
def make_model(save_model, tmp_path):
    """make_model(seed, about, snapshots): a model in a folder of its own, as the trainer leaves it. Returns folder and card."""

    def make(seed=0, about=None, snapshots=False):
        folder = tmp_path / f"model-{seed}"
        return folder, save_model(folder, seed, about, snapshots=snapshots)

    return make


@pytest.fixture
def published(store, make_model):
    """The version of a model in the store."""
    return store.publish(make_model()[0])["version"]


class TestPublish:
    def test_what_was_published_can_be_loaded(self, store, make_model):
        folder, card = make_model()
        assert store.publish(folder) == card
        network, loaded = store.load(card["version"])
        assert loaded == card
        np.testing.assert_array_equal(network.predict(PICTURE), checkpoint.load(folder)[0].predict(PICTURE))

    def test_no_pointer_moves(self, store, published):
        assert (store.pointer(LIVE), store.pointer(CANDIDATE)) == (None, None)

    def test_twice_is_as_good_as_once(self, store, make_model):
        folder, card = make_model()
        assert store.publish(folder) == store.publish(folder)
        assert store.versions() == [card["version"]]

    def test_the_same_network_measured_anew_has_a_new_card(self, store, make_model):
        first = store.publish(make_model(about={"test": {"accuracy": 0.1}})[0])
        second = store.publish(make_model(about={"test": {"accuracy": 0.2}})[0])
        assert first["version"] == second["version"]
        assert store.card(first["version"])["test"] == {"accuracy": 0.2}

    def test_a_damaged_version_is_mended(self, store, make_model, published, place):
        place.write(f"versions/{published}/weights.npz", b"damage")
        with pytest.raises(StoreError):
            store.load(published)
        store.publish(make_model()[0])
        store.load(published)

    def test_versions_are_listed_oldest_first(self, store, make_model, tick):
        cards = []
        for seed in (3, 1, 2):
            cards.append(store.publish(make_model(seed)[0]))
            tick()
        assert store.versions() == [card["version"] for card in cards]

    def test_a_damaged_model_is_refused_by_its_own_name_and_leaves_nothing(self, store, make_model, place):
        folder, _ = make_model()
        (folder / "weights.npz").write_bytes(b"damage")
        with pytest.raises(StoreError, match=f"^{folder}/weights.npz is damaged"):
            store.publish(folder)
        assert store.versions() == []
        assert place.names() == []

    def test_snapshots_come_along(self, store, make_model):
        folder, card = make_model(snapshots=True)
        store.publish(folder)
        loaded = store.snapshots(card["version"])
        assert loaded.step.tolist() == [0, 10, 20]
        assert store.size(card["version"]) == sum(file.stat().st_size for file in folder.iterdir())

    def test_a_version_may_have_none_and_get_them_later(self, store, make_model, published):
        assert store.snapshots(published) is None
        folder, card = make_model(snapshots=True)
        store.publish(folder)
        assert card["version"] == published
        assert len(store.snapshots(published)) == 3

    def test_damaged_snapshots_are_not_published(self, store, make_model):
        folder, _ = make_model(snapshots=True)
        (folder / "snapshots.npz").write_bytes(b"damage")
        with pytest.raises(StoreError, match=f"^{folder}/snapshots.npz is damaged"):
            store.publish(folder)
        assert store.versions() == []

    def test_snapshots_damaged_in_the_store_leave_the_model_in_service(self, store, make_model, place):
        folder, card = make_model(snapshots=True)
        store.publish(folder)
        place.write(f"versions/{card['version']}/snapshots.npz", b"damage")
        store.load(card["version"])
        with pytest.raises(StoreError, match=f"^{store}/versions/{card['version']}/snapshots.npz is damaged"):
            store.snapshots(card["version"])

    def test_a_missing_model_is_named(self, store, tmp_path):
        with pytest.raises(StoreError, match=f"{tmp_path}/nowhere/model.json cannot be read: No such file"):
            store.publish(tmp_path / "nowhere")


class TestPromoteAndRollback:
    @pytest.fixture
    def versions(self, store, make_model):
        """Three, published and live one after the other."""
        versions = [store.publish(make_model(seed)[0])["version"] for seed in range(3)]
        for version in versions:
            store.promote(version)
        return versions

    def test_what_was_live_comes_back_step_by_step(self, store, versions):
        first, second, third = versions
        assert store.pointer(LIVE) == third
        assert store.history() == [first, second]
        assert (store.rollback(), store.pointer(LIVE)) == (second, second)
        assert (store.rollback(), store.pointer(LIVE)) == (first, first)
        with pytest.raises(StoreError, match=f"no sound version that was live before {first}"):
            store.rollback()
        assert store.pointer(LIVE) == first

    def test_to_promote_what_is_live_changes_nothing(self, store, versions):
        store.promote(versions[-1])
        assert store.history() == versions[:2]

    def test_a_version_that_was_rolled_back_can_be_promoted_again(self, store, versions):
        store.rollback()
        store.promote(versions[2])
        assert store.rollback() == versions[1]

    def test_who_is_live_is_no_candidate_any_more(self, store, versions):
        store.point(CANDIDATE, versions[0])
        store.promote(versions[1])
        assert store.pointer(CANDIDATE) == versions[0]
        store.promote(versions[0])
        assert store.pointer(CANDIDATE) is None
        store.clear(CANDIDATE)  # once more is no error

    def test_a_damaged_version_is_not_promoted(self, store, versions, make_model, place):
        damaged = store.publish(make_model(seed=7)[0])["version"]
        place.write(f"versions/{damaged}/weights.npz", b"damage")
        with pytest.raises(StoreError, match="is damaged"):
            store.promote(damaged)
        with pytest.raises(StoreError, match="000000000000"):
            store.promote("000000000000")
        assert store.pointer(LIVE) == versions[2]
        assert store.history() == versions[:2]

    def test_rollback_passes_over_what_is_damaged_or_gone(self, store, versions, place):
        place.write(f"versions/{versions[1]}/weights.npz", b"damage")
        assert store.rollback() == versions[0]

    def test_a_publisher_that_was_killed_between_the_two_steps_does_no_harm(self, store, versions, place):
        """The history has what is live in it already; the pointer has not moved."""
        place.write("history", "".join(f"{version}\n" for version in versions).encode())
        assert store.rollback() == versions[1]

    def test_a_damaged_live_pointer_or_history_can_be_mended_by_promoting(self, store, versions, place):
        place.write(LIVE, b"\xff")
        place.write("history", b"\xff../../etc\n" + versions[0].encode())
        store.promote(versions[2])
        assert store.pointer(LIVE) == versions[2]
        assert store.rollback() == versions[0]

    def test_the_history_is_bounded(self, store, versions, monkeypatch):
        monkeypatch.setattr(models, "HISTORY_LENGTH", 4)
        for _ in range(3):
            for version in versions:
                store.promote(version)
        assert store.history() == [versions[i] for i in (1, 2, 0, 1)]

    def test_nothing_to_roll_back_in_an_empty_store(self, store):
        with pytest.raises(StoreError, match="was live before any other"):
            store.rollback()


class TestPointers:
    def test_a_pointer_names_what_it_was_pointed_at(self, store, make_model):
        versions = [store.publish(make_model(seed)[0])["version"] for seed in range(2)]
        store.point(LIVE, versions[0])
        store.point(CANDIDATE, versions[1])
        assert (store.pointer(LIVE), store.pointer(CANDIDATE)) == tuple(versions)
        store.point(LIVE, versions[1])
        assert store.pointer(LIVE) == versions[1]

    def test_a_version_that_is_not_there_cannot_be_pointed_at(self, store, published):
        store.point(LIVE, published)
        with pytest.raises(StoreError, match="has no version 000000000000: publish it first"):
            store.point(LIVE, "000000000000")
        assert store.pointer(LIVE) == published

    @pytest.mark.parametrize("name", ["newest", "", "../live", "versions"])
    def test_there_are_two_pointers_and_no_other(self, store, published, name):
        for use in (lambda: store.pointer(name), lambda: store.point(name, published)):
            with pytest.raises(StoreError, match="is no pointer: there are live and candidate"):
                use()

    @pytest.mark.parametrize("content", [b"", b"../../etc", b"\xff\xfe", b"0647f3f72a4", b"x" * 1000])
    def test_a_damaged_pointer_is_an_error_not_a_path(self, store, published, content, place):
        place.write(LIVE, content)
        with pytest.raises(StoreError, match="live names no version"):
            store.pointer(LIVE)


class TestReading:
    def test_an_empty_store_is_no_error(self, store):
        assert (store.versions(), store.pointer(LIVE)) == ([], None)

    @pytest.mark.parametrize("version", ["", "..", "../../secrets", "0647F3F72A49", "0647f3f72a49/"])
    def test_a_name_that_is_no_version_reads_no_file(self, store, version):
        for use in (store.load, store.card, store.size, store.state):
            with pytest.raises(StoreError, match="is no version"):
                use(version)

    def test_a_version_in_another_one_s_place_is_refused(self, store, place, published):
        for name in ("weights.npz", "model.json"):
            place.write(f"versions/000000000000/{name}", place.read(f"versions/{published}/{name}"))
        with pytest.raises(StoreError, match=f"holds another version, {published}"):
            store.load("000000000000")

    def test_a_missing_version_is_an_error(self, store):
        for use in (store.load, store.card, store.size, store.state):
            with pytest.raises(StoreError, match="cannot be read: No such file"):
                use("000000000000")

    def test_the_size_is_that_of_both_files(self, store, published, make_model):
        assert store.size(published) == sum(file.stat().st_size for file in make_model()[0].iterdir())

    def test_the_state_changes_with_the_files_and_only_then(self, store, published, make_model):
        before = store.state(published)
        assert store.state(published) == before
        store.publish(make_model()[0])
        assert store.state(published) != before


PUBLISH_FOR_EVER = """
import sys
from pathlib import Path
from stores.models import LIVE, open_models
store, folders = open_models(sys.argv[1]), [Path(folder) for folder in sys.argv[2:]]
print("publishing", flush=True)
while True:
    for folder in folders:
        store.point(LIVE, store.publish(folder)["version"])
"""


def test_a_publisher_killed_at_any_moment_leaves_a_store_that_can_be_read(store, make_model, place):
    folders = [make_model(seed)[0] for seed in range(2)]
    for round_ in range(8):
        publisher = subprocess.Popen(
            [sys.executable, "-c", PUBLISH_FOR_EVER, place.url, *folders], stdout=subprocess.PIPE, text=True
        )
        assert publisher.stdout.readline() == "publishing\n"
        time.sleep({"folder": 0.011, "s3": 0.12}[place.kind] * round_)
        publisher.kill()
        publisher.communicate()
        if store.pointer(LIVE) is not None:
            store.load(store.pointer(LIVE))
        for version in store.versions():
            store.load(version)
    assert store.versions()


def test_readers_never_see_half_a_model(store, make_model, place):
    folders = [make_model(seed)[0] for seed in range(2)]
    store.point(LIVE, store.publish(folders[0])["version"])
    publisher = subprocess.Popen([sys.executable, "-c", PUBLISH_FOR_EVER, place.url, *folders], stdout=subprocess.PIPE)
    try:
        publisher.stdout.readline()
        seen = set()
        deadline = time.monotonic() + 10
        while len(seen) < 2 and time.monotonic() < deadline:
            for _ in range(50):
                seen.add(store.load(store.pointer(LIVE))[1]["version"])
    finally:
        publisher.kill()
        publisher.communicate()
    assert len(seen) == 2


def test_the_card_is_read_as_json_and_the_weights_stay_unread(store, published, place):
    place.write(f"versions/{published}/weights.npz", b"damage")
    assert store.card(published)["version"] == published
    place.write(f"versions/{published}/model.json", json.dumps({"format": "another"}).encode())
    with pytest.raises(StoreError, match="is not the card of a digitnet model"):
        store.card(published)
