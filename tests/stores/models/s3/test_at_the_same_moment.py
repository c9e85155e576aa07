"""Two writers of an S3 model store at the same moment: the second undoes nothing."""

import pytest
from digitnet import checkpoint
from model_stores import requests_of, watch
from stores.models import CANDIDATE, LIVE, OvertakenError
from stores.models import base as stores_models


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
        assert store.alias(LIVE) == versions[0]
        assert (store.rollback(), store.rollback(), store.rollback()) == (versions[3], versions[2], versions[1])

    def test_before_the_history_is_written_loses_no_line_either(self, store, other, live, versions, place):
        just_before(store, "PUT", "history", lambda: other.promote(versions[3]))
        store.promote(versions[0])
        assert place.history() == [*live, versions[3]]

    def test_at_the_first_promotion_of_all(self, store, other, versions, place):
        just_before(store, "PUT", LIVE, lambda: other.promote(versions[1]))
        store.promote(versions[0])
        assert (store.alias(LIVE), place.history()) == (versions[0], [versions[1]])

    def test_a_rollback_takes_back_nothing_that_was_promoted_meanwhile(self, store, other, live, versions, place):
        just_before(store, "PUT", LIVE, lambda: other.promote(versions[3]))
        with pytest.raises(OvertakenError, match=r"another process changed .*live at the same time: check"):
            store.rollback()
        assert (store.alias(LIVE), place.history()) == (versions[3], live)

    def test_two_who_roll_back_the_same_take_one_step(self, store, other, live, place):
        just_before(store, "PUT", LIVE, other.rollback)
        assert store.rollback() == live[1]
        assert (store.alias(LIVE), place.history()) == (live[1], live[:1])

    def test_between_a_rollback_s_two_steps_loses_no_line(self, store, other, live, versions):
        just_before(store, "PUT", "history", lambda: other.promote(versions[3]))
        assert store.rollback() == live[1]
        assert store.alias(LIVE) == versions[3]
        assert (store.rollback(), store.rollback()) == (live[1], live[0])

    def test_an_alias_that_went_away_and_came_back_is_not_taken_for_one_that_stayed(self, store, other, live, versions):
        just_before(store, "PUT", LIVE, lambda: [other.point(LIVE, version) for version in (versions[3], live[2])])
        with pytest.raises(OvertakenError):
            store.rollback()
        assert store.alias(LIVE) == live[2]

    def test_a_candidate_that_another_put_up_stays(self, store, other, live, versions):
        changed = "models/candidate at the same time"
        store.point(CANDIDATE, versions[0])
        just_before(store, "PUT", CANDIDATE, lambda: other.point(CANDIDATE, versions[1]))
        with pytest.raises(OvertakenError, match=changed):
            store.point(CANDIDATE, versions[2])
        assert store.alias(CANDIDATE) == versions[1]
        just_before(store, "DELETE", CANDIDATE, lambda: other.point(CANDIDATE, versions[3]))
        with pytest.raises(OvertakenError, match=changed):
            store.clear(CANDIDATE)
        just_before(store, "DELETE", CANDIDATE, lambda: other.point(CANDIDATE, versions[0]))
        store.promote(versions[3])
        assert (store.alias(LIVE), store.alias(CANDIDATE)) == (versions[3], versions[0])

    def test_who_wants_what_another_has_just_done_has_it(self, store, other, live, versions):
        just_before(store, "PUT", CANDIDATE, lambda: other.point(CANDIDATE, versions[0]))
        store.point(CANDIDATE, versions[0])
        just_before(store, "DELETE", CANDIDATE, lambda: other.clear(CANDIDATE))
        store.clear(CANDIDATE)
        assert store.alias(CANDIDATE) is None

    def test_for_ever_gives_up_and_says_so(self, store, other, live, versions, monkeypatch):
        monkeypatch.setattr(stores_models, "PAUSE_SECONDS", 0.0)

        def overtake(method, key):
            if (method, key) == ("PUT", LIVE):
                other.point(LIVE, live[other.alias(LIVE) == live[0]])

        watch(store, overtake)
        with pytest.raises(OvertakenError, match=f"{versions[3]} is not live: other processes keep changing .* then try again"):
            store.promote(versions[3])

    def test_the_card_and_snapshots_of_a_version_come_from_the_same_publisher(self, store, other, model_folder):
        card = f"versions/{checkpoint.load_card(model_folder(7))['version']}/model.json"
        just_before(store, "PUT", card, lambda: other.publish(model_folder(7)))
        version = store.publish(model_folder(7, snapshots=True))["version"]
        assert len(store.snapshots(version)) == 3


def test_who_is_killed_before_any_write_leaves_a_store_that_is_whole(store, live, model_folder):
    """A version exists once its card does, the history repeats what is live at most, and the candidate goes last."""
    sent = requests_of(store)
    version = store.publish(model_folder(9, snapshots=True))["version"]
    store.point(CANDIDATE, version)
    store.promote(version)
    store.rollback()
    writes = [(method, key.removeprefix(f"versions/{version}/")) for method, key in sent if method in ("PUT", "DELETE")]
    assert sorted(writes[:2]) == [("PUT", "snapshots.npz"), ("PUT", "weights.npz")]
    assert writes[2:4] == [("PUT", "model.json"), ("PUT", CANDIDATE)]
    assert writes[4:] == [("PUT", "history"), ("PUT", LIVE), ("DELETE", CANDIDATE), ("PUT", LIVE), ("PUT", "history")]
