"""Decisions after a culprit is found: which of its hunks, taken back on top of what came later, cure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from goldenpath_loop.core.comparing import run_problem
from goldenpath_loop.core.state import State
from goldenpath_loop.core.step import Step, request
from goldenpath_loop.core.verdicts import Conclusion
from goldenpath_loop.core.wording import code, counted
from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.effects import DescribeChange, ProbeHunks, Selection
from goldenpath_loop.records.findings import Measurement
from goldenpath_loop.records.history import Hunk
from goldenpath_loop.records.policy import Policy
from goldenpath_loop.records.receipts import ChangeReceipt, HunkProbeReceipt
from goldenpath_loop.science.hunks import search as science
from goldenpath_loop.science.hunks.compose import parts
from goldenpath_loop.science.hunks.coupling import coupled
from goldenpath_loop.science.similarity import rank_hunks

__all__ = ["HunkTask", "search_hunks"]

_NAME_CHARS = 200


@dataclass(frozen=True, slots=True)
class HunkTask:
    """What is searched for."""

    state: State
    policy: Policy
    culprit: Revision
    onto: Revision
    """The revision that has to pass again."""
    selections: tuple[Selection, ...]
    subject: str
    """Of the verdict."""
    repeats: int = 1
    """How often a candidate has to pass before it counts as a cure."""
    spoken_of: str = ""
    """The failure's own words; hunks that have much in common with them are tried first."""

    def probe(self, hunks: frozenset[int], number: int) -> ProbeHunks:
        """One run of one candidate."""
        name = "+".join(map(str, sorted(hunks)))
        if len(name) > _NAME_CHARS:
            name = f"{len(hunks)}of{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        return ProbeHunks(
            key=f"hunks/{self.culprit[:12]}/{name}/{number}",
            revision=self.onto,
            commit=self.culprit,
            hunks=tuple(sorted(hunks)),
            selections=self.selections,
        )


def search_hunks(task: HunkTask) -> Step | Conclusion:
    """The next step, or what the search came to."""
    describe = DescribeChange(
        key=f"change/{task.culprit[:12]}",
        revision=task.culprit,
    )
    step = request(task.state, [describe])
    if step is not None:
        return step
    change = task.state.settled(describe.key, ChangeReceipt)
    if change is None:
        return _none(task, "its change could not be read", runs=0)
    hunks = parts(change.hunks)
    numbers = [number for number, hunk in enumerate(hunks) if not task.policy.target.protects(hunk.path)]
    ranked = _ranked(task, hunks, numbers)
    if not ranked:
        return _none(task, "it changes no text outside of the protected tests", runs=0)
    shown, spent = _shown(task)
    wanted = science.next_candidates(ranked, shown, groups=coupled(hunks), width=task.policy.jobs)
    if isinstance(wanted, science.Try):
        return _ask(task, wanted.candidates)
    if not wanted.hunks:
        return _none(task, f"taking all of its {len(ranked)} hunks back does not cure", runs=spent)
    return _found(task, hunks, wanted, len(ranked), spent)


def _ranked(task: HunkTask, hunks: tuple[Hunk, ...], numbers: list[int]) -> list[int]:
    """Likeliest first: what has most in common with the failure's own words, then the order of the change."""
    words = [task.spoken_of] if task.spoken_of else []
    scored = rank_hunks([hunks[number] for number in numbers], words)
    place = {id(one.hunk): index for index, one in enumerate(scored) if one.score > 0}
    return sorted(numbers, key=lambda number: (place.get(id(hunks[number]), len(numbers)), number))


def _shown(task: HunkTask) -> tuple[dict[frozenset[int], science.Outcome], int]:
    """What each candidate showed, and how many runs that took; a flaky command has to pass every time."""
    outcomes: dict[frozenset[int], list[science.Outcome]] = {}
    for record in task.state.effects.values():
        effect = record.effect
        is_ours = isinstance(effect, ProbeHunks) and (effect.commit, effect.revision) == (
            task.culprit,
            task.onto,
        )
        if not is_ours or record.status == "requested":
            continue
        assert isinstance(effect, ProbeHunks)
        outcomes.setdefault(frozenset(effect.hunks), []).append(_outcome(task, record.receipt))
    shown: dict[frozenset[int], science.Outcome] = {}
    for hunks, seen in outcomes.items():
        bad = next((one for one in seen if one != "green"), None)
        if bad is not None:
            shown[hunks] = bad
        elif len(seen) >= task.repeats:
            shown[hunks] = "green"
    return shown, sum(map(len, outcomes.values()))


def _outcome(task: HunkTask, receipt: object) -> science.Outcome:
    if not isinstance(receipt, HunkProbeReceipt) or receipt.problem:
        return "unresolved"
    if any(run.problem or run_problem(run, expected=task.onto) for run in receipt.runs):
        return (
            "unresolved"
            if not any(one.outcome == "red" for run in receipt.runs for one in run.results)
            else "red"
        )
    results = [one for run in receipt.runs for one in run.results if one.not_run != "deselected"]
    return "green" if results and all(one.outcome == "green" for one in results) else "red"


def _ask(task: HunkTask, candidates: tuple[frozenset[int], ...]) -> Step:
    probes: list[ProbeHunks] = []
    for hunks in candidates:
        for number in range(1, task.repeats + 1):
            probe = task.probe(hunks, number)
            if probe.key not in task.state.effects:
                probes.append(probe)
                break
    return request(task.state, probes) or Step()


def _found(
    task: HunkTask, hunks: tuple[Hunk, ...], found: science.Found, count: int, spent: int
) -> Conclusion:
    keys = tuple(
        key
        for key, record in task.state.effects.items()
        if isinstance(record.effect, ProbeHunks) and frozenset(record.effect.hunks) == found.hunks
    )
    places = [_place(hunks[number]) for number in sorted(found.hunks)]
    shown = "; ".join(places[:4]) + (f"; and {len(places) - 4} more" if len(places) > 4 else "")
    patches = [receipt.patch for key in keys if (receipt := task.state.settled(key, HunkProbeReceipt))]
    statement = (
        f"{counted(found.hunks, 'hunk')} of {count} taken back on {task.onto[:10]}: it passes, and none of "
        f"them can be left away ({counted(spent, 'run')}): {shown}"
    )
    return Conclusion(
        kind="stability",
        subject=task.subject,
        value="minimal",
        statement=statement,
        measurements=(
            Measurement(name="hunks", value=len(found.hunks)),
            Measurement(name="hunks of the commit", value=count),
            Measurement(name="runs", value=spent),
        ),
        because=(*keys, *(patch for patch in patches[:1] if patch)),
        revision=task.culprit,
    )


def _place(hunk: Hunk) -> str:
    words = next((line.strip() for line in (*hunk.added, *hunk.removed) if line.strip()), "")
    return f"{hunk.path}:{hunk.new_start} {code(words[:60])}"


def _none(task: HunkTask, why: str, *, runs: int) -> Conclusion:
    return Conclusion(
        kind="stability",
        subject=task.subject,
        value="none",
        statement=f"no set of its hunks makes {task.onto[:10]} pass: {why}",
        measurements=(Measurement(name="runs", value=runs),),
        revision=task.culprit,
    )
