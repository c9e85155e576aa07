"""Softmax and cross-entropy have correct values and gradients, and stay finite for large logits."""

import numpy as np
import pytest
from digitnet.losses import softmax, softmax_cross_entropy


def test_softmax_does_not_overflow():
    np.testing.assert_allclose(softmax(np.array([[1e4], [1e4 - np.log(3.0)], [-1e4]])).ravel(), [0.75, 0.25, 0.0])


def test_loss_is_the_mean_negative_log_probability():
    logits = np.log(np.array([[0.5, 0.1], [0.25, 0.1], [0.25, 0.8]]))
    loss, _ = softmax_cross_entropy(logits, np.array([0, 2]))
    assert loss == pytest.approx((-np.log(0.5) - np.log(0.8)) / 2)


def test_loss_of_a_wrong_answer_is_finite():
    loss, grad = softmax_cross_entropy(np.array([[2e3], [-2e3]], np.float32), np.array([1]))
    assert loss == pytest.approx(4e3)
    assert np.isfinite(grad).all()


def test_gradient_matches_finite_differences(generator, numerical_gradient):
    logits, labels = generator.normal(scale=3.0, size=(10, 6)), generator.integers(0, 10, 6)
    _, grad = softmax_cross_entropy(logits, labels)
    expected = numerical_gradient(lambda: softmax_cross_entropy(logits, labels)[0], logits)
    np.testing.assert_allclose(grad, expected, rtol=1e-5, atol=1e-8)
