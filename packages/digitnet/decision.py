"""The decision: from logits to the probability of each digit, and to a yes or no: does the image show a digit?

It has two numbers, a temperature and a threshold, in the model card. The trainer's stage evaluate fits both on validation data.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from digitnet.arrays import Array, Bools, Floats, Integers
from digitnet.losses import softmax
from digitnet.network import DIGITS, NO_DIGIT

TEMPERATURES = 0.01, 100.0  # Lower ones make probabilities 0 and 1, higher ones make them equal.
THRESHOLDS = 0.0, 1.0


class Predictions(NamedTuple):
    probabilities: Floats  # (n, 10), of each digit if the image shows a digit. Each row sums to 1.
    no_digit: Floats  # (n,), of no digit. 1 for a blank image, 0 for other images if the network has 10 classes.
    is_digit: Bools  # (n,)

    @property
    def digit(self) -> Integers:
        """The likeliest digits, (n,), also for images without a digit."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def confidence(self) -> Floats:
        """The probability of each prediction, (n,): of the likeliest digit, or of no digit."""
        return np.where(self.is_digit, self.probabilities.max(axis=1), self.no_digit)

    @property
    def scores(self) -> Floats:
        """The log probability that each image shows its likeliest digit, (n,), at least log 1e-9."""
        shown: Floats = self.probabilities.max(axis=1) * (1.0 - self.no_digit)
        return np.log(np.maximum(shown, 1e-9))


@dataclass(frozen=True)
class Decision:
    temperature: float = 1.0  # Divides the digits' logits. Above 1 it lowers the confidence. It never changes the best guess.
    no_digit_threshold: float = 1.0  # Images with a higher probability of no digit are rejected. 1 rejects only blank ones.

    @classmethod
    def of(cls, card: Mapping[str, object]) -> "Decision":
        """Return the decision of a model card. A missing number is 1.0. ValueError for a number out of its range."""
        return cls(_number(card, "temperature", *TEMPERATURES), _number(card, "no_digit_threshold", *THRESHOLDS))

    def probabilities(self, logits: Floats) -> Floats:
        """Return the digits' probabilities (n, 10) for logits (n, classes), assuming that the images show digits."""
        return softmax(logits[:, :DIGITS].T / logits.dtype.type(self.temperature)).T

    def predictions(self, logits: Floats, images: Array) -> Predictions:
        """Return the predictions for images (n, 28, 28) with these logits (n, classes). A blank image is no digit."""
        no_digit = softmax(logits.T)[NO_DIGIT] if logits.shape[1] > NO_DIGIT else np.zeros(len(logits), logits.dtype)
        blank = is_blank(images)
        no_digit[blank] = 1.0
        return Predictions(self.probabilities(logits), no_digit, (no_digit <= self.no_digit_threshold) & ~blank)


def is_blank(images: Array) -> Bools:
    """Return which of the images (n, 28, 28) have no ink, bool (n,). digitnet.images makes one of a single dot too."""
    return np.asarray(~np.any(images, axis=(1, 2)))


def _number(card: Mapping[str, object], name: str, lowest: float, highest: float) -> float:
    number = card.get(name, 1.0)
    if not isinstance(number, int | float) or isinstance(number, bool) or not lowest <= number <= highest:
        raise ValueError(f"{name} must be a number from {lowest:g} to {highest:g}, not {number!r:.60}")
    return float(number)
