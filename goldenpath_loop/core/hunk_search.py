"""Decisions after a culprit is found: which of its hunks, taken back on top of what came later, cure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from goldenpath_loop.core.hunk_guard import Guarded, search_guarded
from goldenpath_loop.core.hunk_task import HunkTask, asked, keys_of, outcomes, problem_of, runs_spent, trace
from goldenpath_loop.core.step import Step, request
from goldenpath_loop.core.verdicts import Conclusion
from goldenpath_loop.core.wording import code, counted
from goldenpath_loop.records.effects import DescribeChange, FitHunks
from goldenpath_loop.records.findings import Measurement
from goldenpath_loop.records.history import Hunk
from goldenpath_loop.records.receipts import ChangeReceipt, HunkFitReceipt, HunkProbeReceipt, TraceReceipt
from goldenpath_loop.science.hunks import search as science
from goldenpath_loop.science.hunks.compose import CUT, parts, together
from goldenpath_loop.science.hunks.coupling import coupled, joined
from goldenpath_loop.science.hunks.order import in_order

__all__ = ["search_hunks"]

_TEST_FILE = re.compile(
    r"(?:^|/)(?:tests?|specs?|__tests__)/|(?:^|/)(?:test_[^/]*|conftest\.py|[^/]*[._-](?:test|spec)\.[^/]+)$"
)
"""Paths of tests by custom: a cure is never an edit of a test."""
_SHOWN = 4
_FEW = 2
"""So few hunks are told apart by trying them, without a run that only looks."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """What of a change can be taken back."""

    hunks: tuple[Hunk, ...]
    """All parts of the change by number: hunks, and groups of lines of long ones."""
    wholes: tuple[frozenset[int], ...]
    """The parts of each hunk."""
    ranked: tuple[int, ...]
    """Those that can be taken back, likeliest guilty first."""
    groups: tuple[frozenset[int], ...]
    misfits: tuple[tuple[int, str], ...]

    @property
    def sources(self) -> tuple[int, ...]:
        """All hunks outside of tests, whether they can be taken back or not."""
        return tuple(sorted((*self.ranked, *(number for number, _ in self.misfits))))

    def hunks_with(self, numbers: Iterable[int]) -> tuple[frozenset[int], ...]:
        """The hunks of which `numbers` has a part."""
        some = frozenset(numbers)
        return tuple(whole for whole in self.wholes if whole & some)

    def lines(self, numbers: Iterable[int]) -> int:
        """How many lines `numbers` are, of the longer side of each."""
        hunks = (self.hunks[number] for number in numbers)
        return sum(max(len(hunk.removed), len(hunk.added)) for hunk in hunks)


def search_hunks(task: HunkTask) -> Step | Conclusion:
    """The next step, or what the search came to."""
    found = _parts(task)
    if not isinstance(found, _Parts):
        return found
    if not found.ranked:
        why = found.misfits[0][1] if found.misfits else "it changes no text outside of tests"
        return _none(task, why)
    wanted = science.next_candidates(
        found.ranked, outcomes(task), groups=found.groups, width=task.policy.jobs
    )
    if isinstance(wanted, science.Try):
        return asked(task, wanted.candidates)
    if not wanted.hunks:
        return _none(task, _why_none(task, found))
    if task.guard is None:
        return _found(task, found, wanted.hunks, None)
    guarded = search_guarded(task, found.ranked, found.hunks, wanted.hunks, found.sources)
    return guarded if isinstance(guarded, Step) else _found(task, found, guarded.hunks, guarded)


def _parts(task: HunkTask) -> Step | Conclusion | _Parts:
    describe = DescribeChange(key=f"change/{task.culprit[:12]}", revision=task.culprit)
    fit = FitHunks(
        key=f"fit/{task.culprit[:12]}/{task.onto[:12]}/{CUT}", revision=task.onto, commit=task.culprit
    )
    step = request(task.state, [describe, fit])
    if step is not None:
        return step
    change = task.state.settled(describe.key, ChangeReceipt)
    fits = task.state.settled(fit.key, HunkFitReceipt)
    if change is None or fits is None:
        return _none(task, "its change could not be read")
    hunks = parts(change.hunks)
    misfits = {one.number: one.problem for one in fits.misfits}
    numbers = [
        number
        for number, hunk in enumerate(hunks)
        if not task.policy.target.protects(hunk.path) and not _TEST_FILE.search(hunk.path)
    ]
    fitting = [number for number in numbers if number not in misfits]
    traced = trace(task, [hunks[number].path for number in fitting])
    if len(fitting) > _FEW:
        step = request(task.state, [traced])
        if step is not None:
            return step
    executed = task.state.settled(traced.key, TraceReceipt)
    bound = tuple(frozenset(group) for group in fits.bound)
    wholes = together(change.hunks)
    return _Parts(
        hunks=hunks,
        wholes=wholes,
        ranked=tuple(_ranked(task, hunks, fitting, executed)),
        groups=joined((*wholes, *bound, *coupled(hunks))),
        misfits=tuple((number, misfits[number]) for number in numbers if number in misfits),
    )


def _ranked(
    task: HunkTask, hunks: tuple[Hunk, ...], numbers: list[int], executed: TraceReceipt | None
) -> list[int]:
    words = [task.spoken_of] if task.spoken_of else []
    if executed is None:
        return in_order(hunks, numbers, words=words)
    return in_order(hunks, numbers, words=words, executed=executed.files, failing=executed.failing)


def _why_none(task: HunkTask, found: _Parts) -> str:
    everything = frozenset(found.ranked)
    keys = keys_of(task, everything)
    problem = problem_of(task, keys[-1]) if keys else ""
    rest = (
        f" ({_counted(found, (number for number, _ in found.misfits))} cannot be taken back: {found.misfits[0][1]})"
        if found.misfits
        else ""
    )
    if problem:
        return f"taking {_counted(found, everything)} back together: {problem}{rest}"
    return f"taking {_counted(found, everything)} back does not cure{rest}"


def _counted(found: _Parts, numbers: Iterable[int]) -> str:
    return counted(found.hunks_with(numbers), "hunk")


def _found(task: HunkTask, found: _Parts, minimal: frozenset[int], guarded: Guarded | None) -> Conclusion:
    keys = keys_of(task, minimal)
    guilty, of_all = found.hunks_with(minimal), found.hunks_with(found.sources)
    places = [_place(found.hunks[min(whole & minimal)]) for whole in guilty]
    shown = "; ".join(places[:_SHOWN]) + (
        f"; and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    )
    patches = [receipt.patch for key in keys if (receipt := task.state.settled(key, HunkProbeReceipt))]
    spent = runs_spent(task)
    least = "" if len(minimal) == 1 else ", and none of that can be left away"
    all_lines, its = found.lines(frozenset().union(*guilty)), "its" if len(guilty) == 1 else "their"
    some = found.lines(minimal)
    only = f" ({some} of {its} {all_lines} lines)" if some < all_lines else ""
    statement = (
        f"{counted(guilty, 'hunk')} of {len(of_all)}{only} taken back on "
        f"{task.onto[:10]}: it passes{least} ({counted(spent, 'run')}): {shown}"
        + (f". {guarded.words}" if guarded else "")
    )
    return Conclusion(
        kind="stability",
        subject=task.subject,
        value="trade_off" if guarded and guarded.lost else "minimal",
        statement=statement,
        measurements=(
            Measurement(name="hunks", value=len(guilty)),
            Measurement(name="hunks of the commit", value=len(of_all)),
            Measurement(name="lines", value=some),
            Measurement(name="runs", value=spent),
            *((Measurement(name="tests lost", value=len(guarded.lost)),) if guarded else ()),
        ),
        because=(*keys, *(guarded.keys if guarded else ()), *(patch for patch in patches[:1] if patch)),
        revision=task.culprit,
    )


def _place(hunk: Hunk) -> str:
    words = next((line.strip() for line in (*hunk.added, *hunk.removed) if line.strip()), "")
    return f"{hunk.path}:{hunk.new_start} {code(words[:60])}"


def _none(task: HunkTask, why: str) -> Conclusion:
    return Conclusion(
        kind="stability",
        subject=task.subject,
        value="none",
        statement=f"no set of its hunks makes {task.onto[:10]} pass: {why}",
        measurements=(Measurement(name="runs", value=runs_spent(task)),),
        revision=task.culprit,
    )
