"""replicas=1 in the URL: what is acknowledged is on a replica too, so it outlives the primary; what is not can be sent again."""

import re
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from stores import durable_redis, redis_journal
from stores.journal import JournalError

MANUAL = Path(__file__).parents[2] / "docs" / "operate.md"
TOO_FEW = "has fewer replicas that follow it than the journal's URL asks for .replicas=1., so the feedback was not written"
UNCONFIRMED = "has the feedback, but fewer replicas confirm it .* then add it again"


@pytest.fixture
def replica(new_redis):
    server = new_redis()
    yield server
    server.go_on()
    server.kill()


@pytest.fixture
def primary(own_redis, replica):
    """A primary that `replica` follows."""
    own_redis.start(repl_diskless_sync_delay=0)
    replica.start(replicaof=f"127.0.0.1 {own_redis.port}", repl_diskless_sync_delay=0)
    wait_until(lambda: own_redis.client.info("replication").get("slave0", {}).get("state") == "online")
    return own_redis


@pytest.fixture
def way(primary, movable_way):
    """The name in the journal's URL, which leads to the primary."""
    return movable_way(primary.port)


@pytest.fixture
def journal(way, open_journal_at):
    return open_journal_at(f"redis://127.0.0.1:{way.port}/0?replicas=1")


@pytest.fixture
def _impatient(monkeypatch):
    monkeypatch.setattr(durable_redis, "REPLICA_MILLISECONDS", 500)


