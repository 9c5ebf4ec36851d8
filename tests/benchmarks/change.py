"""How often a real change of a suite is seen, and how often one is cried that is none, by seven ways of looking.

    python -m tests.benchmarks.change [--cases 1000] [--seed 1]

A suite of 60 tests, each with a failure rate of its own (most 0, some up to 20 %) and 100 earlier runs. Worlds: nothing
changed; nothing changed, but in three runs of ten some service is away and its ten tests fail together, as they always
did; one test broken; the rate of ten tests up by 30 %; other ten tests fail, as many as before.

Three ways look at one run beside the run before: the suite's rate (Fisher), the same tests (McNemar), any new failure.
Two run again, alone, what failed: three times more, or until it has failed more often in a row than its history
allows; a pass ends it. Two look at ten runs: the rate of each test against its history, the pattern of failures against
the ten runs before. All ask for 5 %, those that look test by test with Benjamini-Hochberg. False alarms are the
unchanged suites that are called changed, power the changed ones; who names tests has to name one that did change. The
last column is what it costs: runs of one test beyond the suite's own, in the mean of all worlds.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from goldenpath_loop.science.change import Change, changed_tests, paired, pattern_change, raised_tests
from goldenpath_loop.science.statistics import triage_reruns

TESTS, PAST, NOW = 60, 100, 10
OUTAGE = 0.3
WORLDS = ("nothing", "nothing, outages", "one test broken", "ten rates up", "another pattern")
TO_BEAT = (
    "to reach: one broken test of sixty seen in 97.7 % at 0.2 % false alarms, test by test; "
    "the suite's rate sees it in 0-1 %"
)

Run = dict[str, bool]


@dataclass(frozen=True)
class World:
    """Failure rates before and now, and the tests whose rate is another one."""

    old: Mapping[str, float]
    new: Mapping[str, float]
    outage: float
    """How often a run meets a service that is away."""

    @property
    def guilty(self) -> frozenset[str]:
        return frozenset(test for test in self.old if self.new[test] > self.old[test])


@dataclass(frozen=True)
class Case:
    """What was measured of one suite."""

    history: dict[str, tuple[int, int]]
    past: list[Run]
    """The last ten runs before, the newest last."""
    now: list[Run]
    """Ten runs, the first of which is the one to judge."""
    four: dict[str, int]
    """Failures in a row of at most four; 0 when one passed."""
    asked: dict[str, int]
    """The same, of as many as the history asks for."""
    four_runs: int
    asked_runs: int
    guilty: frozenset[str]


def world(name: str, chance: random.Random) -> World:
    """One suite's rates."""
    old = {f"t{n}": 0.0 if chance.random() < 0.7 else chance.uniform(0.01, 0.2) for n in range(TESTS)}
    if name == "another pattern":
        old = {test: 0.3 if number < 10 else 0.0 for number, test in enumerate(old)}
    new = dict(old)
    if name == "one test broken":
        new[chance.choice(sorted(old))] = 1.0
    elif name == "ten rates up":
        new |= {test: old[test] + 0.3 for test in chance.sample(sorted(old), 10)}
    elif name == "another pattern":
        new = {test: 0.3 if 10 <= number < 20 else 0.0 for number, test in enumerate(old)}
    return World(old, new, OUTAGE if name.endswith("outages") else 0.0)


def run(rates: Mapping[str, float], outage: float, chance: random.Random) -> Run:
    """One run of the whole suite, True for a pass; an outage takes ten neighbours with it."""
    away = chance.choice((20, 35, 50)) if chance.random() < outage else TESTS
    return {
        test: chance.random() >= rate and not away <= number < away + 10
        for number, (test, rate) in enumerate(rates.items())
    }


def in_a_row(test: str, most: int, one: World, chance: random.Random) -> tuple[int, int]:
    """Failures in a row of a test that failed, run again alone; 0 after a pass, which ends it. And the runs spent."""
    for spent in range(1, most):
        if run(one.new, one.outage, chance)[test]:
            return 0, spent
    return most, most - 1


