"""Facts that several views tell of a run: its confirmed culprits and its pull requests."""

from __future__ import annotations

from goldenpath_loop.core.search import COMMITS_KEY
from goldenpath_loop.core.state import State
from goldenpath_loop.records.base import Record, Revision
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


def subject_of(state: State, revision: Revision | None) -> str:
    """Subject of a commit of the base branch; empty when the log does not list it."""
    listed = state.settled(COMMITS_KEY, CommitsReceipt)
    found = (commit.subject for commit in (listed.commits if listed else ()) if commit.revision == revision)
    return next(found, "")


def culprits_of(state: State) -> tuple[CulpritFact, ...]:
    """Confirmed culprits with the clusters each explains, in the order of their verdicts."""
    clusters: dict[str, list[str]] = {}
    for verdict in state.verdicts:
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
        PullRequestFact(branch=one.branch, address=one.address, draft=one.draft)
        for one in receipts
        if isinstance(one, PullRequestReceipt)
    )
