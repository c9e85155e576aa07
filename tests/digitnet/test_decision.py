"""The decision turns logits into a best guess, the probability of no digit, and an answer."""

import numpy as np
import pytest
from digitnet.decision import Decision
from digitnet.losses import softmax


@pytest.fixture
def logits(generator):
    return generator.normal(0.0, 3.0, (20, 11))


@pytest.fixture
def images(generator):
    return generator.random((20, 28, 28))


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_the_eleventh_logit_is_no_digit(logits, images, temperature):
    logits[0, 10] = 999.0  # no digit, with a best guess
    found = Decision(temperature, 0.5).predictions(logits, images)
    np.testing.assert_allclose(found.probabilities, softmax(logits[:, :10].T / temperature).T)
    np.testing.assert_allclose(found.no_digit, softmax(logits.T)[10])
    np.testing.assert_array_equal(found.is_digit, found.no_digit <= 0.5)
    np.testing.assert_array_equal(found.digit, logits[:, :10].argmax(axis=1))
    assert set(found.is_digit.tolist()) == {True, False}


def test_confidence_is_the_answer_s_probability(logits, images):
    found = Decision(1.5, 0.5).predictions(logits, images)
    for probabilities, no_digit, is_digit, confidence in zip(*found, found.confidence):
        assert confidence == (probabilities.max() if is_digit else no_digit)


def test_ten_logits_make_every_image_with_ink_a_digit(logits, images):
    found = Decision().predictions(logits[:, :10].astype(np.float32), images)
    np.testing.assert_array_equal(found.no_digit, np.zeros(20))
    assert found.is_digit.all()
    assert found.no_digit.dtype == found.probabilities.dtype == np.float32


@pytest.mark.parametrize("classes", [10, 11])
def test_a_blank_image_is_no_digit(logits, images, classes):
    images[3] = 0.0
    found = Decision().predictions(logits[:, :classes], images)
    assert np.flatnonzero(~found.is_digit).tolist() == [3]
    assert found.no_digit[3] == found.confidence[3] == 1.0
