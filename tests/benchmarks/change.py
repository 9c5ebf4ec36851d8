"""How often a real change of a suite is seen, and how often one is cried that is none, by five ways of looking.

    python -m tests.benchmarks.change [--cases 400] [--seed 1]

A suite of 60 tests, each with a failure rate of its own (most 0, some up to 20 %) and 100 earlier runs; one run of the
suite is compared with the one before and with history, and what failed is run again until it passes or has failed
more often in a row than its history allows. Worlds: nothing
changed; one test broken; the rate of ten tests up by 30 %; other tests fail, as many as before. Power is the share of
changed suites that are called changed, false alarms that of the unchanged ones. The per-test way also has to name a
test that did change.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from goldenpath_loop.science.change import changed_tests, paired, pattern_change
from goldenpath_loop.science.statistics import triage_reruns

TESTS, PAST = 60, 100
WORLDS = ("nothing changed", "one test broken", "ten rates up", "another pattern")


@dataclass(frozen=True)
class Case:
    """What was measured of one suite."""

    history: dict[str, tuple[int, int]]
    before: dict[str, bool]
    after: dict[str, bool]
    in_a_row: dict[str, int]
    past_failures: list[str]
    new_failures: list[str]
    """Failures of the last ten runs, like the ten before."""
    guilty: frozenset[str]


def case(world: str, chance: random.Random) -> Case:
    """One suite with its past and its present."""
    old = {f"t{n}": 0.0 if chance.random() < 0.7 else chance.uniform(0.01, 0.2) for n in range(TESTS)}
    if world == "another pattern":
        old = {test: 0.3 if number < 10 else 0.0 for number, test in enumerate(old)}
    new, guilty = dict(old), frozenset[str]()
    if world == "one test broken":
        guilty = frozenset((chance.choice(sorted(old)),))
        new |= dict.fromkeys(guilty, 1.0)
    elif world == "ten rates up":
        guilty = frozenset(chance.sample(sorted(old), 10))
        new |= {test: old[test] + 0.3 for test in guilty}
    elif world == "another pattern":
        guilty = frozenset(f"t{number}" for number in range(10, 20))
        new = {test: 0.3 if test in guilty else 0.0 for test in old}

    def run(rates: dict[str, float]) -> dict[str, bool]:
        return {test: chance.random() >= rate for test, rate in rates.items()}

    past = [run(old) for _ in range(PAST)]
    now = [run(new) for _ in range(10)]
    history = {test: (sum(not one[test] for one in past), PAST) for test in old}
    in_a_row = dict.fromkeys(old, 0)
    for test in old:
        if not now[0][test]:
            in_a_row[test] = 1
            enough = triage_reruns(*history[test])
            while in_a_row[test] <= enough and chance.random() < new[test]:
                in_a_row[test] += 1
            # A pass on the way says that it is not always red.
            in_a_row[test] = in_a_row[test] if in_a_row[test] > enough else 0
    failures = [[test for one in runs for test in one if not one[test]] for runs in (past[-10:], now)]
    return Case(history, past[-1], now[0], in_a_row, failures[0], failures[1], guilty)


def fisher(one: Case) -> bool:
    """Exact test of the two suite-level rates."""
    before, after = (sum(not passed for passed in side.values()) for side in (one.before, one.after))
    total = before + after
    weights = [
        math.comb(TESTS, k) * math.comb(TESTS, total - k) for k in range(total + 1) if total - k <= TESTS
    ]
    return sum(w for w in weights if w <= weights[after]) / sum(weights) < 0.05


def mcnemar_test(one: Case) -> bool:
    """Exact test of the tests that changed sides."""
    return paired(one.before, one.after).p_value < 0.05


def first_failure(one: Case) -> bool:
    """A test that passed before and fails now is a change."""
    return bool(paired(one.before, one.after).broken)


def per_test(one: Case) -> bool:
    """Failures in a row against each test's own history."""
    found = {change.test for change in changed_tests(one.history, one.in_a_row)}
    return bool(found & one.guilty) if one.guilty else bool(found)


def pattern(one: Case) -> bool:
    """Where failures of ten runs lie, against ten runs before."""
    if not one.past_failures or not one.new_failures:
        return False
    return (
        pattern_change(one.past_failures, one.new_failures, random.Random(1).shuffle, permutations=199)[1]
        < 0.05
    )


WAYS: dict[str, Callable[[Case], bool]] = {
    "suite rate (Fisher)": fisher,
    "same tests (McNemar)": mcnemar_test,
    "any new failure": first_failure,
    "per test, in a row": per_test,
    "pattern of ten runs": pattern,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cases", type=int, default=400, help="of each world")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(f"{'called changed':<22}" + "".join(f"{world:>18}" for world in WORLDS))
    cases = {
        world: [case(world, random.Random(f"{arguments.seed} {world} {n}")) for n in range(arguments.cases)]
        for world in WORLDS
    }
    for name, way in WAYS.items():
        shares = [sum(map(way, cases[world])) / arguments.cases for world in WORLDS]
        print(f"{name:<22}" + "".join(f"{share:>18.1%}" for share in shares))


if __name__ == "__main__":
    main()
