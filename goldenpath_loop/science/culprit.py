"""Search first-parent history for the commit that turned a test red, one decision at a time.

A history is a row of commits: index 0 is the newest and bad, the last index the oldest one known. What was
measured is a sequence of probes; what to measure next and what follows are pure functions of it. So a search
survives a kill between any two probes, and one measured outcome serves every later search.
"""

from __future__ import annotations

import bisect
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Conclusion",
    "Contradiction",
    "Culprit",
    "NeverGood",
    "NotRed",
    "Probe",
    "Range",
    "conclude",
    "next_probes",
    "so_far",
]


@dataclass(frozen=True, slots=True)
class Probe:
    """What one commit showed. `unresolved`: it could not be built, started or tested, or failed otherwise."""

    index: int
    outcome: Literal["green", "red", "unresolved"]


@dataclass(frozen=True, slots=True)
class Culprit:
    """Red began here: `index` is red, and the next older commit that can matter is green."""

    index: int
    parent_index: int
    """The green commit that was measured; between the two lie only commits that cannot matter."""


@dataclass(frozen=True, slots=True)
class Range:
    """Red began somewhere from `newest` to `oldest`, both included, and no probe can tell where."""

    newest: int
    oldest: int
    green_index: int | None
    """The green commit behind the range; None when none was found, and red may be as old as history."""


@dataclass(frozen=True, slots=True)
class NeverGood:
    """Red as far back as history goes."""

    oldest_red: int


