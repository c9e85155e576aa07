"""The model store in an object store: who comes second undoes nothing, who is killed does no harm, a file is fetched once."""

import os
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import pytest
from digitnet import checkpoint
from stores import models as stores_models
from stores import models_cache, s3_bucket
from stores.models import CANDIDATE, LIVE, OvertakenError, StoreError, open_models


class KilledError(BaseException):
    """As if by SIGKILL: nobody catches it."""


@pytest.fixture
def place(s3_place):
    return s3_place


@pytest.fixture
def store(place):
    return place.models


@pytest.fixture
def other(place):
    """The same store, opened by somebody else."""
    return open_models(place.url)


@pytest.fixture
def versions(store, save_model, tmp_path):
    """Four that are published, none of them live."""

    def publish(seed):
        save_model(tmp_path / f"model-{seed}", seed, snapshots=True)
        return store.publish(tmp_path / f"model-{seed}")["version"]

    return [publish(seed) for seed in range(4)]


@pytest.fixture
def live(store, versions):
    """The first three, live one after the other."""
    for version in versions[:3]:
        store.promote(version)
    return versions[:3]


def requests_of(store):
    """A list that each request of this store is added to, as it is sent: its method and key."""
    sent = []
    watch(store, lambda method, key: sent.append((method, key)))
    return sent


def watch(store, look):
    """Have look(method, key) called before each request."""

    def before_send(request, **_):
        look(request.method, urlsplit(request.url).path.partition("/models/")[2])

    for patience in (s3_bucket.READING, s3_bucket.WRITING):
        store._bucket._connected(patience).meta.events.register("before-send.s3", before_send)


def just_before(store, method, key, act):
    """Somebody else acts between what this store has read and what it writes; once."""
    waiting = [act]

    def look(*request):
        if request == (method, key) and waiting:
            waiting.pop()()

    watch(store, look)


