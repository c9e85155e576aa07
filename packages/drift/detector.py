"""The detector: does a window of drawings differ from the reference by more than chance and other writers explain?

Each subject has a tolerance: on good days, other writers alone move the drawings that far from the reference. A subject has
drifted if tolerance and chance do not explain its distance:

    a feature, the confidence   the largest distance between the window's distribution and the reference's, reweighted to the
                                window's digits (a two-sample Kolmogorov-Smirnov test, stratified by digit)
    digit_mix                   half the sum of the differences of the ten digits' shares
    rejected                    the share predicted as no digit, less the reference's: an exact binomial test, upwards only
    feedback_error              the share of the feedback that corrects the prediction, less the expected: likewise

`alarms_a_day` false alarms are allowed for each `drawings_a_day` drawings. So a window of n drawings may raise one with the
probability alarms_a_day * n / drawings_a_day, and each of its k tests with the k-th part of that (Bonferroni). Each drawing is in
one window only (blocks.py), so the probabilities of a day add up to alarms_a_day. docs/drift.md has reasons and measurements.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from drift.features import Floats
from drift.reference import DIGITS, SUBJECTS, Drawings, Reference
from drift.significance import binomial_tail, kolmogorov_tail, shares_tail

# Of the distributions: where writers differ, where they do not, and what a hard-to-read hand does to the confidence.
# docs/drift.md compares them with MNIST's writers.
HANDS, FRAME, CONFIDENCE = 0.25, 0.10, 0.15
TOLERANCES = {
    **dict.fromkeys(("ink", "aspect", "slant", "stroke_width", "smoothness"), HANDS),
    **dict.fromkeys(("centre_x", "centre_y", "euler_number"), FRAME),
    "confidence": CONFIDENCE,
    "digit_mix": 0.30,  # the digits are the users' choice: prices are 0.30 from a uniform mix (Benford)
    "rejected": 0.02,
    "feedback_error": 0.0,  # EXPECTED_WRONG is a tolerance already
}
EXPECTED_WRONG = 0.2  # of the feedback: 1% of the drawings are misread and all corrected, one in 25 of the others is confirmed
LEAST_DRAWINGS = 100  # for any test
LEAST_FEEDBACK = 20


@dataclass(frozen=True)
class Finding:
    """The test of one subject. `effect` is its distance from the reference, 0 = none, in the unit of `tolerance`."""

    effect: float
    tolerance: float
    p: float  # an upper bound for the probability of such an effect if the drawings are within the tolerance
    drifted: bool


@dataclass(frozen=True)
class Findings:
    """The tests of a window: none with too few drawings, and feedback_error only with enough feedback."""

    subjects: dict[str, Finding]

    @property
    def drifted(self) -> list[str]:
        """Return the names of the subjects that have drifted."""
        return [name for name, finding in self.subjects.items() if finding.drifted]

    @property
    def detected(self) -> bool:
        return bool(self.drifted)


class Detector:
    """Tests windows, and has no memory: the same window always gives the same findings."""

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
        """Return the p below which a subject of a window of this size has drifted, at most that of a whole day."""
        return self.alarms_a_day * min(1.0, drawings / self.drawings_a_day) / len(self.tolerances)

    def test(self, window: Drawings, feedback: int = 0, feedback_wrong: int = 0) -> Findings:
        """Test a window, and feedback that no other test has counted; `feedback_wrong` of it corrects the prediction."""
        drawings = len(window)
        if drawings < LEAST_DRAWINGS:
            return Findings({})
        shares = np.bincount(window.digits, minlength=DIGITS) / drawings
        alike = 1.0 / (1.0 / drawings + 1.0 / self.reference.effective_drawings(shares))
        found = {name: self._distance(name, values, shares, alike) for name, values in zip(SUBJECTS, window.values.T)}
        found["digit_mix"] = self._digit_mix(shares, drawings)
        found["rejected"] = self._rejected(int(np.count_nonzero(window.rejected)), drawings)
        if feedback >= LEAST_FEEDBACK:
            found["feedback_error"] = self._feedback_error(feedback_wrong, feedback)
        limit = self.significance(drawings)
        return Findings({name: Finding(effect, self.tolerances[name], p, p < limit) for name, (effect, p) in found.items()})

    # Each of these returns the effect and its p.

    def _distance(self, name: str, values: Floats, shares: Floats, alike: float) -> tuple[float, float]:
        """Compare at the reference's edges alone: the distance there is at most the whole, so there are fewer alarms at most."""
        edges = self.reference.edges[name]
        below = np.searchsorted(np.sort(values), edges, side="right") / len(values)
        effect = float(np.abs(below - self.reference.expected(name, shares)).max(initial=0.0))
        # If the truth is within the tolerance, chance has made the rest: D(window, reference) <= tolerance + D(chance).
        return effect, kolmogorov_tail(math.sqrt(alike) * (effect - self.tolerances[name]))

    def _digit_mix(self, shares: Floats, drawings: int) -> tuple[float, float]:
        of_reference = self.reference.of_digit / self.reference.drawings
        effect = float(np.abs(shares - of_reference).sum() / 2.0)
        alike = 1.0 / (1.0 / drawings + 1.0 / self.reference.drawings)
        return effect, shares_tail(effect - self.tolerances["digit_mix"], alike, DIGITS)

    def _rejected(self, rejected: int, drawings: int) -> tuple[float, float]:
        of_reference = self.reference.rejected / self.reference.drawings
        # One more than the reference has: it is finite, and none of 5,000 does not mean never.
        tolerated = (self.reference.rejected + 1) / (self.reference.drawings + 1) + self.tolerances["rejected"]
        return rejected / drawings - of_reference, binomial_tail(rejected, drawings, tolerated)

    def _feedback_error(self, wrong: int, feedback: int) -> tuple[float, float]:
        tolerated = EXPECTED_WRONG + self.tolerances["feedback_error"]
        return wrong / feedback - EXPECTED_WRONG, binomial_tail(wrong, feedback, tolerated)
