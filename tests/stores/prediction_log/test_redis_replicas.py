"""With replicas=1 in the URL, acknowledged records survive the loss of the primary."""

import re
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
from log_records import make_feedback, make_prediction
from polling import eventually
from stores.prediction_log import PredictionLogError, redis_connection
from stores.prediction_log.redis import FEEDBACK, PREDICTIONS

MANUAL = Path(__file__).parents[3] / "docs" / "operate.md"
TOO_FEW = "has fewer replicas than the prediction log's URL requires .replicas=1., so nothing was written"
UNCONFIRMED = "wrote it to fewer replicas .* then try again"
READ_ONLY = "is a read-only replica: use the primary"


@pytest.fixture(scope="class")
def pair(new_redis):
    """Start a primary and its replica, shared within a class."""
    primary, replica = new_redis(), new_redis()
    primary.start(repl_diskless_sync_delay=0)
    replica.start(replicaof=f"127.0.0.1 {primary.port}", repl_diskless_sync_delay=0)
    eventually(lambda: primary.client.info("replication").get("slave0", {}).get("state") == "online", "the replica follows")
    yield primary, replica
    replica.resume()
    replica.kill()
    primary.kill()


@pytest.fixture
def primary(pair):
    return pair[0]


@pytest.fixture
def replica(pair):
    return pair[1]


@pytest.fixture
def name(primary, monkeypatch):
    """Resolve the URL's host to the primary, or later to `name.port`. Open connections stay."""
    name, resolve = SimpleNamespace(port=primary.port, url="redis://redis.test:1/0?replicas=1"), socket.getaddrinfo

    def resolved(host, port, *rest):
        return resolve("127.0.0.1", name.port, *rest) if host == "redis.test" else resolve(host, port, *rest)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    return name


@pytest.fixture
def log(name, open_at):
    return open_at(name.url)


def add_until_accepted(log, feedback):
    """Retry as a client does. A new replica needs time to write its first file."""
    eventually(lambda: log.add_feedback(feedback) in (True, False), "the feedback is accepted", not_yet=(PredictionLogError,))


def pause_replica_after_probe(log, replica, meanwhile=lambda: None):
    """Pause the replica after the log's probe and before the record."""
    add = log._add_feedback

    def pause_and_add(*arguments):
        log._add_feedback = add
        replica.pause()
        meanwhile()
        return add(*arguments)

    log._add_feedback = pause_and_add


def test_acknowledged_feedback_survives_the_primary(primary, replica, name, log):
    """The same open log works with the old and the new primary."""
    feedback, later = [make_feedback() for _ in range(20)], make_feedback()
    for each in feedback:
        add_until_accepted(log, each)
    primary.kill()
    replica.client.replicaof("NO", "ONE")
    name.port = replica.port
    assert log.feedback(100) == feedback
    log.add_predictions([make_prediction()])
    assert log.summary().predictions_total == 1
    with pytest.raises(PredictionLogError, match=TOO_FEW):  # until the new primary has a replica
        log.add_feedback(later)
    primary.start(replicaof=f"127.0.0.1 {replica.port}")
    add_until_accepted(log, later)
    assert log.feedback(100) == [*feedback, later]


def test_reconnects_after_its_primary_becomes_a_replica(primary, replica, name, log, open_at):
    predictions, feedback = [make_prediction() for _ in range(2)], [make_feedback() for _ in range(2)]
    other = open_at(name.url)
    other.add_predictions(predictions[:1])
    add_until_accepted(log, feedback[0])
    replica.client.replicaof("NO", "ONE")
    primary.client.replicaof("127.0.0.1", replica.port)
    with pytest.raises(PredictionLogError, match=READ_ONLY):  # the name still points to it
        other.add_predictions(predictions)
    assert other.durability().is_durable is False
    name.port = replica.port
    for add in (lambda: other.add_predictions(predictions), lambda: log.add_feedback(feedback[1])):
        eventually(lambda: primary.client.info("replication")["master_link_status"] == "up", "the old primary follows")
        with pytest.raises(PredictionLogError, match=READ_ONLY):
            add()
    other.add_predictions(predictions)
    add_until_accepted(log, feedback[1])
    assert (log.recent_predictions(10), log.feedback(10)) == (predictions, feedback)
    assert replica.client.xlen(FEEDBACK) == replica.client.xlen(PREDICTIONS) == 2


