"""Calibrate the confidence: of the answers with 90% confidence, 90% should be right, but networks are overconfident.

Dividing the logits by one number, the temperature, corrects most of the error and changes no answer (Guo et al., "On
calibration of modern neural networks", 2017).
"""

from dataclasses import dataclass

import numpy as np
from digitnet.arrays import Floats, Integers
from digitnet.decision import Decision
from digitnet.losses import softmax_cross_entropy

BINS = 15  # of confidence, equally wide, as in Guo et al.
LOWEST, HIGHEST = 0.05, 20.0  # the range of the search
SEARCH_STEPS = 60  # each shrinks the interval by 0.618, in the end far below float32's precision


def fit_temperature(logits: Floats, labels: Integers) -> float:
    """Return the temperature with the least mean loss on held-out logits (n, classes) and labels int (n,); 1.0 if n is 0.

    The loss has a single minimum along 1 / temperature, so golden-section search finds it.
    """
    if not len(labels):
        return 1.0

    def loss(logarithm: float) -> float:
        return softmax_cross_entropy(logits.T.astype(np.float64) / np.exp(logarithm), labels)[0]

    golden = (np.sqrt(5.0) - 1.0) / 2.0
    low, high = np.log(LOWEST), np.log(HIGHEST)
    for _ in range(SEARCH_STEPS):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(left) <= loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2.0))


@dataclass(frozen=True)
class Reliability:
    """The number, mean confidence and accuracy of the answers in each bin of confidence that has any."""

    count: Integers  # (bins,)
    confidence: Floats  # (bins,)
    accuracy: Floats  # (bins,)

    @property
    def expected_calibration_error(self) -> float:
        """The mean distance between confidence and accuracy, weighted by answers: 0 is perfect, 1 the worst."""
        return float(np.sum(self.count * np.abs(self.accuracy - self.confidence)) / max(int(self.count.sum()), 1))


def reliability(logits: Floats, labels: Integers, temperature: float = 1.0) -> Reliability:
    """Compare confidence and accuracy of logits (n, classes) at a temperature, for digits with labels int (n,)."""
    probabilities = Decision(temperature).probabilities(logits.astype(np.float64))
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    count = np.bincount(bins, minlength=BINS)
    filled = count > 0

    means = [np.bincount(bins, values, minlength=BINS)[filled] / count[filled] for values in (confidence, right.astype(float))]
    return Reliability(count[filled], *means)
