"""Put suites, and the tests in them, in the order in which they tell most per second."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from goldenpath_loop.records.base import SuiteName, TestId
from goldenpath_loop.records.findings import PlannedSuite
from goldenpath_loop.records.history import TestHistory
from goldenpath_loop.records.target import SuiteSpec

__all__ = ["HALF_LIFE", "RECENT", "failure_chance", "rank_suites"]

HALF_LIFE = timedelta(days=14)
"""After so long a result counts half."""

RECENT = timedelta(hours=24)
"""A suite that passed so short a time ago runs last."""

_RED = frozenset({"red", "timeout"})
_DEFAULT_COST_S = 1.0
_LEAST_COST_S = 0.001


class _Turn(IntEnum):
    FAILING = 0
    NEW = 1
    KNOWN = 2
    RECENTLY_PASSED = 3


def failure_chance(history: TestHistory | None, now: datetime | None) -> float:
    """How likely a test is to fail: the mean of its Beta posterior, older results counting less.

    Args:
        history: What earlier runs saw of it; None when it never ran.
        now: The present, for the age of the history; None counts everything in full.
    """
    if history is None:
        return 0.5
    weight = 1.0
    if now is not None and history.last_run_at is not None:
        weight = 0.5 ** (max(timedelta(), now - history.last_run_at) / HALF_LIFE)
    reds = min(history.reds, history.runs)
    return (reds * weight + 0.5) / (history.runs * weight + 1.0)


@dataclass(frozen=True, slots=True)
class _Known:
    """A suite with everything that decides its place."""

    spec: SuiteSpec
    tests: tuple[TestId, ...]
    seen: tuple[TestHistory, ...]
    red: int
    cost_s: float | None
    chance: float
    turn: _Turn

    @property
    def place(self) -> tuple[int, float, float, int, SuiteName]:
        per_second = self.chance / max(_LEAST_COST_S, _DEFAULT_COST_S if self.cost_s is None else self.cost_s)
        value = self.spec.value_at_risk_usd * per_second
        return self.turn, -value, -per_second, self.spec.priority, self.spec.name

    @property
    def reason(self) -> str:
        facts = []
        new = len(self.tests) - len(self.seen)
        if self.turn is _Turn.FAILING:
            facts.append(f"{self.red} of {len(self.tests)} {_were(self.red)} red in the last run")
        elif not self.seen:
            facts.append("new: never run")
        elif self.turn is _Turn.RECENTLY_PASSED:
            facts.append("passed in the last run")
        if self.seen and new:
            facts.append(f"{new} of {len(self.tests)} {'is' if new == 1 else 'are'} new")
        if self.spec.value_at_risk_usd:
            facts.append(f"${self.spec.value_at_risk_usd:,.0f} a month")
        if self.cost_s is not None:
            facts.append(f"{self.cost_s:.1f} s")
        return ", ".join(facts)


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _turn(tests: Sequence[TestId], seen: Sequence[TestHistory], red: int, now: datetime | None) -> _Turn:
    if red:
        return _Turn.FAILING
    if len(seen) < len(tests) or not tests:
        return _Turn.NEW
    for history in seen:
        if history.last_outcome != "green" or history.last_run_at is None or now is None:
            return _Turn.KNOWN
        if now - history.last_run_at > RECENT:
            return _Turn.KNOWN
    return _Turn.RECENTLY_PASSED


def _known(
    spec: SuiteSpec, tests: Sequence[TestId], histories: Mapping[TestId, TestHistory], now: datetime | None
) -> _Known:
    seen = tuple(histories[test] for test in tests if test in histories and histories[test].runs)
    red = sum(history.last_outcome in _RED for history in seen)
    cost_s = None
    if seen:
        # What is not known yet costs as much as the rest does on average.
        cost_s = sum(history.mean_duration_s for history in seen) / len(seen) * len(tests)
    # Tests of one suite fail together more often than not, so the likeliest stands for all of them.
    chance = max(
        (failure_chance(histories.get(test), now) for test in tests), default=failure_chance(None, now)
    )
    return _Known(spec, tuple(tests), seen, red, cost_s, chance, _turn(tests, seen, red, now))


def _ordered(
    tests: Sequence[TestId], histories: Mapping[TestId, TestHistory], now: datetime | None
) -> tuple[TestId, ...]:
    """Failing before first, then new, then by chance a second; equals keep the order of collection."""

    def place(test: TestId) -> tuple[int, float]:
        history = histories.get(test)
        if history is None or not history.runs:
            return _Turn.NEW, 0.0
        cost_s = max(_LEAST_COST_S, history.mean_duration_s)
        turn = _Turn.FAILING if history.last_outcome in _RED else _Turn.KNOWN
        return turn, -failure_chance(history, now) / cost_s

    return tuple(sorted(tests, key=place))


def rank_suites(
    suites: Iterable[SuiteSpec],
    tests: Mapping[SuiteName, Sequence[TestId]],
    histories: Mapping[TestId, TestHistory],
    *,
    now: datetime | None = None,
) -> tuple[PlannedSuite, ...]:
    """Order suites for execution; none is left out.

    Suites with a test that was red in its last run come first, then suites with tests that never ran, then
    the others; those that passed within `RECENT` come last. Within a group the value at risk a second
    decides, times the chance of a failure.

    Args:
        suites: The suites to run.
        tests: Tests of each suite in order of collection; a suite without an entry keeps an empty list.
        histories: What earlier runs saw of each test; one without an entry never ran.
        now: The present; None takes the time of the newest result.

    Returns:
        Every suite with its tests in order and the reason for its place, for people.
    """
    if now is None:
        times = [entry.last_run_at for entry in histories.values() if entry.last_run_at is not None]
        now = max(times, default=None)
    known = sorted(
        (_known(spec, tests.get(spec.name, ()), histories, now) for spec in suites),
        key=lambda suite: suite.place,
    )
    return tuple(
        PlannedSuite(suite=suite.spec.name, tests=_ordered(suite.tests, histories, now), reason=suite.reason)
        for suite in known
    )
