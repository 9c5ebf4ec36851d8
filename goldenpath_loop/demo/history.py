"""The history of the demo's target: which tree each of its commits has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from goldenpath_loop.demo.edits import Edit, Tree, replace_once
from goldenpath_loop.errors import InternalError

__all__ = ["AUTHORS", "Commit", "Fault", "Step", "working_time", "write_history"]

AUTHORS = {
    "mara": "Mara Lindqvist <mara@chat.example>",
    "tomas": "Tomas Okafor <tomas@chat.example>",
    "priya": "Priya Raman <priya@chat.example>",
    "jonas": "Jonas Weber <jonas@chat.example>",
    "aiko": "Aiko Tanaka <aiko@chat.example>",
}

FIRST_MONDAY = datetime(2025, 6, 16, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Step:
    """One commit as the history tells it: by whom, why, and what it changed."""

    author: str
    """A key of `AUTHORS`."""
    message: str
    edits: Sequence[Edit]


@dataclass(frozen=True)
class Fault:
    """A mistake that none of the later commits noticed."""

    step: str
    """First line of the message of the commit that made it; empty when the code was never any better."""
    slips: tuple[tuple[str, str, str], ...]
    """Path, text as it should be, text as it was written."""


@dataclass(frozen=True)
class Commit:
    """One commit as git will have it."""

    author: str
    at: datetime
    message: str
    tree: Tree
    faulty: bool
    """Whether this very commit made the fault; never so when the code came with it."""


def working_time(number: int) -> datetime:
    """When commit `number` (from 0) was made: about four in three working days, never out of order."""
    day = number * 3 // 4
    return FIRST_MONDAY + timedelta(
        weeks=day // 5, days=day % 5, hours=number % 4 * 2, minutes=number * 17 % 60
    )


def write_history(steps: Sequence[Step], final: Tree, fault: Fault | None) -> list[Commit]:
    """Every commit from the first to the last.

    Args:
        steps: The history, oldest first.
        final: The tree after the last step, without any fault.
        fault: The mistake to make, if any.

    Raises:
        InternalError: The steps do not lead from nothing to the final tree, or the fault has no place.
    """
    trees = [dict(final)]
    for step in reversed(steps):
        tree = dict(trees[-1])
        for edit in reversed(step.edits):
            edit.undo(tree)
        trees.append(tree)
    if trees[-1]:
        raise InternalError(f"the history of the demo does not say who added {sorted(trees[-1])}")
    trees = trees[-2::-1]

    titles = [step.message.partition("\n")[0] for step in steps]
    if fault and fault.step and titles.count(fault.step) != 1:
        raise InternalError(f"the history of the demo has no commit {fault.step!r}")
    culprit = titles.index(fault.step) if fault and fault.step else len(steps)
    if fault:
        for path, right, wrong in fault.slips:
            since = culprit if fault.step else _first_with(trees, path, right)
            for tree in trees[since:]:
                replace_once(tree, path, right, wrong)
    return [
        Commit(AUTHORS[step.author], working_time(number), step.message, tree, faulty=number == culprit)
        for number, (step, tree) in enumerate(zip(steps, trees, strict=True))
    ]


def _first_with(trees: Sequence[Tree], path: str, text: str) -> int:
    """Which tree is the first to have this text in this file; the last one when none has."""
    return next((n for n, tree in enumerate(trees) if text in tree.get(path, "")), len(trees) - 1)
