"""The search for guilty hunks beside plain delta debugging, on generated commits, with one cache for all.

    python -m tests.benchmarks.hunks [--cases N] [--seed S]

A generated commit rewrites 10 to 200 functions of a module without changing what they do, and breaks one to five of
them for real; some of its hunks only work together (a name is changed where it is defined and where it is used). A
run composes the module with some hunks taken back and calls it. Printed are mean, median and largest number of runs,
and the share of answers that are minimal (no hunk can be left away) and safe (what worked still works). `ddmin` is
complement-first delta debugging over all hunks, `picire` the package of that name (`pip install picire`), left out
when it is not installed.
"""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from goldenpath_loop.records.history import Hunk
from goldenpath_loop.science.hunks.compose import parts, taken_back
from goldenpath_loop.science.hunks.coupling import coupled
from goldenpath_loop.science.hunks.order import in_order
from goldenpath_loop.science.hunks.search import Found, Outcome, next_candidates

_NOUNS = ("cart", "price", "order", "user", "token", "route", "event", "ledger", "invoice", "coupon")
_VERBS = ("load", "save", "merge", "total", "parse", "render", "check", "close", "count", "send")


class Shown(Protocol):
    """Hunks, and what a set of them shows when it is taken back."""

    @property
    def hunks(self) -> tuple[Hunk, ...]: ...

    def show(self, tried: frozenset[int]) -> Outcome: ...


@dataclass(slots=True)
class Case:
    """One commit, and what its test says."""

    new: str
    hunks: tuple[Hunk, ...]
    broken: tuple[str, ...]
    checks: dict[str, int]
    words: str
    cache: dict[frozenset[int], Outcome] = field(default_factory=dict)
    runs: int = 0

    def show(self, tried: frozenset[int]) -> Outcome:
        """What the test says with `tried` taken back; a set that was run before costs nothing."""
        if tried not in self.cache:
            self.runs += 1
            self.cache[tried] = self._run(tried)
        return self.cache[tried]

    def _run(self, tried: frozenset[int]) -> Outcome:
        works = self.works(tried)
        if works is None:
            return "unresolved"
        return "green" if all(works[name] for name in self.broken) else "red"

    def works(self, tried: frozenset[int]) -> dict[str, bool] | None:
        """Which functions do what they should; None when the module cannot be used at all."""
        text = taken_back(self.new, [self.hunks[number] for number in tried])
        space: dict[str, Any] = {}
        if text is None:
            return None
        try:
            exec(compile(text, "module", "exec"), space)
            return {name: space[name](3) == value for name, value in self.checks.items()}
        except (SyntaxError, NameError, KeyError, TypeError):
            return None


def generate(rng: random.Random, *, size: int, guilty: int, linked: int) -> Case:
    """A commit of about `size` hunks."""
    names = [f"{rng.choice(_VERBS)}_{rng.choice(_NOUNS)}_{number}" for number in range(size)]
    broken = tuple(sorted(rng.sample(names, guilty)))
    uses = set(rng.sample([name for name in names if name not in broken], min(linked, size - guilty)))
    old: list[str] = [f"limit_{number} = {number}" for number in range(linked)]
    new: list[str] = [f"bound_{number} = {number}" for number in range(linked)]
    checks: dict[str, int] = {}
    for number, name in enumerate(names):
        checks[name] = 3 + number
        before, after = f"    return x + {number}", f"    return {number} + x"
        if name in broken:
            after = f"    return x - {number + 1}"
        if name in uses:
            place = sorted(uses).index(name)
            before, after = (
                f"    return x + {number} + limit_{place}",
                f"    return {number} + x + bound_{place}",
            )
            checks[name] += place
        for lines, body in ((old, before), (new, after)):
            lines += ["", "", f"def {name}(x):", body]
    words = f"AssertionError: assert {broken[0]}(3) == {checks[broken[0]]}"
    return Case("\n".join(new) + "\n", parts(_hunks(old, new)), broken, checks, words)


