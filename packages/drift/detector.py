"""The detector: does a window of drawings differ from the reference by more than chance and a change of writers explain?

Each subject has a tolerance: a change of writers alone may move the drawings this far from the reference. A subject has drifted
if tolerance and chance do not explain its distance:

    features, `confidence`   The largest distance between the window's distribution and the reference's, reweighted to the
                             window's digits (a two-sample Kolmogorov-Smirnov test, stratified by digit).
    `digit_mix`              Half the sum of the differences of the ten digits' shares.
    `rejected`               The share predicted as no digit, less the reference's: an exact one-sided binomial test.
    `feedback_error`         The share of the feedback that corrects the prediction, less the expected: the same test.

The detector may raise `alarms_a_day` false alarms for each `drawings_a_day` drawings. A window of n drawings may raise one with
probability alarms_a_day * n / drawings_a_day, and each of its k tests with 1 / k of that (Bonferroni). Each drawing is in one
window only (blocks.py), so the probabilities of a day add up to alarms_a_day. docs/advanced/drift.md has the mathematics.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from drift.features import Floats
from drift.reference import DIGITS, SUBJECTS, Drawings, Reference
from drift.significance import binomial_tail, kolmogorov_tail, shares_tail

# Tolerances of distributions: HANDS of features that differ between writers, FRAME of features that do not. CONFIDENCE allows
# handwriting that is hard to read. docs/advanced/drift.md compares them with MNIST's writers.
HANDS, FRAME, CONFIDENCE = 0.25, 0.10, 0.15
TOLERANCES = {
    **dict.fromkeys(("ink", "aspect", "slant", "stroke_width", "smoothness"), HANDS),
    **dict.fromkeys(("centre_x", "centre_y", "euler_number"), FRAME),
    "confidence": CONFIDENCE,
    "digit_mix": 0.30,  # users choose the digits: the digits of prices are 0.30 from a uniform mix (Benford)
    "rejected": 0.02,
    "feedback_error": 0.0,  # EXPECTED_WRONG includes a tolerance
}
EXPECTED_WRONG = 0.2  # if 1% of the drawings are misread and corrected, and 4% of the others are confirmed
LEAST_DRAWINGS = 100  # in a tested window
LEAST_FEEDBACK = 20


@dataclass(frozen=True)
class Finding:
    """The result of one subject's test. `effect` is its distance from the reference, in the unit of `tolerance`."""

    effect: float
    tolerance: float
    p: float  # an upper bound of the probability of this effect, if the drawings are within the tolerance
    drifted: bool


@dataclass(frozen=True)
class Findings:
    """The tests of a window, by subject: empty for too few drawings, without feedback_error for too little feedback."""

    subjects: dict[str, Finding]

    @property
    def drifted(self) -> list[str]:
        """The names of the drifted subjects."""
        return [name for name, finding in self.subjects.items() if finding.drifted]

    @property
    def detected(self) -> bool:
        return bool(self.drifted)


class Detector:
    """Test windows against a reference. It keeps no state: the same window always gives the same findings."""

    def __init__(
        self,
        reference: Reference,
        tolerances: Mapping[str, float] = TOLERANCES,
        alarms_a_day: float = 0.01,
        drawings_a_day: float = 5000.0,
    ):
        self.reference, self.tolerances = reference, tolerances
        self.alarms_a_day, self.drawings_a_day = alarms_a_day, drawings_a_day

    def significance(self, drawings: int) -> float:
        """Return the p below which a subject has drifted, for a window of this size; at most the value for a whole day."""
        return self.alarms_a_day * min(1.0, drawings / self.drawings_a_day) / len(self.tolerances)

    def test(self, window: Drawings, feedback: int = 0, feedback_wrong: int = 0) -> Findings:
        """Test a window, and the feedback since the last test: its count, and the count of corrections, `feedback_wrong`."""
        drawings = len(window)
        if drawings < LEAST_DRAWINGS:
            return Findings({})
        shares = np.bincount(window.digits, minlength=DIGITS) / drawings
        sample_size = 1.0 / (1.0 / drawings + 1.0 / self.reference.effective_drawings(shares))  # of a two-sample test
        found = {name: self._distance(name, values, shares, sample_size) for name, values in zip(SUBJECTS, window.values.T)}
        found["digit_mix"] = self._digit_mix(shares, drawings)
        found["rejected"] = self._rejected(int(np.count_nonzero(window.rejected)), drawings)
        if feedback >= LEAST_FEEDBACK:
            found["feedback_error"] = self._feedback_error(feedback_wrong, feedback)
        limit = self.significance(drawings)
        return Findings({name: Finding(effect, self.tolerances[name], p, p < limit) for name, (effect, p) in found.items()})

    # Each of these returns (effect, p).

    def _distance(self, name: str, values: Floats, shares: Floats, sample_size: float) -> tuple[float, float]:
        """Compare the distributions at the reference's edges only, which can only lower the distance, and so the alarms."""
        edges = self.reference.edges[name]
        below = np.searchsorted(np.sort(values), edges, side="right") / len(values)
        effect = float(np.abs(below - self.reference.expected(name, shares)).max(initial=0.0))
        # Within the tolerance, chance explains the rest: D(window, reference) <= tolerance + D(chance).
        return effect, kolmogorov_tail(math.sqrt(sample_size) * (effect - self.tolerances[name]))

    def _digit_mix(self, shares: Floats, drawings: int) -> tuple[float, float]:
        of_reference = self.reference.of_digit / self.reference.drawings
        effect = float(np.abs(shares - of_reference).sum() / 2.0)
        sample_size = 1.0 / (1.0 / drawings + 1.0 / self.reference.drawings)
        return effect, shares_tail(effect - self.tolerances["digit_mix"], sample_size, DIGITS)

    def _rejected(self, rejected: int, drawings: int) -> tuple[float, float]:
        of_reference = self.reference.rejected / self.reference.drawings
        # One more than in the reference, because 0 of 5,000 does not mean a probability of 0.
        tolerated = (self.reference.rejected + 1) / (self.reference.drawings + 1) + self.tolerances["rejected"]
        return rejected / drawings - of_reference, binomial_tail(rejected, drawings, tolerated)

    def _feedback_error(self, wrong: int, feedback: int) -> tuple[float, float]:
        tolerated = EXPECTED_WRONG + self.tolerances["feedback_error"]
        return wrong / feedback - EXPECTED_WRONG, binomial_tail(wrong, feedback, tolerated)
