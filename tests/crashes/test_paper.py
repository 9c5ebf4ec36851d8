"""An engine that is killed at any boundary of any run on paper, once or twice, ends as if nobody had killed it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crashes.apart import each_apart
from tests.crashes.paper import WORLDS, Case, lines_of, survive
from tests.crashes.plug import Point
from tests.crashes.tally import Tally


def _lives(lines: int, seed: str, *, of: int = 1) -> Iterator[tuple[Point, ...]]:
    """Every boundary, in each of the ways a plug can be pulled there; `of` how many of them one is taken."""
    chance = random.Random(seed)

    def places() -> Iterator[tuple[Point, ...]]:
        for line in range(1, lines + 1):
            yield (Point(line),)
            yield (Point(line, keep=0),)
            yield (Point(line, keep=chance.randrange(1, 10_000)),)
            yield (Point(line, is_power_cut=True),)
            again = chance.randrange(1, lines - line + 2)
            yield (Point(line), Point(again, keep=chance.choice([None, 0, chance.randrange(1, 10_000)])))
            yield (Point(line, keep=0), Point(2, is_power_cut=True), Point(again))

    return (points for number, points in enumerate(places()) if number % of == 0)


def _sweep(folder: Path, world: str, *, of: int, workers: int) -> Tally:
    (lines,) = each_apart(lines_of, [(folder / "lines", world)], workers=1)
    cases = [
        Case(folder / str(number), world, points)
        for number, points in enumerate(_lives(lines, world, of=of), start=1)
    ]
    return Tally(f"boundaries of {world}", each_apart(survive, cases, workers=workers))


@pytest.mark.parametrize("world", WORLDS)
def test_an_engine_that_is_killed_ends_as_if_it_had_not_been(tmp_path: Path, world: str) -> None:
    """Some boundaries of each run, every way of dying in turn."""
    tally = _sweep(tmp_path, world, of=23, workers=1)
    assert not tally.problems, tally.problems
    assert tally.kills >= len(tally.found) > 10


@pytest.mark.full
@pytest.mark.parametrize("world", WORLDS)
def test_an_engine_that_is_killed_anywhere_ends_as_if_it_had_not_been(
    tmp_path: Path, world: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every boundary of each run, in every way; also in the life after it."""
    tally = _sweep(tmp_path, world, of=1, workers=2)
    with capsys.disabled():
        print(f"\n{tally}")  # noqa: T201
    assert not tally.problems, tally.problems
    assert tally.kills >= len(tally.found)
