"""replicas=1 in the URL: an acknowledged record is on a replica too, so it outlives the primary. Others can be sent again."""

import re
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
from journal_records import make_feedback, make_prediction
from polling import eventually
from stores.prediction_log import PredictionLogError, redis_connection
from stores.prediction_log.redis import FEEDBACK, PREDICTIONS

MANUAL = Path(__file__).parents[3] / "docs" / "operate.md"
TOO_FEW = "has fewer replicas than the prediction log's URL requires .replicas=1., so nothing was written"
UNCONFIRMED = "wrote it to fewer replicas .* then try again"
READ_ONLY = "is a read-only replica: use the primary"


@pytest.fixture(scope="class")
def pair(new_redis):
    """A primary, and a replica that follows it: one pair for a class, and for each test that is in none."""
    primary, replica = new_redis(), new_redis()
    primary.start(repl_diskless_sync_delay=0)
    replica.start(replicaof=f"127.0.0.1 {primary.port}", repl_diskless_sync_delay=0)
    eventually(lambda: primary.client.info("replication").get("slave0", {}).get("state") == "online", "the replica follows")
    yield primary, replica
    replica.go_on()
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
    """The host in the log's URL, which leads to the primary, and later to `name.port`; connections stay where they are."""
    name, resolve = SimpleNamespace(port=primary.port, url="redis://redis.test:1/0?replicas=1"), socket.getaddrinfo

    def resolved(host, port, *rest):
        return resolve("127.0.0.1", name.port, *rest) if host == "redis.test" else resolve(host, port, *rest)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    return name


@pytest.fixture
def log(name, open_at):
    return open_at(name.url)


def try_until_taken(log, feedback):
    """As whoever sends feedback does: a replica that has just come needs a while to write its first file."""
    eventually(lambda: log.add_feedback(feedback) is None, "it is taken", not_yet=(PredictionLogError,))


def fall_silent_behind_the_probe(log, replica, meanwhile=lambda: None):
    """From now on the replica gets what shows whether it follows, and no record."""
    add = log._add_feedback

    def pause_and_add(*arguments):
        log._add_feedback = add
        replica.pause()
        meanwhile()
        return add(*arguments)

    log._add_feedback = pause_and_add


def test_what_was_acknowledged_outlives_the_primary(primary, replica, name, log):
    """The log was open before and goes on after, whoever is the primary."""
    feedback, later = [make_feedback() for _ in range(20)], make_feedback()
    for each in feedback:
        try_until_taken(log, each)
    primary.kill()
    replica.client.replicaof("NO", "ONE")
    name.port = replica.port
    assert log.feedback(100) == feedback
    log.add_predictions([make_prediction()])
    assert log.summary().predictions_total == 1
    with pytest.raises(PredictionLogError, match=TOO_FEW):  # until the new primary has a replica in turn
        log.add_feedback(later)
    primary.start(replicaof=f"127.0.0.1 {replica.port}")
    try_until_taken(log, later)
    assert log.feedback(100) == [*feedback, later]


def test_leaves_a_primary_that_has_become_a_replica_for_where_the_name_leads_now(primary, replica, name, log, open_at):
    predictions, feedback = [make_prediction() for _ in range(2)], [make_feedback() for _ in range(2)]
    other = open_at(name.url)
    other.add_predictions(predictions[:1])
    try_until_taken(log, feedback[0])
    replica.client.replicaof("NO", "ONE")
    primary.client.replicaof("127.0.0.1", replica.port)
    with pytest.raises(PredictionLogError, match=READ_ONLY):  # while the name still leads to it
        other.add_predictions(predictions)
    assert other.durability().is_durable is False
    name.port = replica.port
    for add in (lambda: other.add_predictions(predictions), lambda: log.add_feedback(feedback[1])):
        eventually(lambda: primary.client.info("replication")["master_link_status"] == "up", "they follow each other")
        with pytest.raises(PredictionLogError, match=READ_ONLY):
            add()
    other.add_predictions(predictions)
    try_until_taken(log, feedback[1])
    assert (log.recent_predictions(10), log.feedback(10)) == (predictions, feedback)
    assert replica.client.xlen(FEEDBACK) == replica.client.xlen(PREDICTIONS) == 2


