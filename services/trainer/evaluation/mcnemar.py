"""McNemar's test of two models on the same drawings: is one worse, or is the difference chance?

Only drawings that exactly one model reads right carry information. If both models are equally good, each such drawing is a fair
coin toss between them (McNemar, Psychometrika 12 (1947), 153-157).
"""

import math
from dataclasses import dataclass

import numpy as np
from digitnet.arrays import Bools


@dataclass(frozen=True)
class Comparison:
    """The number of drawings, and of drawings that one model alone reads right."""

    drawings: int
    only_candidate: int
    only_live: int

    @property
    def deficit(self) -> float:
        """The share of the drawings by which the candidate is worse; negative if it is better."""
        return (self.only_live - self.only_candidate) / self.drawings

    @property
    def p_equal(self) -> float:
        """The probability of a difference this large, in either direction, between equally good models.

        This is the exact test: the two-sided tail of a binomial distribution.
        """
        tosses, fewer = self.only_candidate + self.only_live, min(self.only_candidate, self.only_live)
        tail = sum(math.comb(tosses, heads) for heads in range(fewer + 1))
        return min(1.0, 2 * tail / (1 << tosses))

    def p_within(self, margin: float) -> float:
        """Return the probability of a deficit this large for a candidate that is worse by exactly `margin`, a share.

        The difference of paired shares is about normal; this is its one-sided tail. Models that differ by the margin disagree on
        at least that share of the drawings, which bounds the variance from below.
        """
        apart = max((self.only_candidate + self.only_live) / self.drawings, margin)
        variance = (apart - margin**2) / self.drawings
        if variance <= 0.0:  # the margin is 0, and the models agree on every drawing
            return 1.0
        return 0.5 * math.erfc((self.deficit - margin) / math.sqrt(2.0 * variance))


def compare(candidate_right: Bools, live_right: Bools) -> Comparison:
    """Compare two models by their correctness on the same n >= 1 drawings, bool (n,) each."""
    return Comparison(
        drawings=len(candidate_right),
        only_candidate=int(np.count_nonzero(candidate_right & ~live_right)),
        only_live=int(np.count_nonzero(live_right & ~candidate_right)),
    )
