"""The drift collector compares each drawing once with the live model's reference and counts detections."""

import numpy as np
import pytest
from drift.blocks import SIZE
from drift.reference import Reference, measured
from exporter import drift_collector
from exporter.drift_collector import DriftCollector
from exporter.feedback_collector import FeedbackCollector
from stores.models import StoreError
from stores.prediction_log import FORMS

DETECTED, WINDOWS, WATCHED = (
    (name,) for name in ("data_drift_detected_total", "doodle_drift_windows_total", "doodle_drift_watched")
)
WAITING = ("doodle_drift_window_drawings", "strokes")


@pytest.fixture
def live(publish, models, reference):
    """Promote a model with a reference and return its version."""
    version = publish(about={"drift_references": {"strokes": reference}})
    models.point("live", version)
    return version


@pytest.fixture
def collector(models, log):
    """Return a collector that has seen the log empty."""
    collector = DriftCollector(models, log, FeedbackCollector(log))
    assert collector._recent() == []
    return collector


def test_every_form_has_a_reference():
    assert set(drift_collector.FORMS) == set(FORMS)


def test_detects_inverted_ink_and_names_it(collector, collect, live, draw):
    draw(SIZE + 7, live)
    samples, error = collect(collector)
    assert error is None
    assert (samples[WATCHED], samples[WINDOWS], samples[DETECTED], samples[WAITING]) == (1, 1, 0, 7)
    assert samples["doodle_drift_detected", "strokes", "ink"] == 0
    assert 0 <= samples["doodle_drift_effect", "strokes", "ink"] < samples["doodle_drift_tolerance", "strokes", "ink"]
    draw(SIZE, live, lambda image: 255 - image)
    samples, _ = collect(collector)
    assert (samples[WINDOWS], samples[DETECTED], samples[WAITING]) == (2, 1, 7)
    assert samples["doodle_drift_detected", "strokes", "ink"] == 1
    assert samples["doodle_drift_detected", "strokes", "digit_mix"] == 0


def test_reads_only_new_predictions(collector, collect, live, draw, log, monkeypatch):
    draw(3 * SIZE, live)
    assert collect(collector)[0][WINDOWS] == 3
    asked, read = [], log.recent_predictions
    monkeypatch.setattr(log, "recent_predictions", lambda count: asked.append(count) or read(count))
    collect(collector)
    draw(30, live)
    assert collect(collector)[0][WAITING] == 30
    assert asked == [1, 1, 100]


def test_a_restarted_exporter_does_not_announce_old_drift_again(models, log, collect, live, draw):
    draw(SIZE, live, lambda image: 255 - image)
    collector = DriftCollector(models, log, FeedbackCollector(log))
    draw(SIZE - 1, live, lambda image: 255 - image)
    samples, _ = collect(collector)
    assert (samples[WINDOWS], samples[WAITING]) == (0, 0)
    draw(7, live)
    samples, _ = collect(collector)
    assert (samples[WINDOWS], samples[WAITING]) == (0, 7)


def test_counts_only_the_live_model_s_drawings(collector, collect, live, draw, publish, models, reference):
    draw(100, "0123456789ab")
    draw(60, live)
    assert collect(collector)[0][WAITING] == 60
    other = publish(seed=9, about={"drift_references": {"strokes": reference}})
    models.point("live", other)
    draw(30, other)
    assert collect(collector)[0][WAITING] == 30


def test_each_form_has_its_own_reference(collector, collect, publish, models, reference, draw, bars):
    inverted = measured(255 - bars(1000, 2), np.arange(1000) % 10, np.full(1000, 0.95), np.zeros(1000, bool))
    references = {"strokes": reference, "pixels": Reference.of(inverted).to_dict()}
    version = publish(about={"drift_references": references})
    models.point("live", version)
    draw(SIZE, version)
    draw(SIZE // 2, version, lambda image: 255 - image, form="image")
    draw(SIZE // 2, version, lambda image: 255 - image, form="image_vector")
    draw(SIZE, version, lambda image: 255 - image, form="number")  # digits of numbers have none
    samples, _ = collect(collector)
    assert samples[WINDOWS] == 2
    assert samples["doodle_drift_detected", "strokes", "ink"] == samples["doodle_drift_detected", "pixels", "ink"] == 0


def test_wrong_answers_by_feedback_are_drift(collector, collect, live, draw, log, feedback):
    def give_wrong(numbers):
        for number in numbers:
            log.add_feedback(feedback(number, 5))
        collect(collector._feedback)

    give_wrong(range(50))  # before the first collection
    collect(collector)
    detected = []
    for numbers in (range(50, 60), range(60, 90), ()):  # too few, enough, and no more
        give_wrong(numbers)
        draw(SIZE, live)
        samples, _ = collect(collector)
        detected.append((samples[DETECTED], samples.get(("doodle_drift_detected", "strokes", "feedback_error"))))
    assert detected == [(0, None), (1, 1), (1, None)]


def test_watches_nothing_without_a_model_or_reference(collector, collect, publish, models, draw):
    samples, error = collect(collector)
    assert (samples[WATCHED], error) == (0, None)
    version = publish()
    models.point("live", version)
    draw(SIZE, version)
    samples, error = collect(collector)
    assert (samples[WATCHED], samples[WINDOWS], error) == (0, 0, None)


@pytest.mark.parametrize("references", [{"strokes": {"format": "drift-reference-1"}}, {"strokes": None}, [1]])
def test_error_names_a_damaged_reference(collector, collect, publish, models, references):
    version = publish(about={"drift_references": references})
    models.point("live", version)
    samples, error = collect(collector)
    assert samples == {}
    assert isinstance(error, StoreError)
    assert str(error).startswith(f"the card of {version}: ")
