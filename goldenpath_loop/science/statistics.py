"""Bounds, re-run counts and tests of significance for outcomes that are counted, without any library.

Rates are shares of 1, confidences too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Literal

__all__ = [
    "benjamini_hochberg",
    "beta_cdf",
    "beta_quantile",
    "jeffreys",
    "jeffreys_lower",
    "jeffreys_upper",
    "mcnemar",
    "rate_bound",
    "repeats_for",
    "triage_reruns",
    "which_rate",
    "wilson",
]

_TINY = 1e-300
_MOST_ROUNDS = 20_000  # the fraction takes about sqrt(max(a, b)) rounds: enough for a hundred million runs


def _check_counts(hits: int, n: int) -> None:
    if not 0 <= hits <= n:
        raise ValueError(f"{hits} of {n} is no share")


def _check_share(name: str, value: float) -> None:
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} must lie between 0 and 1, not {value}")


def _beta_fraction(a: float, b: float, x: float) -> float:
    """Continued fraction of the incomplete beta function (Lentz); converges for x < (a+1)/(a+b+2)."""
    c = 1.0
    d = 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, _MOST_ROUNDS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for factor in (even, odd):
            d = 1.0 / _away_from_zero(1.0 + factor * d)
            c = _away_from_zero(1.0 + factor / c)
            value *= c * d
        if abs(c * d - 1.0) < 1e-15:
            return value
    raise ValueError(f"Beta({a}, {b}) has too many observations to be computed")


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def beta_cdf(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function: P(X <= x) for X ~ Beta(a, b).

    Raises:
        ValueError: When `a` or `b` is not positive, or both are too large to be computed.
    """
    if not (a > 0 and b > 0):
        raise ValueError(f"Beta({a}, {b}) does not exist")
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    scale = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1.0) / (a + b + 2.0):
        return min(1.0, scale * _beta_fraction(a, b, x) / a)
    return max(0.0, 1.0 - scale * _beta_fraction(b, a, 1.0 - x) / b)


def beta_quantile(p: float, a: float, b: float) -> float:
    """The x with P(X <= x) = p for X ~ Beta(a, b).

    Raises:
        ValueError: When `p` does not lie between 0 and 1, or `a` or `b` is not positive.
    """
    _check_share("p", p)
    low, high = 0.0, 1.0
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return middle
        if beta_cdf(middle, a, b) < p:
            low = middle
        else:
            high = middle


def wilson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Two-sided Wilson interval of a rate. Without observations it is (0, 1).

    Raises:
        ValueError: When `successes` is negative or above `n`, or the confidence is no share.
    """
    _check_counts(successes, n)
    _check_share("confidence", confidence)
    if n == 0:
        return 0.0, 1.0
    z2 = NormalDist().inv_cdf((1.0 + confidence) / 2) ** 2
    rate = successes / n
    centre = (rate + z2 / (2 * n)) / (1.0 + z2 / n)
    spread = math.sqrt(z2 * (rate * (1.0 - rate) / n + z2 / (4 * n * n))) / (1.0 + z2 / n)
    low = 0.0 if successes == 0 else max(0.0, centre - spread)
    high = 1.0 if successes == n else min(1.0, centre + spread)
    return low, high


def jeffreys_upper(fails: int, n: int, confidence: float = 0.95) -> float:
    """One-sided upper Jeffreys bound of a failure rate: above it with probability 1 - `confidence`.

    Raises:
        ValueError: When `fails` is negative or above `n`, or the confidence is no share.
    """
    _check_counts(fails, n)
    _check_share("confidence", confidence)
    return 1.0 if n > 0 and fails == n else beta_quantile(confidence, fails + 0.5, n - fails + 0.5)


def jeffreys_lower(fails: int, n: int, confidence: float = 0.95) -> float:
    """One-sided lower Jeffreys bound of a failure rate: below it with probability 1 - `confidence`.

    Raises:
        ValueError: When `fails` is negative or above `n`, or the confidence is no share.
    """
    return 1.0 - jeffreys_upper(n - fails, n, confidence)


def jeffreys(fails: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Two-sided Jeffreys interval of a failure rate, the same share of doubt on either side.

    Raises:
        ValueError: When `fails` is negative or above `n`, or the confidence is no share.
    """
    _check_share("confidence", confidence)
    side = (1.0 + confidence) / 2
    return jeffreys_lower(fails, n, side), jeffreys_upper(fails, n, side)


