"""Tails of distributions for the detector, without SciPy: the probability that chance alone makes a difference this large."""

import math

SERIES_CHANGE = 1.0  # Kolmogorov's distribution has two series: one converges fast above this, the other below
SERIES_TERMS = 10  # the error of each series is then below 1e-16


def kolmogorov_tail(scaled: float) -> float:
    """Return P(sqrt(n) D > scaled), where D is the largest distance between a distribution and the empirical one of n draws.

    Exact for many draws (A. Kolmogorov, 1933; N. Smirnov, 1948). For few draws, small probabilities are slightly too large,
    which is the safe side. For two samples of n and m draws, use 1 / (1/n + 1/m) instead of n.
    """
    if scaled <= 0.0:
        return 1.0
    if scaled >= SERIES_CHANGE:
        terms = (-((-1.0) ** j) * math.exp(-2.0 * (j * scaled) ** 2) for j in range(1, SERIES_TERMS))
        return min(1.0, 2.0 * sum(terms))
    # The same function by Jacobi's identity, which converges fast here.
    terms = (math.exp(-(((2 * j - 1) * math.pi / scaled) ** 2) / 8.0) for j in range(1, SERIES_TERMS))
    return max(0.0, 1.0 - math.sqrt(2.0 * math.pi) / scaled * sum(terms))


def binomial_tail(successes: int, trials: int, share: float) -> float:
    """Return P(at least `successes` in `trials`), exactly. Each trial succeeds with probability `share`, above 0."""
    if successes <= 0 or share >= 1.0:
        return 1.0
    if successes > trials:
        return 0.0
    logarithm = (
        math.lgamma(trials + 1)
        - math.lgamma(successes + 1)
        - math.lgamma(trials - successes + 1)
        + successes * math.log(share)
        + (trials - successes) * math.log1p(-share)
    )
    # P(k + 1) = P(k) * (n - k) / (k + 1) * p / (1 - p)
    term, total = 1.0, 0.0
    for count in range(successes, trials + 1):
        total += term
        term *= (trials - count) / (count + 1) * share / (1.0 - share)
    return min(1.0, math.exp(logarithm + math.log(total)))


def shares_tail(excess: float, draws: float, categories: int) -> float:
    """Return an upper bound of P(half the sum of |share - true share| > excess), for the shares of `categories` in `draws`.

    The bound is 2^categories exp(-2 draws excess^2): Hoeffding's inequality for each of the 2^categories sets of categories.
    This is the inequality of Bretagnolle, Huber and Carol (van der Vaart and Wellner, "Weak convergence and empirical
    processes", 1996, A.6.6). It holds for any number of draws, and for two samples as in kolmogorov_tail.
    """
    if excess <= 0.0:
        return 1.0
    return math.exp(min(0.0, categories * math.log(2.0) - 2.0 * draws * excess**2))
