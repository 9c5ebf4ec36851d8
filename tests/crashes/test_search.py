"""A search for a culprit that is killed at any boundary gives the same answer, and asks nothing twice."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.crashes.plug import Point
from tests.crashes.real import Life, boundaries, compared, life
from tests.crashes.tally import Found, Tally
from tests.e2e.test_culprit import CHECK, ask, history

_COUNTING = (
    "import pathlib, sys; asked = pathlib.Path({folder!r}) / ('asked-' + open('number.txt').read().strip());"
    "asked.open('a').write('x'); number = len(asked.read_text());"
    "sys.exit(1 if open('value.txt').read().strip() == 'bad' and number * 7 % 5 < 3 else 0)"
)
"""Fails three times of five where the file does not say what it should, and never elsewhere."""

_ALIKE = ("outcome", "answer", "culprit", "exit_code")
"""What must be the same where the way to the answer may be another.

Of two probes at once one may be in when the process dies. The next process knows what that one said before it asks
again, so it may ask about other commits: as many, more or less. By rates it is chance that shows other things.
"""


class _Searches:
    """One question, asked in copies of one repository.

    Args:
        folder: Where these lie.
        jobs: How many probes run at once.
        is_flaky: Whether the question is about rates.
    """

    def __init__(self, folder: Path, *, jobs: int = 2, is_flaky: bool = False) -> None:
        self.folder = folder
        self.jobs = jobs
        self.is_flaky = is_flaky
        self.origin = folder / "origin"
        self.revisions = history(self.origin, ["good"] * 21 + ["bad"] * 11)
        self.whole = self.live("whole", ())
        assert self.whole.exit_code == 0, self.whole.errors
        assert self.whole.record["answer"] == "confirmed"
        assert self.whole.record["culprit"] == self.revisions[21]
        assert self.whole.picture["verified"] == 0
        self.lines = len(self.whole.run.log.read_bytes().splitlines())

    def live(self, name: str, points: Sequence[Point]) -> Life:
        """One search from its first process to its last."""
        folder = self.folder / name
        root = folder / "repo"
        shutil.copytree(self.origin, root)
        code = _COUNTING.format(folder=str(folder)) if self.is_flaky else CHECK
        words = ("--flaky",) if self.is_flaky else ()
        return life(root, folder, ask(root, "--jobs", str(self.jobs), *words, code=code), points)

    def survive(self, name: str, points: Sequence[Point]) -> Found:
        """What is not as in the search that was not killed."""
        one = self.live(name, points)
        if self.is_flaky or self.jobs > 1:
            wanted = {key: self.whole.record[key] for key in _ALIKE}
            one.picture["answer"] = self.whole.picture["answer"]
            if {key: one.record.get(key) for key in _ALIKE} != wanted:
                one.picture["answer"] = one.record
        found = compared(one, self.whole, points)
        if not found.problems:
            shutil.rmtree(self.folder / name)
        return found


def test_a_search_that_is_killed_gives_the_same_answer(tmp_path: Path) -> None:
    """Three times in one search: an answer is in and not said, a probe is under way, an answer is half written."""
    searches = _Searches(tmp_path)
    third = searches.lines // 3
    lives = [
        (Point(third, keep=0), Point(third // 2), Point(third // 2, keep=77)),
        (
            Point(3, type="effect.requested"),
            Point(2, type="effect.settled"),
            Point(type="verdict.reached", keep=9),
        ),
    ]
    tally = Tally("a search", [searches.survive(str(number), one) for number, one in enumerate(lives)])
    assert not tally.problems, tally.problems
    assert tally.kills == 6


@pytest.mark.full
@pytest.mark.parametrize(
    ("jobs", "is_flaky", "step"),
    [(1, False, 1), (2, False, 1), (2, True, 9)],
    ids=["one at a time", "two at once", "by rates"],
)
def test_a_search_that_is_killed_anywhere_gives_the_same_answer(
    tmp_path: Path, jobs: int, is_flaky: bool, step: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """At every boundary; the long one, by rates, at some of them. One at a time it also takes the same way."""
    searches = _Searches(tmp_path, jobs=jobs, is_flaky=is_flaky)
    points = boundaries(searches.lines)[::step]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        lives = pool.map(
            lambda number: searches.survive(str(number), points[number : number + 1]), range(len(points))
        )
        tally = Tally(f"boundaries of a search{' by rates' if is_flaky else ''}, jobs {jobs}", lives)
    with capsys.disabled():
        print(f"\n{tally}")  # noqa: T201
    assert not tally.problems, tally.problems
    assert tally.kills >= len(points) * 0.9