class TestSilentReplica:
    @pytest.fixture(autouse=True)
    def follows_again(self, primary, replica, monkeypatch):
        """Start each test with a following replica, and resume it afterwards."""
        monkeypatch.setattr(redis_connection, "REPLICA_MILLISECONDS", 500)
        primary.client.flushall()
        eventually(lambda: primary.client.wait(1, 500) == 1, "the replica follows")
        yield
        replica.resume()
        replica.client.config_set("appendonly", "yes")

    def test_rejects_feedback_and_erasures_until_it_resumes(self, primary, replica, log):
        before, after, predictions = make_feedback(), make_feedback(), [make_prediction() for _ in range(3)]
        add_until_accepted(log, before)
        replica.pause()
        log.add_predictions(predictions)  # predictions do not wait
        assert log.recent_predictions(5) == predictions
        with pytest.raises(PredictionLogError, match=TOO_FEW):
            log.add_feedback(after)
        with pytest.raises(PredictionLogError, match=r"requires .replicas=1., so nothing was written"):
            log.erase([before.prediction_id])
        assert log.feedback(10) == [before]
        replica.resume()
        add_until_accepted(log, after)
        assert log.feedback(10) == [before, after]
        assert replica.client.xlen(FEEDBACK) == 2
        eventually(lambda: log.durability().is_durable, "the log sees the replica")
        assert log.erase([before.prediction_id]) == {before.prediction_id}
        assert replica.client.xlen(FEEDBACK) == 1

    def test_unconfirmed_feedback_is_stored_once(self, name, replica, log, open_at):
        """Adding it again is acknowledged only after the replica has it."""
        first, feedback = make_feedback(), make_feedback()
        add_until_accepted(log, first)
        pause_replica_after_probe(log, replica)
        with pytest.raises(PredictionLogError, match=UNCONFIRMED):
            log.add_feedback(feedback)
        other = open_at(name.url)
        for each in (log, other):
            with pytest.raises(PredictionLogError, match=TOO_FEW):
                each.add_feedback(feedback)
        assert log.feedback(10) == [first, feedback]
        replica.resume()
        for each in (other, log):
            add_until_accepted(each, feedback)
        assert log.feedback(10) == [first, feedback]
        assert replica.client.xlen(FEEDBACK) == 2

    def test_does_not_acknowledge_another_connection_s_unconfirmed_feedback(self, primary, replica, open_at):
        """Redis 8 waits only for writes of the same connection."""
        log = open_at(primary.url + "?durable=managed&replicas=1")
        feedback, other = make_feedback(), open_at(primary.url)  # without replicas
        add_until_accepted(log, make_feedback())
        pause_replica_after_probe(log, replica, meanwhile=lambda: other.add_feedback(feedback))
        with pytest.raises(PredictionLogError, match=UNCONFIRMED):
            log.add_feedback(feedback)

    @pytest.mark.slow
    def test_is_detected_before_feedback_is_rejected(self, replica, log, monkeypatch):
        assert log.durability().is_durable is True
        monkeypatch.setattr(redis_connection, "SILENT_SECONDS", 1)
        replica.pause()
        eventually(lambda: log.durability().is_durable is False, "the log detects the silence")
        replica.resume()
        eventually(lambda: log.durability().is_durable is True, "the log detects the return")

    def test_the_manual_s_acl_rights_are_sufficient(self, primary, open_at):
        rights, more = re.search(r"an ACL user needs `(.*?)`, and `(.*?)` unless", MANUAL.read_text()).groups()
        primary.client.execute_command("ACL", "SETUSER", "doodle", "on", ">hush", *rights.split(), more)
        log = open_at(f"redis://doodle:hush@127.0.0.1:{primary.port}/0?replicas=1")
        prediction, feedback = make_prediction(), make_feedback()
        log.add_predictions([prediction])
        add_until_accepted(log, feedback)
        assert log.recent_predictions(1) == [prediction]
        assert log.summary().feedback_total == 1
        assert log.durability().is_durable
        assert log.erase([prediction.prediction_id], [feedback.feedback_id])
        assert log.erased([feedback.feedback_id]) == {feedback.feedback_id}
        assert log.drop_expired(1, now=2e9) == 0

    def test_rejects_feedback_with_too_few_replicas(self, primary, open_at):
        log = open_at(primary.url + "?replicas=2")
        assert log.durability().is_durable is False
        with pytest.raises(PredictionLogError, match=r"replicas=2"):
            log.add_feedback(make_feedback())
        assert log.summary().feedback_total == 0

    def test_managed_replicas_need_no_append_only_file(self, primary, replica, log, open_at):
        replica.client.config_set("appendonly", "no")
        add_until_accepted(open_at(primary.url + "?replicas=1&durable=managed"), make_feedback())
        if tuple(map(int, primary.client.info("server")["redis_version"].split(".")))[:2] >= (7, 2):
            with pytest.raises(PredictionLogError, match=f"{UNCONFIRMED}|appendonly yes"):
                log.add_feedback(make_feedback())
        else:  # older servers cannot check
            log.add_feedback(make_feedback())
        assert log.summary().feedback_total == 2
