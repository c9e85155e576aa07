"""The reference: drawings that the model reads well, as histograms small enough for the model's card.

Each subject (a feature, or the network's confidence) has a histogram for each of the ten digits. The edges are quantiles of all
digits together, so the BINS bins have about equal counts. For a window with another mix of digits, `expected` reweights the
reference to that mix.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift import features
from drift.features import Floats

SUBJECTS = (*features.NAMES, "confidence")
DIGITS = 10
BINS = 32  # of each histogram: distances between distributions are precise to half of 1/32
LEAST_OF_A_DIGIT = 20  # drawings: fewer do not show a digit's distribution
FORMAT = "drift-reference-1"
SIGNIFICANT = 6  # digits of an edge: a confidence above 0.999999 counts as 1

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Drawings:
    """Measured drawings and their predictions; n of each."""

    values: Floats  # (n, 9), columns as in SUBJECTS
    digits: Counts  # (n,) in 0..9: the likeliest digit, also of rejected drawings
    rejected: NDArray[np.bool_]  # (n,): predicted as no digit

    def __len__(self) -> int:
        return len(self.digits)

    def only(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "Drawings":
        """Return the drawings that a mask (n,) or indices select."""
        return Drawings(self.values[chosen], self.digits[chosen], self.rejected[chosen])


def measured(
    images: NDArray[np.uint8], digits: NDArray[np.integer], confidences: NDArray[np.floating], rejected: NDArray[np.bool_]
) -> Drawings:
    """Measure images uint8 (n, 28, 28) with their predictions: digits in 0..9, confidences in [0, 1], rejected; (n,) each."""
    values = np.column_stack([features.measure(images), confidences])
    return Drawings(values, np.asarray(digits, np.int64), np.asarray(rejected, bool))


@dataclass(frozen=True)
class Reference:
    edges: dict[str, Floats]  # by subject: (bins - 1,), rising
    counts: dict[str, Counts]  # by subject: (10, bins); a drawing on an edge is in the bin below
    rejected: int

    @classmethod
    def of(cls, drawings: Drawings) -> "Reference":
        """Return the reference of these drawings. ValueError unless each digit has LEAST_OF_A_DIGIT drawings."""
        fewest = np.bincount(drawings.digits, minlength=DIGITS).min()
        if fewest < LEAST_OF_A_DIGIT:
            raise ValueError(f"a reference needs {LEAST_OF_A_DIGIT} drawings of each digit; one has {fewest}")
        edges, counts = {}, {}
        for subject, values in zip(SUBJECTS, drawings.values.T):
            quantiles = np.quantile(values, np.arange(1, BINS) / BINS, method="inverted_cdf")
            # Round before counting, so that the counts match the edges in the card.
            edges[subject] = np.unique([float(f"{quantile:.{SIGNIFICANT}g}") for quantile in quantiles])
            shape = (DIGITS, len(edges[subject]) + 1)
            places = drawings.digits * shape[1] + np.searchsorted(edges[subject], values, side="left")
            counts[subject] = np.bincount(places, minlength=math.prod(shape)).reshape(shape)
        return cls(edges, counts, int(np.count_nonzero(drawings.rejected)))

    @property
    def of_digit(self) -> Counts:
        """The number of drawings of each digit, (10,)."""
        return np.asarray(self.counts[SUBJECTS[0]].sum(axis=1))

    @property
    def drawings(self) -> int:
        """The number of drawings."""
        return int(self.of_digit.sum())

    def expected(self, subject: str, shares: Floats) -> Floats:
        """Return the share of drawings at or below each edge, (bins - 1,), for these shares of the ten digits, (10,)."""
        cumulated = np.cumsum(self.counts[subject], axis=1)
        return np.asarray(shares @ (cumulated[:, :-1] / cumulated[:, -1:]))

    def effective_drawings(self, shares: Floats) -> float:
        """Return the effective sample size for these shares of the digits, (10,): the largest for the reference's own shares."""
        return float(1.0 / np.sum(shares**2 / self.of_digit))

    def to_dict(self) -> dict[str, Any]:
        """Return the reference for JSON. Counts are text, a line for each digit, because indented JSON would need 2,880 lines."""
        subjects = {}
        for subject in SUBJECTS:
            counts = [" ".join(map(str, row)) for row in self.counts[subject].tolist()]
            subjects[subject] = {"edges": self.edges[subject].tolist(), "counts": counts}
        totals = {"drawings": self.drawings, "rejected": self.rejected, "digits": self.of_digit.tolist()}
        return {"format": FORMAT, **totals, "subjects": subjects}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> "Reference":
        """Return the reference from to_dict. ValueError for anything else."""
        edges, counts = {}, {}
        try:
            for subject in SUBJECTS:
                histogram = stored["subjects"][subject]
                edges[subject] = np.array(histogram["edges"], np.float64)
                counts[subject] = np.array([[int(count) for count in row.split()] for row in histogram["counts"]], np.int64)
            reference = cls(edges, counts, stored["rejected"])
            is_sound = reference._is_consistent() and reference.to_dict() == stored
        except (TypeError, KeyError, ValueError, AttributeError, OverflowError) as error:
            raise ValueError(f"the drift reference is damaged or not {FORMAT}: {error!r}") from error
        if not is_sound:
            raise ValueError(f"the drift reference is damaged or not {FORMAT}: its numbers contradict each other")
        return reference

    def _is_consistent(self) -> bool:
        """Return whether all subjects count the same drawings, in bins between rising edges."""
        if self.of_digit.min() < LEAST_OF_A_DIGIT or not 0 <= self.rejected <= self.drawings:
            return False
        return all(
            (np.diff(edges) > 0.0).all()
            and counts.shape == (DIGITS, len(edges) + 1)
            and counts.min() >= 0
            and np.array_equal(counts.sum(axis=1), self.of_digit)
            for edges, counts in zip(self.edges.values(), self.counts.values())
        )
