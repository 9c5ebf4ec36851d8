"""Did it really change? Results of a suite against its history: test by test, as a whole, and by pattern.

One broken test of sixty is lost in the suite's rate, so the verdict is per test. Everything is compared on the tests
that both sides have; what only one side has is told first, because a test that vanished is no improvement.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from goldenpath_loop.science.statistics import benjamini_hochberg, jeffreys_upper, mcnemar

__all__ = ["Change", "Paired", "changed_tests", "is_new_signature", "paired", "pattern_change"]


@dataclass(frozen=True, slots=True)
class Paired:
    """The same tests before and after."""

    vanished: tuple[str, ...]
    """Tests that only the first side has."""
    appeared: tuple[str, ...]
    broken: tuple[str, ...]
    """Passed before and fail now."""
    mended: tuple[str, ...]
    p_value: float
    """Chance of so uneven a change of sides when nothing changed (McNemar, exact)."""


@dataclass(frozen=True, slots=True)
class Change:
    """One test whose failures its history does not explain."""

    test: str
    fails: int
    """Failures in a row."""
    p_value: float
    """Chance of so many in a row at the largest rate that its history allows."""


def paired(before: Mapping[str, bool], after: Mapping[str, bool]) -> Paired:
    """Compare two runs of a suite, True for a pass."""
    both = before.keys() & after.keys()
    broken = tuple(sorted(test for test in both if before[test] and not after[test]))
    mended = tuple(sorted(test for test in both if after[test] and not before[test]))
    return Paired(
        vanished=tuple(sorted(before.keys() - both)),
        appeared=tuple(sorted(after.keys() - both)),
        broken=broken,
        mended=mended,
        p_value=mcnemar(len(broken), len(mended)),
    )


def changed_tests(
    history: Mapping[str, tuple[int, int]], in_a_row: Mapping[str, int], *, rate: float = 0.05
) -> tuple[Change, ...]:
    """Tests that fail more often in a row than their history allows, with false alarms held down over all of them.

    Args:
        history: Failures and runs of each test before.
        in_a_row: How often each test failed in a row now; 0 for one that passed.
        rate: Largest share of false alarms among what is reported (Benjamini-Hochberg).

    Raises:
        ValueError: Counts that cannot be.
    """
    tests = sorted(history.keys() & in_a_row.keys())
    values = [_chance_of_row(*history[test], in_a_row[test]) for test in tests]
    is_real = benjamini_hochberg(values, rate) if values else ()
    return tuple(
        Change(test, in_a_row[test], value)
        for test, value, counts in zip(tests, values, is_real, strict=True)
        if counts
    )


def _chance_of_row(fails: int, runs: int, in_a_row: int) -> float:
    if in_a_row < 0:
        raise ValueError(f"{in_a_row} failures in a row cannot be")
    return 1.0 if not in_a_row else float(jeffreys_upper(fails, runs) ** in_a_row)


def is_new_signature(times: int, runs: int, *, doubt: float = 0.01) -> bool:
    """Whether a failure that was never seen in `runs` earlier runs is new, now that it was seen `times`.

    Never seen in N runs bounds its rate by 3 / N; a Poisson count of that mean tells how odd the sighting is.

    Raises:
        ValueError: Counts that cannot be.
    """
    if times < 0 or runs < 0:
        raise ValueError(f"{times} sightings after {runs} runs cannot be")
    if not times or not runs:
        return False
    mean = 3 / runs
    below = sum(math.exp(-mean) * mean**count / math.factorial(count) for count in range(times))
    return 1 - below < doubt


def pattern_change(
    before: Sequence[str],
    after: Sequence[str],
    shuffle: Callable[[list[int]], None],
    *,
    permutations: int = 999,
) -> tuple[float, float]:
    """How differently failures are spread over tests or signatures, and the chance of that when nothing changed.

    Args:
        before: The test or signature of each failure on one side, in any order.
        after: Those on the other.
        shuffle: Deals a list out anew in place; seeded, so that the answer can be had again.
        permutations: How often the failures are dealt out to the two sides.

    Returns:
        The Jensen-Shannon divergence in bits, from 0 to 1, and its p-value.

    Raises:
        ValueError: A side is empty.
    """
    if not before or not after:
        raise ValueError("a pattern needs failures on both sides")
    names = {name: number for number, name in enumerate(sorted({*before, *after}))}
    pooled = [names[name] for name in itertools.chain(before, after)]
    seen = _divergence(pooled, len(before), len(names))
    as_far = 0
    for _ in range(permutations):
        shuffle(pooled)
        as_far += _divergence(pooled, len(before), len(names)) >= seen - 1e-12
    return seen, (as_far + 1) / (permutations + 1)


def _divergence(pooled: Sequence[int], size: int, kinds: int) -> float:
    left, right = [0] * kinds, [0] * kinds
    for place, kind in enumerate(pooled):
        (left if place < size else right)[kind] += 1
    rest = len(pooled) - size
    total = 0.0
    for one, other in zip(left, right, strict=True):
        p, q = one / size, other / rest
        middle = (p + q) / 2
        total += (p * math.log2(p / middle) if p else 0.0) + (q * math.log2(q / middle) if q else 0.0)
    return total / 2
