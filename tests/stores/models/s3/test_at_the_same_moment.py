"""Concurrent writers of an S3 model store do not undo each other's changes."""

import pytest
from digitnet import checkpoint
from model_stores import requests_of, watch
from stores.models import CANDIDATE, LIVE, OvertakenError
from stores.models import base as stores_models


def just_before(store, method, key, act):
    """Call `act` once, before this store's next request (method, key)."""
    waiting = [act]

    def look(*request):
        if request == (method, key) and waiting:
            waiting.pop()()

    watch(store, look)


class TestOvertaken:
    def test_by_another_promotion_keeps_both_in_the_history(self, store, other, live, versions):
        just_before(store, "PUT", LIVE, lambda: other.promote(versions[3]))
        store.promote(versions[0])
        assert store.alias(LIVE) == versions[0]
        assert (store.rollback(), store.rollback(), store.rollback()) == (versions[3], versions[2], versions[1])

    def test_before_the_history_write_loses_no_line(self, store, other, live, versions, place):
        just_before(store, "PUT", "history", lambda: other.promote(versions[3]))
        store.promote(versions[0])
        assert place.history() == [*live, versions[3]]

    def test_at_the_first_promotion(self, store, other, versions, place):
        just_before(store, "PUT", LIVE, lambda: other.promote(versions[1]))
        store.promote(versions[0])
        assert (store.alias(LIVE), place.history()) == (versions[0], [versions[1]])

    def test_a_rollback_does_not_undo_a_concurrent_promotion(self, store, other, live, versions, place):
        just_before(store, "PUT", LIVE, lambda: other.promote(versions[3]))
        with pytest.raises(OvertakenError, match=r"another process changed .*live at the same time: check"):
            store.rollback()
        assert (store.alias(LIVE), place.history()) == (versions[3], live)

    def test_two_concurrent_rollbacks_take_one_step(self, store, other, live, place):
        just_before(store, "PUT", LIVE, other.rollback)
        assert store.rollback() == live[1]
        assert (store.alias(LIVE), place.history()) == (live[1], live[:1])

    def test_within_a_rollback_loses_no_line(self, store, other, live, versions):
        just_before(store, "PUT", "history", lambda: other.promote(versions[3]))
        assert store.rollback() == live[1]
        assert store.alias(LIVE) == versions[3]
        assert (store.rollback(), store.rollback()) == (live[1], live[0])

    def test_detects_an_alias_that_moved_and_returned(self, store, other, live, versions):
        just_before(store, "PUT", LIVE, lambda: [other.point(LIVE, version) for version in (versions[3], live[2])])
        with pytest.raises(OvertakenError):
            store.rollback()
        assert store.alias(LIVE) == live[2]

    def test_keeps_another_client_s_candidate(self, store, other, live, versions):
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

    def test_the_same_concurrent_change_is_no_error(self, store, other, live, versions):
        just_before(store, "PUT", CANDIDATE, lambda: other.point(CANDIDATE, versions[0]))
        store.point(CANDIDATE, versions[0])
        just_before(store, "DELETE", CANDIDATE, lambda: other.clear(CANDIDATE))
        store.clear(CANDIDATE)
        assert store.alias(CANDIDATE) is None

    def test_permanently_raises_an_error(self, store, other, live, versions, monkeypatch):
        monkeypatch.setattr(stores_models, "PAUSE_SECONDS", 0.0)

        def overtake(method, key):
            if (method, key) == ("PUT", LIVE):
                other.point(LIVE, live[other.alias(LIVE) == live[0]])

        watch(store, overtake)
        with pytest.raises(OvertakenError, match=f"{versions[3]} is not live: other processes keep changing .* then try again"):
            store.promote(versions[3])

    def test_card_and_snapshots_come_from_the_same_publisher(self, store, other, model_folder):
        card = f"versions/{checkpoint.load_card(model_folder(7))['version']}/model.json"
        just_before(store, "PUT", card, lambda: other.publish(model_folder(7)))
        version = store.publish(model_folder(7, snapshots=True))["version"]
        assert len(store.snapshots(version)) == 3


def test_the_write_order_survives_a_kill_at_any_point(store, live, model_folder):
    """The card is written last, and the history before the alias."""
    sent = requests_of(store)
    version = store.publish(model_folder(9, snapshots=True))["version"]
    store.point(CANDIDATE, version)
    store.promote(version)
    store.rollback()
    writes = [(method, key.removeprefix(f"versions/{version}/")) for method, key in sent if method in ("PUT", "DELETE")]
    assert sorted(writes[:2]) == [("PUT", "snapshots.npz"), ("PUT", "weights.npz")]
    assert writes[2:4] == [("PUT", "model.json"), ("PUT", CANDIDATE)]
    assert writes[4:] == [("PUT", "history"), ("PUT", LIVE), ("DELETE", CANDIDATE), ("PUT", LIVE), ("PUT", "history")]