class TestSilentReplica:
    @pytest.fixture(autouse=True)
    def follows_again(self, primary, replica, monkeypatch):
        """The replica follows before each test, and goes on after it."""
        monkeypatch.setattr(redis_connection, "REPLICA_MILLISECONDS", 500)
        primary.client.flushall()
        eventually(lambda: primary.client.wait(1, 500) == 1, "the replica follows")
        yield
        replica.go_on()
        replica.client.config_set("appendonly", "yes")

    def test_refuses_feedback_unwritten_and_erases_nothing_until_it_goes_on(self, primary, replica, log):
        before, after, predictions = make_feedback(), make_feedback(), [make_prediction() for _ in range(3)]
        try_until_taken(log, before)
        replica.pause()
        log.add_predictions(predictions)  # they do not wait
        assert log.recent_predictions(5) == predictions
        with pytest.raises(PredictionLogError, match=TOO_FEW):
            log.add_feedback(after)
        with pytest.raises(PredictionLogError, match=r"requires .replicas=1., so nothing was written"):
            log.erase([before.prediction_id])
        assert log.feedback(10) == [before]
        replica.go_on()
        try_until_taken(log, after)
        assert log.feedback(10) == [before, after]
        assert replica.client.xlen(FEEDBACK) == 2
        eventually(lambda: log.durability().is_durable, "the replica is seen to follow")
        assert log.erase([before.prediction_id]) == {before.prediction_id}
        assert replica.client.xlen(FEEDBACK) == 1

    def test_feedback_written_but_not_confirmed_is_there_once(self, name, replica, log, open_at):
        """Added again by the same connection or by another, it is acknowledged no sooner than the replica has it."""
        first, feedback = make_feedback(), make_feedback()
        try_until_taken(log, first)
        fall_silent_behind_the_probe(log, replica)
        with pytest.raises(PredictionLogError, match=UNCONFIRMED):
            log.add_feedback(feedback)
        other = open_at(name.url)
        for each in (log, other):
            with pytest.raises(PredictionLogError, match=TOO_FEW):
                each.add_feedback(feedback)
        assert log.feedback(10) == [first, feedback]
        replica.go_on()
        for each in (other, log):
            try_until_taken(each, feedback)
        assert log.feedback(10) == [first, feedback]
        assert replica.client.xlen(FEEDBACK) == 2

    def test_does_not_acknowledge_what_another_has_just_added_before_the_replica_has_it(self, primary, replica, open_at):
        """Nothing is left to write then, and Redis 8 waits for nothing but what the connection itself wrote."""
        log = open_at(primary.url + "?durable=managed&replicas=1")
        feedback, other = make_feedback(), open_at(primary.url)  # who asks for no replicas
        try_until_taken(log, make_feedback())
        fall_silent_behind_the_probe(log, replica, meanwhile=lambda: other.add_feedback(feedback))
        with pytest.raises(PredictionLogError, match=UNCONFIRMED):
            log.add_feedback(feedback)

    @pytest.mark.slow
    def test_it_is_seen_before_feedback_is_refused(self, replica, log, monkeypatch):
        assert log.durability().is_durable is True
        monkeypatch.setattr(redis_connection, "SILENT_SECONDS", 1)
        replica.pause()
        eventually(lambda: log.durability().is_durable is False, "its silence is seen")
        replica.go_on()
        eventually(lambda: log.durability().is_durable is True, "its return is seen")

    def test_a_user_needs_no_more_rights_than_the_manual_says(self, primary, open_at):
        rights, more = re.search(r"an ACL user needs `(.*?)`, and `(.*?)` unless", MANUAL.read_text()).groups()
        primary.client.execute_command("ACL", "SETUSER", "doodle", "on", ">hush", *rights.split(), more)
        log = open_at(f"redis://doodle:hush@127.0.0.1:{primary.port}/0?replicas=1")
        prediction, feedback = make_prediction(), make_feedback()
        log.add_predictions([prediction])
        try_until_taken(log, feedback)
        assert log.recent_predictions(1) == [prediction]
        assert log.summary().feedback_total == 1
        assert log.durability().is_durable
        assert log.erase([prediction.prediction_id], [feedback.feedback_id])
        assert log.erased([feedback.feedback_id]) == {feedback.feedback_id}
        assert log.drop_expired(1, now=2e9) == 0

    def test_refuses_feedback_where_more_replicas_are_asked_for_than_there_are(self, primary, open_at):
        log = open_at(primary.url + "?replicas=2")
        assert log.durability().is_durable is False
        with pytest.raises(PredictionLogError, match=r"replicas=2"):
            log.add_feedback(make_feedback())
        assert log.summary().feedback_total == 0

    def test_a_replica_without_a_file_is_enough_where_the_operator_vouches(self, primary, replica, log, open_at):
        replica.client.config_set("appendonly", "no")
        try_until_taken(open_at(primary.url + "?replicas=1&durable=managed"), make_feedback())
        if tuple(map(int, primary.client.info("server")["redis_version"].split(".")))[:2] >= (7, 2):
            with pytest.raises(PredictionLogError, match=f"{UNCONFIRMED}|appendonly yes"):
                log.add_feedback(make_feedback())
        else:  # an older server cannot tell
            log.add_feedback(make_feedback())
        assert log.summary().feedback_total == 2
