"""Out-of-distribution detection: tell non-digits from digits by a score, which is high for an image unlike any digit.

The receiver operating characteristic (ROC) compares scores: for each share of rejected digits, the share of rejected non-digits.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from digitnet.arrays import Floats, Integers
from digitnet.network import DIGITS, NO_DIGIT, Network

from trainer.data.digits import Answers, Split, answers, joined_answers

SPREAD_FLOOR = 1e-6  # avoids a division by zero for a constant feature


def scores(logits: Floats) -> dict[str, Floats]:
    """Return all scores, (n,) each, of logits (n, classes).

    `class`        The logit of no digit less the log-sum-exp of the digits' logits. It needs the eleventh class.
    `energy`       -log sum exp of the digits' logits (Liu et al., "Energy-based out-of-distribution detection", 2020).
    `confidence`   Minus the log-probability of the likeliest digit (Hendrycks and Gimpel, "A baseline for …", 2017).
    """
    digits = logits[:, :DIGITS].astype(np.float64)
    largest = digits.max(axis=1)
    log_sum = largest + np.log(np.exp(digits - largest[:, None]).sum(axis=1))
    named: dict[str, Floats] = {"energy": -log_sum, "confidence": log_sum - largest}
    return named if logits.shape[1] == DIGITS else {"class": logits[:, NO_DIGIT] - log_sum, **named}


def feature_distance(known: Floats, labels: Integers, features: Floats) -> Floats:
    """Return the distance of features (n, width) to the nearest digit's mean, (n,).

    `known` (k, width) and `labels` (k,) are the features and labels of training images. Each feature is measured in standard
    deviations from its digit's mean (Mahalanobis with a diagonal covariance; Lee et al., 2018).
    """
    present = np.unique(labels)
    means = np.stack([known[labels == digit].mean(axis=0) for digit in present])
    spread = np.sqrt(((known - means[np.searchsorted(present, labels)]) ** 2).mean(axis=0)) + SPREAD_FLOOR
    nearest: Floats = np.min([((features / spread - mean / spread) ** 2).sum(axis=1) for mean in means], axis=0)
    return np.sqrt(nearest)


class Score(NamedTuple):
    """How well a score separates digits from non-digits."""

    area_under_roc: float
    caught: Floats  # for each share of rejected digits, the share of rejected non-digits


def compared(network: Network, known: Sequence[Split], measured: Answers, lost: Floats) -> dict[str, Score]:
    """Return each score's quality by name, on a network's answers to digits and non-digits.

    `lost` (k,) are the shares of rejected digits at which to measure. `known` are training digits, for the distance in feature
    space.
    """
    trained = joined_answers(*(answers(network, split) for split in known))
    named = scores(measured.logits) | {"features": feature_distance(trained.features, trained.labels, measured.features)}
    is_digit = measured.labels != NO_DIGIT
    return {
        name: Score(area_under_roc(score[is_digit], score[~is_digit]), caught(score[is_digit], score[~is_digit], lost))
        for name, score in named.items()
    }


def caught(digits: Floats, others: Floats, lost: Floats) -> Floats:
    """Return the ROC, (k,): the share of `others` rejected by a threshold that rejects the share `lost` (k,) of the digits."""
    thresholds: Floats = np.quantile(digits, 1.0 - np.asarray(lost))
    return 1.0 - np.searchsorted(np.sort(others), thresholds, side="right") / len(others)


def area_under_roc(digits: Floats, others: Floats) -> float:
    """Return the probability that a non-digit scores higher than a digit. A tie counts half."""
    ordered = np.sort(digits)
    below = np.searchsorted(ordered, others, side="left") + np.searchsorted(ordered, others, side="right")
    return float(below.mean() / (2.0 * len(digits)))
