"""A Redis of somebody else's, which does not let us ask for its settings: its operator says that it keeps what it takes."""

import pytest
from journal_records import make_feedback, make_prediction
from stores.journal import Durability, JournalError

USER = ["on", ">hush", "~doodle:*", "+@all", "-@dangerous", "-@admin"]  # as those who run a Redis for others leave to them
FIGURES = ["used_memory", "maxmemory", "aof_current_size", "connected_slaves"]


@pytest.fixture
def managed(own_redis, open_at):
    """managed("?durable=managed", "+info"): a log in such a Redis, of a user with these rights besides."""

    def managed(promises, *rights, **settings):
        own_redis.start(**settings)
        own_redis.client.execute_command("ACL", "SETUSER", "doodle", *USER, *rights)
        return open_at(f"redis://doodle:hush@127.0.0.1:{own_redis.port}/0{promises}")

    return managed


def test_takes_no_feedback_where_nobody_vouches_for_it(managed, own_redis):
    journal = managed("", "+info")
    with pytest.raises(JournalError, match=r"\+config\|get\), or vouch for it in the URL \(\?durable=managed\)"):
        journal.add_feedback(make_feedback())
    assert journal.durability().is_durable is False
    journal.add_predictions([make_prediction()])
    own_redis.client.execute_command("ACL", "SETUSER", "doodle", "+config|get")
    journal.add_feedback(make_feedback())
    assert (journal.summary().predictions_total, journal.summary().feedback_total) == (1, 1)


def test_takes_feedback_that_is_vouched_for_and_does_not_ask(managed, own_redis):
    journal, prediction, feedback = managed("?durable=managed", "+info", maxmemory=2**26), make_prediction(), make_feedback()
    journal.add_predictions([prediction])
    journal.add_feedback(feedback)
    assert (journal.recent_predictions(2), journal.feedback(2)) == ([prediction], [feedback])
    assert "cmdstat_config|get" not in own_redis.client.info("commandstats")
    said = journal.durability()
    assert said.is_durable is None  # a promise is no measurement
    assert said.memory_bytes > 0
    assert said.memory_limit_bytes == 2**26


def test_a_server_that_says_nothing_of_itself_is_no_failure(managed):
    journal = managed("?durable=managed")
    journal.add_feedback(make_feedback())
    assert journal.durability() == Durability(None, None, None, None, None)


@pytest.mark.parametrize("promises", ["?durable=managed", "?durable=managed&replicas=1"])
def test_figures_that_the_server_leaves_out_are_not_known(managed, monkeypatch, promises):
    journal = managed(promises, "+info")
    whole = journal._client.info("persistence", "memory", "replication")
    for left_out in (*([name] for name in FIGURES), list(whole)):
        told = {name: value for name, value in whole.items() if name not in left_out}
        monkeypatch.setattr(journal._client, "info", lambda *_, told=told: told)
        said = journal.durability()
        assert (said.memory_bytes, said.size_bytes) == (told.get("used_memory"), told.get("aof_current_size"))
        assert (said.delayed_syncs, said.memory_limit_bytes) == (told.get("aof_delayed_fsync"), None)
        assert said.is_durable is (False if "replicas" in promises and "connected_slaves" in told else None)
    monkeypatch.setattr(journal._client, "info", lambda *_: {"aof_last_write_status": "err"})
    assert journal.durability().is_durable is False  # a failed write is seen whatever is promised
