"""Calibrate the network, which is too sure of itself: of the answers with 90% confidence, 90% should be right.

Dividing its logits by one number, the temperature, corrects most of that and changes no answer (Guo et al., "On calibration of
modern neural networks", 2017).
"""

from dataclasses import dataclass

import numpy as np
from digitnet.arrays import Floats, Integers
from digitnet.decision import Decision
from digitnet.losses import softmax_cross_entropy

BINS = 15  # of confidence, equally wide, as Guo et al. have them
LOWEST, HIGHEST = 0.05, 20.0  # temperatures that the search is between
HALVINGS = 60  # of that interval, nearly: it ends far below float32's own steps


def fit_temperature(logits: Floats, labels: Integers) -> float:
    """Return the temperature with the least mean loss of held-out logits (n, classes) with labels int (n,); 1 for none.

    The loss has one valley along 1 / temperature, so the golden section finds its bottom.
    """
    if not len(labels):
        return 1.0

    def loss(logarithm: float) -> float:
        return softmax_cross_entropy(logits.T.astype(np.float64) / np.exp(logarithm), labels)[0]

    golden = (np.sqrt(5.0) - 1.0) / 2.0
    low, high = np.log(LOWEST), np.log(HIGHEST)
    for _ in range(HALVINGS):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(left) <= loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2.0))


@dataclass(frozen=True)
class Reliability:
    """For each bin of confidence with any answer: the number of answers, their mean confidence, and the share that is right."""

    count: Integers  # (bins,)
    confidence: Floats  # (bins,)
    accuracy: Floats  # (bins,)

    @property
    def expected_calibration_error(self) -> float:
        """The mean over the answers of the distance between confidence and accuracy: 0 is perfect, 1 the worst."""
        return float(np.sum(self.count * np.abs(self.accuracy - self.confidence)) / max(self.count.sum(), 1))


def reliability(logits: Floats, labels: Integers, temperature: float = 1.0) -> Reliability:
    """Compare the confidence of logits (n, classes) of digits, at a temperature, with their accuracy; labels int (n,)."""
    probabilities = Decision(temperature).probabilities(logits.astype(np.float64))
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    count = np.bincount(bins, minlength=BINS)
    filled = count > 0

    means = [np.bincount(bins, values, minlength=BINS)[filled] / count[filled] for values in (confidence, right.astype(float))]
    return Reliability(count[filled], *means)
