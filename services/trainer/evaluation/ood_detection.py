"""Tell non-digits from digits (out-of-distribution detection) by a score that is higher the less an image looks like a digit.

One network gives several scores. The receiver operating characteristic (ROC) compares them: for each share of the digits that may
be lost, the share of the non-digits that a score rejects.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from digitnet.arrays import Floats, Integers
from digitnet.network import DIGITS, NO_DIGIT, Network

from trainer.data.digits import Answers, Split, answers, joined_answers

SPREAD_FLOOR = 1e-6  # of a feature that is the same for all digits, against a division by zero


def scores(logits: Floats) -> dict[str, Floats]:
    """Return by name how little each of the logits (n, classes) looks like a digit, (n,).

    class           the logit of no digit against all digits': what the eleventh unit was trained for
    energy          -log sum exp of the digits' logits (Liu et al., "Energy-based out-of-distribution detection", 2020)
    confidence      that of the likeliest digit, negated (Hendrycks and Gimpel, "A baseline for …", 2017)
    """
    digits = logits[:, :DIGITS].astype(np.float64)
    largest = digits.max(axis=1)
    log_sum = largest + np.log(np.exp(digits - largest[:, None]).sum(axis=1))
    named = {"energy": -log_sum, "confidence": log_sum - largest}
    return named if logits.shape[1] == DIGITS else {"class": logits[:, NO_DIGIT] - log_sum, **named}


class FeatureDistance:
    """The distance of features to the mean of the nearest digit, each feature in units of its spread about its digit's mean
    (Mahalanobis with a diagonal covariance; Lee et al., 2018)."""

    def __init__(self, features: Floats, labels: Integers):
        """Learn from features (n, width) of digits with labels int (n,) in 0..9."""
        present = np.unique(labels)
        self._means = np.stack([features[labels == digit].mean(axis=0) for digit in present])
        own = self._means[np.searchsorted(present, labels)]
        self._spread = np.sqrt(((features - own) ** 2).mean(axis=0)) + SPREAD_FLOOR

    def __call__(self, features: Floats) -> Floats:
        """(n, width) -> (n,)."""
        scaled = features / self._spread
        distances = [((scaled - mean / self._spread) ** 2).sum(axis=1) for mean in self._means]
        nearest: Floats = np.min(distances, axis=0)
        return np.sqrt(nearest)


class Score(NamedTuple):
    """How well a score tells digits from non-digits."""

    area_under_roc: float
    caught: Floats  # for each share of the digits that is lost, the share of the non-digits that it rejects


def compared(network: Network, learned_from: Sequence[Split], measured: Answers, lost: Floats) -> dict[str, Score]:
    """Return every score by name, on a network's answers to digits and non-digits; `lost` are shares of the digits, (k,).

    The distance in feature space is measured from the digits `learned_from`, which the network was trained on.
    """
    known = joined_answers(*(answers(network, split) for split in learned_from))
    distance = FeatureDistance(known.features, known.labels)
    named = scores(measured.logits) | {"features": distance(measured.features)}
    is_digit = measured.labels != NO_DIGIT
    return {
        name: Score(area_under_roc(score[is_digit], score[~is_digit]), caught(score[is_digit], score[~is_digit], lost))
        for name, score in named.items()
    }


def caught(digits: Floats, others: Floats, lost: Floats) -> Floats:
    """Return the ROC: the share of `others` that a score rejects when it may reject each share `lost` of the digits, (k,)."""
    thresholds: Floats = np.quantile(digits, 1.0 - np.asarray(lost))
    return 1.0 - np.searchsorted(np.sort(others), thresholds, side="right") / len(others)


def area_under_roc(digits: Floats, others: Floats) -> float:
    """Return the probability that a non-digit scores higher than a digit; equals count half."""
    ordered = np.sort(digits)
    below = np.searchsorted(ordered, others, side="left") + np.searchsorted(ordered, others, side="right")
    return float(below.mean() / (2.0 * len(digits)))
