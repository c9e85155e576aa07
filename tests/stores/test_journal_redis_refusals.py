"""A Redis that would not keep feedback, or cannot take any, is a JournalError that says so, and never shows a password."""

import shutil
import time
import traceback

import pytest
import redis
from stores.journal import JournalError

SETTINGS = {
    "no file": ({"appendonly": "no"}, "appendonly no", "--appendonly yes"),
    "a file synced each second": ({"appendfsync": "everysec"}, "appendfsync everysec", "--appendfsync always"),
    "a file that is never synced": ({"appendfsync": "no"}, "appendfsync no", "--appendfsync always"),
    "a file not synced while it is rewritten": (
        {"no_appendfsync_on_rewrite": "yes"},
        "no-appendfsync-on-rewrite yes",
        "--no-appendfsync-on-rewrite no",
    ),
    "keys dropped when memory is scarce": (
        {"maxmemory_policy": "allkeys-lru"},
        "maxmemory-policy allkeys-lru",
        "--maxmemory-policy noeviction",
    ),
    "two of them": (
        {"appendonly": "no", "appendfsync": "everysec"},
        "appendonly no, appendfsync everysec",
        "--appendonly yes --appendfsync always",
    ),
}


class TestDurability:
    @pytest.mark.parametrize(("settings", "found", "advice"), SETTINGS.values(), ids=SETTINGS)
    def test_feedback_is_refused_where_it_could_be_lost(
        self, own_redis, open_journal_at, make_prediction, make_feedback, settings, found, advice
    ):
        own_redis.start(**settings)
        journal, prediction = open_journal_at(own_redis.url), make_prediction()
        assert not journal.durability().is_durable
        with pytest.raises(JournalError, match=rf"could lose feedback \({found}\): start it with {advice}$"):
            journal.add_feedback(make_feedback())
        assert journal.summary().feedback_total == 0
        journal.add_predictions([prediction])  # which may be lost
        assert journal.recent_predictions(1) == [prediction]

    def test_a_setting_that_changes_later_is_noticed_both_ways(self, own_redis, open_journal_at, make_feedback):
        own_redis.start()
        journal, feedback = open_journal_at(own_redis.url), make_feedback()
        journal.add_feedback(feedback)
        own_redis.client.config_set("appendfsync", "everysec")
        with pytest.raises(JournalError, match="could lose feedback"):
            journal.add_feedback(make_feedback())
        own_redis.client.config_set("appendfsync", "always")
        journal.add_feedback(make_feedback())
        assert journal.summary().feedback_total == 2

    def test_a_user_who_may_not_ask_is_told_so(self, own_redis, open_journal_at, make_prediction, make_feedback):
        own_redis.start()
        own_redis.client.execute_command("ACL", "SETUSER", "doodle", "on", ">hush", "~doodle:*", "+@all", "-@dangerous")
        journal = open_journal_at(f"redis://doodle:hush@127.0.0.1:{own_redis.port}/0")
        with pytest.raises(JournalError, match=r"does not tell whether .* \(ACL rule \+config\|get\)"):
            journal.add_feedback(make_feedback())
        journal.add_predictions([make_prediction()])
        assert journal.summary().predictions_total == 1
        own_redis.client.execute_command("ACL", "SETUSER", "doodle", "+config|get")
        journal.add_feedback(make_feedback())
        assert journal.summary().feedback_total == 1

    def test_a_server_without_the_command_is_not_trusted(self, own_redis, open_journal_at, make_feedback):
        own_redis.start("--rename-command", "CONFIG", "")
        with pytest.raises(JournalError, match="does not tell whether it would keep feedback"):
            open_journal_at(own_redis.url).add_feedback(make_feedback())


