"""Of the sets of hunks that cure, the smallest that costs no other test; or what the smallest one costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from goldenpath_loop.core.hunk_task import HunkTask, asked, green_of, keys_of, outcomes, passing
from goldenpath_loop.core.step import Step, request
from goldenpath_loop.core.wording import counted
from goldenpath_loop.records.base import SuiteName, TestId
from goldenpath_loop.records.effects import ProbeHunks
from goldenpath_loop.records.history import Hunk
from goldenpath_loop.records.receipts import HunkProbeReceipt
from goldenpath_loop.science.hunks import search as science

__all__ = ["Guarded", "search_guarded"]

_WIDER = 12
"""Sets of one hunk more that are looked at before it counts as a trade-off."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Guarded:
    """A cure and what it costs."""

    hunks: frozenset[int]
    lost: frozenset[tuple[SuiteName, TestId]]
    """Tests that pass without it and fail with it."""
    words: str
    keys: tuple[str, ...]


def search_guarded(
    task: HunkTask,
    ranked: Sequence[int],
    hunks: Sequence[Hunk],
    minimal: frozenset[int],
    sources: Sequence[int],
) -> Step | Guarded:
    """The next step, or the smallest safe cure, or `minimal` with what it loses.

    Args:
        task: The search; it has a guard.
        ranked: All hunks that can be taken back.
        hunks: The hunks by number.
        minimal: A set that cures and of which none can be left away.
        sources: All hunks of the change outside of tests.
    """
    assert task.guard is not None
    first = _losses(task, minimal)
    if isinstance(first, Step):
        return first
    if not first:
        return Guarded(minimal, first, _safe_words(task), _guard_keys(task, minimal))
    for wider in _wider(ranked, hunks, minimal):
        said = _judge(task, wider)
        if isinstance(said, Step):
            return said
        if said == "green":
            return _thinned(task, wider, ranked)
    own = _own(task, first, sources)
    if isinstance(own, Step):
        return own
    return Guarded(minimal, first, _cost_words(first, own), _guard_keys(task, minimal))


def _thinned(task: HunkTask, wide: frozenset[int], ranked: Sequence[int]) -> Step | Guarded:
    """The smallest set within `wide` that cures and costs nothing."""
    known: dict[frozenset[int], science.Outcome] = {}
    for hunks, outcome in outcomes(task).items():
        if outcome != "green":
            known[hunks] = outcome
        elif not isinstance(losses := _known_losses(task, hunks), int):
            known[hunks] = "red" if losses else "green"
    found = science.thinned(wide, [frozenset((one,)) for one in ranked], known, task.policy.jobs)
    if isinstance(found, science.Found):
        return Guarded(found.hunks, frozenset(), _safe_words(task), _guard_keys(task, found.hunks))
    step = _judge(task, found.candidates[0])
    return step if isinstance(step, Step) else Step()


def _wider(ranked: Sequence[int], hunks: Sequence[Hunk], minimal: frozenset[int]) -> Sequence[frozenset[int]]:
    """All hunks, then one hunk more than the smallest cure, those of its own files first."""
    paths = {hunks[number].path for number in minimal}
    others = sorted(
        (number for number in ranked if number not in minimal),
        key=lambda number: (hunks[number].path not in paths, ranked.index(number)),
    )
    wider = [frozenset(ranked), *(minimal | {number} for number in others[:_WIDER])]
    return [one for one in dict.fromkeys(wider) if one != minimal]


def _judge(task: HunkTask, hunks: frozenset[int]) -> Step | science.Outcome:
    """Whether `hunks` cure and cost nothing, or the run that is still missing for that."""
    shown = outcomes(task).get(hunks)
    if shown is None:
        return asked(task, (hunks,))
    if shown != "green":
        return shown
    losses = _losses(task, hunks)
    if isinstance(losses, Step):
        return losses
    return "red" if losses else "green"


def _losses(task: HunkTask, hunks: frozenset[int]) -> Step | frozenset[tuple[SuiteName, TestId]]:
    known = _known_losses(task, hunks)
    return asked(task, (hunks,), is_guard=True) if isinstance(known, int) else known


def _known_losses(task: HunkTask, hunks: frozenset[int]) -> int | frozenset[tuple[SuiteName, TestId]]:
    """Tests lost in two runs of the guard, or the number of the run that is missing; one run may be chance."""
    assert task.guard is not None
    lost = task.guard.green
    for number in (1, 2):
        passed = passing(task, hunks, number)
        if passed is None:
            return number
        lost = lost - passed
        if not lost:
            break
    return lost


def _own(
    task: HunkTask, lost: frozenset[tuple[SuiteName, TestId]], sources: Sequence[int]
) -> Step | frozenset[tuple[SuiteName, TestId]]:
    """Those of `lost` that fail on the culprit without its sources as well: what they test came with it."""
    assert task.guard is not None
    without = ProbeHunks(
        key=f"guard/{task.culprit[:12]}/without",
        revision=task.culprit,
        commit=task.culprit,
        hunks=tuple(sources),
        selections=task.guard.selections,
    )
    step = request(task.state, [without])
    if step is not None:
        return step
    receipt = task.state.settled(without.key, HunkProbeReceipt)
    return lost - green_of(receipt.runs, task.culprit) if receipt else frozenset()


def _guard_keys(task: HunkTask, hunks: frozenset[int]) -> tuple[str, ...]:
    return keys_of(task, hunks, is_guard=True)


def _safe_words(task: HunkTask) -> str:
    assert task.guard is not None
    return f"All {counted(task.guard.green, 'test')} of the guard that passed before still pass"


def _cost_words(lost: frozenset[tuple[SuiteName, TestId]], own: frozenset[tuple[SuiteName, TestId]]) -> str:
    names = sorted(test for _, test in lost)
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    text = f"A trade-off: it costs {counted(lost, 'test')} that passed before: {shown}"
    if not own:
        return text
    which = "all of them fail" if own == lost else f"{len(own)} of them fail"
    return f"{text}; {which} without the commit too, so it brought a feature and a fault"
