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
from goldenpath_loop.records.receipts import CommitProbeReceipt, CommitsReceipt
from goldenpath_loop.science import flaky_culprit as science

__all__ = ["COMMITS_KEY", "Search", "runs_of", "search_in", "search_of"]

COMMITS_KEY = "commits"
_DOCUMENTS = (".md", ".rst", ".adoc")
_UNLIKELY = 0.02
"""Weight of a commit that only touches documents, or only files that are carried along; never zero."""


@dataclass(frozen=True, slots=True)
class Search:
    """Where a search stands."""

    history: tuple[Commit, ...]
    """From the bad to the good end."""
    asked: science.Search
    runs: tuple[science.Run, ...]
    effects: tuple[str, ...]
    """Keys of the runs, in the same order."""

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
            return (
                f"{question.good[:10]} is not among the {len(history)} first-parent ancestors of "
                f"{question.bad[:10]}: name a good revision on that line"
            )
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
        weights=tuple(_weight(commit, policy) for commit in history),
        is_flaky=question.is_flaky,
        confidence=question.confidence,
        delta=question.delta,
        most_runs=question.most_runs,
    )
    return Search(history, asked, runs, keys)


def runs_of(
    state: State, order: Mapping[Revision, int] | None
) -> tuple[tuple[science.Run, ...], tuple[str, ...]]:
    """Every run of the command and its key, in the order of asking.

    Args:
        state: The state of the run.
        order: Place of each commit that counts; None for all of them, whatever their places.
    """
    found: list[science.Run] = []
    keys: list[str] = []
    signature = ""
    for key, record in state.effects.items():
        effect = record.effect
        if not isinstance(effect, ProbeCommit) or record.status == "requested":
            continue
        results = (
            [one for run in record.receipt.runs for one in run.results]
            if isinstance(record.receipt, CommitProbeReceipt)
            else []
        )
        result = results[0] if len(results) == 1 else None
        outcome: Literal["green", "red", "unresolved"] = "unresolved"
        if result is not None and result.outcome == "green":
            outcome = "green"
        elif result is not None and result.outcome in ("red", "timeout") and result.signature:
            # The first failure is the one that is looked for; another exit code is another failure.
            signature = signature or result.signature.key
            outcome = "red" if result.signature.key == signature else "unresolved"
        if order is None or effect.revision in order:
            found.append(science.Run(order[effect.revision] if order else 0, outcome))
            keys.append(key)
    return tuple(found), tuple(keys)


def _weight(commit: Commit, policy: Policy) -> float:
    target = policy.target
    unlikely = commit.files and all(
        path.lower().endswith(_DOCUMENTS) or (target.tests and target.protects(path)) for path in commit.files
    )
    return _UNLIKELY if unlikely else 1.0