def wait_until(holds, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def try_until_taken(journal, feedback):
    """As whoever sends feedback does: a replica that has just come needs a while to write its first file."""

    def is_taken():
        try:
            journal.add_feedback(feedback)
        except JournalError:
            return False
        return True

    wait_until(is_taken)


@contextmanager
def falls_silent_behind_the_probe(journal, replica, meanwhile=lambda: None):
    """The replica gets what is written first, to see whether it follows, and nothing of the record."""
    add = journal._add_feedback

    def pause_and_add(*arguments, **options):
        replica.pause()
        meanwhile()
        add(*arguments, **options)

    journal._add_feedback = pause_and_add
    yield
    journal._add_feedback = add


class TestFailover:
    @pytest.mark.parametrize("promises", ["replicas=1", "durable=managed&replicas=1"])
    def test_what_was_acknowledged_outlives_the_primary(
        self, primary, replica, way, open_journal_at, make_prediction, make_feedback, promises
    ):
        """Killed at any moment, under way; the journal was open before and goes on after, whoever is the primary."""
        journal, first = open_journal_at(f"redis://127.0.0.1:{way.port}/0?{promises}"), make_feedback()
        acknowledged, tried = [first], [first]
        try_until_taken(journal, first)

        def add_until_it_is_dead():
            while not dead.is_set():
                tried.append(make_feedback())
                while tried[-1] is not acknowledged[-1] and not dead.is_set():  # a busy machine's replica may be late
                    with suppress(JournalError):
                        journal.add_feedback(tried[-1])
                        acknowledged.append(tried[-1])

        dead, adding = threading.Event(), threading.Thread(target=add_until_it_is_dead)
        adding.start()
        try:
            wait_until(lambda: len(acknowledged) > 20, seconds=60.0)
            primary.kill()
        finally:
            dead.set()
        adding.join()
        replica.client.replicaof("NO", "ONE")
        way.leads_to = replica.port
        kept = journal.feedback(10_000)
        assert kept in (acknowledged, tried)
        journal.add_predictions([make_prediction()])
        assert journal.summary().predictions_total == 1
        with pytest.raises(JournalError, match=TOO_FEW):  # until the new primary has a replica in turn
            journal.add_feedback(tried[-1])
        primary.start(replicaof=f"127.0.0.1 {replica.port}")
        try_until_taken(journal, tried[-1])
        assert journal.feedback(10_000) == tried

    def test_a_primary_that_has_become_a_replica_is_left_for_where_the_name_leads_now(
        self, primary, replica, way, journal, make_prediction, make_feedback
    ):
        before, after = make_feedback(), make_feedback()
        try_until_taken(journal, before)
        replica.client.replicaof("NO", "ONE")
        primary.client.replicaof("127.0.0.1", replica.port)
        way.leads_to = replica.port
        wait_until(lambda: primary.client.info("replication")["master_link_status"] == "up")
        with pytest.raises(JournalError, match="is a read-only replica: name the primary"):
            journal.add_feedback(after)
        try_until_taken(journal, after)
        assert journal.feedback(10) == [before, after]
        assert replica.client.xlen(redis_journal.FEEDBACK) == 2

    def test_so_it_is_for_predictions(self, primary, replica, way, journal, make_prediction):
        before, after = make_prediction(), make_prediction()
        journal.add_predictions([before])
        wait_until(lambda: replica.client.xlen(redis_journal.PREDICTIONS) == 1)
        replica.client.replicaof("NO", "ONE")
        primary.client.replicaof("127.0.0.1", replica.port)
        way.leads_to = replica.port
        with pytest.raises(JournalError, match="is a read-only replica"):
            journal.add_predictions([after])
        journal.add_predictions([after])
        assert journal.recent_predictions(10) == [before, after]

    def test_while_the_name_still_leads_to_a_replica_each_try_says_so(self, primary, replica, way, journal, make_feedback):
        way.leads_to, feedback = replica.port, make_feedback()
        for _ in range(3):
            with pytest.raises(JournalError, match="is a read-only replica"):
                journal.add_feedback(feedback)
        assert journal.durability().is_durable is False
        replica.client.replicaof("NO", "ONE")
        primary.client.replicaof("127.0.0.1", replica.port)
        try_until_taken(journal, feedback)
        assert journal.feedback(10) == [feedback]


@pytest.mark.usefixtures("_impatient")
class TestSilentReplica:
    def test_feedback_is_refused_unwritten_until_it_goes_on(self, primary, replica, journal, make_feedback):
        before, after = make_feedback(), make_feedback()
        try_until_taken(journal, before)
        replica.pause()
        for _ in range(3):
            with pytest.raises(JournalError, match=TOO_FEW):
                journal.add_feedback(after)
        assert journal.feedback(10) == [before]
        replica.go_on()
        try_until_taken(journal, after)
        assert journal.feedback(10) == [before, after]
        assert replica.client.xlen(redis_journal.FEEDBACK) == 2

    def test_what_was_written_but_not_confirmed_is_there_once(
        self, primary, replica, journal, open_journal_at, make_feedback, way
    ):
        """Added again by the same connection or by another, it is acknowledged no sooner than the replica has it."""
        feedback = make_feedback()
        try_until_taken(journal, make_feedback())
        with falls_silent_behind_the_probe(journal, replica), pytest.raises(JournalError, match=UNCONFIRMED):
            journal.add_feedback(feedback)
        other = open_journal_at(f"redis://127.0.0.1:{way.port}/0?replicas=1")
        for each in (journal, other):
            with pytest.raises(JournalError, match=TOO_FEW):
                each.add_feedback(feedback)
        assert journal.feedback(10)[1:] == [feedback]
        replica.go_on()
        for each in (other, journal):
            try_until_taken(each, feedback)
        assert journal.feedback(10)[1:] == [feedback]
        assert replica.client.xlen(redis_journal.FEEDBACK) == 2

    def test_what_somebody_else_has_just_added_is_not_acknowledged_before_the_replica_has_it(
        self, primary, replica, open_journal_at, make_feedback
    ):
        """Nothing is left to write then, and Redis 8 waits for nothing but what the connection itself wrote."""
        journal = open_journal_at(primary.url + "?durable=managed&replicas=1")
        feedback, other = make_feedback(), open_journal_at(primary.url)  # who asks for no replicas
        try_until_taken(journal, make_feedback())
        in_between = falls_silent_behind_the_probe(journal, replica, meanwhile=lambda: other.add_feedback(feedback))
        with in_between, pytest.raises(JournalError, match=UNCONFIRMED):
            journal.add_feedback(feedback)

    def test_nothing_is_called_erased_before_the_replica_has_erased_it(self, primary, replica, journal, make_feedback):
        feedback = make_feedback()
        try_until_taken(journal, feedback)
        replica.pause()
        with pytest.raises(JournalError, match=r"asks for .replicas=1., so nothing was erased"):
            journal.erase([feedback.prediction_id])
        assert journal.feedback(10) == [feedback]
        replica.go_on()
        wait_until(lambda: journal.durability().is_durable)
        assert journal.erase([feedback.prediction_id]) == {feedback.prediction_id}
        assert replica.client.xlen(redis_journal.FEEDBACK) == 0

    def test_predictions_do_not_wait(self, primary, replica, journal, make_prediction):
        replica.pause()
        predictions = [make_prediction() for _ in range(3)]
        journal.add_predictions(predictions)
        assert journal.recent_predictions(5) == predictions

    def test_it_is_seen_before_feedback_is_refused(self, primary, replica, journal, monkeypatch):
        assert journal.durability().is_durable is True
        monkeypatch.setattr(durable_redis, "SILENT_SECONDS", 1)
        replica.pause()
        wait_until(lambda: journal.durability().is_durable is False)
        replica.go_on()
        wait_until(lambda: journal.durability().is_durable is True)

    def test_a_user_needs_no_more_rights_than_the_manual_says(
        self, primary, replica, open_journal_at, make_prediction, make_feedback
    ):
        rights, more = re.search(r"an ACL user needs `(.*?)`, and `(.*?)` unless", MANUAL.read_text()).groups()
        primary.client.execute_command("ACL", "SETUSER", "doodle", "on", ">hush", *rights.split(), more)
        journal = open_journal_at(f"redis://doodle:hush@127.0.0.1:{primary.port}/0?replicas=1")
        prediction, feedback = make_prediction(), make_feedback()
        journal.add_predictions([prediction])
        try_until_taken(journal, feedback)
        assert journal.recent_predictions(1) == [prediction]
        assert journal.summary().feedback_total == 1
        assert journal.durability().is_durable
        assert journal.erase([prediction.prediction_id], [feedback.feedback_id])
        assert journal.erased([feedback.feedback_id]) == {feedback.feedback_id}
        assert journal.drop_expired(1, now=2e9) == 0

    def test_more_replicas_than_there_are(self, primary, open_journal_at, make_feedback):
        journal = open_journal_at(primary.url + "?replicas=2")
        assert journal.durability().is_durable is False
        with pytest.raises(JournalError, match=r"replicas=2"):
            journal.add_feedback(make_feedback())
        assert journal.summary().feedback_total == 0


@pytest.mark.usefixtures("_impatient")
class TestReplicaWithoutFile:
    def test_it_is_enough_where_the_server_cannot_tell_or_the_operator_vouches(
        self, primary, replica, journal, open_journal_at, make_feedback
    ):
        replica.client.config_set("appendonly", "no")
        vouched, feedback = open_journal_at(primary.url + "?replicas=1&durable=managed"), make_feedback()
        try_until_taken(vouched, make_feedback())
        if tuple(map(int, primary.client.info("server")["redis_version"].split(".")))[:2] >= (7, 2):
            with pytest.raises(JournalError, match=f"{UNCONFIRMED}|appendonly yes"):
                journal.add_feedback(feedback)
        else:
            journal.add_feedback(feedback)
        assert journal.summary().feedback_total == 2
