"""Did it really change? Results of a suite against its history: test by test, as a whole, and by pattern.

One broken test of sixty is lost in the suite's rate, so the verdict is per test. Everything is compared on the tests
that both sides have; what only one side has is told first, because a test that vanished is no improvement.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from goldenpath_loop.science.statistics import benjamini_hochberg, jeffreys_upper, mcnemar

__all__ = [
    "Change",
    "Paired",
    "changed_tests",
    "is_new_signature",
    "paired",
    "pattern_change",
    "raised_tests",
]


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
    """Failures now."""
    p_value: float
    """Chance of so many when the test is as it was."""


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
    return _standing_out(
        [Change(test, in_a_row[test], _chance_of_row(*history[test], in_a_row[test])) for test in tests], rate
    )


def raised_tests(
    history: Mapping[str, tuple[int, int]], now: Mapping[str, tuple[int, int]], *, rate: float = 0.05
) -> tuple[Change, ...]:
    """Tests that fail more often now than before, also those that pass now and then.

    Fisher's exact test, one-sided, for each test: which of all its runs failed, if they were dealt out anew. No rate
    has to be known, but the number of runs has to be fixed beforehand: who stops at the first failure finds too many.

    Args:
        history: Failures and runs of each test before.
        now: Failures and runs of each test now.
        rate: Largest share of false alarms among what is reported (Benjamini-Hochberg).

    Raises:
        ValueError: Counts that cannot be.
    """
    tests = sorted(history.keys() & now.keys())
    return _standing_out(
        [Change(test, now[test][0], _chance_of_deal(*history[test], *now[test])) for test in tests], rate
    )


def _standing_out(changes: Sequence[Change], rate: float) -> tuple[Change, ...]:
    is_real = benjamini_hochberg([one.p_value for one in changes], rate)
    return tuple(one for one, counts in zip(changes, is_real, strict=True) if counts)


def _chance_of_deal(old_fails: int, old_runs: int, fails: int, runs: int) -> float:
    if not (0 <= old_fails <= old_runs and 0 <= fails <= runs):
        raise ValueError(f"{old_fails} of {old_runs} before and {fails} of {runs} now cannot be")
    total = old_fails + fails
    as_many = sum(
        math.comb(runs, k) * math.comb(old_runs, total - k) for k in range(fails, min(runs, total) + 1)
    )
    return as_many / math.comb(old_runs + runs, total)


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
    term = math.exp(-mean)
    below = term
    for count in range(1, times):
        term *= mean / count
        below += term
    return 1 - below < doubt


def pattern_change(
    before: Sequence[Collection[str]],
    after: Sequence[Collection[str]],
    shuffle: Callable[[list[int]], None],
    *,
    permutations: int = 999,
) -> tuple[float, float]:
    """How differently failures are spread over tests or signatures, and the chance of that when nothing changed.

    Whole runs are dealt out, not failures: what fails in one run has often failed together, and taken one by one ten
    tests of one outage would count for ten sightings. So it takes four runs a side to see anything at 5 %.

    Args:
        before: The test or signature of each failure, run by run.
        after: Those on the other side; runs without a failure count as well.
        shuffle: Deals a list out anew in place; seeded, so that the answer can be had again.
        permutations: How often the runs are dealt out to the two sides.

    Returns:
        The Jensen-Shannon divergence of the two sides in bits, from 0 to 1, and its p-value.

    Raises:
        ValueError: A side has no failure, or there is nothing to deal out.
    """
    if not any(before) or not any(after):
        raise ValueError("a pattern needs failures on both sides")
    if permutations < 1:
        raise ValueError(f"{permutations} permutations show nothing")
    sides = (*before, *after)
    numbers = {name: number for number, name in enumerate(sorted({name for run in sides for name in run}))}
    runs = [[numbers[name] for name in run] for run in sides]
    whole = _counts(runs, len(numbers))
    order = list(range(len(runs)))

    def divergence() -> float:
        return _divergence(_counts((runs[place] for place in order[: len(before)]), len(numbers)), whole)

    seen = divergence()
    as_far = 0
    for _ in range(permutations):
        shuffle(order)
        as_far += divergence() >= seen - 1e-12
    return seen, (as_far + 1) / (permutations + 1)


def _counts(runs: Iterable[Sequence[int]], kinds: int) -> list[int]:
    found = [0] * kinds
    for run in runs:
        for kind in run:
            found[kind] += 1
    return found


def _divergence(left: Sequence[int], whole: Sequence[int]) -> float:
    """Between one side and the rest of the whole; as far as can be when either has no failure."""
    size = sum(left)
    rest = sum(whole) - size
    if not size or not rest:
        return 1.0
    total = 0.0
    for one, both in zip(left, whole, strict=True):
        p, q = one / size, (both - one) / rest
        middle = (p + q) / 2
        total += (p * math.log2(p / middle) if p else 0.0) + (q * math.log2(q / middle) if q else 0.0)
    return min(1.0, max(0.0, total / 2))
