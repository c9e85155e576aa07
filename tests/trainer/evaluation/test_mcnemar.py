"""Two models on the same drawings: what is counted, and that the probabilities are what they say they are."""

from itertools import product

import numpy as np
import pytest
from trainer.evaluation.mcnemar import Comparison, compare


def test_only_what_one_of_them_reads_right_is_counted():
    candidate = np.array([True, True, False, False, True, False])
    live = np.array([True, False, True, True, True, False])
    assert compare(candidate, live) == Comparison(drawings=6, only_candidate=1, only_live=2)


def test_the_deficit_is_what_is_read_less_and_a_gain_is_a_negative_one():
    assert Comparison(1000, only_candidate=5, only_live=25).deficit == pytest.approx(0.02)
    assert Comparison(1000, only_candidate=25, only_live=5).deficit == pytest.approx(-0.02)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (3, 0), (1, 7), (4, 4), (6, 3)])
def test_p_equal_is_the_share_of_all_throws_of_coins_that_differ_as_much(first, second):
    differences = [abs(2 * sum(coins) - len(coins)) for coins in product((0, 1), repeat=first + second)]
    expected = np.mean([difference >= abs(first - second) for difference in differences])
    assert Comparison(1000, first, second).p_equal == pytest.approx(expected)
    assert Comparison(1000, second, first).p_equal == pytest.approx(expected)
    assert 0.0 < Comparison(10_000, only_candidate=900, only_live=1100).p_equal < 1e-4  # by many drawings, too


class TestMargin:
    MARGIN, DRAWINGS, TRIES = 0.01, 10_000, 4_000

    def refused(self, only_candidate, only_live, significance=0.05):
        """The share of tests, of models that truly differ so, whose deficit is beyond the margin by more than chance."""
        generator = np.random.default_rng(5)
        agreeing = 1.0 - only_candidate - only_live
        counts = generator.multinomial(self.DRAWINGS, [only_candidate, only_live, agreeing], self.TRIES)
        return np.mean([Comparison(self.DRAWINGS, *row[:2]).p_within(self.MARGIN) < significance for row in counts.tolist()])

    def test_a_candidate_that_is_worse_by_the_margin_is_refused_as_seldom_as_it_says(self):
        assert self.refused(0.01, 0.02) == pytest.approx(0.05, abs=0.015)
        assert self.refused(0.015, 0.015) == 0.0, "as good"
        assert self.refused(0.01, 0.03) > 0.99, "worse by twice the margin"

    def test_the_same_answers_are_within_any_margin_and_with_none_it_is_the_test_of_equality_one_sided(self):
        assert Comparison(1000, 0, 0).p_within(0.005) > 0.5
        assert Comparison(1000, 0, 0).p_within(0.0) == 1.0
        comparison = Comparison(10_000, 100, 140)
        assert comparison.p_within(0.0) == pytest.approx(comparison.p_equal / 2, rel=0.2)  # one by a curve, one by counting
