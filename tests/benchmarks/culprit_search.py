"""How many commits the culprit search probes, beside plain bisection, on seeded simulated histories.

Run it: python tests/benchmarks/culprit_search.py [histories] [seed]

Plain bisection halves the stretch between the newest commit and a green one that somebody names, and walks to
the nearest neighbours of a commit that cannot be tested. Ours is measured with the same green commit, and
finding one by itself.
"""

from __future__ import annotations

import math
import random
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass

from goldenpath_loop.science.culprit import (
    Conclusion,
    Culprit,
    Probe,
    Range,
    conclude,
    next_probes,
)


@dataclass(frozen=True)
class History:
    """Commits 0 to `culprit` are red, older ones green; `blind` ones cannot be tested."""

    count: int
    culprit: int
    blind: frozenset[int]

    def probe(self, index: int) -> Probe:
        if index in self.blind:
            return Probe(index, "unresolved")
        return Probe(index, "red" if index <= self.culprit else "green")


@dataclass(frozen=True)
class Cost:
    """What a search took, and whether its answer holds."""

    probes: int
    rounds: int
    right: bool


def holds(conclusion: Conclusion | None, culprit: int) -> bool:
    """Whether the true culprit is in the answer."""
    match conclusion:
        case Culprit(index, _):
            return index == culprit
        case Range(newest, oldest, _):
            return newest <= culprit <= oldest
        case _:
            return False


def ours(history: History, *, good_known: bool, width: int) -> Cost:
    """Search until `conclude` answers; what is given at the start is not counted."""
    probes = [history.probe(0)] + ([history.probe(history.count - 1)] if good_known else [])
    given, rounds = len(probes), 0
    while wanted := next_probes(history.count, probes, width=width):
        rounds += 1
        probes += [history.probe(index) for index in wanted]
    return Cost(len(probes) - given, rounds, holds(conclude(history.count, probes), history.culprit))


def plain(history: History) -> Cost:
    """Bisection by the book: the middle, or else its nearest neighbour, now this side, now that."""
    bad, good, blind, probes = 0, history.count - 1, set[int](), 0
    while free := [index for index in range(bad + 1, good) if index not in blind]:
        middle = (bad + good) // 2
        index = min(free, key=lambda index: (abs(index - middle), index))
        probes += 1
        match history.probe(index).outcome:
            case "red":
                bad = index
            case "green":
                good = index
            case _:
                blind.add(index)
    return Cost(probes, probes, bad <= history.culprit < good)


def simulate(rng: random.Random, count: int, blind_share: float, stretch: int) -> History:
    """A history whose culprit is more likely near than far, with stretches that cannot be tested."""
    culprit = min(count - 2, int(math.exp(rng.uniform(0.0, math.log(count)))) - 1)
    blind: set[int] = set()
    while len(blind) < blind_share * count:
        start = rng.randrange(1, count - 1)
        blind |= set(range(start, min(count - 1, start + 1 + int(rng.expovariate(1.0 / stretch)))))
    return History(count, culprit, frozenset(blind))


def main(histories: int = 400, seed: int = 7) -> None:
    """Print the table."""
    searches: dict[str, Callable[[History], Cost]] = {
        "plain, green known": plain,
        "ours, green known": lambda history: ours(history, good_known=True, width=1),
        "ours": lambda history: ours(history, good_known=False, width=1),
        "ours, 4 at once": lambda history: ours(history, good_known=False, width=4),
    }
    print(f"{histories} histories each, seed {seed}\n")
    print(
        f"{'commits':>7} {'blind':>6} {'stretch':>7}  {'search':<20} {'mean':>6} {'median':>6} {'max':>5} "
        f"{'rounds':>6} {'right':>7}"
    )
    for count in (128, 1024):
        for share, stretch in ((0.0, 1), (0.1, 1), (0.1, 10), (0.3, 10), (0.3, 40)):
            rng = random.Random(f"{seed}/{count}/{share}/{stretch}")
            cases = [simulate(rng, count, share, stretch) for _ in range(histories)]
            for name, search in searches.items():
                costs = [search(case) for case in cases]
                probes = [cost.probes for cost in costs]
                print(
                    f"{count:>7} {share:>6.0%} {stretch:>7}  {name:<20} {statistics.fmean(probes):>6.1f} "
                    f"{statistics.median(probes):>6.1f} {max(probes):>5} "
                    f"{statistics.fmean(cost.rounds for cost in costs):>6.1f} "
                    f"{statistics.fmean(cost.right for cost in costs):>7.1%}"
                )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
