"""The smallest set of hunks whose reverse cures, one decision at a time.

First the likeliest one, two and four; they are enough when one cause is ranked well. When none cures, all together,
and then the shortest run of likeliest ones that cures is looked for: the last of them is needed, and with it fixed the
search goes on among those before it (U. Junker, "QuickXplain", 2004). What is left is thinned out by leaving single
hunks away (A. Zeller and R. Hildebrandt, "Simplifying and isolating failure-inducing input", 2002), so it ends when
none can be; each of them was left away in a run that cured no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Found", "Outcome", "Try", "next_candidates", "thinned"]

Outcome = Literal["green", "red", "unresolved"]
"""Green: the candidate cures and costs nothing. Everything else does not count as a cure."""

_FIRST = (1, 2, 4)
_SINGLY = 12
"""So few are left away one by one; of more, several at once."""


@dataclass(frozen=True, slots=True)
class Try:
    """Candidates to run next; the first that cures goes on, so they may run at once."""

    candidates: tuple[frozenset[int], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The end of a search."""

    hunks: frozenset[int]
    """Empty when no set of hunks cures."""
    is_minimal: bool
    """Whether runs show that none of them can be left away."""


def next_candidates(
    ranked: Sequence[int],
    shown: Mapping[frozenset[int], Outcome],
    *,
    groups: Iterable[frozenset[int]] = (),
    width: int = 1,
) -> Try | Found:
    """What to try next, or the answer.

    Args:
        ranked: Hunks by likelihood of guilt, likeliest first.
        shown: What the candidates that were run showed. The empty set is red, or there is nothing to cure.
        groups: Hunks that are thought to work only together; they are tried together first, and told apart only
            within the answer.
        width: How many candidates run at once.
    """
    if not ranked:
        return Found(frozenset(), is_minimal=False)
    known = {**shown, frozenset[int](): "red"}
    units = _units(ranked, groups)
    start: frozenset[int] | None = None
    for size in (*(size for size in _FIRST if size < len(units)), len(units)):
        candidate = frozenset[int]().union(*units[:size])
        if candidate not in known:
            return Try((candidate,))
        if known[candidate] == "green":
            start = candidate
            break
    if start is None:
        return Found(frozenset(), is_minimal=False)
    coarse = _needed(start, units, known, width)
    if isinstance(coarse, Try):
        return coarse
    singles = [frozenset((one,)) for one in ranked]
    fine = _needed(coarse, singles, known, width)
    return fine if isinstance(fine, Try) else thinned(fine, singles, known, width)


def _needed(
    start: frozenset[int],
    units: Sequence[frozenset[int]],
    known: Mapping[frozenset[int], Outcome],
    width: int,
) -> Try | frozenset[int]:
    """Of `start`, which cures, those units that are needed, when more hunks never cure less; it may be a few more."""
    needed: frozenset[int] = frozenset()
    rest = [unit for unit in units if unit <= start]
    while rest:
        # `rest` cures with what is needed; without any of it only when that is all.
        least, most = -1, len(rest)
        while most - least > 1:
            sizes = _between(least, most, width)
            untried = [tried for size in sizes if (tried := needed.union(*rest[:size])) not in known]
            if untried:
                return Try(tuple(dict.fromkeys(untried))[:width])
            for size in sizes:
                if known[needed.union(*rest[:size])] == "green":
                    most = min(most, size)
                elif size < most:
                    least = max(least, size)
        if not most:
            return needed
        needed |= rest[most - 1]
        rest = rest[: most - 1]
    return needed


def _between(least: int, most: int, width: int) -> list[int]:
    """Where to look next for the end of the shortest cure: none at all first, then nearer to the likeliest."""
    if least < 0:
        return [0]
    ratio = most / max(least, 1)
    sizes = {round(max(least, 1) * ratio ** (step / (width + 1))) for step in range(1, width + 1)}
    return sorted(min(max(size, least + 1), most - 1) for size in sizes)


def _units(ranked: Sequence[int], groups: Iterable[frozenset[int]]) -> list[frozenset[int]]:
    """Groups in the order of their likeliest hunks; a hunk of no group is one by itself."""
    of = {hunk: group & frozenset(ranked) for group in groups for hunk in group}
    return list(dict.fromkeys(of.get(hunk, frozenset((hunk,))) for hunk in ranked))


def thinned(
    start: frozenset[int],
    units: Sequence[frozenset[int]],
    known: Mapping[frozenset[int], Outcome],
    width: int,
) -> Try | Found:
    """What to leave away next of `start`, which cures, or what is left in the end.

    Every step is a function of the runs alone.

    Args:
        start: A set that cures.
        units: Hunks that are left away together, likeliest guilty first.
        known: What the candidates that were run showed.
        width: How many candidates run at once.
    """
    kept, pieces = start, 2 if len(start) > _SINGLY else len(start)
    while True:
        # The unlikeliest hunks go first.
        order = [one for one in reversed(units) if one <= kept]
        if len(order) < 2:
            break
        pieces = min(pieces, len(order))
        candidates = [kept - piece for piece in _split(order, pieces)]
        smaller = next((one for one in candidates if known.get(one) == "green"), None)
        untried = [one for one in candidates if one not in known]
        cut = candidates.index(smaller) if smaller is not None else len(candidates)
        # Only what stands before a cure has to be known, or the same runs could lead two ways.
        missing = [one for one in untried if candidates.index(one) < cut]
        if missing:
            return Try(tuple(missing[:width]))
        if smaller is not None:
            kept, pieces = smaller, max(pieces - 1, 2) if len(smaller) > _SINGLY else len(smaller)
        elif pieces >= len(order):
            break
        else:
            pieces = min(len(order), pieces * 2)
    return Found(kept, is_minimal=True)


def _split(order: Sequence[frozenset[int]], pieces: int) -> Iterable[frozenset[int]]:
    begin = 0
    for number in range(pieces):
        after = begin + (len(order) - begin) // (pieces - number)
        yield frozenset[int]().union(*order[begin:after])
        begin = after
