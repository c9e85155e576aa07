"""Tail probabilities match exact counts and published tables."""

import math
from fractions import Fraction

import pytest
from drift import significance
from drift.significance import binomial_tail, kolmogorov_tail, shares_tail


@pytest.mark.parametrize(
    ("scaled", "p"), [(0.8276, 0.5), (1.2238, 0.1), (1.3581, 0.05), (1.6276, 0.01), (1.9495, 0.001), (0.5, 0.9639), (0.2, 1.0)]
)
def test_kolmogorov_matches_smirnov_s_table(scaled, p):
    assert kolmogorov_tail(scaled) == pytest.approx(p, rel=1e-3)


def test_both_series_agree(monkeypatch):
    scales = (0.7, 1.0, 1.3)
    monkeypatch.setattr(significance, "SERIES_CHANGE", 0.0)
    first = [kolmogorov_tail(scaled) for scaled in scales]
    monkeypatch.setattr(significance, "SERIES_CHANGE", 9.0)
    assert [kolmogorov_tail(scaled) for scaled in scales] == pytest.approx(first, rel=1e-9)


def test_no_distance_is_no_evidence():
    assert kolmogorov_tail(0.0) == kolmogorov_tail(-1.0) == 1.0
    assert kolmogorov_tail(40.0) == 0.0


@pytest.mark.parametrize("count", [50, 250, pytest.param(1000, marks=pytest.mark.slow)])
def test_kolmogorov_is_close_to_the_exact_count(count):
    # The number of orders of two samples of n with a distance of at least k / n, of C(2n, n): Gnedenko and Korolyuk, 1951.
    for steps in range(1, count):
        ways = sum((-1) ** (j - 1) * math.comb(2 * count, count - j * steps) for j in range(1, count // steps + 1))
        exact = 2 * ways / math.comb(2 * count, count)
        if exact < 1e-5:
            break
        p = kolmogorov_tail(steps / count * math.sqrt(count / 2))
        assert (exact if exact < 0.05 else 0.99 * exact) <= p <= 1.5 * exact
    assert steps > 10


@pytest.mark.parametrize(("trials", "share"), [(1, "0.5"), (25, "0.2"), (250, "0.022"), (40, "0.999")])
def test_binomial_tail_is_the_sum_of_its_terms(trials, share):
    exact, tail = Fraction(share), Fraction(0)
    assert binomial_tail(trials + 1, trials, float(share)) == 0.0
    for successes in range(trials, -1, -1):
        tail += math.comb(trials, successes) * exact**successes * (1 - exact) ** (trials - successes)
        assert binomial_tail(successes, trials, float(share)) == pytest.approx(float(tail), rel=1e-9, abs=1e-300)
    assert tail == 1


def test_binomial_tail_of_many_trials_is_finite():
    assert 0.45 < binomial_tail(5_000, 100_000, 0.05) < 0.55
    assert binomial_tail(7_000, 100_000, 0.05) < 1e-100


@pytest.mark.parametrize("shares", [(Fraction(1, 3),) * 3, (Fraction(1, 10), Fraction(3, 10), Fraction(6, 10))])
def test_bound_of_shares_exceeds_the_exact_count(shares):
    draws = 30
    chance_of = {}
    for first in range(draws + 1):
        for second in range(draws + 1 - first):
            counts = (first, second, draws - first - second)
            ways = math.comb(draws, first) * math.comb(draws - first, second)
            distance = sum(abs(Fraction(count, draws) - share) for count, share in zip(counts, shares)) / 2
            chance_of[distance] = chance_of.get(distance, 0) + ways * math.prod(s**c for s, c in zip(shares, counts))
    assert sum(chance_of.values()) == 1
    bounds = []
    for excess in (0.0, 0.1, 0.2, 0.3, 0.4):
        exact = float(sum(chance for distance, chance in chance_of.items() if distance > excess))
        bounds.append(shares_tail(excess, draws, 3))
        assert bounds[-1] >= exact
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[0] == 1.0
    assert bounds[3] == pytest.approx(2**3 * math.exp(-2 * draws * 0.3**2))
    assert bounds[-1] < 1e-3
