"""The decision: from logits to how likely each digit is, and to whether the image shows a digit at all.

A model card holds its two numbers. The trainer's stage evaluate fits both on the validation splits.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from digitnet.network import reading

TEMPERATURES = 0.01, 100.0  # beyond these, probabilities are 0 and 1, or all alike
THRESHOLDS = 0.0, 1.0


class Predictions(NamedTuple):
    """One row for each image."""

    probabilities: np.ndarray  # (n, 10), of the digits, if the image shows one; each row sums to 1
    no_digit: np.ndarray  # (n,), of no digit; 0 for a network without that class
    is_digit: np.ndarray  # bool (n,)


@dataclass(frozen=True)
class Decision:
    temperature: float = 1.0  # divides the digits' logits; 1 changes nothing
    no_digit_threshold: float = 1.0  # a larger probability of no digit rejects the image; 1 rejects none

    @classmethod
    def of(cls, card: dict) -> "Decision":
        """Return the decision of a model card. A number that it lacks is 1. ValueError for a number out of its range."""
        return cls(_number(card, "temperature", *TEMPERATURES), _number(card, "no_digit_threshold", *THRESHOLDS))

    def predictions(self, logits: np.ndarray, images: np.ndarray) -> Predictions:
        """Decide on images (n, 28, 28) that a network gave logits (n, classes). A blank image is no digit."""
        probabilities, no_digit = reading(logits, self.temperature)
        return Predictions(probabilities, no_digit, (no_digit <= self.no_digit_threshold) & ~is_blank(images))


def is_blank(images: np.ndarray) -> np.ndarray:
    """Return which of the images (n, 28, 28) have no ink, bool (n,). digitnet.images makes such an image of a dot, too."""
    return ~images.any(axis=(1, 2))


def _number(card, name, lowest, highest):
    number = card.get(name, 1.0)
    if not isinstance(number, int | float) or isinstance(number, bool) or not lowest <= number <= highest:
        raise ValueError(f"{name} must be a number from {lowest:g} to {highest:g}, not {number!r:.60}")
    return float(number)
