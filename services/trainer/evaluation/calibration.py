"""Calibration: does the network know how sure it may be? Of what it says with 90% confidence, 90% should be right.

A network trained to the end is too sure of itself. Dividing its logits by one number, the temperature, before softmax mends
most of that and changes no answer (Guo et al., "On calibration of modern neural networks", 2017).
"""

from dataclasses import dataclass

import numpy as np
from digitnet.decision import Decision
from digitnet.losses import softmax_cross_entropy

BINS = 15  # of confidence, equally wide, as Guo et al. have them
LOWEST, HIGHEST = 0.05, 20.0  # temperatures between which the best one is looked for
HALVINGS = 60  # of that interval, nearly: it ends far below float32's own steps


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature at which the mean loss of held-out logits (n, classes) with labels int (n,) is the least.

    The loss has one valley along 1 / temperature, so the golden section finds its bottom. 1, which changes nothing, for no
    logits at all.
    """
    if not len(labels):
        return 1.0

    def loss(logarithm):
        return softmax_cross_entropy(logits.T.astype(np.float64) / np.exp(logarithm), labels)[0]

    golden = (np.sqrt(5.0) - 1.0) / 2.0
    low, high = np.log(LOWEST), np.log(HIGHEST)
    left, right = high - golden * (high - low), low + golden * (high - low)
    left_loss, right_loss = loss(left), loss(right)
    for _ in range(HALVINGS):
        if left_loss <= right_loss:
            high, right, right_loss = right, left, left_loss
            left = high - golden * (high - low)
            left_loss = loss(left)
        else:
            low, left, left_loss = left, right, right_loss
            right = low + golden * (high - low)
            right_loss = loss(right)
    return float(np.exp((low + high) / 2.0))


@dataclass(frozen=True)
class Reliability:
    """For each bin of confidence that any answer fell into: how many did, their mean confidence, and how many were right."""

    count: np.ndarray  # int (bins,)
    confidence: np.ndarray  # float (bins,)
    accuracy: np.ndarray  # float (bins,)

    @property
    def expected_calibration_error(self) -> float:
        """By how much confidence and accuracy differ, each answer counting alike; 0 is perfect, 1 the worst."""
        return float(np.sum(self.count * np.abs(self.accuracy - self.confidence)) / max(self.count.sum(), 1))


def reliability(logits: np.ndarray, labels: np.ndarray, temperature: float = 1.0) -> Reliability:
    """What held-out logits (n, classes) promise at a temperature, beside what they keep; labels int (n,)."""
    probabilities = Decision(temperature).probabilities(logits.astype(np.float64))
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    count = np.bincount(bins, minlength=BINS)
    filled = count > 0

    def mean(values):
        return np.bincount(bins, values, minlength=BINS)[filled] / count[filled]

    return Reliability(count[filled], mean(confidence), mean(right.astype(float)))
