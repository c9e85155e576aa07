"""Compare two models on the same drawings (McNemar's test): is one worse, or is that chance?

Only the drawings that one model alone reads right tell them apart. Between two equally good models, each such drawing falls to
either with the same chance, as a coin does: McNemar, Psychometrika 12 (1947), 153-157.
"""

import math
from dataclasses import dataclass

import numpy as np
from digitnet.arrays import Bools


@dataclass(frozen=True)
class Comparison:
    """The number of drawings, and of those that one model alone reads right."""

    drawings: int
    only_candidate: int
    only_live: int

    @property
    def deficit(self) -> float:
        """The share of the drawings by which the candidate is worse; negative where it is better."""
        return (self.only_live - self.only_candidate) / self.drawings

    @property
    def p_equal(self) -> float:
        """The probability of a difference this large, either way, between equally good models.

        The exact test: the two-sided tail of a binomial distribution.
        """
        tosses, fewer = self.only_candidate + self.only_live, min(self.only_candidate, self.only_live)
        tail = sum(math.comb(tosses, heads) for heads in range(fewer + 1))
        return min(1.0, 2 * tail / (1 << tosses))

    def p_within(self, margin: float) -> float:
        """Return the probability of a deficit this large for a candidate that is worse by `margin`, a share, and no more.

        The one-sided tail of the normal distribution that the difference of paired shares approaches. Models that differ by the
        margin have at least that share of drawings that tell them apart, so the variance is of no fewer.
        """
        apart = max((self.only_candidate + self.only_live) / self.drawings, margin)
        variance = (apart - margin**2) / self.drawings
        if variance <= 0.0:  # no margin, and no drawing that tells them apart
            return 1.0
        return 0.5 * math.erfc((self.deficit - margin) / math.sqrt(2.0 * variance))


def compare(candidate_right: Bools, live_right: Bools) -> Comparison:
    """Compare models by whether each read each of at least one drawing right, (n,)."""
    return Comparison(
        drawings=len(candidate_right),
        only_candidate=int(np.count_nonzero(candidate_right & ~live_right)),
        only_live=int(np.count_nonzero(live_right & ~candidate_right)),
    )
