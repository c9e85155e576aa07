"""The detector: is a window of drawings like the reference, but for chance and for what one has to put up with?

Each subject has a tolerance: so far may the drawings of good days be from the reference, because other people draw them. A
subject has drifted when what is seen is further away than the tolerance and chance can explain:

    a feature, the confidence   the largest distance between the window's distribution and the reference's, had it the window's
                                digits (a two-sample Kolmogorov-Smirnov test, stratified by digit)
    digit_mix                   half the sum of the differences of the ten digits' shares
    rejected                    the share taken for no digit, less the reference's: an exact binomial test, upwards only
    feedback_error              the share of the feedback that says the answer was wrong, less the expected: likewise

How sure must one be? `alarms_a_day` false alarms are allowed for each `drawings_a_day` drawings. So a window of n drawings may
raise one with the chance alarms_a_day * n / drawings_a_day, and each of its k tests with the k-th part of that (Bonferroni).
Where each drawing is in one window only (blocks.py), the chances of a day add up to alarms_a_day however often one looks.
docs/drift.md has the reasons, and what was measured.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from drift.reference import DIGITS, SUBJECTS, Drawings, Reference
from drift.significance import binomial_tail, kolmogorov_tail, shares_tail

# Of the distributions: what hands differ in, what they do not, and what a hand that is hard to read does to the network.
# docs/drift.md says how far from the rest a few of MNIST's writers are.
HANDS, FRAME, CONFIDENCE = 0.25, 0.10, 0.15
TOLERANCES = {
    **dict.fromkeys(("ink", "aspect", "slant", "stroke_width", "smoothness"), HANDS),
    **dict.fromkeys(("centre_x", "centre_y", "euler_number"), FRAME),
    "confidence": CONFIDENCE,
    # What people draw is no fault of theirs or ours. Whoever tries out prices is 0.30 from a like number of each digit (Benford).
    "digit_mix": 0.30,
    "rejected": 0.02,
    "feedback_error": 0.0,  # EXPECTED_WRONG is a tolerance already
}
EXPECTED_WRONG = 0.2  # of the feedback: whoever was misread says so, of the others but one in twenty-five, and 1% are misread
LEAST_DRAWINGS = 100  # for any test
LEAST_FEEDBACK = 20


@dataclass(frozen=True)
class Subject:
    """What was seen of one subject. `effect` is how far it is from the reference, 0 = not at all, in the unit of `tolerance`."""

    effect: float
    tolerance: float
    p: float  # how likely an effect as large is, at most, where the drawings are no further off than the tolerance
    drifted: bool


@dataclass(frozen=True)
class Looked:
    """What a look at a window found. Without enough drawings there are no subjects, and there is no alarm."""

    subjects: dict[str, Subject]  # feedback_error only where there was enough feedback
    drawings: int
    enough: bool

    @property
    def drifted(self) -> list[str]:
        """The names of the subjects that have."""
        return [name for name, subject in self.subjects.items() if subject.drifted]

    @property
    def detected(self) -> bool:
        return bool(self.drifted)


class Detector:
    """Looks at windows, and remembers none: the same window always gives the same answer."""

    def __init__(
        self,
        reference: Reference,
        tolerances: Mapping[str, float] = TOLERANCES,
        alarms_a_day: float = 0.01,
        drawings_a_day: float = 5000.0,
    ):
        if set(tolerances) != set(TOLERANCES):
            raise ValueError(f"tolerances must be given for {', '.join(TOLERANCES)}")
        if not (0.0 < alarms_a_day < 1.0 and drawings_a_day > 0.0):
            raise ValueError("alarms_a_day must be between 0 and 1, and drawings_a_day above 0")
        self.reference, self.tolerances = reference, dict(tolerances)
        self.alarms_a_day, self.drawings_a_day = alarms_a_day, drawings_a_day

    def significance(self, drawings: int) -> float:
        """The p below which a subject of a window of so many drawings has drifted. A window above a day's has a day's chance."""
        return self.alarms_a_day * min(1.0, drawings / self.drawings_a_day) / len(self.tolerances)

    def look(self, window: Drawings, feedback: int = 0, feedback_wrong: int = 0) -> Looked:
        """`feedback` is how many pieces of it have not been looked at before, `feedback_wrong` how many of them said "wrong"."""
        if not 0 <= feedback_wrong <= feedback:
            raise ValueError("feedback_wrong must be a part of the feedback")
        drawings = len(window)
        if drawings < LEAST_DRAWINGS:
            return Looked({}, drawings, False)
        shares = np.bincount(window.digits, minlength=DIGITS) / drawings
        alike = 1.0 / (1.0 / drawings + 1.0 / self.reference.effective_drawings(shares))
        found = {name: self._distance(name, values, shares, alike) for name, values in zip(SUBJECTS, window.values.T)}
        found["digit_mix"] = self._digit_mix(shares, drawings)
        found["rejected"] = self._rejected(int(np.count_nonzero(window.rejected)), drawings)
        if feedback >= LEAST_FEEDBACK:
            found["feedback_error"] = self._feedback_error(feedback_wrong, feedback)
        limit = self.significance(drawings)
        subjects = {name: Subject(effect, self.tolerances[name], p, p < limit) for name, (effect, p) in found.items()}
        return Looked(subjects, drawings, True)

    def _distance(self, name, values, shares, alike):
        """At the reference's edges alone: the distance there is at most the whole, so that alarms can only be fewer."""
        edges = self.reference.edges[name]
        below = np.searchsorted(np.sort(values), edges, side="right") / len(values)
        effect = float(np.abs(below - self.reference.expected(name, shares)).max(initial=0.0))
        # If the truth is within the tolerance, chance has made the rest: D(window, reference) <= tolerance + D(chance).
        return effect, kolmogorov_tail(math.sqrt(alike) * (effect - self.tolerances[name]))

    def _digit_mix(self, shares, drawings):
        of_reference = self.reference.of_digit / self.reference.drawings
        effect = float(np.abs(shares - of_reference).sum() / 2.0)
        alike = 1.0 / (1.0 / drawings + 1.0 / self.reference.drawings)
        return effect, shares_tail(effect - self.tolerances["digit_mix"], alike, DIGITS)

    def _rejected(self, rejected, drawings):
        of_reference = self.reference.rejected / self.reference.drawings
        # One more than the reference has: it is finite, and none of 5,000 does not mean never.
        tolerated = (self.reference.rejected + 1) / (self.reference.drawings + 1) + self.tolerances["rejected"]
        return rejected / drawings - of_reference, _tail(rejected, drawings, tolerated)

    def _feedback_error(self, wrong, feedback):
        tolerated = EXPECTED_WRONG + self.tolerances["feedback_error"]
        return wrong / feedback - EXPECTED_WRONG, _tail(wrong, feedback, tolerated)


def _tail(successes, trials, share):
    return binomial_tail(successes, trials, share) if share < 1.0 else 1.0
