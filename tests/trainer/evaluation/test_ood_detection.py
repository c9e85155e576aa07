"""Scores for out-of-distribution detection, and their quality."""

import numpy as np
import pytest
from digitnet.losses import softmax
from trainer.evaluation.ood_detection import area_under_roc, caught, feature_distance, scores


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def test_scores_match_their_definitions(generator):
    logits = generator.normal(0.0, 4.0, (50, 11))
    named, probabilities = scores(logits), softmax(logits.T).T
    np.testing.assert_allclose(1.0 / (1.0 + np.exp(-named["class"])), probabilities[:, 10])
    np.testing.assert_allclose(named["energy"], -np.log(np.exp(logits[:, :10]).sum(axis=1)))
    np.testing.assert_allclose(np.exp(-named["confidence"]), softmax(logits[:, :10].T).max(axis=0))


def test_ten_logits_have_two_scores_without_overflow(generator):
    named = scores(generator.normal(0.0, 4.0, (5, 10)).astype(np.float32) + 1e4)
    assert list(named) == ["energy", "confidence"]
    assert all(np.isfinite(score).all() for score in named.values())


def test_feature_distance_is_standardized(generator):
    labels = np.arange(2000) % 2
    features = generator.normal(0.0, [1.0, 10.0], (2000, 2)) + np.where(labels[:, None], [8.0, 0.0], [0.0, 0.0])
    at = feature_distance(features, labels, np.array([[0.0, 0.0], [8.0, 0.0], [4.0, 0.0], [0.0, 20.0], [11.0, 0.0]]))
    np.testing.assert_allclose(at, [0.0, 0.0, 4.0, 2.0, 3.0], atol=0.25)
    never_changing = feature_distance(np.ones((4, 2)), np.array([3, 3, 7, 7]), np.zeros((2, 2)))
    assert np.isfinite(never_changing).all()


def test_curve_gives_rejections_at_each_loss_of_digits(generator):
    digits, others = generator.normal(0.0, 1.0, 1000), generator.normal(2.0, 1.0, 500)
    lost = np.array([0.0, 0.01, 0.5])
    expected = [np.mean(others > np.quantile(digits, 1.0 - share)) for share in lost]
    np.testing.assert_allclose(caught(digits, others, lost), expected)


def test_area_is_the_probability_of_a_higher_score(generator):
    digits, others = generator.integers(0, 9, 60), generator.integers(3, 12, 40)
    pairs = others[:, None] - digits
    assert area_under_roc(digits, others) == pytest.approx(np.mean(pairs > 0) + np.mean(pairs == 0) / 2)
    assert area_under_roc(np.zeros(3), np.ones(4)) == 1.0
