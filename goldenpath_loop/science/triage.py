"""Is a failure a regression, a flake, or a test that has begun to fail more often than it did? Decided run by run.

"It passed on a retry, so it is a flake" throws every intermittent regression away. So the re-runs are weighed against
the test's history: two explanations, one in which it fails as often as ever and one in which the rate has risen, each
averaged over what is not known about the rates (a Bayes factor). Failures in a row end it early.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from goldenpath_loop.science.statistics import beta_cdf, beta_quantile, triage_reruns

__all__ = ["Triage", "triage"]

Triage = Literal["again", "regression", "flaky", "intermittent"]
"""`again`: one more run is needed. `intermittent`: it passes and fails, but fails more often than it used to."""

_LEAST_HISTORY = 10
_RERUNS_WITHOUT_HISTORY = 2
_LEAST_IN_A_ROW = 5
_RISE = 0.2
"""Least rise of the failure rate that counts; a smaller one costs more runs than a night has."""
_SURE = 0.95
_MOST = 24
_POINTS = 24


def triage(reds: int, runs: int, reruns: Sequence[bool], *, most: int = _MOST) -> Triage:
    """What the re-runs of a failed test say.

    Args:
        reds: Failures with this signature in earlier runs.
        runs: Earlier runs.
        reruns: Re-runs of the failed test alone, True for a failure with the same signature.
        most: After so many the likelier answer is given.

    Raises:
        ValueError: When `reds` is negative or above `runs`.
    """
    failed = sum(reruns)
    if runs < _LEAST_HISTORY:
        # Without a history nothing can have risen: what passes once is a flake as far as anybody knows.
        if failed < len(reruns):
            return "flaky"
        return "regression" if len(reruns) >= min(_RERUNS_WITHOUT_HISTORY, most) else "again"
    if failed == len(reruns):
        enough = max(_LEAST_IN_A_ROW, triage_reruns(reds, runs))
        return "regression" if len(reruns) >= min(enough, most) else "again"
    share = _share_risen(reds, runs, failed, len(reruns))
    if len(reruns) < most and 1 - _SURE <= share <= _SURE:
        return "again"
    return "intermittent" if share > 0.5 else "flaky"


def _share_risen(reds: int, runs: int, failed: int, count: int) -> float:
    """Belief that the rate has risen, when both explanations were as likely before."""
    a, b = reds + 0.5, runs - reds + 0.5
    as_ever = _log_beta(a + failed, b + count - failed) - _log_beta(a, b)
    risen = 0.0
    for old in _old_rates(reds, runs):
        least = min(old + _RISE, _SURE)
        above = 1 - beta_cdf(least, failed + 1, count - failed + 1)
        risen += math.exp(_log_beta(failed + 1, count - failed + 1)) * above / (1 - least) / _POINTS
    if risen <= 0:
        return 0.0
    return 1 / (1 + math.exp(min(700.0, as_ever - math.log(risen))))


@lru_cache(maxsize=256)
def _old_rates(reds: int, runs: int) -> tuple[float, ...]:
    """Equally likely failure rates of the past."""
    return tuple(
        beta_quantile((point + 0.5) / _POINTS, reds + 0.5, runs - reds + 0.5) for point in range(_POINTS)
    )


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
