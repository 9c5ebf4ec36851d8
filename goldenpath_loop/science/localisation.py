"""Ranks the hunks of a change by what the failing test executes of them.

Source: R. Abreu, P. Zoeteweij, A. van Gemund, "An evaluation of similarity coefficients for software fault
localization", 2006 (Ochiai). On its own it is a weak guide: an order in which to try, never a verdict.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from goldenpath_loop.records.history import Hunk
from goldenpath_loop.records.receipts import ExecutedFile, ExecutedLine

__all__ = ["Standing", "line_words", "nearest_line", "ochiai", "standing"]

_STATEMENT_LINES = 6
_CALLED, _IMPORTED_BESIDE_CALLED, _IMPORTED, _NOT_RUN = range(4)


@dataclass(frozen=True, slots=True, order=True)
class Standing:
    """How near a hunk is to what failed; the smallest is the nearest."""

    kind: int
    """0: in a function that was called; 1: run on import, in a file of which a function was called; 2: run on import
    elsewhere; 3: not run."""
    remoteness: float
    """1 minus the largest Ochiai coefficient of its lines."""

    @property
    def is_run(self) -> bool:
        """Whether the failing test ran any line of it."""
        return self.kind < _NOT_RUN


def ochiai(failed: int, passed: int, *, failing: int) -> float:
    """Suspicion of a line, from 0 to 1.

    Args:
        failed: Failing tests that ran the line.
        passed: Passing tests that ran it.
        failing: All failing tests.

    Raises:
        ValueError: More tests ran it than there are.
    """
    if not 0 <= failed <= failing or passed < 0:
        raise ValueError(f"{failed} of {failing} failing and {passed} passing tests cannot have run a line")
    return failed / math.sqrt(failing * (failed + passed)) if failed else 0.0


def standing(hunk: Hunk, executed: Iterable[ExecutedFile], *, failing: int) -> Standing:
    """How near `hunk` is to what failed.

    Args:
        hunk: A hunk of the change.
        executed: What ran on the change's own revision, so that its new lines are the hunk's.
        failing: How many failing tests were traced.
    """
    lines = next((one.lines for one in executed if one.path == hunk.path), ())
    own = _own(hunk, lines)
    if not own:
        return Standing(_NOT_RUN, 1.0)
    if any(line.in_function for line in own):
        kind = _CALLED
        own = [line for line in own if line.in_function]
    else:
        kind = _IMPORTED_BESIDE_CALLED if any(line.in_function for line in lines) else _IMPORTED
    return Standing(kind, 1 - max(ochiai(line.failed, line.passed, failing=failing) for line in own))


def nearest_line(hunk: Hunk, executed: Iterable[ExecutedFile]) -> ExecutedLine | None:
    """The line of the hunk that was run, those in functions first; None when none was."""
    lines = next((one.lines for one in executed if one.path == hunk.path), ())
    own = _own(hunk, lines)
    return next((line for line in own if line.in_function), own[0] if own else None)


def line_words(path: str, line: ExecutedLine) -> str:
    """How evidence speaks of one executed line."""
    text = f"{path}:{line.line} run by {line.failed} failing, {line.passed} passing"
    return text if line.in_function else f"{text}, on import"


def _own(hunk: Hunk, lines: Sequence[ExecutedLine]) -> list[ExecutedLine]:
    """Executed lines of the hunk; of one that only removes, those on either side of the gap.

    Of a statement over several lines only the first is seen to run, so else it is the nearest one above that counts.
    """
    begin = hunk.new_start
    after = begin + len(hunk.added) if hunk.added else begin + 2
    own = [line for line in lines if begin <= line.line < after]
    above = [line for line in lines if begin - _STATEMENT_LINES <= line.line < begin]
    return own or above[-1:]
