"""Facts that several views tell of a run: its confirmed culprits and its pull requests."""

from __future__ import annotations

from collections.abc import Sequence

from goldenpath_loop.core.culprit_run import SUBJECT
from goldenpath_loop.core.state import State
from goldenpath_loop.records.base import Record, Revision
from goldenpath_loop.records.findings import Verdict
from goldenpath_loop.records.receipts import CommitsReceipt, PullRequestReceipt

__all__ = ["CulpritFact", "PullRequestFact", "culprits_of", "pull_requests_of", "subject_of"]


class CulpritFact(Record):
    """A commit that was confirmed as the cause of some clusters."""

    revision: Revision
    subject: str
    clusters: tuple[str, ...]


class PullRequestFact(Record):
    """A pull request that is there."""

    branch: str
    address: str
    draft: bool
    opened_by: str = ""
    """Which other run opened it; empty when it was this one."""
    problem: str = ""
    """Why other runs could not be asked."""

    @property
    def note(self) -> str:
        """What is to be known about it, to stand behind its address."""
        draft = " (draft)" if self.draft else ""
        if self.opened_by:
            return f"{draft}, already opened by {self.opened_by}"
        return f"{draft}; other runs could not be asked: {self.problem}" if self.problem else draft


def subject_of(state: State, revision: Revision | None) -> str:
    """Subject of a commit; empty when no history in the log lists it."""
    listed = (one.receipt for one in state.effects.values() if isinstance(one.receipt, CommitsReceipt))
    found = (commit.subject for one in listed for commit in one.commits if commit.revision == revision)
    return next(found, "")


def culprits_of(state: State) -> tuple[CulpritFact, ...]:
    """Confirmed culprits with the clusters each explains, in the order of their verdicts."""
    clusters: dict[str, list[str]] = {}
    verdicts: Sequence[Verdict] = state.verdicts
    if state.started is not None and state.started.question is not None:
        # Of a merge and the commit inside of it the last word is the answer.
        answer = state.verdict("culprit", SUBJECT)
        verdicts = (answer,) if answer else ()
    for verdict in verdicts:
        if verdict.kind == "culprit" and verdict.value == "confirmed" and verdict.revision:
            clusters.setdefault(verdict.revision, []).append(verdict.subject)
    return tuple(
        CulpritFact(revision=revision, subject=subject_of(state, revision), clusters=tuple(names))
        for revision, names in clusters.items()
    )


def pull_requests_of(state: State) -> tuple[PullRequestFact, ...]:
    """Pull requests that were opened or found, in the order of asking."""
    receipts = (record.receipt for record in state.effects.values())
    return tuple(
        PullRequestFact(
            branch=one.branch,
            address=one.address,
            draft=one.draft,
            opened_by=one.opened_by,
            problem=one.problem,
        )
        for one in receipts
        if isinstance(one, PullRequestReceipt)
    )
