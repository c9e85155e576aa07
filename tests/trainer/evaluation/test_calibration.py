"""Temperature and calibration error, on labels drawn from known logits."""

import numpy as np
import pytest
from digitnet.losses import softmax
from trainer.evaluation.calibration import BINS, fit_temperature, reliability


def drawn(generator, count=20_000, spread=2.0):
    """Return logits (count, 10) and labels drawn from their softmax, which are perfectly calibrated."""
    logits = generator.normal(0.0, spread, (count, 10))
    cumulative = softmax(logits.T).T.cumsum(axis=1)
    return logits, np.minimum((generator.random((count, 1)) > cumulative).sum(axis=1), 9)


@pytest.fixture
def generator():
    return np.random.default_rng(0)


@pytest.mark.parametrize("temperature", [0.3, 4.0])
def test_finds_the_temperature(generator, temperature):
    logits, labels = drawn(generator)
    assert fit_temperature(logits * temperature, labels) == pytest.approx(temperature, rel=0.05)


def test_handles_perfect_and_empty_data():
    assert fit_temperature(np.eye(10) * 500.0, np.arange(10)) < 20.0
    assert fit_temperature(np.empty((0, 10)), np.empty(0, int)) == 1.0


def test_overconfidence_has_a_calibration_error(generator):
    logits, labels = drawn(generator)
    assert reliability(logits, labels).expected_calibration_error < 0.01
    assert reliability(logits * 3.0, labels).expected_calibration_error > 0.1
    assert reliability(logits * 3.0, labels, temperature=3.0).expected_calibration_error < 0.01


def test_error_is_the_mean_distance_of_confidence_and_accuracy():
    sure = np.log([[0.8] + [0.2 / 9] * 9] * 4)  # four answers, 80% sure of 0
    measured = reliability(sure, np.array([0, 0, 1, 2]))
    assert measured.count.tolist() == [4]
    assert measured.confidence == pytest.approx([0.8])
    assert measured.accuracy == pytest.approx([0.5])
    assert measured.expected_calibration_error == pytest.approx(0.3)


def test_bins_have_equal_width_and_are_not_empty(generator):
    logits, labels = drawn(generator, 2_000)
    measured = reliability(logits, labels)
    assert measured.count.sum() == 2_000
    assert (np.diff(np.floor(measured.confidence * BINS)) >= 1).all()
    assert (measured.count > 0).all()
