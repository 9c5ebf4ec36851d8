"""Which hunks only work together: a name that one of them brings or takes away is used by another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from goldenpath_loop.records.history import Hunk

__all__ = ["coupled", "joined"]

_DEFINED = re.compile(
    r"^\s*(?:(?:async\s+)?def|class|function|const|let|var|func|fn)\s+(\w+)|^(\w+)\s*(?::[^=]+)?=(?!=)"
)
_WORD = re.compile(r"[A-Za-z_]\w{2,}")


def coupled(hunks: Sequence[Hunk]) -> tuple[frozenset[int], ...]:
    """Groups of hunks, each hunk in exactly one, in the order of their first hunks.

    Two hunks belong together when one defines a name anew and the other uses it anew, or one takes a definition away
    and the other a use of it. A guess from the text: what it joins by mistake is told apart by runs.
    """
    parents = list(range(len(hunks)))

    def root(index: int) -> int:
        while parents[index] != index:
            index = parents[index]
        return index

    for side, other in (("added", "removed"), ("removed", "added")):
        lines = [getattr(hunk, side) for hunk in hunks]
        opposite = [getattr(hunk, other) for hunk in hunks]
        gone = _definitions(line for one in opposite for line in one)
        words = [_words(one) for one in lines]
        for index, own in enumerate(lines):
            for name in _definitions(own) - gone:
                for user, used in enumerate(words):
                    if user != index and name in used:
                        parents[root(user)] = root(index)
    groups: dict[int, list[int]] = {}
    for index in range(len(hunks)):
        groups.setdefault(root(index), []).append(index)
    return tuple(sorted((frozenset(group) for group in groups.values()), key=min))


def joined(groups: Iterable[frozenset[int]]) -> tuple[frozenset[int], ...]:
    """Groups without a hunk in common, in the order of their first hunks."""
    apart: list[frozenset[int]] = []
    for group in groups:
        touching = [one for one in apart if one & group]
        apart = [one for one in apart if not one & group] + [group.union(*touching)]
    return tuple(sorted(apart, key=min))


def _definitions(lines: Iterable[str]) -> frozenset[str]:
    found = (_DEFINED.match(line) for line in lines)
    return frozenset(one.group(1) or one.group(2) for one in found if one)


def _words(lines: Iterable[str]) -> frozenset[str]:
    return frozenset(word for line in lines for word in _WORD.findall(line))