class TestAtTheSameMoment:
    def test_who_is_overtaken_promotes_after_the_other_and_the_history_has_both(self, store, other, live, versions):
        just_before(store, "PUT", LIVE, lambda: other.promote(versions[3]))
        store.promote(versions[0])
        assert store.pointer(LIVE) == versions[0]
        assert (store.rollback(), store.rollback(), store.rollback()) == (versions[3], versions[2], versions[1])

    def test_a_line_of_the_history_is_not_lost_either(self, store, other, live, versions):
        just_before(store, "PUT", "history", lambda: other.promote(versions[3]))
        store.promote(versions[0])
        assert store.history() == [*live, versions[3]]

    def test_the_first_of_all_has_somebody_beside_it(self, store, other, versions):
        just_before(store, "PUT", LIVE, lambda: other.promote(versions[1]))
        store.promote(versions[0])
        assert (store.pointer(LIVE), store.history()) == (versions[0], [versions[1]])

    def test_a_rollback_takes_back_nothing_that_was_promoted_meanwhile(self, store, other, live, versions):
        just_before(store, "PUT", LIVE, lambda: other.promote(versions[3]))
        with pytest.raises(OvertakenError, match=f"{live[2]} was live in s3://.* somebody else has just moved that"):
            store.rollback()
        assert (store.pointer(LIVE), store.history()) == (versions[3], live)

    def test_two_who_roll_back_the_same_take_one_step(self, store, other, live):
        just_before(store, "PUT", LIVE, other.rollback)
        assert store.rollback() == live[1]
        assert (store.pointer(LIVE), store.history()) == (live[1], live[:1])

    def test_who_promotes_while_another_rolls_back_loses_no_line(self, store, other, live, versions):
        """Between the rollback's two steps."""
        just_before(store, "PUT", "history", lambda: other.promote(versions[3]))
        assert store.rollback() == live[1]
        assert store.pointer(LIVE) == versions[3]
        assert (store.rollback(), store.rollback()) == (live[1], live[0])

    def test_a_pointer_that_went_away_and_came_back_is_not_taken_for_one_that_stayed(self, store, other, live, versions):
        def away_and_back():
            other.point(LIVE, versions[3])
            other.point(LIVE, live[2])

        just_before(store, "PUT", LIVE, away_and_back)
        with pytest.raises(OvertakenError):
            store.rollback()
        assert store.pointer(LIVE) == live[2]

    @pytest.mark.parametrize("act", ["point", "clear"])
    def test_a_candidate_that_another_put_up_stays(self, store, other, live, versions, act):
        store.point(CANDIDATE, versions[0])
        method = {"point": "PUT", "clear": "DELETE"}[act]
        just_before(store, method, CANDIDATE, lambda: other.point(CANDIDATE, versions[1]))
        with pytest.raises(OvertakenError, match="models/candidate was changed by somebody else at the same moment"):
            store.point(CANDIDATE, versions[2]) if act == "point" else store.clear(CANDIDATE)
        assert store.pointer(CANDIDATE) == versions[1]

    def test_who_wants_what_another_has_just_done_has_it(self, store, other, live, versions):
        just_before(store, "PUT", CANDIDATE, lambda: other.point(CANDIDATE, versions[0]))
        store.point(CANDIDATE, versions[0])
        just_before(store, "DELETE", CANDIDATE, lambda: other.clear(CANDIDATE))
        store.clear(CANDIDATE)
        assert store.pointer(CANDIDATE) is None

    def test_a_candidate_put_up_while_another_version_is_promoted_stays(self, store, other, live, versions):
        store.point(CANDIDATE, versions[3])
        just_before(store, "DELETE", CANDIDATE, lambda: other.point(CANDIDATE, versions[0]))
        store.promote(versions[3])
        assert (store.pointer(LIVE), store.pointer(CANDIDATE)) == (versions[3], versions[0])

    def test_who_is_overtaken_for_ever_gives_up_and_says_so(self, store, other, live, versions, monkeypatch):
        monkeypatch.setattr(stores_models, "PAUSE_SECONDS", 0.0)

        def overtake(method, key):
            if (method, key) == ("PUT", LIVE):
                other.point(LIVE, live[other.pointer(LIVE) == live[0]])

        watch(store, overtake)
        with pytest.raises(OvertakenError, match=f"{versions[3]} is not live: others keep moving .* then try again"):
            store.promote(versions[3])

    def test_the_card_and_snapshots_of_a_version_come_from_the_same_publisher(self, store, other, save_model, tmp_path):
        for folder, snapshots in (("with", True), ("without", False)):
            save_model(tmp_path / folder, 7, snapshots=snapshots)
        card = f"versions/{checkpoint.load_card(tmp_path / 'with')['version']}/model.json"
        just_before(store, "PUT", card, lambda: other.publish(tmp_path / "without"))
        version = store.publish(tmp_path / "with")["version"]
        assert len(store.snapshots(version)) == 3

    def test_many_at_once_lose_no_promotion(self, place, versions):
        """Each of four promotes its own version, again and again: whatever was live is in the history, or is still."""
        promoted, failed = [], []

        def promote(version):
            mine = open_models(place.url)
            for _ in range(4):
                try:
                    mine.promote(version)
                    promoted.append(version)
                except OvertakenError as error:
                    failed.append(str(error))

        threads = [threading.Thread(target=promote, args=(version,)) for version in versions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        history, last = place.models.history(), place.models.pointer(LIVE)
        assert set(promoted) == set(versions) == {*history, last}
        assert len(failed) < len(promoted)
        # Every line was live when it was written, and no two that follow each other are the same: nobody repeats a line.
        assert all(one != next_ for one, next_ in zip(history, [*history[1:], last]))

    def test_several_processes_publish_and_promote(self, place, save_model, tmp_path):
        program = """
import sys
from pathlib import Path
from stores.models import open_models
store = open_models(sys.argv[1])
print(*[store.promote(store.publish(Path(folder))["version"]) or "live" for folder in sys.argv[2:]])
"""
        folders = [tmp_path / f"model-{seed}" for seed in range(4)]
        cards = [save_model(folder, seed) for seed, folder in enumerate(folders)]
        processes = [
            subprocess.Popen([sys.executable, "-c", program, place.url, *some], stdout=subprocess.PIPE, text=True)
            for some in (folders[:2], folders[2:])
        ]
        assert [process.communicate(timeout=60)[0] for process in processes] == ["live live\n"] * 2
        store = place.models
        assert set(store.versions()) == {*store.history(), store.pointer(LIVE)} == {card["version"] for card in cards}


def killed_before_each_request(place, act):
    """act(store), killed before its first request, its second, …; yields after each. The last one went through."""
    for number in range(100):
        store, left = open_models(place.url), [number]

        def look(*_, left=left):
            if left[0] == 0:
                raise KilledError
            left[0] -= 1

        watch(store, look)
        try:
            act(store)
        except KilledError:
            yield False
        else:
            yield True
            return


class TestKilled:
    def test_before_any_request_of_publish(self, place, save_model, tmp_path):
        version = save_model(tmp_path / "model", 1, snapshots=True)["version"]
        for is_done in killed_before_each_request(place, lambda store: store.publish(tmp_path / "model")):
            assert place.models.versions() == [version] * is_done
        assert len(place.models.snapshots(version)) == 3
        for _ in killed_before_each_request(place, lambda store: store.publish(tmp_path / "model")):
            assert len(place.models.snapshots(version)) == 3

    def test_before_any_request_of_promote(self, place, store, live, versions):
        store.point(CANDIDATE, versions[3])
        for _ in killed_before_each_request(place, lambda store: store.promote(versions[3])):
            assert store.pointer(LIVE) in (live[2], versions[3])
            assert set(store.history()) - {store.pointer(LIVE)} >= set(live) - {store.pointer(LIVE)}
        assert (store.pointer(LIVE), store.pointer(CANDIDATE), store.history()) == (versions[3], None, live)

    def test_before_any_request_of_rollback(self, place, store, live):
        """Whether it was done the next one sees from what is live, and goes on from there: never is a version passed over."""
        for is_done in killed_before_each_request(
            place, lambda store: store.rollback() if store.pointer(LIVE) == live[2] else None
        ):
            assert store.pointer(LIVE) == live[1] or not is_done
        assert store.rollback() == live[0]


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
