"""A Redis of somebody else's, which does not let us ask for its settings: its operator says that it keeps what it takes."""

import logging
import traceback

import pytest
from stores.journal import Durability, JournalError

USER = ["on", ">hush", "~doodle:*", "+@all", "-@dangerous", "-@admin"]  # as those who run a Redis for others leave to them


@pytest.fixture
def managed(own_redis):
    """managed("?durable=managed", "+info"): a Redis's URL, of a user who may not ask for settings, only what is allowed him."""

    def managed(promises, *may, **settings):
        own_redis.start(**settings)
        own_redis.client.execute_command("ACL", "SETUSER", "doodle", *USER, *may)
        return f"redis://doodle:hush@127.0.0.1:{own_redis.port}/0{promises}"

    return managed


def test_what_nobody_vouches_for_takes_no_feedback(managed, open_journal_at, make_feedback):
    journal = open_journal_at(managed("", "+info"))
    with pytest.raises(JournalError, match=r"\+config\|get\), or vouch for it in the URL \(\?durable=managed\)"):
        journal.add_feedback(make_feedback())
    assert journal.durability().is_durable is False


def test_what_is_vouched_for_takes_feedback_and_is_not_asked(managed, own_redis, open_journal_at, make_prediction, make_feedback):
    journal = open_journal_at(managed("?durable=managed", "+info"))
    prediction, feedback = make_prediction(), make_feedback()
    journal.add_predictions([prediction])
    journal.add_feedback(feedback)
    assert (journal.recent_predictions(2), journal.feedback(2)) == ([prediction], [feedback])
    assert "cmdstat_config|get" not in own_redis.client.info("commandstats")


class TestDurability:
    def test_a_promise_is_no_measurement(self, managed, open_journal_at):
        said = open_journal_at(managed("?durable=managed", "+info", maxmemory=2**26)).durability()
        assert said.is_durable is None
        assert said.memory_bytes > 0
        assert said.memory_limit_bytes == 2**26

    def test_a_server_without_a_file_has_no_size(self, managed, open_journal_at):
        said = open_journal_at(managed("?durable=managed", "+info", appendonly="no")).durability()
        assert (said.is_durable, said.size_bytes, said.delayed_syncs) == (None, None, None)

    def test_a_server_that_says_nothing_of_itself_is_no_failure(self, managed, open_journal_at, make_feedback):
        journal = open_journal_at(managed("?durable=managed"))
        journal.add_feedback(make_feedback())
        assert journal.durability() == Durability(None, None, None, None, None)
        assert journal.summary().feedback_total == 1

    @pytest.mark.parametrize("promises", ["?durable=managed", "?durable=managed&replicas=1"])
    @pytest.mark.parametrize("left_out", ["used_memory", "maxmemory", "aof_current_size", "connected_slaves", "everything"])
    def test_whatever_is_left_out_is_not_known(self, managed, open_journal_at, monkeypatch, promises, left_out):
        journal = open_journal_at(managed(promises, "+info"))
        whole = journal._client.info("persistence", "memory", "replication")
        told = {name: value for name, value in whole.items() if name != left_out} if left_out != "everything" else {}
        monkeypatch.setattr(journal._client, "info", lambda *_: told)
        said = journal.durability()
        assert said.memory_bytes == told.get("used_memory")
        assert said.is_durable is (False if "replicas" in promises and "connected_slaves" in told else None)

    def test_a_failed_write_is_seen_whatever_is_promised(self, managed, open_journal_at, monkeypatch):
        journal = open_journal_at(managed("?durable=managed", "+info"))
        monkeypatch.setattr(journal._client, "info", lambda *_: {"aof_last_write_status": "err"})
        assert journal.durability().is_durable is False


@pytest.mark.parametrize("host", ["right", "a wrong password", "a dead server"])
@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_the_password_is_nowhere(own_redis, free_port, open_journal_at, make_feedback, caplog, scheme, host):
    caplog.set_level(logging.DEBUG)
    own_redis.start(requirepass="hush" if host == "right" else "another")
    port = free_port() if host == "a dead server" else own_redis.port
    journal = open_journal_at(f"{scheme}://:hush@127.0.0.1:{port}/0?durable=managed&replicas=1")
    said = []
    for call in (journal.summary, journal.durability, lambda: journal.add_feedback(make_feedback())):
        try:
            call()
        except JournalError as error:
            said += traceback.format_exception(error)
    said += [repr(journal), repr(journal._server.url), repr(journal._client), repr(journal._client.connection_pool), caplog.text]
    assert "hush" not in "".join(said)
