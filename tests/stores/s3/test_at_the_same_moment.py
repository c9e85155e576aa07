"""The model store in an object store: who comes second undoes nothing, and who is killed does no harm."""

import subprocess
import sys
import threading

import pytest
from digitnet import checkpoint
from model_stores import requests_of, watch
from stores import models as stores_models
from stores.models import CANDIDATE, LIVE, OvertakenError, open_models


class KilledError(BaseException):
    """As if by SIGKILL: nobody catches it."""


def just_before(store, method, key, act):
    """Somebody else acts between what this store has read and what it writes; once."""
    waiting = [act]

    def look(*request):
        if request == (method, key) and waiting:
            waiting.pop()()

    watch(store, look)


class TestOvertaken:
    def test_by_another_promotion_promotes_after_it_and_the_history_has_both(self, store, other, live, versions):
        just_before(store, "PUT", LIVE, lambda: other.promote(versions[3]))
        store.promote(versions[0])
        assert store.pointer(LIVE) == versions[0]
        assert (store.rollback(), store.rollback(), store.rollback()) == (versions[3], versions[2], versions[1])

    def test_before_the_history_is_written_loses_no_line_either(self, store, other, live, versions):
        just_before(store, "PUT", "history", lambda: other.promote(versions[3]))
        store.promote(versions[0])
        assert store.history() == [*live, versions[3]]

    def test_at_the_first_promotion_of_all(self, store, other, versions):
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

    def test_between_a_rollback_s_two_steps_loses_no_line(self, store, other, live, versions):
        just_before(store, "PUT", "history", lambda: other.promote(versions[3]))
        assert store.rollback() == live[1]
        assert store.pointer(LIVE) == versions[3]
        assert (store.rollback(), store.rollback()) == (live[1], live[0])

    def test_a_pointer_that_went_away_and_came_back_is_not_taken_for_one_that_stayed(self, store, other, live, versions):
        just_before(store, "PUT", LIVE, lambda: [other.point(LIVE, version) for version in (versions[3], live[2])])
        with pytest.raises(OvertakenError):
            store.rollback()
        assert store.pointer(LIVE) == live[2]

    def test_a_candidate_that_another_put_up_stays(self, store, other, live, versions):
        changed = "models/candidate was changed by somebody else at the same moment"
        store.point(CANDIDATE, versions[0])
        just_before(store, "PUT", CANDIDATE, lambda: other.point(CANDIDATE, versions[1]))
        with pytest.raises(OvertakenError, match=changed):
            store.point(CANDIDATE, versions[2])
        assert store.pointer(CANDIDATE) == versions[1]
        just_before(store, "DELETE", CANDIDATE, lambda: other.point(CANDIDATE, versions[3]))
        with pytest.raises(OvertakenError, match=changed):
            store.clear(CANDIDATE)
        just_before(store, "DELETE", CANDIDATE, lambda: other.point(CANDIDATE, versions[0]))
        store.promote(versions[3])
        assert (store.pointer(LIVE), store.pointer(CANDIDATE)) == (versions[3], versions[0])

    def test_who_wants_what_another_has_just_done_has_it(self, store, other, live, versions):
        just_before(store, "PUT", CANDIDATE, lambda: other.point(CANDIDATE, versions[0]))
        store.point(CANDIDATE, versions[0])
        just_before(store, "DELETE", CANDIDATE, lambda: other.clear(CANDIDATE))
        store.clear(CANDIDATE)
        assert store.pointer(CANDIDATE) is None

    def test_for_ever_gives_up_and_says_so(self, store, other, live, versions, monkeypatch):
        monkeypatch.setattr(stores_models, "PAUSE_SECONDS", 0.0)

        def overtake(method, key):
            if (method, key) == ("PUT", LIVE):
                other.point(LIVE, live[other.pointer(LIVE) == live[0]])

        watch(store, overtake)
        with pytest.raises(OvertakenError, match=f"{versions[3]} is not live: others keep moving .* then try again"):
            store.promote(versions[3])

    def test_the_card_and_snapshots_of_a_version_come_from_the_same_publisher(self, store, other, model_folder):
        card = f"versions/{checkpoint.load_card(model_folder(7))['version']}/model.json"
        just_before(store, "PUT", card, lambda: other.publish(model_folder(7)))
        version = store.publish(model_folder(7, snapshots=True))["version"]
        assert len(store.snapshots(version)) == 3


def test_the_card_and_the_pointer_are_put_last(store, live, model_folder):
    """Whoever is killed before has changed nothing that anybody sees."""
    sent = requests_of(store)
    version = store.publish(model_folder(9, snapshots=True))["version"]
    store.promote(version)
    puts = [key.removeprefix(f"versions/{version}/") for method, key in sent if method == "PUT"]
    assert sorted(puts[:2]) == ["snapshots.npz", "weights.npz"]
    assert puts[2:] == ["model.json", "history", LIVE]


@pytest.mark.slow
class TestAtOnce:
    def test_many_threads_lose_no_promotion(self, place, versions):
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

    def test_several_processes_publish_and_promote(self, place, model_folder):
        program = """
import sys
from pathlib import Path
from stores.models import open_models
store = open_models(sys.argv[1])
print(*[store.promote(store.publish(Path(folder))["version"]) or "live" for folder in sys.argv[2:]])
"""
        folders = [model_folder(seed) for seed in range(4)]
        processes = [
            subprocess.Popen([sys.executable, "-c", program, place.url, *some], stdout=subprocess.PIPE, text=True)
            for some in (folders[:2], folders[2:])
        ]
        assert [process.communicate(timeout=60)[0] for process in processes] == ["live live\n"] * 2
        store, versions = place.models, {checkpoint.load_card(folder)["version"] for folder in folders}
        assert set(store.versions()) == {*store.history(), store.pointer(LIVE)} == versions


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


@pytest.mark.slow
class TestKilled:
    def test_before_any_request_of_publish(self, place, model_folder):
        folder = model_folder(1, snapshots=True)
        version = checkpoint.load_card(folder)["version"]
        for is_done in killed_before_each_request(place, lambda store: store.publish(folder)):
            assert place.models.versions() == [version] * is_done
        for _ in killed_before_each_request(place, lambda store: store.publish(folder)):
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
