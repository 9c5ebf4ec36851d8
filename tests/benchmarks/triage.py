"""How often a failure is told apart rightly, and how many re-runs that takes, beside simpler rules.

    python -m tests.benchmarks.triage [--cases 1000] [--seed 5]

Three worlds, each test with 10, 30 or 100 earlier runs: a regression (always red now; it failed in 0 or 2 % of runs
before), a flake (2 to 30 %, as ever) and an intermittent regression (0 to 5 % before, 25 to 75 % now).
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass

from goldenpath_loop.science.statistics import triage_reruns
from goldenpath_loop.science.triage import triage

Rule = Callable[[int, int, Callable[[], bool]], tuple[str, int]]


@dataclass(frozen=True)
class World:
    """One kind of failure."""

    name: str
    old: Callable[[random.Random], float]
    new: Callable[[random.Random, float], float]


WORLDS = (
    World("regression", lambda chance: chance.choice((0.0, 0.0, 0.0, 0.02)), lambda _chance, _old: 1.0),
    World("flaky", lambda chance: chance.uniform(0.02, 0.3), lambda _chance, old: old),
    World(
        "intermittent",
        lambda chance: chance.choice((0.0, 0.0, 0.02, 0.05)),
        lambda chance, _old: chance.uniform(0.25, 0.75),
    ),
)


def ours(reds: int, runs: int, run: Callable[[], bool]) -> tuple[str, int]:
    """The loop's own rule."""
    seen: list[bool] = []
    while (said := triage(reds, runs, seen)) == "again":
        seen.append(run())
    return said, len(seen)


def retry(_reds: int, _runs: int, run: Callable[[], bool]) -> tuple[str, int]:
    """Passed on one of three retries: a flake."""
    for number in range(1, 4):
        if not run():
            return "flaky", number
    return "regression", 3


def in_a_row(reds: int, runs: int, run: Callable[[], bool]) -> tuple[str, int]:
    """Enough failures in a row against history: a regression; any pass: a flake."""
    enough = triage_reruns(reds, runs)
    for number in range(1, enough + 1):
        if not run():
            return "flaky", number
    return "regression", enough


RULES: dict[str, Rule] = {
    "three retries": retry,
    "in a row against history": in_a_row,
    "weighed against history": ours,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cases", type=int, default=1000, help="of each world")
    parser.add_argument("--seed", type=int, default=5)
    arguments = parser.parse_args()
    print(
        f"{'right answers / mean re-runs':<28}"
        + "".join(f"{world.name:>22}" for world in WORLDS)
        + f"{'all':>8}"
    )
    for name, rule in RULES.items():
        chance = random.Random(arguments.seed)
        cells: list[str] = []
        spent: list[int] = []
        for world in WORLDS:
            answers = [_played(rule, world, chance) for _ in range(arguments.cases)]
            right = sum(said == world.name for said, _ in answers) / arguments.cases
            taken = [count for _, count in answers]
            spent += taken
            cells.append(f"{right:.1%} / {statistics.mean(taken):.1f}")
        print(f"{name:<28}" + "".join(f"{cell:>22}" for cell in cells) + f"{statistics.mean(spent):>8.1f}")


def _played(rule: Rule, world: World, chance: random.Random) -> tuple[str, int]:
    runs = chance.choice((10, 30, 100))
    old = world.old(chance)
    new = world.new(chance, old)
    reds = sum(chance.random() < old for _ in range(runs))
    return rule(reds, runs, lambda: chance.random() < new)


if __name__ == "__main__":
    main()
