"""McNemar's test counts differing answers, and its p-values are exact."""

from itertools import product

import numpy as np
import pytest
from trainer.evaluation.mcnemar import Comparison, compare


def test_counts_answers_that_only_one_model_gets_right():
    candidate = np.array([True, True, False, False, True, False])
    live = np.array([True, False, True, True, True, False])
    assert compare(candidate, live) == Comparison(drawings=6, only_candidate=1, only_live=2)


def test_deficit_is_the_loss_of_accuracy():
    assert Comparison(1000, only_candidate=5, only_live=25).deficit == pytest.approx(0.02)
    assert Comparison(1000, only_candidate=25, only_live=5).deficit == pytest.approx(-0.02)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (3, 0), (1, 7), (4, 4), (6, 3)])
def test_p_equal_matches_enumeration(first, second):
    differences = [abs(2 * sum(coins) - len(coins)) for coins in product((0, 1), repeat=first + second)]
    expected = np.mean([difference >= abs(first - second) for difference in differences])
    assert Comparison(1000, first, second).p_equal == pytest.approx(expected)
    assert Comparison(1000, second, first).p_equal == pytest.approx(expected)
    assert 0.0 < Comparison(10_000, only_candidate=900, only_live=1100).p_equal < 1e-4  # many drawings


class TestMargin:
    MARGIN, DRAWINGS, TRIES = 0.01, 10_000, 4_000

    def rejected(self, only_candidate, only_live, significance=0.05):
        """Return the share of simulated tests that reject models with these true rates."""
        generator = np.random.default_rng(5)
        agreeing = 1.0 - only_candidate - only_live
        counts = generator.multinomial(self.DRAWINGS, [only_candidate, only_live, agreeing], self.TRIES)
        return np.mean([Comparison(self.DRAWINGS, *row[:2]).p_within(self.MARGIN) < significance for row in counts.tolist()])

    def test_error_rate_at_the_margin_is_the_significance(self):
        assert self.rejected(0.01, 0.02) == pytest.approx(0.05, abs=0.015)
        assert self.rejected(0.015, 0.015) == 0.0, "as good"
        assert self.rejected(0.01, 0.03) > 0.99, "worse by twice the margin"

    def test_no_difference_is_within_any_margin(self):
        assert Comparison(1000, 0, 0).p_within(0.005) > 0.5
        assert Comparison(1000, 0, 0).p_within(0.0) == 1.0
        comparison = Comparison(10_000, 100, 140)
        assert comparison.p_within(0.0) == pytest.approx(comparison.p_equal / 2, rel=0.2)  # an approximation and an exact count
