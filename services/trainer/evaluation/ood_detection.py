"""Rejection: telling what is no digit from what is one, by a score that is higher the less it looks like a digit.

Several scores can be had from one network; which is best is measured, not believed: the receiver operating characteristic says,
for each share of digits that one is ready to lose, what share of the rest a score would catch.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from digitnet.network import DIGITS, NO_DIGIT, Network

from trainer.data.digits import Answers, Split, answers

SPREAD_FLOOR = 1e-6  # of a feature that is the same for all digits, so that nothing is divided by zero


def scores(logits: np.ndarray) -> dict[str, np.ndarray]:
    """Logits (n, classes) -> by name, how little each looks like a digit, (n,).

    class           the logit of no digit against all digits': what the eleventh unit was trained for
    energy          -log sum exp of the digits' logits (Liu et al., "Energy-based out-of-distribution detection", 2020)
    confidence      that of the likeliest digit, negated (Hendrycks and Gimpel, "A baseline for …", 2017)
    """
    digits = logits[:, :DIGITS].astype(np.float64)
    largest = digits.max(axis=1)
    log_sum = largest + np.log(np.exp(digits - largest[:, None]).sum(axis=1))
    named = {"energy": -log_sum, "confidence": log_sum - largest}
    if logits.shape[1] > DIGITS:
        named = {"class": logits[:, NO_DIGIT] - log_sum, **named}
    return named


class FeatureDistance:
    """How far features are from those of the nearest digit: the distance to each digit's mean, each feature measured by how
    much it strays from its digit's mean (Mahalanobis with a diagonal covariance; Lee et al., 2018)."""

    def __init__(self, features: np.ndarray, labels: np.ndarray):
        """Of digits that the network learnt from: features (n, width), labels int (n,) in 0..9."""
        present = np.unique(labels)
        self._means = np.stack([features[labels == digit].mean(axis=0) for digit in present])
        own = self._means[np.searchsorted(present, labels)]
        self._spread = np.sqrt(((features - own) ** 2).mean(axis=0)) + SPREAD_FLOOR

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """(n, width) -> (n,)."""
        scaled = features / self._spread
        distances = [((scaled - mean / self._spread) ** 2).sum(axis=1) for mean in self._means]
        return np.sqrt(np.min(distances, axis=0))


class Score(NamedTuple):
    """How well a score tells digits from the rest."""

    area_under_roc: float
    caught: np.ndarray  # for each share of the digits that is lost, the share of the rest that it rejects


def compared(network: Network, learnt_from: Sequence[Split], measured: Sequence[Answers], lost: np.ndarray) -> dict[str, Score]:
    """Every score by name, held against what a network makes of digits and other things; `lost` are shares of the digits, (k,).

    `learnt_from` are digits that the network learnt from: the distance in feature space is measured from those.
    """
    known = [answers(network, split) for split in learnt_from]
    distance = FeatureDistance(_all(known, "features"), _all(known, "labels"))
    named = scores(_all(measured, "logits")) | {"features": distance(_all(measured, "features"))}
    is_digit = _all(measured, "labels") != NO_DIGIT
    return {
        name: Score(area_under_roc(score[is_digit], score[~is_digit]), caught(score[is_digit], score[~is_digit], lost))
        for name, score in named.items()
    }


def _all(measured, name):
    return np.concatenate([getattr(each, name) for each in measured])


def caught(digits: np.ndarray, others: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """The ROC: the share of `others` that a score rejects when it may reject each share `lost` of the digits, as (k,)."""
    thresholds = np.quantile(digits, 1.0 - np.asarray(lost))
    return 1.0 - np.searchsorted(np.sort(others), thresholds, side="right") / len(others)


def area_under_roc(digits: np.ndarray, others: np.ndarray) -> float:
    """The probability that something that is no digit scores higher than a digit does; equals count half."""
    ordered = np.sort(digits)
    below = np.searchsorted(ordered, others, side="left") + np.searchsorted(ordered, others, side="right")
    return float(below.mean() / (2.0 * len(digits)))
