"""Takes parts of a change back in memory: any subset of its hunks and lines, exact, no context needed.

The hunks are those of `git diff -U0 --no-renames` between a commit and its parent, so each says which lines of the
new text stand for which lines of the old one. Taken back from the last to the first, none moves another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from goldenpath_loop.records.history import Hunk
from goldenpath_loop.science.hunks.lines import line_groups

__all__ = ["CUT", "parts", "taken_back", "together"]

CUT = 2
"""Which way of cutting hunks into parts the numbers of parts speak of; another way has another number."""


def parts(hunks: Iterable[Hunk]) -> tuple[Hunk, ...]:
    """`hunks` cut where one of them does two things: lines that stand for others, and lines that came or went beside.

    Git joins what lies side by side, so a changed line and a new function after it are one hunk to it. What is long
    after that is cut into groups of lines.
    """
    return tuple(group for whole in _wholes(hunks) for group in line_groups(whole))


def together(hunks: Iterable[Hunk]) -> tuple[frozenset[int], ...]:
    """Numbers of the `parts` that are groups of lines of one hunk: each group has one hunk, each part one group."""
    found: list[frozenset[int]] = []
    begin = 0
    for whole in _wholes(hunks):
        after = begin + len(line_groups(whole))
        found.append(frozenset(range(begin, after)))
        begin = after
    return tuple(found)


def _wholes(hunks: Iterable[Hunk]) -> Iterator[Hunk]:
    for hunk in hunks:
        yield from _cut(hunk)


def _cut(hunk: Hunk) -> Iterator[Hunk]:
    both = min(len(hunk.removed), len(hunk.added))
    if not both or len(hunk.removed) == len(hunk.added):
        yield hunk
        return
    yield hunk.model_copy(update={"removed": hunk.removed[:both], "added": hunk.added[:both]})
    # Of lines that only went, the place is the line before.
    after = hunk.new_start + both - (0 if len(hunk.added) > both else 1)
    yield hunk.model_copy(
        update={
            "removed": hunk.removed[both:],
            "added": hunk.added[both:],
            "old_start": hunk.old_start + both - (0 if len(hunk.removed) > both else 1),
            "new_start": after,
        }
    )


def taken_back(text: str, hunks: Iterable[Hunk]) -> str | None:
    """The new text of one file with `hunks` reversed; None when a hunk is not of this text.

    Args:
        text: The file as the change left it.
        hunks: Some of the file's hunks, in any order.
    """
    lines = text.splitlines(keepends=True)
    for hunk in sorted(hunks, key=lambda one: (_begin(one), one.old_start, bool(one.added)), reverse=True):
        begin = _begin(hunk)
        after = begin + len(hunk.added)
        if not 0 <= begin <= after <= len(lines):
            return None
        if [line.rstrip("\r\n") for line in lines[begin:after]] != [one.rstrip("\r\n") for one in hunk.added]:
            return None
        ending = _line_end(lines[begin:after] or lines)
        lines[begin:after] = [f"{line.rstrip(chr(13))}{ending}" for line in hunk.removed]
    return "".join(lines)


def _begin(hunk: Hunk) -> int:
    # Git counts lines from 1; of a hunk that only removes it names the line before.
    return hunk.new_start - 1 if hunk.added else hunk.new_start


def _line_end(lines: list[str]) -> str:
    return "\r\n" if any(line.endswith("\r\n") for line in lines) else "\n"
