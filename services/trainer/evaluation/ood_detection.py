"""Tell non-digits from digits (out-of-distribution detection) by a score that is higher the less an image looks like a digit.

The receiver operating characteristic (ROC) compares scores: for each share of the digits lost, the share of non-digits rejected.
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


def feature_distance(known: Floats, labels: Integers, features: Floats) -> Floats:
    """Return the distance of features (n, width) to the mean of the nearest digit, (n,).

    The digits are known by the features (k, width) and labels (k,) of training images. Each feature counts in units of its spread
    about its digit's mean (Mahalanobis with a diagonal covariance; Lee et al., 2018).
    """
    present = np.unique(labels)
    means = np.stack([known[labels == digit].mean(axis=0) for digit in present])
    spread = np.sqrt(((known - means[np.searchsorted(present, labels)]) ** 2).mean(axis=0)) + SPREAD_FLOOR
    nearest: Floats = np.min([((features / spread - mean / spread) ** 2).sum(axis=1) for mean in means], axis=0)
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
    named = scores(measured.logits) | {"features": feature_distance(known.features, known.labels, measured.features)}
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
