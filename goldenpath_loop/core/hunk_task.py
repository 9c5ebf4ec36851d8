"""What a search for guilty hunks is about, and what the log shows of each candidate."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from goldenpath_loop.core.comparing import run_problem
from goldenpath_loop.core.state import State
from goldenpath_loop.core.step import Step, request
from goldenpath_loop.records.base import Revision, SuiteName, TestId
from goldenpath_loop.records.effects import ProbeHunks, Selection, TraceTests
from goldenpath_loop.records.policy import Policy
from goldenpath_loop.records.receipts import HunkProbeReceipt
from goldenpath_loop.records.results import SuiteRun
from goldenpath_loop.science.hunks.compose import CUT
from goldenpath_loop.science.hunks.search import Outcome
from goldenpath_loop.science.statistics import which_rate

__all__ = [
    "Guard",
    "HunkTask",
    "asked",
    "green_of",
    "keys_of",
    "outcomes",
    "passing",
    "problem_of",
    "runs_spent",
    "trace",
    "trace_key",
]

_NAME_CHARS = 200
_MOST_REPEATS = 60


@dataclass(frozen=True, slots=True)
class Guard:
    """What has to keep passing."""

    selections: tuple[Selection, ...]
    green: frozenset[tuple[SuiteName, TestId]]
    """Tests that pass on the revision as it is."""


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
    rates: tuple[float, float] | None = None
    """How often it fails without and with the fault, when it passes and fails by chance; None: it always tells."""
    spoken_of: str = ""
    """The failure's own words; hunks that have much in common with them are tried first."""
    guard: Guard | None = None

    def probe(self, hunks: frozenset[int], number: int, *, is_guard: bool = False) -> ProbeHunks:
        """One run of one candidate."""
        name = "+".join(map(str, sorted(hunks)))
        if len(name) > _NAME_CHARS:
            name = f"{len(hunks)}of{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        guard = self.guard.selections if self.guard else ()
        return ProbeHunks(
            key=f"{'guard' if is_guard else 'hunks'}/{self.culprit[:12]}/{name}/{number}",
            revision=self.onto,
            commit=self.culprit,
            hunks=tuple(sorted(hunks)),
            cut=CUT,
            selections=guard if is_guard else self.selections,
        )


def trace_key(commit: Revision) -> str:
    """Key of the run that shows which lines of a change failing tests run."""
    return f"trace/{commit[:12]}"


def trace(task: HunkTask, paths: Sequence[str]) -> TraceTests:
    """The run that shows which lines of `paths` the failure goes through, on the culprit itself."""
    return TraceTests(
        key=trace_key(task.culprit),
        revision=task.culprit,
        protected=task.onto,
        selections=task.selections,
        paths=tuple(dict.fromkeys(paths)),
    )


def asked(task: HunkTask, candidates: Sequence[frozenset[int]], *, is_guard: bool = False) -> Step:
    """The step that runs the next repeat of each candidate; empty while some are in flight."""
    probes: list[ProbeHunks] = []
    for hunks in candidates:
        for number in range(1, _MOST_REPEATS + 1):
            probe = task.probe(hunks, number, is_guard=is_guard)
            record = task.state.effects.get(probe.key)
            if record is None or record.status == "requested":
                probes.append(probe)
                break
    return request(task.state, probes) or Step()


def keys_of(task: HunkTask, hunks: frozenset[int], *, is_guard: bool = False) -> tuple[str, ...]:
    """Keys of the finished runs of one candidate."""
    selections = task.probe(hunks, 1, is_guard=is_guard).selections
    return tuple(
        key
        for key, effect in _probes(task)
        if frozenset(effect.hunks) == hunks and effect.selections == selections
    )


def outcomes(task: HunkTask) -> dict[frozenset[int], Outcome]:
    """What each candidate that was run often enough shows of the target."""
    seen: dict[frozenset[int], list[Outcome]] = {}
    for key, effect in _probes(task):
        if effect.selections == task.selections:
            outcome = _outcome(task, task.state.effects[key].receipt)
            seen.setdefault(frozenset(effect.hunks), []).append(outcome)
    judged = {hunks: _judged(task, shown) for hunks, shown in seen.items()}
    return {hunks: outcome for hunks, outcome in judged.items() if outcome is not None}


def runs_spent(task: HunkTask) -> int:
    """Runs of all candidates, those of the guard included."""
    return sum(1 for key, _ in _probes(task) if not problem_of(task, key))


def problem_of(task: HunkTask, key: str) -> str:
    """Why a candidate could not be run at all."""
    receipt = task.state.settled(key, HunkProbeReceipt)
    if receipt is not None:
        return receipt.problem
    failed = task.state.failed(key)
    return failed.error if failed else "it was not run"


def passing(task: HunkTask, hunks: frozenset[int], number: int) -> frozenset[tuple[SuiteName, TestId]] | None:
    """Tests of the guard that pass with `hunks` taken back in repeat `number`; None while that is not known."""
    key = task.probe(hunks, number, is_guard=True).key
    if not task.state.is_over(key):
        return None
    receipt = task.state.settled(key, HunkProbeReceipt)
    return green_of(receipt.runs if receipt else (), task.onto)


def green_of(runs: Sequence[SuiteRun], revision: Revision) -> frozenset[tuple[SuiteName, TestId]]:
    """Tests that pass in those of `runs` that count."""
    return frozenset(
        (run.suite, result.id)
        for run in runs
        if not run_problem(run, expected=revision)
        for result in run.results
        if result.outcome == "green"
    )


def _probes(task: HunkTask) -> list[tuple[str, ProbeHunks]]:
    """Finished runs of this search, in the order of asking."""
    return [
        (key, record.effect)
        for key, record in task.state.effects.items()
        if isinstance(record.effect, ProbeHunks)
        and (record.effect.commit, record.effect.revision) == (task.culprit, task.onto)
        and record.effect.cut == CUT
        and record.status != "requested"
    ]


def _judged(task: HunkTask, shown: Sequence[Outcome]) -> Outcome | None:
    """What the repeats of one candidate amount to; None while it takes more of them."""
    if "unresolved" in shown:
        return "unresolved"
    if task.rates is None:
        return shown[0]
    low, high = task.rates
    red = shown.count("red")
    said = which_rate(red, len(shown) - red, low=low, high=high)
    if said is None:
        return "unresolved" if len(shown) >= _MOST_REPEATS else None
    return "green" if said == "low" else "red"


def _outcome(task: HunkTask, receipt: object) -> Outcome:
    if not isinstance(receipt, HunkProbeReceipt) or receipt.problem:
        return "unresolved"
    results = [one for run in receipt.runs for one in run.results if one.not_run != "deselected"]
    if any(run.problem or run_problem(run, expected=task.onto) for run in receipt.runs):
        return "red" if any(one.outcome == "red" for one in results) else "unresolved"
    return "green" if results and all(one.outcome == "green" for one in results) else "red"
