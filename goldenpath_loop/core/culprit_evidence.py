"""What the log shows of a search for a culprit: the history it is about, and every run so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from goldenpath_loop.core.state import State
from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.effects import ProbeCommit
from goldenpath_loop.records.history import Commit
from goldenpath_loop.records.policy import Policy
from goldenpath_loop.records.question import CulpritQuestion
from goldenpath_loop.records.receipts import CommitProbeReceipt, CommitsReceipt, TraceReceipt
from goldenpath_loop.records.results import TestResult
from goldenpath_loop.science import flaky_culprit as science

__all__ = [
    "COMMITS_KEY",
    "GUARD",
    "TRACE_KEY",
    "Search",
    "is_guard",
    "runs_of",
    "search_in",
    "search_of",
    "weight_of",
]

COMMITS_KEY = "commits"
TRACE_KEY = "trace/bad"
GUARD = "guard"
"""Name of the suite that has to keep passing."""
_DOCUMENTS = (".md", ".rst", ".adoc")
_UNLIKELY, _NOT_RUN = 0.02, 0.1
"""Weight of a commit that only touches documents or files that are carried along, and of one that only touches
modules which the failure does not go through; never zero."""


@dataclass(frozen=True, slots=True)
class Search:
    """Where a search stands."""

    history: tuple[Commit, ...]
    """From the bad to the good end."""
    asked: science.Search
    runs: tuple[science.Run, ...]
    effects: tuple[str, ...]
    """Keys of the runs, in the same order."""

    remark: str = ""
    """What is special about the good end."""

    def cost(self, index: int) -> float:
        """A commit that was run before is set up faster: its build lies in a cache."""
        return 0.9 if any(run.index == index for run in self.runs) else 1.0


def search_of(state: State, policy: Policy) -> Search | str:
    """The search as the log shows it, or why there is none."""
    assert state.started is not None
    question = state.started.question
    assert question is not None
    receipt = state.settled(COMMITS_KEY, CommitsReceipt)
    if receipt is None:
        failed = state.failed(COMMITS_KEY)
        return f"history could not be read: {failed.error if failed else 'it was not asked for'}"
    history = receipt.commits
    order = {commit.revision: index for index, commit in enumerate(history)}
    if question.good is not None:
        if question.good not in order:
            return f"{question.good[:10]} does not lead to {question.bad[:10]}"
        history = history[: order[question.good] + 1]
    if len(history) < 2:
        return (
            "good and bad are the same commit"
            if question.good
            else "there is no older commit to compare with"
        )
    return search_in(state, policy, question, history)


def search_in(state: State, policy: Policy, question: CulpritQuestion, history: tuple[Commit, ...]) -> Search:
    runs, keys = runs_of(state, {commit.revision: index for index, commit in enumerate(history)})
    asked = science.Search(
        weights=tuple(
            weight_of(commit, policy, state.settled(TRACE_KEY, TraceReceipt)) for commit in history
        ),
        is_flaky=question.is_flaky,
        confidence=question.confidence,
        delta=question.delta,
        most_runs=question.most_runs,
    )
    remark = (
        f"; {question.named_good[:10]} lies on a branch that began there, and what repaired it on that branch"
        if question.named_good
        else ""
    )
    return Search(history, asked, runs, keys, remark)


def is_guard(effect: ProbeCommit) -> bool:
    """Whether it runs what has to keep passing, not the command itself."""
    return any(chosen.suite == GUARD for chosen in effect.selections)


def runs_of(
    state: State, order: Mapping[Revision, int] | None
) -> tuple[tuple[science.Run, ...], tuple[str, ...]]:
    """Every run of the command and its key, in the order of asking.

    Args:
        state: The state of the run.
        order: Place of each commit that counts; None for all of them, whatever their places.
    """
    shown = [
        (key, record.effect.revision, _result(record.receipt))
        for key, record in state.effects.items()
        if isinstance(record.effect, ProbeCommit)
        and record.status != "requested"
        and not is_guard(record.effect)
    ]
    assert state.started is not None
    question = state.started.question
    # What fails on the bad revision is what is looked for; another exit code or exception is another failure.
    reds = [(revision, result.signature.key) for _, revision, result in shown if result and result.signature]
    wanted = next((key for revision, key in reds if question and revision == question.bad), None)
    if wanted is None and reds:
        wanted = reds[0][1]
    found: list[science.Run] = []
    keys: list[str] = []
    for key, revision, result in shown:
        if order is None or revision in order:
            found.append(science.Run(order[revision] if order else 0, _outcome(result, wanted)))
            keys.append(key)
    return tuple(found), tuple(keys)


def _result(receipt: object) -> TestResult | None:
    if not isinstance(receipt, CommitProbeReceipt):
        return None
    results = [one for run in receipt.runs for one in run.results]
    return results[0] if len(results) == 1 else None


def _outcome(result: TestResult | None, wanted: str | None) -> Literal["green", "red", "unresolved"]:
    if result is None:
        return "unresolved"
    if result.outcome == "green":
        return "green"
    is_same = result.signature is not None and result.signature.key == wanted
    return "red" if result.outcome in ("red", "timeout") and is_same else "unresolved"


def weight_of(commit: Commit, policy: Policy, trace: TraceReceipt | None = None) -> float:
    """How likely a commit is the culprit before it was run; never zero.

    Args:
        commit: One of the history.
        policy: What is carried along.
        trace: Which lines of which files the failure goes through, where that could be seen.
    """
    target = policy.target
    if trace is not None and trace.files and commit.files:
        run = {one.path for one in trace.files}
        if all(path.endswith(".py") and path not in run for path in commit.files if not _is_document(path)):
            return _UNLIKELY if all(map(_is_document, commit.files)) else _NOT_RUN
    unlikely = commit.files and all(
        _is_document(path) or (target.tests and target.protects(path)) for path in commit.files
    )
    return _UNLIKELY if unlikely else 1.0


def _is_document(path: str) -> bool:
    return path.lower().endswith(_DOCUMENTS)
