"""Two models on the same drawings: is one worse than the other, or is that chance?

Only the drawings that one of them reads right and the other does not tell them apart. Were both equally good, each such drawing
would fall to either with the same chance, as a coin does: McNemar, Psychometrika 12 (1947), 153-157.
"""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Comparison:
    """How many drawings there were, and how many of them one model alone read right."""

    drawings: int
    only_candidate: int
    only_live: int

    @property
    def deficit(self) -> float:
        """By how much of the drawings the candidate is worse, as a share; negative where it is better."""
        return (self.only_live - self.only_candidate) / self.drawings

    @property
    def p_equal(self) -> float:
        """How likely a difference as large as this one, either way, is between two models that are equally good.

        McNemar's test, exact: the two-sided tail of a binomial distribution.
        """
        tosses, fewer = self.only_candidate + self.only_live, min(self.only_candidate, self.only_live)
        tail = sum(math.comb(tosses, heads) for heads in range(fewer + 1))
        return min(1.0, 2 * tail / 2**tosses)

    def p_within(self, margin: float) -> float:
        """How likely a deficit as large as this one is for a candidate that is worse by `margin`, a share, and no more.

        The one-sided tail of the normal distribution that the difference of paired shares comes close to. Where two models differ
        by the margin at least so many drawings tell them apart; so the variance is that of no fewer.
        """
        apart = max((self.only_candidate + self.only_live) / self.drawings, margin)
        variance = (apart - margin**2) / self.drawings
        if variance <= 0.0:  # no margin, and not a drawing that tells them apart
            return 1.0
        return 0.5 * math.erfc((self.deficit - margin) / math.sqrt(2.0 * variance))


def compare(candidate_right: np.ndarray, live_right: np.ndarray) -> Comparison:
    """Of at least one drawing: whether each model read it right, bool (n,) each, in the same order."""
    return Comparison(
        drawings=len(candidate_right),
        only_candidate=int(np.count_nonzero(candidate_right & ~live_right)),
        only_live=int(np.count_nonzero(live_right & ~candidate_right)),
    )