def _hunks(old: list[str], new: list[str]) -> list[Hunk]:
    found: list[Hunk] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            heading = next((line for line in reversed(new[:c]) if line.startswith("def ")), "")
            found.append(
                Hunk(
                    path="module.py",
                    header=f"@@ -{a + 1} +{c + 1} @@ {heading}",
                    removed=tuple(old[a:b]),
                    added=tuple(new[c:d]),
                    old_start=a + 1 if b > a else a,
                    new_start=c + 1 if d > c else c,
                )
            )
    return found


def ours(case: Case) -> frozenset[int]:
    """The search as the loop does it: ranked by the failure's words."""
    ranked = in_order(case.hunks, range(len(case.hunks)), words=[case.words])
    groups = coupled(case.hunks)
    shown: dict[frozenset[int], Outcome] = {}
    while True:
        step = next_candidates(ranked, shown, groups=groups)
        if isinstance(step, Found):
            return step.hunks
        for candidate in step.candidates:
            shown[candidate] = case.show(candidate)


def ddmin(case: Shown) -> frozenset[int]:
    """Complement-first delta debugging over all hunks in their order."""
    kept, pieces = list(range(len(case.hunks))), 2
    if case.show(frozenset(kept)) != "green":
        return frozenset()
    while len(kept) > 1:
        size = -(-len(kept) // pieces)
        chunks = [kept[begin : begin + size] for begin in range(0, len(kept), size)]
        smaller = next(
            (
                [one for one in kept if one not in chunk]
                for chunk in chunks
                if case.show(frozenset(kept) - frozenset(chunk)) == "green"
            ),
            None,
        )
        if smaller is not None:
            kept, pieces = smaller, max(pieces - 1, 2)
        elif pieces >= len(kept):
            break
        else:
            pieces = min(len(kept), pieces * 2)
    return frozenset(kept)


def with_picire(case: Shown) -> frozenset[int]:
    """The reference package."""
    picire = importlib.import_module("picire")
    config = list(range(len(case.hunks)))

    class Tester:
        def __call__(self, tried: list[int], _config_id: object) -> Any:
            is_cured = case.show(frozenset(tried)) == "green"
            return picire.Outcome.FAIL if is_cured else picire.Outcome.PASS

    return frozenset(picire.DD(Tester())(config))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    ways: dict[str, Callable[[Case], frozenset[int]]] = {"ours": ours, "ddmin": ddmin}
    if importlib.util.find_spec("picire") is not None:
        ways["picire"] = with_picire
    print(f"{chosen.cases} commits a row, seed {chosen.seed}; runs: mean / median / max, minimal, safe")
    for guilty, linked in ((1, 0), (1, 3), (2, 3), (3, 3), (5, 3)):
        for name, way in ways.items():
            _row(f"{guilty} guilty, {linked} coupled", name, way, chosen.cases, chosen.seed, guilty, linked)


def _row(
    row: str,
    name: str,
    way: Callable[[Case], frozenset[int]],
    cases: int,
    seed: int,
    guilty: int,
    linked: int,
) -> None:
    runs: list[int] = []
    minimal = safe = 0
    for number in range(cases):
        rng = random.Random(f"{seed}/{number}/{guilty}/{linked}")
        case = generate(rng, size=rng.choice((10, 25, 50, 100, 200)), guilty=guilty, linked=linked)
        found = way(case)
        runs.append(case.runs)
        cured = case._run(found) == "green"
        smaller = [case._run(found - {one}) for one in found]
        minimal += cured and all(outcome != "green" for outcome in smaller)
        works = case.works(found)
        safe += works is not None and all(works.values())
    print(
        f"{row:22}{name:8}{statistics.mean(runs):7.1f} / {statistics.median(runs):5.1f} / {max(runs):4d}"
        f"{minimal / cases:10.0%}{safe / cases:8.0%}",
        flush=True,
    )


if __name__ == "__main__":
    main()
