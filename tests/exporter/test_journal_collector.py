"""The journal collector: what the journal says of itself, and nothing but 0 for up when it does not answer."""

import pytest
from exporter.journal_collector import JournalCollector
from stores.journal import Durability, JournalError, open_journal

UP, TOTAL, KEPT, FEEDBACK = (
    ("doodle_journal_up",),
    ("doodle_journal_predictions_total",),
    ("doodle_journal_predictions_kept",),
    ("doodle_journal_feedback_total",),
)
DURABLE, DELAYED = ("doodle_journal_durable",), ("doodle_journal_delayed_syncs_total",)
NEWEST = ("doodle_journal_last_prediction_timestamp_seconds",)
MEMORY, MEMORY_LIMIT = ("doodle_journal_memory_bytes",), ("doodle_journal_memory_limit_bytes",)


@pytest.fixture(params=["sqlite", "redis"])
def any_journal(request):
    """A real journal of each kind, empty, that keeps two predictions."""
    if request.param == "sqlite":
        yield request.getfixturevalue("journal")
    else:
        opened = open_journal(request.getfixturevalue("redis_server").url, cap=2)
        request.getfixturevalue("eventually")(lambda: answers(opened), "Redis answers")
        yield opened
        opened.close()


def answers(journal):
    try:
        return journal.summary() is not None
    except JournalError:
        return False


def test_an_empty_journal_is_up_and_has_no_newest_prediction(any_journal, collect):
    samples, error = collect(JournalCollector(any_journal))
    assert error is None
    assert [samples[name] for name in (UP, TOTAL, KEPT, FEEDBACK, DELAYED)] == [1, 0, 0, 0, 0]
    assert NEWEST not in samples


def test_what_was_written_is_counted(any_journal, collect, fill):
    fill(any_journal)
    samples, error = collect(JournalCollector(any_journal))
    assert error is None
    assert (samples[UP], samples[TOTAL], samples[FEEDBACK]) == (1, 3, 1)
    assert samples[NEWEST] == 1_767_409_445.5
    assert samples[KEPT] == 2


def test_it_says_that_what_it_acknowledges_is_on_its_disk(any_journal, collect):
    assert collect(JournalCollector(any_journal))[0][DURABLE] == 1


def test_what_its_operator_vouches_for_is_not_said_to_have_been_seen(redis_server, eventually, collect):
    opened = open_journal(redis_server.url + "?durable=managed")
    eventually(lambda: answers(opened), "Redis answers")
    samples, error = collect(JournalCollector(opened))
    assert (error, samples[UP]) == (None, 1)
    assert DURABLE not in samples
    opened.close()


def test_too_few_replicas_are_seen_though_its_operator_vouches_for_its_disk(redis_server, eventually, collect):
    opened = open_journal(redis_server.url + "?durable=managed&replicas=1")
    eventually(lambda: answers(opened), "Redis answers")
    assert collect(JournalCollector(opened))[0][DURABLE] == 0
    opened.close()


def test_a_journal_that_says_little_is_up_all_the_same(journal, collect, monkeypatch):
    monkeypatch.setattr(journal, "durability", lambda: Durability(None, None, None, None, None))
    samples, error = collect(JournalCollector(journal))
    assert error is None
    assert set(samples) == {UP, TOTAL, KEPT, FEEDBACK}


def test_memory_is_the_server_s_and_its_limit_is_there_if_there_is_one(redis_server, eventually, journal, collect, fill):
    fill(journal)
    assert not {MEMORY, MEMORY_LIMIT} & set(collect(JournalCollector(journal))[0])  # a file
    opened = open_journal(redis_server.url)
    eventually(lambda: answers(opened), "Redis answers")
    samples, _ = collect(JournalCollector(opened))
    assert samples[MEMORY] > 0
    assert MEMORY_LIMIT not in samples
    redis_server.client.config_set("maxmemory", "64mb")
    assert collect(JournalCollector(opened))[0][MEMORY_LIMIT] == 64 * 2**20
    opened.close()


def test_a_journal_that_cannot_be_reached_is_down_and_nothing_else_is_known(free_port, collect):
    journal = open_journal(f"redis://127.0.0.1:{free_port()}/0")
    samples, error = collect(JournalCollector(journal))
    assert samples == {UP: 0}
    assert isinstance(error, JournalError)


def test_a_file_that_is_no_journal_is_down(tmp_path, collect):
    (tmp_path / "journal.sqlite").write_bytes(b"no database " * 1000)
    samples, error = collect(JournalCollector(open_journal(f"sqlite:///{tmp_path}/journal.sqlite")))
    assert samples == {UP: 0}
    assert isinstance(error, JournalError)
