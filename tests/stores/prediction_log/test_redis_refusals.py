"""A Redis that is not durable or not usable raises a PredictionLogError without a password."""

import logging
import traceback
from unittest.mock import Mock

import pytest
import redis
from log_records import make_feedback, make_prediction
from stores.prediction_log import Durability, PredictionLogError

SOUND = {"appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "no", "maxmemory-policy": "noeviction"}
UNSOUND = [
    *({"appendfsync": "everysec"}, {"no-appendfsync-on-rewrite": "yes"}, {"maxmemory-policy": "allkeys-lru"}),
    {"appendonly": "no", "appendfsync": "everysec"},
]


def test_rejects_feedback_while_redis_is_not_durable(own_redis, open_at):
    own_redis.start()
    log, predictions = open_at(own_redis.url), [make_prediction() for _ in UNSOUND]
    for number, settings in enumerate(UNSOUND):
        for name, value in settings.items():
            own_redis.client.config_set(name, value)
        assert log.durability().is_durable is False
        found = ", ".join(f"{name} {value}" for name, value in settings.items())
        advice = " ".join(f"--{name} {SOUND[name]}" for name in settings)
        with pytest.raises(PredictionLogError, match=rf"could lose feedback \({found}\): start it with {advice}$"):
            log.add_feedback(make_feedback())
        log.add_predictions([predictions[number]])  # predictions may be lost
        with pytest.raises(PredictionLogError, match="could lose feedback"):
            log.erase([predictions[number].prediction_id])
        for name in settings:
            own_redis.client.config_set(name, SOUND[name])
        log.add_feedback(make_feedback())
        assert log.summary().feedback_total == number + 1
    assert log.recent_predictions(10) == predictions


class TestUnfit:
    """A Redis that runs but cannot write."""

    def test_out_of_memory(self, own_redis, open_at):
        own_redis.start()
        log, kept = open_at(own_redis.url), make_prediction()
        log.add_predictions([kept])
        own_redis.client.config_set("maxmemory", 1)
        for add in (lambda: log.add_predictions([make_prediction()]), lambda: log.add_feedback(make_feedback())):
            with pytest.raises(PredictionLogError, match="is out of memory: raise its maxmemory"):
                add()
        assert log.recent_predictions(10) == [kept]
        own_redis.client.config_set("maxmemory", 0)
        log.add_feedback(make_feedback())
        assert log.summary().feedback_total == 1

    def test_still_loading(self, redis_server, open_at, monkeypatch):
        monkeypatch.setattr(redis.Redis, "xinfo_stream", Mock(side_effect=redis.exceptions.BusyLoadingError("LOADING")))
        with pytest.raises(PredictionLogError, match="is still loading its data: try again"):
            open_at(redis_server.url).summary()


class TestUnreachable:
    def test_an_unknown_host(self, open_at):
        log = open_at("redis://no-such-host.invalid/0")  # connects later
        with pytest.raises(PredictionLogError, match=r"^Redis at no-such-host\.invalid:6379 cannot be reached"):
            log.summary()

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("redis://doodle:hush@", "rejects the user or password in the prediction log's URL"),
            ("redis://dead:hush@", "cannot be reached"),
            ("rediss://dead:hush@", "cannot be reached"),
            ("rediss://doodle:hush@", "needs a URL with redis://"),
        ],
    )
    def test_shows_no_password(self, own_redis, free_port, open_at, monkeypatch, caplog, url, message):
        caplog.set_level(logging.DEBUG)
        monkeypatch.setattr("stores.prediction_log.redis_connection.COMMAND_SECONDS", 0.2)
        own_redis.start(requirepass="another")
        port = free_port() if "dead" in url else own_redis.port
        log = open_at(f"{url}127.0.0.1:{port}/0?durable=managed&replicas=1")
        shown = []
        for call in (log.summary, log.durability, lambda: log.add_feedback(make_feedback())):
            with pytest.raises(PredictionLogError, match=f"^Redis at 127.0.0.1:{port} .*{message}") as refused:
                call()
            shown += traceback.format_exception(refused.value)
        shown += [repr(log), repr(log._server), repr(log._client), repr(log._client.connection_pool)]
        assert "hush" not in "".join(shown) + caplog.text


# A managed Redis hides its settings; the operator declares its durability in the URL.
USER = ["on", ">hush", "~doodle:*", "+@all", "-@dangerous", "-@admin"]  # the usual rights of a managed Redis
FIGURES = ["used_memory", "maxmemory", "aof_current_size", "connected_slaves"]


@pytest.fixture
def managed(own_redis, open_at):
    """managed("?durable=managed", "+info"): open a log in a managed Redis, as a user with these additional rights."""

    def managed(options, *rights, **settings):
        own_redis.start(**settings)
        own_redis.client.execute_command("ACL", "SETUSER", "doodle", *USER, *rights)
        return open_at(f"redis://doodle:hush@127.0.0.1:{own_redis.port}/0{options}")

    return managed


def test_rejects_feedback_without_a_declared_durability(managed, own_redis):
    log = managed("", "+info")
    with pytest.raises(PredictionLogError, match=r"\+config\|get\), or guarantee durability in the URL \(\?durable=managed\)"):
        log.add_feedback(make_feedback())
    assert log.durability().is_durable is False
    log.add_predictions([make_prediction()])
    own_redis.client.execute_command("ACL", "SETUSER", "doodle", "+config|get")
    log.add_feedback(make_feedback())
    assert (log.summary().predictions_total, log.summary().feedback_total) == (1, 1)


def test_accepts_feedback_with_a_declared_durability(managed, own_redis):
    log, prediction, feedback = managed("?durable=managed", "+info", maxmemory=2**26), make_prediction(), make_feedback()
    log.add_predictions([prediction])
    log.add_feedback(feedback)
    assert (log.recent_predictions(2), log.feedback(2)) == ([prediction], [feedback])
    assert "cmdstat_config|get" not in own_redis.client.info("commandstats")
    found = log.durability()
    assert found.is_durable is None  # declared, not measured
    assert found.memory_bytes > 0
    assert found.memory_limit_bytes == 2**26


def test_a_server_without_figures_is_no_error(managed):
    log = managed("?durable=managed")
    log.add_feedback(make_feedback())
    assert log.durability() == Durability(None, None, None, None, None)


@pytest.mark.parametrize("options", ["?durable=managed", "?durable=managed&replicas=1"])
def test_missing_figures_are_unknown(managed, monkeypatch, options):
    log = managed(options, "+info")
    whole = log._client.info("persistence", "memory", "replication")
    for left_out in (*([name] for name in FIGURES), list(whole)):
        given = {name: value for name, value in whole.items() if name not in left_out}
        monkeypatch.setattr(log._client, "info", lambda *_, given=given: given)
        found = log.durability()
        assert (found.memory_bytes, found.size_bytes) == (given.get("used_memory"), given.get("aof_current_size"))
        assert (found.delayed_syncs, found.memory_limit_bytes) == (given.get("aof_delayed_fsync"), None)
        assert found.is_durable is (False if "replicas" in options and "connected_slaves" in given else None)
    monkeypatch.setattr(log._client, "info", lambda *_: {"aof_last_write_status": "err"})
    assert log.durability().is_durable is False  # a failed write overrides the declaration
