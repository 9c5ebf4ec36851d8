"""Cuts a long hunk into groups of lines, where statements begin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from goldenpath_loop.records.history import Hunk

__all__ = ["line_groups"]

_LONG = 10
"""A hunk of so many lines is read at a glance, and told apart by hand faster than by runs."""
_MOST = 4
_CLOSING = (")", "]", "}", "end", "else", "elif", "except", "finally", "catch")


def line_groups(hunk: Hunk) -> tuple[Hunk, ...]:
    """`hunk` itself, or its groups of lines in order when it is long.

    Args:
        hunk: Lines that only came, that only went, or that stand for as many others.
    """
    guide = hunk.added if len(hunk.added) >= len(hunk.removed) else hunk.removed
    if len(guide) <= _LONG:
        return (hunk,)
    bounds = [*_merged(_starts(guide), len(guide)), len(guide)]
    return tuple(_between(hunk, begin, after) for begin, after in pairwise(bounds))


def _starts(lines: Sequence[str]) -> list[int]:
    """Where the statements of the shallowest level begin that has more than one."""
    depths = {
        number: len(line) - len(line.lstrip())
        for number, line in enumerate(lines)
        if line.strip() and not line.lstrip().startswith(_CLOSING)
    }
    counts = Counter(depths.values())
    level = next((depth for depth in sorted(counts) if counts[depth] > 1), 0)
    return sorted({0, *(number for number, depth in depths.items() if depth <= level)})


def _merged(starts: list[int], size: int) -> list[int]:
    """At most `_MOST` of `starts`: the two smallest neighbours become one until they are so few."""
    while len(starts) > _MOST:
        lengths = [after - begin for begin, after in pairwise([*starts, size])]
        smallest = min(range(1, len(starts)), key=lambda at: lengths[at - 1] + lengths[at])
        starts = starts[:smallest] + starts[smallest + 1 :]
    return starts


def _between(hunk: Hunk, begin: int, after: int) -> Hunk:
    # Of a side without lines git names the line before, which is the same for every group.
    return hunk.model_copy(
        update={
            "removed": hunk.removed[begin:after],
            "added": hunk.added[begin:after],
            "old_start": hunk.old_start + (begin if hunk.removed else 0),
            "new_start": hunk.new_start + (begin if hunk.added else 0),
        }
    )
