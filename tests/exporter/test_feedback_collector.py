"""The feedback collector counts each piece of feedback once."""

from dataclasses import replace

import pytest
from exporter import feedback_collector
from exporter.feedback_collector import FeedbackCollector

RECENT, AGREEMENT = ("doodle_feedback_recent",), ("doodle_feedback_recent_agreement_ratio",)
RECEIVED = "doodle_feedback_received_total"


def counts(samples):
    """Return the counts above zero by their labels."""
    return {tuple(labels): value for (name, *labels), value in samples.items() if name == RECEIVED and value}


def test_all_counts_start_at_zero(log, collect):
    samples, error = collect(FeedbackCollector(log))
    assert error is None
    assert counts(samples) == {}
    assert len(samples) == 32  # 31 counts and the number of recent pieces
    assert samples[RECENT] == 0
    assert AGREEMENT not in samples


def test_counts_by_digit_and_verdict(log, feedback, collect):
    given = [(3, 3), (3, 3), (5, 3), (5, None), (None, 3), (None, None)]
    for number, (actual, predicted) in enumerate(given):
        log.add_feedback(feedback(number, actual, predicted))
    samples, _ = collect(FeedbackCollector(log))
    assert counts(samples) == {("3", "right"): 2, ("5", "wrong"): 1, ("5", "unknown"): 1, ("none", "no_digit"): 2}
    assert samples[RECENT] == 3
    assert samples[AGREEMENT] == pytest.approx(2 / 3)


def test_erased_feedback_stays_counted_and_reading_continues(log, feedback, collect):
    collector = FeedbackCollector(log)
    for number in range(3):
        log.add_feedback(feedback(number, 3))
    collect(collector)
    log.erase([], ["feedback-2"])
    log.add_feedback(feedback(3, 3))
    samples, _ = collect(collector)
    assert counts(samples) == {("3", "right"): 4}


def test_counts_each_once_across_pages_and_collections(log, feedback, collect, monkeypatch):
    monkeypatch.setattr(feedback_collector, "PAGE", 2)
    collector = FeedbackCollector(log)
    for number in range(5):
        log.add_feedback(feedback(number, 3))
        collect(collector)
        assert counts(collect(collector)[0]) == {("3", "right"): number + 1}


def test_agreement_covers_the_newest_feedback(log, feedback, collect, monkeypatch):
    monkeypatch.setattr(feedback_collector, "RECENT", 4)
    collector = FeedbackCollector(log)
    for number, actual in enumerate([3, 3, 3, 3, 5, 5, 5]):
        log.add_feedback(feedback(number, actual))
    assert collect(collector)[0][AGREEMENT] == 0.25


def test_counts_a_replaced_log_from_the_start(log, feedback, tmp_path, collect):
    collector = FeedbackCollector(log)
    log.add_feedback(feedback(1, 3))
    assert counts(collect(collector)[0]) == {("3", "right"): 1}
    log.close()
    for file in tmp_path.glob("journal.sqlite*"):
        file.unlink()
    log.add_feedback(replace(feedback(9, 5), feedback_id="another"))
    assert counts(collect(collector)[0]) == {("5", "wrong"): 1}