def triage_reruns(fails: int, runs: int, *, doubt: float = 1e-4, most: int = 24) -> int:
    """How many failures in a row tell a regression from the flake that history allows.

    Args:
        fails: Red results of earlier runs.
        runs: Earlier runs; 0 when the test is new.
        doubt: Largest probability that a flake of the old rate fails so often in a row.
        most: Never ask for more; a short history cannot show that the test used to be steady.

    Raises:
        ValueError: When `fails` is negative or above `runs`, or `doubt` is no share.
    """
    _check_share("doubt", doubt)
    old_rate = jeffreys_upper(fails, runs)
    if old_rate >= 1.0:
        return most
    return max(1, min(most, math.ceil(math.log(doubt) / math.log(old_rate))))


def rate_bound(n: int, confidence: float = 0.95) -> float:
    """Upper bound of the failure rate after `n` runs without a failure; 1 when there was no run.

    Raises:
        ValueError: When `n` is negative or the confidence is no share.
    """
    _check_counts(0, n)
    _check_share("confidence", confidence)
    return 1.0 if n == 0 else -math.expm1(math.log1p(-confidence) / n)


def repeats_for(rate: float, confidence: float = 0.95) -> int:
    """Runs without a failure that it takes to bound the failure rate by `rate`.

    Raises:
        ValueError: When the rate or the confidence is no share.
    """
    _check_share("rate", rate)
    _check_share("confidence", confidence)
    exact = math.log1p(-confidence) / math.log1p(-rate)
    # The quotient of two logarithms may lie an ulp above the whole number it stands for.
    return max(1, math.ceil(exact - 1e-9))


def mcnemar(broken: int, mended: int) -> float:
    """Exact two-sided p-value that as many tests change one way as the other.

    Args:
        broken: Tests that were green before and are red now.
        mended: Tests that were red before and are green now.

    Raises:
        ValueError: When a count is negative.
    """
    if broken < 0 or mended < 0:
        raise ValueError(f"{broken} broken and {mended} mended tests cannot be")
    n = broken + mended
    tail = sum(math.comb(n, k) for k in range(min(broken, mended) + 1))
    return min(1.0, 2 * tail / (1 << n))


def benjamini_hochberg(p_values: Sequence[float], rate: float = 0.05) -> tuple[bool, ...]:
    """Which of many tests stand out when at most the share `rate` of those named may be false alarms.

    Raises:
        ValueError: When a p-value lies outside 0 to 1, or `rate` is no share.
    """
    _check_share("rate", rate)
    if any(not 0.0 <= p <= 1.0 for p in p_values):
        raise ValueError("a p-value lies between 0 and 1")
    ordered = sorted(p_values)
    limit = -1.0
    for position, p in enumerate(ordered, start=1):
        if p <= rate * position / len(ordered):
            limit = p
    return tuple(p <= limit for p in p_values)


def which_rate(
    fails: int, passes: int, *, low: float, high: float, error: float = 0.01
) -> Literal["low", "high"] | None:
    """Which of two failure rates the runs so far are of; None while more runs are needed.

    Wald's sequential test: looking after every run costs nothing. Rates are kept away from 0 and 1, so that no single
    run decides.

    Raises:
        ValueError: The rates are not in order, or `error` is no share.
    """
    _check_share("error", error)
    low, high = max(low, 0.02), min(high, 0.98)
    if low >= high:
        raise ValueError(f"{low} is no lower rate than {high}")
    evidence = fails * math.log(high / low) + passes * math.log((1 - high) / (1 - low))
    if abs(evidence) < math.log((1 - error) / error):
        return None
    return "high" if evidence > 0 else "low"
