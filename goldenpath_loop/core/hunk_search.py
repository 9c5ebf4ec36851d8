"""Decisions after a culprit is found: which of its hunks, taken back on the bad revision, make the command pass."""

from __future__ import annotations

from dataclasses import dataclass

from goldenpath_loop.core.state import State
from goldenpath_loop.core.step import Step, request
from goldenpath_loop.core.verdicts import Conclusion
from goldenpath_loop.core.wording import counted
from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.effects import DescribeChange, ProbeHunks, Selection
from goldenpath_loop.records.findings import Measurement
from goldenpath_loop.records.history import Hunk
from goldenpath_loop.records.policy import Policy
from goldenpath_loop.records.question import CulpritQuestion
from goldenpath_loop.records.receipts import ChangeReceipt, CommitProbeReceipt, HunkProbeReceipt
from goldenpath_loop.science.hunks import search as science
from goldenpath_loop.science.similarity import rank_hunks

__all__ = ["HUNKS", "search_hunks"]

HUNKS = "hunks"
"""Subject of the verdict."""
_STEADY_REPEATS, _FLAKY_REPEATS = 1, 8


@dataclass(frozen=True, slots=True)
class _Task:
    state: State
    policy: Policy
    question: CulpritQuestion
    culprit: Revision

    @property
    def repeats(self) -> int:
        """How often a flaky command has to pass before a candidate counts as a cure."""
        return _FLAKY_REPEATS if self.question.is_flaky else _STEADY_REPEATS

    def probe(self, hunks: frozenset[int], number: int) -> ProbeHunks:
        name = "+".join(map(str, sorted(hunks)))
        # A name that is too long for a key is as good when it is counted.
        short = name if len(name) < 200 else f"{len(hunks)} of {min(hunks)}-{max(hunks)} sum {sum(hunks)}"
        return ProbeHunks(
            key=f"hunks/{self.culprit[:12]}/{short}/{number}",
            revision=self.question.bad,
            commit=self.culprit,
            hunks=tuple(sorted(hunks)),
            selections=(Selection(suite=self.policy.suites[0].name, tests=()),),
        )


def search_hunks(
    state: State, policy: Policy, question: CulpritQuestion, culprit: Revision
) -> Step | Conclusion:
    """The next step, or what the search came to."""
    task = _Task(state, policy, question, culprit)
    describe = DescribeChange(key=f"change/{culprit[:12]}", revision=culprit)
    step = request(state, [describe])
    if step is not None:
        return step
    change = state.settled(describe.key, ChangeReceipt)
    if change is None:
        return _none(task, "its change could not be read", runs=0)
    numbers = [number for number, hunk in enumerate(change.hunks) if not policy.target.protects(hunk.path)]
    ranked = _ranked(task, change.hunks, numbers)
    if not ranked:
        return _none(task, "it changes no text outside of what is carried along", runs=0)
    shown, spent = _shown(task)
    wanted = science.next_candidates(ranked, shown, width=policy.jobs)
    if isinstance(wanted, science.Try):
        return _ask(task, wanted.candidates)
    if not wanted.hunks:
        return _none(task, f"taking all of its {len(ranked)} hunks back does not make it pass", runs=spent)
    return _found(task, change, wanted, len(ranked), spent)


def _ranked(task: _Task, hunks: tuple[Hunk, ...], numbers: list[int]) -> list[int]:
    """Likeliest first: what has most in common with the failure's own words, then the order of the change."""
    words = [
        result.failure.message
        for record in task.state.effects.values()
        if isinstance(record.receipt, CommitProbeReceipt)
        for run in record.receipt.runs
        for result in run.results
        if result.outcome == "red" and result.failure is not None
    ]
    scored = rank_hunks([hunks[number] for number in numbers], words[:1])
    place = {id(one.hunk): index for index, one in enumerate(scored) if one.score > 0}
    return sorted(numbers, key=lambda number: (place.get(id(hunks[number]), len(numbers)), number))


def _shown(task: _Task) -> tuple[dict[frozenset[int], science.Outcome], int]:
    """What each candidate showed, and how many runs that took; a flaky command has to pass every time."""
    outcomes: dict[frozenset[int], list[science.Outcome]] = {}
    for record in task.state.effects.values():
        effect = record.effect
        if not isinstance(effect, ProbeHunks) or record.status == "requested":
            continue
        outcomes.setdefault(frozenset(effect.hunks), []).append(_outcome(record.receipt))
    shown: dict[frozenset[int], science.Outcome] = {}
    for hunks, seen in outcomes.items():
        bad = next((one for one in seen if one != "green"), None)
        if bad is not None:
            shown[hunks] = bad
        elif len(seen) >= task.repeats:
            shown[hunks] = "green"
    return shown, sum(map(len, outcomes.values()))


def _outcome(receipt: object) -> science.Outcome:
    if not isinstance(receipt, HunkProbeReceipt) or receipt.problem:
        return "unresolved"
    results = [result for run in receipt.runs for result in run.results]
    if any(run.problem for run in receipt.runs) or not results:
        return "unresolved"
    return "green" if all(result.outcome == "green" for result in results) else "red"


def _ask(task: _Task, candidates: tuple[frozenset[int], ...]) -> Step:
    probes: list[ProbeHunks] = []
    for hunks in candidates:
        for number in range(1, task.repeats + 1):
            probe = task.probe(hunks, number)
            if probe.key not in task.state.effects:
                probes.append(probe)
                break
    return request(task.state, probes) or Step()


def _found(task: _Task, change: ChangeReceipt, found: science.Found, count: int, spent: int) -> Conclusion:
    keys = tuple(
        key
        for key, record in task.state.effects.items()
        if isinstance(record.effect, ProbeHunks) and frozenset(record.effect.hunks) == found.hunks
    )
    places = [f"{change.hunks[number].path} {change.hunks[number].header}" for number in sorted(found.hunks)]
    shown = "; ".join(places[:4]) + (f"; and {len(places) - 4} more" if len(places) > 4 else "")
    patches = [receipt.patch for key in keys if (receipt := task.state.settled(key, HunkProbeReceipt))]
    statement = (
        f"{counted(found.hunks, 'hunk')} of {count} taken back on {task.question.bad[:10]}: it passes, and none of "
        f"them can be left away ({counted(spent, 'run')}): {shown}"
    )
    return Conclusion(
        kind="stability",
        subject=HUNKS,
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


def _none(task: _Task, why: str, *, runs: int) -> Conclusion:
    return Conclusion(
        kind="stability",
        subject=HUNKS,
        value="none",
        statement=f"no set of its hunks makes {task.question.bad[:10]} pass: {why}",
        measurements=(Measurement(name="runs", value=runs),),
        revision=task.culprit,
    )
