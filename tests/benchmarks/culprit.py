"""Culprit search beside bisecting and beside git_bayesect, on the same simulated histories in the same run.

    python -m tests.benchmarks.culprit [--cases N] [--seed S]

Prints, for each pair of failure rates, the share of right answers and the mean number of runs. `bisect` is what `git
bisect run` does: one run a commit, any failure is bad. `git_bayesect` is its own posterior code as installed (`pip
install git_bayesect`), stopped at the same confidence; left out when it is not installed. Our search gets what a loop
has: thirty results of earlier runs at the good end. Rows `no history` leave them out.
"""

from __future__ import annotations

import argparse
import importlib
import random
import time
from collections.abc import Callable
from typing import Any

from goldenpath_loop.science.flaky_culprit import Answer, Run, Search, next_step

CONFIDENCE = 0.99
CAP = 600
ROWS: tuple[tuple[float, float, float], ...] = (
    (0.0, 1.0, 0.25),
    (0.1, 1.0, 0.25),
    (0.02, 0.5, 0.25),
    (0.0, 0.2, 0.1),
)
Show = Callable[[int], bool]


def ours(
    count: int, show: Show, past: tuple[Run, ...], *, is_flaky: bool, delta: float, width: int = 1
) -> tuple[Answer, int, int]:
    """Answer, runs and rounds of our search."""
    search = Search((1.0,) * count, is_flaky=is_flaky, delta=delta, confidence=CONFIDENCE, most_runs=CAP)
    runs, spent, rounds = list(past), 0, 0
    while True:
        step = next_step(search, runs, width=width)
        if isinstance(step, Answer):
            return step, spent, rounds
        rounds += 1
        spent += len(step.indices)
        runs += [Run(index, "red" if show(index) else "green") for index in step.indices]


def bisected(count: int, show: Show) -> tuple[int, int]:
    """Culprit and runs of `git bisect run`."""
    bad, good, runs = 0, count - 1, 0
    while good - bad > 1:
        middle = (bad + good) // 2
        runs += 1
        if show(middle):
            bad = middle
        else:
            good = middle
    return bad, runs


def bayesected(package: Any, count: int, show: Show) -> tuple[int | None, int]:
    """Culprit and runs of git_bayesect's own posterior with its own defaults; None when it does not stop."""
    search = package.Bisector([1.0] * count)
    for runs in range(1, CAP + 1):
        index = int(search.select())
        search.record(index, show(index))
        best = int(search.distribution.argmax())
        if float(search.distribution[best]) >= CONFIDENCE:
            return best, runs
    return None, CAP


def table(cases: int, seed: int, count: int) -> None:
    """The rows of failure rates."""
    package = _bayesect()
    print(f"{count} commits, {cases} cases a row, confidence {CONFIDENCE:.0%}, seed {seed}")
    print(f"{'p before -> since':24}{'bisect':>16}{'git_bayesect':>16}{'ours':>16}{'no history':>16}")
    for p_old, p_new, delta in ROWS:
        tallies = {name: [0, 0] for name in ("bisect", "bayesect", "ours", "bare")}
        for case in range(cases):
            rng = random.Random(f"{seed}/{case}/{p_old}/{p_new}")
            culprit = rng.randrange(count - 1)
            past = tuple(
                Run(count - 1, "red" if rng.random() < p_old else "green", past=True) for _ in range(30)
            )

            def show(index: int, culprit: int = culprit, rng: random.Random = rng) -> bool:
                return rng.random() < (p_new if index <= culprit else p_old)  # noqa: B023 -- used in this turn only

            found, runs = bisected(count, show)
            _add(tallies["bisect"], found == culprit, runs)
            for name, known in (("ours", past), ("bare", ())):
                answer, runs, _ = ours(count, show, known, is_flaky=True, delta=delta)
                _add(tallies[name], answer.kind == "culprit" and answer.index == culprit, runs)
            if package is not None:
                blamed, runs = bayesected(package, count, show)
                _add(tallies["bayesect"], blamed == culprit, runs)
        note = f" delta {delta}" if delta != 0.25 else ""
        _row(f"{p_old:g} -> {p_new:g}{note}", tallies, cases, package)
    for rate in (0.1, 0.3):
        tallies = {name: [0, 0] for name in ("bisect", "bayesect", "ours", "bare")}
        for case in range(cases):
            rng = random.Random(f"{seed}/{case}/{rate}")
            past = tuple(
                Run(count - 1, "red" if rng.random() < rate else "green", past=True) for _ in range(30)
            )

            def shown(_index: int, rng: random.Random = rng) -> bool:
                return rng.random() < rate  # noqa: B023 -- used in this turn only

            _add(tallies["bisect"], False, bisected(count, shown)[1])
            for name, known in (("ours", past), ("bare", ())):
                answer, runs, _ = ours(count, shown, known, is_flaky=True, delta=0.25)
                _add(tallies[name], answer.kind == "flaky", runs)
        _row(f"no culprit, p = {rate:g}", tallies, cases, None)


def deterministic(cases: int, seed: int) -> None:
    """Declared deterministic, beside bisecting; with stretches that cannot be run; several at once."""
    print(f"\n{'deterministic':24}{'bisect':>16}{'ours':>16}{'rounds, 2 jobs':>16}{'rounds, 4 jobs':>16}")
    for count in (50, 128, 500, 2000):
        spent = [0, 0, 0, 0]
        right = 0
        for case in range(cases):
            culprit = random.Random(f"{seed}/{case}/{count}").randrange(count - 1)

            def show(index: int, culprit: int = culprit) -> bool:
                return index <= culprit

            spent[0] += bisected(count, show)[1]
            answer, runs, _ = ours(count, show, (), is_flaky=False, delta=0.25)
            right += answer.index == culprit
            spent[1] += runs
            for place, width in ((2, 2), (3, 4)):
                spent[place] += ours(count, show, (), is_flaky=False, delta=0.25, width=width)[2]
        cells = "".join(f"{one / cases:>16.2f}" for one in spent)
        print(f"{count} commits, {right / cases:.1%}".ljust(24) + cells)


def speed(seed: int) -> None:
    """How long one decision takes."""
    print()
    for count in (200, 2000):
        rng = random.Random(seed)
        runs = [Run(rng.randrange(count), "red" if rng.random() < 0.5 else "green") for _ in range(60)]
        runs += [Run(0, "red"), Run(0, "green"), Run(0, "red"), Run(0, "red")]
        search = Search((1.0,) * count, is_flaky=True)
        began = time.perf_counter()
        next_step(search, runs)
        print(
            f"one decision among {count} commits after 64 runs: {(time.perf_counter() - began) * 1000:.1f} ms"
        )


def _bayesect() -> Any:
    try:
        return importlib.import_module("git_bayesect")
    except ImportError:
        return None


def _add(tally: list[int], is_right: bool, runs: int) -> None:
    tally[0] += is_right
    tally[1] += runs


def _row(name: str, tallies: dict[str, list[int]], cases: int, package: Any) -> None:
    cells = ""
    for key in ("bisect", "bayesect", "ours", "bare"):
        right, runs = tallies[key]
        missing = key == "bayesect" and package is None
        cells += f"{'-' if missing else f'{right / cases:.1%} / {runs / cases:.1f}':>16}"
    print(f"{name:24}{cells}", flush=True)


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--commits", type=int, default=128)
    chosen = parser.parse_args()
    table(chosen.cases, chosen.seed, chosen.commits)
    deterministic(chosen.cases, chosen.seed)
    speed(chosen.seed)


if __name__ == "__main__":
    main()
