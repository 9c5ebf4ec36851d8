"""What the runs of a flaky test say about which commit changed it: an exact posterior on a grid.

A history is a row of commits, index 0 the newest. If `c` is the culprit, the test fails with probability `p_new` on
the commits 0 to c and with `p_old` on all older ones; both are unknown and learned along the way. Beside the commits
stand three answers that blame none: the test has always failed at this rate (`flaky`), the oldest commit is as bad as
the newest (`never_good`), and what was good then is bad now without a change of code (`environment`).

The likelihood of a culprit only depends on which probes lie on its new side, so commits between two probes share it:
they are one stretch, and the cost of an answer grows with the number of probes, not with the length of history.

Source of the model: noisy binary search with a change point; J. Kerr et al., "Flake-aware culprit finding", ICST
2023, has the hypothesis of no culprit; the grid over both rates replaces its known flake rate.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

__all__ = ["Model", "Observation", "Posterior", "best_probes", "posterior", "transitions"]

_OLD = (0.0005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.75)
_NEW = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 0.9, 0.97, 0.9995)
_NEVER, _EVER = 1e-9, 1 - 1e-9
"""Rates of a test that knows no chance; so small that a long history of them adds up to nothing."""
_MOSTLY = 0.9


@dataclass(frozen=True, slots=True)
class Observation:
    """One run of the test."""

    index: int
    """Which commit, 0 for the newest."""
    failed: bool
    past: bool = False
    """Whether it was seen before the search, in the environment of that time."""


@dataclass(frozen=True, slots=True)
class Model:
    """What is believed before the first probe.

    Args:
        weights: How likely each commit is the culprit, newest first; the oldest one cannot be, because what lies
            before it is not looked at.
        delta: Least difference between the two rates that is looked for.
        flaky: Prior of `flaky`; `never_good` and `environment` have theirs.
        deterministic: The test always passes on one side and always fails on the other.
    """

    weights: tuple[float, ...]
    delta: float = 0.5
    flaky: float = 1e-4
    never_good: float = 1e-3
    environment: float = 1e-3
    deterministic: bool = False

    @property
    def count(self) -> int:
        """How many commits there are."""
        return len(self.weights)


@dataclass(frozen=True, slots=True)
class Posterior:
    """What is believed after the probes. All shares together are 1."""

    culprits: tuple[float, ...]
    """Share of each commit, newest first."""
    flaky: float
    never_good: float
    environment: float
    p_old: float
    """Expected failure probability before the culprit."""
    p_new: float
    """Expected failure probability from the culprit on."""

    @property
    def best(self) -> int:
        """The likeliest commit."""
        return max(range(len(self.culprits)), key=self.culprits.__getitem__)


def posterior(model: Model, seen: Sequence[Observation]) -> Posterior:
    """What `seen` says.

    Raises:
        ValueError: A probe lies outside of history, or no commit can be the culprit.
    """
    table = _Table(model, seen)
    shares = [0.0] * model.count
    for number, mass in enumerate(table.masses):
        if table.prior[number] > 0:
            scale = mass / table.prior[number] / table.total
            for index in range(table.edges[number], table.edges[number + 1]):
                shares[index] = table.weights[index] * scale
    commits = sum(table.masses)
    return Posterior(
        culprits=tuple(shares),
        flaky=table.flaky[0] / table.total,
        never_good=table.never_good[0] / table.total,
        environment=table.environment[0] / table.total,
        p_old=sum(table.old) / commits if commits else 0.0,
        p_new=sum(table.new) / commits if commits else 1.0,
    )


def best_probes(
    model: Model,
    seen: Sequence[Observation],
    *,
    width: int = 1,
    dead: Collection[int] = (),
    cost: Callable[[int], float] = lambda _index: 1.0,
) -> tuple[int, ...]:
    """The commits whose runs tell most for what they cost.

    Args:
        model: What was believed before.
        seen: Probes so far.
        width: How many run at once; of several, none is chosen for what another would tell already.
        dead: Commits that cannot be run.
        cost: What a run of a commit costs, in any unit.
    """
    table = _Table(model, seen)
    places = table.places(width, frozenset(dead))
    if not places:
        return ()
    worth = {index: table.gain(index) / cost(index) for index in places}
    ranked = sorted(places, key=lambda index: (-worth[index], index))
    if width == 1:
        return (ranked[0],)
    # Several at once cut what is believed into equal shares; the best single ones take the places that are left.
    quantiles = (table.quantile(share / (width + 1), frozenset(dead)) for share in range(1, width + 1))
    chosen = [place for place in quantiles if place is not None and table.gain(place) > 0]
    chosen += [place for place in ranked if worth[place] > 0.5 * worth[ranked[0]]]
    return tuple(dict.fromkeys(chosen))[:width] or (ranked[0],)


def transitions(seen: Sequence[Observation]) -> tuple[tuple[int, int], ...]:
    """Where red begins, as `(red, green)` pairs of neighbouring probed commits, newest first.

    More than one means several broken stretches. A commit that was seen both ways counts for neither.
    """
    shown: dict[int, set[bool]] = {}
    for one in seen:
        if not one.past:
            shown.setdefault(one.index, set()).add(one.failed)
    steady = [(index, kinds.pop()) for index, kinds in sorted(shown.items()) if len(kinds) == 1]
    return tuple(
        (newer, older)
        for (newer, is_red), (older, was_red) in itertools.pairwise(steady)
        if is_red and not was_red
    )


class _Table:
    """Likelihoods of every stretch of commits between two probes, summed over the grid of rates."""

    def __init__(self, model: Model, seen: Sequence[Observation]) -> None:
        if any(not 0 <= one.index < model.count for one in seen):
            raise ValueError(f"a probe lies outside of a history of {model.count} commits")
        self.weights = (*model.weights[:-1], 0.0)
        whole = sum(self.weights)
        if whole <= 0:
            raise ValueError("no commit can be the culprit")
        blame_none = model.flaky + model.never_good + model.environment
        self.weights = tuple(weight * (1 - blame_none) / whole for weight in self.weights)
        self.cumulated = [0.0, *itertools.accumulate(self.weights)]
        # Stretch s holds the culprits edges[s] .. edges[s + 1] - 1: the same probes lie on their new side.
        self.edges = sorted({0, *(one.index for one in seen), model.count})
        self.prior = [
            self.cumulated[after] - self.cumulated[begin] for begin, after in itertools.pairwise(self.edges)
        ]
        self._fill(model, seen)

    def _fill(self, model: Model, seen: Sequence[Observation]) -> None:
        at: dict[tuple[int, bool], int] = {}
        for one in seen:
            key = (one.index, one.failed)
            at[key] = at.get(key, 0) + 1
        fails_all = sum(one.failed for one in seen)
        passes_all = len(seen) - fails_all
        past_fails = sum(one.failed and one.past for one in seen)
        past_passes = sum(not one.failed and one.past for one in seen)
        counts: list[tuple[int, int]] = []
        fails = passes = 0
        for begin in self.edges[:-1]:
            fails += at.get((begin, True), 0)
            passes += at.get((begin, False), 0)
            counts.append((fails, passes))
        rates = _rates(model)
        logs: list[list[float]] = []
        for weight, old, new in rates:
            lo, lo_, ln, ln_ = math.log(old), math.log1p(-old), math.log(new), math.log1p(-new)
            base = math.log(weight) + fails_all * lo + passes_all * lo_
            logs.append([base + f * (ln - lo) + p * (ln_ - lo_) for f, p in counts])
        constant = [
            (math.log(weight) + fails_all * math.log(rate) + passes_all * math.log1p(-rate), rate)
            for weight, rate in _constant_rates(model)
        ]
        lasting = [
            (math.log(weight) + fails_all * math.log(new) + passes_all * math.log1p(-new), new)
            for weight, new in _lasting_rates(model)
        ]
        changed = [
            (
                math.log(weight)
                + past_fails * math.log(old)
                + past_passes * math.log1p(-old)
                + (fails_all - past_fails) * math.log(new)
                + (passes_all - past_passes) * math.log1p(-new),
                new,
            )
            for weight, old, new in rates
        ]
        top = max(
            *(max(row) for row in logs), *(one for one, _ in constant), *(one for one, _ in lasting + changed)
        )
        size = len(counts)
        self.masses, self.new, self.old = [0.0] * size, [0.0] * size, [0.0] * size
        for (_, old, new), row in zip(rates, logs, strict=True):
            for number, value in enumerate(row):
                mass = math.exp(value - top) * self.prior[number]
                self.masses[number] += mass
                self.new[number] += mass * new
                self.old[number] += mass * old
        self.flaky = _summed(constant, top, model.flaky)
        self.never_good = _summed(lasting, top, model.never_good)
        self.environment = _summed(changed, top, model.environment)
        self.total = sum(self.masses) + self.flaky[0] + self.never_good[0] + self.environment[0]

    def places(self, width: int, dead: frozenset[int]) -> list[int]:
        """Commits worth looking at: the ends of every stretch, and the places that halve it."""
        found: set[int] = set()
        for number, (begin, after) in enumerate(itertools.pairwise(self.edges)):
            found.add(begin)
            if self.masses[number] <= 0 or after - begin < 2:
                continue
            for share in range(1, width + 1):
                goal = self.cumulated[begin] + self.prior[number] * share / (width + 1)
                place = bisect.bisect_left(self.cumulated, goal)
                found |= {min(max(one, begin + 1), after - 1) for one in (place - 1, place, place + 1)}
            found.add(after - 1)
        return sorted(self._living(found, dead))

    def _living(self, wanted: set[int], dead: frozenset[int]) -> set[int]:
        if not dead:
            return wanted
        found = {index for index in wanted if index not in dead}
        last = len(self.weights)
        for index in wanted - found:
            newer = next((one for one in range(index, -1, -1) if one not in dead), None)
            older = next((one for one in range(index, last) if one not in dead), None)
            found |= {one for one in (newer, older) if one is not None}
        return found

    def quantile(self, share: float, dead: frozenset[int]) -> int | None:
        """The commit on whose new side lies `share` of what is believed about commits."""
        goal = share * sum(self.masses)
        passed = 0.0
        for number, mass in enumerate(self.masses):
            if mass > 0 and passed + mass >= goal:
                part = (goal - passed) / mass
                within = self.cumulated[self.edges[number]] + part * self.prior[number]
                place = min(bisect.bisect_left(self.cumulated, within), len(self.weights) - 1)
                return min(self._living({place}, dead), key=lambda one: abs(one - place), default=None)
            passed += mass
        return None

    def gain(self, index: int) -> float:
        """Bits by which one more run of `index` is expected to narrow the answer down."""
        number = bisect.bisect_right(self.edges, index) - 1
        failing: list[float] = []
        whole: list[float] = []
        for stretch, mass in enumerate(self.masses):
            if stretch == number and self.prior[stretch] > 0 and index > self.edges[stretch]:
                # The run splits this stretch: culprits from `index` on have it on their new side.
                share = (self.cumulated[index] - self.cumulated[self.edges[stretch]]) / self.prior[stretch]
                whole += [mass * share, mass * (1 - share)]
                failing += [self.old[stretch] * share, self.new[stretch] * (1 - share)]
            else:
                whole.append(mass)
                failing.append(self.new[stretch] if self.edges[stretch] >= index else self.old[stretch])
        for mass, red in (self.flaky, self.never_good, self.environment):
            whole.append(mass)
            failing.append(red)
        passing = [max(0.0, mass - red) for mass, red in zip(whole, failing, strict=True)]
        red_share = sum(failing) / self.total
        before = _entropy(whole)
        return before - red_share * _entropy(failing) - (1 - red_share) * _entropy(passing)


def _summed(rows: Sequence[tuple[float, float]], top: float, prior: float) -> tuple[float, float]:
    """Mass of a hypothesis, and the part of it in which the next run fails."""
    masses = [(math.exp(value - top) * prior, rate) for value, rate in rows]
    return sum(mass for mass, _ in masses), sum(mass * rate for mass, rate in masses)


def _entropy(masses: Sequence[float]) -> float:
    whole = sum(masses)
    if whole <= 0:
        return 0.0
    return math.log2(whole) - sum(mass * math.log2(mass) for mass in masses if mass > 0) / whole


def _rates(model: Model) -> list[tuple[float, float, float]]:
    """Weight, rate before, rate after."""
    if model.deterministic:
        return [(1.0, _NEVER, _EVER)]
    pairs = [
        (_shape_old(old) * _shape_new(new), old, new)
        for old in _OLD
        for new in _NEW
        if new >= old + model.delta - 1e-9
    ]
    whole = sum(weight for weight, _, _ in pairs)
    return [(weight / whole, old, new) for weight, old, new in pairs]


def _constant_rates(model: Model) -> list[tuple[float, float]]:
    if model.deterministic:
        return [(0.5, 0.1), (0.5, 0.5)]
    rates = sorted(rate for rate in {*_OLD, *_NEW} if rate < _MOSTLY)
    return [(1 / len(rates), rate) for rate in rates]


def _lasting_rates(model: Model) -> list[tuple[float, float]]:
    """What fails nearly always, everywhere; anything less is a test that always was flaky."""
    rates = [rate for rate in _NEW if rate >= _MOSTLY]
    return [(1.0, _EVER)] if model.deterministic else [(1 / len(rates), rate) for rate in rates]


def _shape_old(rate: float) -> float:
    return 4.0 if rate < 0.005 else 1.0


def _shape_new(rate: float) -> float:
    return 8.0 if rate > 0.99 else 1.0