def case(name: str, chance: random.Random) -> Case:
    """One suite with its past and its present."""
    one = world(name, chance)
    past = [run(one.old, one.outage, chance) for _ in range(PAST)]
    now = [run(one.new, one.outage, chance) for _ in range(NOW)]
    history = {test: (sum(not shown[test] for shown in past), PAST) for test in one.old}
    failed = [test for test, passed in now[0].items() if not passed]
    four = {test: in_a_row(test, 4, one, chance) for test in failed}
    asked = {test: in_a_row(test, 1 + triage_reruns(*history[test]), one, chance) for test in failed}
    return Case(
        history=history,
        past=past[-NOW:],
        now=now,
        four=dict.fromkeys(one.old, 0) | {test: count for test, (count, _) in four.items()},
        asked=dict.fromkeys(one.old, 0) | {test: count for test, (count, _) in asked.items()},
        four_runs=sum(spent for _, spent in four.values()),
        asked_runs=sum(spent for _, spent in asked.values()),
        guilty=one.guilty,
    )


def fisher(one: Case) -> bool:
    """Exact test of the two suite-level rates."""
    before, after = (sum(not passed for passed in side.values()) for side in (one.past[-1], one.now[0]))
    total = before + after
    weights = [
        math.comb(TESTS, k) * math.comb(TESTS, total - k) for k in range(total + 1) if total - k <= TESTS
    ]
    return sum(w for w in weights if w <= weights[after]) / sum(weights) < 0.05


def mcnemar_test(one: Case) -> bool:
    """Exact test of the tests that changed sides."""
    return paired(one.past[-1], one.now[0]).p_value < 0.05


def first_failure(one: Case) -> bool:
    """A test that passed before and fails now is a change."""
    return _names(one, set(paired(one.past[-1], one.now[0]).broken))


def _names(one: Case, found: set[str]) -> bool:
    return bool(found & one.guilty) if one.guilty else bool(found)


def _tests(changes: tuple[Change, ...]) -> set[str]:
    return {change.test for change in changes}


def raised(one: Case) -> bool:
    """The rate of each test in ten runs against its history."""
    now = {test: (sum(not shown[test] for shown in one.now), NOW) for test in one.history}
    return _names(one, _tests(raised_tests(one.history, now)))


def pattern(one: Case) -> bool:
    """Where failures of ten runs lie, against ten runs before."""
    before, after = (
        [[test for test, passed in shown.items() if not passed] for shown in side]
        for side in (one.past, one.now)
    )
    if not any(before) or not any(after):
        return False
    return pattern_change(before, after, random.Random(1).shuffle)[1] < 0.05


WAYS: dict[str, tuple[Callable[[Case], bool], Callable[[Case], int]]] = {
    "suite rate (Fisher)": (fisher, lambda _: 0),
    "same tests (McNemar)": (mcnemar_test, lambda _: 0),
    "any new failure": (first_failure, lambda _: 0),
    "per test, four in a row": (
        lambda one: _names(one, _tests(changed_tests(one.history, one.four))),
        lambda one: one.four_runs,
    ),
    "per test, as history asks": (
        lambda one: _names(one, _tests(changed_tests(one.history, one.asked))),
        lambda one: one.asked_runs,
    ),
    "per test, rate of ten runs": (raised, lambda _: (NOW - 1) * TESTS),
    "pattern of ten runs": (pattern, lambda _: (NOW - 1) * TESTS),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cases", type=int, default=1000, help="of each world")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    cases = {
        name: [case(name, random.Random(f"{arguments.seed} {name} {n}")) for n in range(arguments.cases)]
        for name in WORLDS
    }
    print(f"{'':28}{'false alarms':^34}{'power':^51}")
    print(f"{'called changed':28}" + "".join(f"{name:>17}" for name in WORLDS) + f"{'re-runs':>9}")
    for name, (way, cost) in WAYS.items():
        shares = [sum(map(way, cases[world])) / arguments.cases for world in WORLDS]
        spent = sum(cost(one) for group in cases.values() for one in group) / len(WORLDS) / arguments.cases
        print(f"{name:28}" + "".join(f"{share:>17.1%}" for share in shares) + f"{spent:>9.1f}")
    print(f"{TO_BEAT}; {arguments.cases} suites of each world")


if __name__ == "__main__":
    main()
