"""Whether a stated confidence is true: of all answers that a search gave, how many were right.

    python -m tests.benchmarks.calibration [--cases 2000] [--seed 1] [--confidence 0.99]

Every case has its own number of commits (50 to 500), culprit and dice. `answered` is the share of cases with an
answer that counts (a confirmed culprit, or "no commit"); `right` is the share of those that are true. In a world
without a culprit "always flaky" is the truth, and any commit is wrong.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from dataclasses import dataclass

from goldenpath_loop.science.flaky_culprit import Answer, Run, Search, next_step

_PAST = 30
_CAP = 600


@dataclass(frozen=True)
class World:
    """Failure rates before and since the culprit; the same twice for a world without one."""

    before: float
    since: float
    delta: float = 0.25

    @property
    def has_culprit(self) -> bool:
        return self.since > self.before

    @property
    def name(self) -> str:
        return f"{self.before:g} to {self.since:g}" if self.has_culprit else f"{self.before:g} everywhere"


WORLDS = (
    World(0.0, 1.0),
    World(0.1, 1.0),
    World(0.02, 0.5),
    World(0.0, 0.2, 0.1),
    World(0.1, 0.1),
    World(0.3, 0.3),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--confidence", type=float, default=0.99)
    parser.add_argument("--only", nargs="*", default=[], help="worlds by name")
    arguments = parser.parse_args()
    print(f"{'failure rate':<18}{'answered':>10}{'right':>9}{'mean runs':>11}{'seconds':>9}", flush=True)
    for world in (one for one in WORLDS if not arguments.only or one.name in arguments.only):
        chance = random.Random(f"{arguments.seed} {world.name}")
        began = time.monotonic()
        played = [_played(world, chance, arguments.confidence) for _ in range(arguments.cases)]
        answered = [is_right for is_right, _ in played if is_right is not None]
        right = sum(answered) / len(answered) if answered else 0.0
        print(
            f"{world.name:<18}{len(answered) / len(played):>10.1%}{right:>9.2%}"
            f"{statistics.mean(runs for _, runs in played):>11.1f}{time.monotonic() - began:>9.0f}",
            flush=True,
        )


def _played(world: World, chance: random.Random, confidence: float) -> tuple[bool | None, int]:
    """Whether the answer of one search was right, None without one, and how many runs it took."""
    count = chance.randint(50, 500)
    culprit = chance.randrange(count - 1)

    def is_red(index: int) -> bool:
        return chance.random() < (world.since if index <= culprit else world.before)

    # A search begins because the test was red.
    past = [
        Run(count - 1, "red" if chance.random() < world.before else "green", past=True) for _ in range(_PAST)
    ]
    asked = Search((1.0,) * count, is_flaky=True, delta=world.delta, confidence=confidence, most_runs=_CAP)
    runs: list[Run] = []
    while not isinstance(step := next_step(asked, [*past, *runs]), Answer):
        runs += [Run(index, "red" if is_red(index) else "green") for index in step.indices]
    if step.kind == "culprit" and step.is_confirmed:
        return world.has_culprit and step.index == culprit, len(runs)
    if step.kind in ("flaky", "never_good", "environment"):
        return not world.has_culprit and step.kind == "flaky", len(runs)
    return None, len(runs)


if __name__ == "__main__":
    main()