class TestUnfit:
    """It runs, but cannot write. Reading goes on where it can."""

    def test_out_of_memory(self, own_redis, open_journal_at, make_prediction, make_feedback):
        own_redis.start()
        journal, kept = open_journal_at(own_redis.url), make_prediction()
        journal.add_predictions([kept])
        own_redis.client.config_set("maxmemory", 1)
        with pytest.raises(JournalError, match="is out of memory: raise its maxmemory"):
            journal.add_predictions([make_prediction() for _ in range(3)])
        with pytest.raises(JournalError, match="is out of memory: raise its maxmemory"):
            journal.add_feedback(make_feedback())
        assert journal.recent_predictions(10) == [kept]
        own_redis.client.config_set("maxmemory", 0)
        journal.add_feedback(make_feedback())
        assert journal.summary().feedback_total == 1

    def test_a_disk_that_fails(self, own_redis, open_journal_at, make_prediction, make_feedback):
        own_redis.start(save="3600 1")
        journal = open_journal_at(own_redis.url)
        journal.add_predictions([make_prediction()])
        shutil.rmtree(own_redis.folder)
        own_redis.client.bgsave()
        while own_redis.client.info("persistence")["rdb_bgsave_in_progress"]:
            time.sleep(0.01)
        for add in (lambda: journal.add_predictions([make_prediction()]), lambda: journal.add_feedback(make_feedback())):
            with pytest.raises(JournalError, match=r"cannot do what the journal asks \(MISCONF "):
                add()
        assert journal.summary().predictions_total == 1

    def test_a_replica(self, own_redis, open_journal_at, make_prediction):
        own_redis.start()
        own_redis.client.replicaof("127.0.0.1", own_redis.port)
        with pytest.raises(JournalError, match="is a read-only replica: name the primary"):
            open_journal_at(own_redis.url).add_predictions([make_prediction()])

    def test_too_old(self, redis_server, open_journal_at, monkeypatch):
        monkeypatch.setattr(redis.Redis, "xinfo_stream", lambda *_: {"length": 3})  # as Redis 6 answers
        with pytest.raises(JournalError, match=r"is too old: the journal needs Redis 7\.0 or newer"):
            open_journal_at(redis_server.url).summary()

    def test_still_loading(self, own_redis, open_journal_at, make_prediction):
        own_redis.start(appendonly="no")
        own_redis.client.mset({f"key-{number}": bytes(1000) for number in range(3000)})
        own_redis.client.save()
        own_redis.kill()
        slowly = {"key_load_delay": 3_000, "loading_process_events_interval_bytes": 1024}  # 3 ms a key; it answers meanwhile
        own_redis.start(appendonly="no", until_loaded=False, **slowly)
        journal = open_journal_at(own_redis.url)
        for call in (journal.summary, lambda: journal.add_predictions([make_prediction()])):
            with pytest.raises(JournalError, match="is still loading its data: try again"):
                call()


class TestUnreachable:
    def test_opening_looks_at_nothing(self, free_port, open_journal_at):
        open_journal_at(f"redis://127.0.0.1:{free_port()}/0").close()

    def test_a_name_that_nobody_has(self, open_journal_at):
        with pytest.raises(JournalError, match=r"^Redis at no-such-host\.invalid:6379 cannot be reached"):
            open_journal_at("redis://no-such-host.invalid/0").summary()

    def test_what_answers_is_no_redis(self, open_journal_at, cut_way, redis_server):
        with pytest.raises(JournalError, match="cannot be reached"):
            open_journal_at(cut_way(redis_server.port, limit=5).url).summary()

    @pytest.mark.parametrize("credentials", ["", ":hush@", "doodle:hush@"], ids=["none", "a wrong password", "an unknown user"])
    def test_a_server_that_wants_another_password(self, own_redis, open_journal_at, credentials):
        own_redis.start(requirepass="another")
        journal = open_journal_at(f"redis://{credentials}127.0.0.1:{own_redis.port}/0")
        with pytest.raises(JournalError, match="refuses the user or password in the journal's URL") as refused:
            journal.summary()
        assert "hush" not in "".join(traceback.format_exception(refused.value))

    def test_the_right_password_with_characters_that_urls_escape(self, own_redis, open_journal_at, make_feedback):
        own_redis.start(requirepass="a/b@c:d %")
        journal = open_journal_at(f"redis://:a%2Fb%40c%3Ad%20%25@127.0.0.1:{own_redis.port}/0")
        journal.add_feedback(make_feedback())
        assert journal.summary().feedback_total == 1

    def test_the_password_of_a_dead_server_is_not_shown(self, free_port, open_journal_at):
        port = free_port()
        journal = open_journal_at(f"redis://doodle:hush@127.0.0.1:{port}/0")
        with pytest.raises(JournalError, match=f"^Redis at 127.0.0.1:{port} ") as refused:
            journal.summary()
        assert "hush" not in "".join(traceback.format_exception(refused.value))