@dataclass(frozen=True, slots=True)
class NotRed:
    """The newest commit is green: there is nothing to search."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """The probes do not fit one change from green to red."""

    answer: Culprit | Range | NeverGood | None
    """The change nearest to the bad end; None when the newest commit itself is both green and red."""
    others: bool
    """Whether a red commit lies behind a green one, so that older changes exist."""
    unsteady: tuple[int, ...] = ()
    """Commits whose code was seen both green and red: the test varies, not the history."""


Conclusion = Culprit | Range | NeverGood | NotRed | Contradiction


class _Line:
    """History without the commits that cannot matter.

    Such a commit behaves as the next older one does, so both are one place. A place is named by the oldest of
    its commits, the one that may have changed something.
    """

    def __init__(self, count: int, probes: Sequence[Probe], hopeless: Collection[int]) -> None:
        if count < 1:
            raise ValueError("there is no commit in an empty history")
        skipped = frozenset(hopeless)
        self.commits = [index for index in range(count) if index not in skipped or index == count - 1]
        self.end = len(self.commits)
        seen: dict[int, dict[str, int]] = {}
        for probe in sorted(probes, key=lambda probe: probe.index):
            if not 0 <= probe.index < count:
                raise ValueError(f"there is no commit {probe.index} in a history of {count}")
            place = bisect.bisect_left(self.commits, probe.index)
            seen.setdefault(place, {}).setdefault(probe.outcome, probe.index)
        self.tried = frozenset(seen)
        self.both = {place: s for place, s in seen.items() if "green" in s and "red" in s}
        self.green = {p: s["green"] for p, s in seen.items() if "green" in s and p not in self.both}
        self.red = {p: s["red"] for p, s in seen.items() if "red" in s and p not in self.both}
        self.blind = sorted(seen.keys() - self.green.keys() - self.red.keys())
        self.good = min(self.green, default=None)
        """The newest green place. What lies behind it is another story."""
        self.bad = max((place for place in self.red if self.good is None or place < self.good), default=0)
        """The oldest red place before it. The newest commit counts as bad until a probe says otherwise."""

    @property
    def is_over(self) -> bool:
        """Whether the newest commit leaves nothing to search for."""
        return self.good == 0 or 0 in self.both

    def untried(self) -> list[int]:
        """Places where the change may still be pinned down."""
        end = self.end if self.good is None else self.good
        return [place for place in range(self.bad + 1, end) if place not in self.tried]


def _steps_back(line: _Line, width: int) -> Iterator[int]:
    """Untried places 1, 2, 4, 8, ... behind the newest, past everything tried, and in the end the oldest."""
    place = 1
    for _ in range(width):
        while place <= max(line.tried, default=0):
            place *= 2
        if place >= line.end - 1:
            yield line.end - 1
            return
        yield place
        place *= 2


def _chance(line: _Line, place: int) -> float:
    """How likely a place can be resolved. Those that cannot come in stretches: near one there are more."""
    at = bisect.bisect_left(line.blind, place)
    chance = 1.0
    if at > 0:
        near = place - line.blind[at - 1]
        chance *= near / (near + 1)
    if at < len(line.blind):
        near = line.blind[at] - place
        chance *= near / (near + 1)
    return chance


def _splits(line: _Line, untried: Sequence[int], width: int) -> Iterator[int]:
    """Untried places that cut what is left into `width` + 1 even parts, around what could not be resolved."""
    end = line.end if line.good is None else line.good
    length = end - line.bad
    part = length / (width + 1)
    chosen: set[int] = set()
    blind = any(line.bad < place < end for place in line.blind)
    for cut in range(1, width + 1):
        aim = line.bad + cut * length // (width + 1)
        free = [place for place in untried if place not in chosen]
        if not free:
            return
        if not blind:
            if aim not in chosen and aim > line.bad:
                chosen.add(aim)
                yield aim
            continue

        def worth(place: int, aim: int = aim) -> tuple[float, int, int]:
            off = abs(place - aim)
            return _chance(line, place) * max(0.0, 1.0 - (off / part) ** 2), -off, -place

        best = max(free, key=worth)
        chosen.add(best)
        yield best


def next_probes(
    count: int, probes: Sequence[Probe], *, width: int = 1, hopeless: Collection[int] = frozenset()
) -> tuple[int, ...]:
    """Commits to probe next, newest first.

    Without a green commit the search steps back from the newest one in doubling distances; with one it cuts
    the stretch between red and green into even parts. The newest commit is asked first unless its probe is
    given.

    Args:
        count: Commits in the history.
        probes: Everything measured so far, in any order; a commit may be there more than once.
        width: How many commits can be probed at the same time.
        hopeless: Commits that cannot matter, such as those that touch documents only. They are not probed.

    Returns:
        Up to `width` commits without a probe; empty as soon as `conclude` has an answer.

    Raises:
        ValueError: When there is no commit, no width, or a probe of a commit that is not there.
    """
    if width < 1:
        raise ValueError("nothing can be probed with no width")
    line = _Line(count, probes, hopeless)
    if line.is_over:
        return ()
    chosen: list[int] = []
    if 0 not in line.tried:
        chosen.append(0)
    untried = line.untried()
    rest = width - len(chosen)
    if untried and rest:
        steps = list(_steps_back(line, rest)) if line.good is None and line.end - 1 not in line.tried else []
        chosen += steps or _splits(line, untried, rest)
    return tuple(line.commits[place] for place in sorted(chosen))


def _behind(line: _Line) -> Culprit | Range | NeverGood:
    """The change nearest to the bad end, as narrow as the probes allow."""
    if line.good is None:
        oldest = line.end - 1
        if oldest in line.red:
            return NeverGood(line.red[oldest])
        return Range(line.commits[line.bad], line.commits[oldest], None)
    parent = line.green[line.good]
    if line.good == line.bad + 1 and line.bad in line.red:
        return Culprit(line.commits[line.bad], parent)
    return Range(line.commits[line.bad], line.commits[line.good - 1], parent)


def so_far(count: int, probes: Sequence[Probe], hopeless: Collection[int] = frozenset()) -> Conclusion:
    """What the probes show already, also when the search has to stop early.

    Raises:
        ValueError: When there is no commit, or a probe of a commit that is not there.
    """
    line = _Line(count, probes, hopeless)
    unsteady = tuple(sorted({index for seen in line.both.values() for index in (seen["green"], seen["red"])}))
    if 0 in line.both:
        return Contradiction(None, others=False, unsteady=unsteady)
    if line.good == 0:
        return NotRed()
    answer = _behind(line)
    others = line.good is not None and any(place > line.good for place in line.red)
    if others or unsteady:
        return Contradiction(answer, others, unsteady)
    return answer


def conclude(
    count: int, probes: Sequence[Probe], hopeless: Collection[int] = frozenset()
) -> Conclusion | None:
    """The answer of the search, or None while `next_probes` can still make it sharper.

    Raises:
        ValueError: When there is no commit, or a probe of a commit that is not there.
    """
    return None if next_probes(count, probes, hopeless=hopeless) else so_far(count, probes, hopeless)
