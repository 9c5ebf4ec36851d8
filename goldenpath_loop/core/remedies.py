"""The remedies of a run, read off the log: which commit they revert, where they stand, what was proven."""

from __future__ import annotations

from dataclasses import dataclass

from goldenpath_loop.core.state import State
from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.effects import ApplyPatch, RevertCommit
from goldenpath_loop.records.receipts import PullRequestReceipt, PushReceipt, RemedyReceipt

__all__ = [
    "Remedy",
    "audit_key",
    "audited_clean",
    "has_pull_request",
    "hunk_branch",
    "hunk_key",
    "hunk_tree",
    "is_proven",
    "is_shown",
    "is_superseded",
    "push_problem",
    "remedies",
    "remedy_key",
    "remedy_tree",
    "to_show",
    "unaudited",
    "under_repair",
]


@dataclass(frozen=True, slots=True)
class Remedy:
    """One attempted repair."""

    id: str
    """`R1`, in the order they were asked for."""
    commit: Revision | None
    """The commit it takes back; None for a patch."""
    onto: Revision
    """What it stands on: base, or base plus the remedies of earlier cycles."""
    branch: str
    tree: str
    key: str
    receipt: RemedyReceipt | None
    hunks: tuple[int, ...] = ()
    """Which hunks of the commit it takes back; empty for all of them."""
    cluster: str = ""
    """What a patch is to cure; empty for what takes a commit back."""
    dispatch: str = ""
    """Where a patch was proposed."""

    @property
    def head(self) -> Revision | None:
        """Commit that holds it; None while it is not made or when it could not be made."""
        return self.receipt.head if self.receipt else None


def remedy_key(commit: Revision) -> str:
    """Key of the remedy that reverts `commit`: the same in every run of the same repository."""
    return f"remedy/revert/{commit[:12]}"


def hunk_key(commit: Revision) -> str:
    """Key of the remedy that takes back a part of `commit`."""
    return f"remedy/hunks/{commit[:12]}"


def hunk_branch(commit: Revision) -> str:
    """Branch of that remedy."""
    return f"goldenpath/revert-part-{commit[:12]}"


def hunk_tree(commit: Revision) -> str:
    """Worktree of that remedy."""
    return f"remedy-part-{commit[:12]}"


def is_superseded(state: State, remedy: Remedy) -> bool:
    """Whether another remedy for the same commit is proven."""
    return any(
        (one.commit, one.cluster) == (remedy.commit, remedy.cluster)
        and one.id != remedy.id
        and is_proven(state, one)
        for one in remedies(state)
    )


def remedy_tree(commit: Revision) -> str:
    """Name of the worktree the remedy lives in."""
    return f"remedy-{commit[:12]}"


def audit_key(remedy: Remedy) -> str:
    """Key of the audit of `remedy`."""
    return f"audit/{remedy.id}"


def remedies(state: State) -> tuple[Remedy, ...]:
    """Every remedy asked for so far, oldest first."""
    asked = [
        record for record in state.effects.values() if isinstance(record.effect, RevertCommit | ApplyPatch)
    ]
    found: list[Remedy] = []
    for number, record in enumerate(asked, start=1):
        receipt = record.receipt if isinstance(record.receipt, RemedyReceipt) else None
        name = f"R{number}"
        match record.effect:
            case RevertCommit() as made:
                stands = (made.onto, made.branch, made.tree, made.key, receipt)
                found.append(Remedy(name, made.commit, *stands, made.hunks))
            case ApplyPatch() as patch:
                stands = (patch.onto, patch.branch, patch.tree, patch.key, receipt)
                found.append(Remedy(name, None, *stands, cluster=patch.cluster, dispatch=patch.dispatch))
            case _:
                pass
    return tuple(found)


def is_proven(state: State, remedy: Remedy) -> bool:
    """Whether the stability proof of `remedy` is complete."""
    verdict = state.verdict("stability", remedy.id)
    return verdict is not None and verdict.value == "proven"


def has_pull_request(state: State, remedy: Remedy) -> PullRequestReceipt | None:
    """The pull request of `remedy`, if it has one."""
    return state.settled(f"pull_request/{remedy.branch}", PullRequestReceipt)


def is_shown(state: State, remedy: Remedy) -> bool:
    """Whether the remedy is proven and its pull request is open: what a next cycle may build on."""
    return is_proven(state, remedy) and has_pull_request(state, remedy) is not None


def to_show(state: State) -> tuple[Remedy, ...]:
    """Judged remedies that a person should see and that have no pull request yet.

    One that cures nothing is not shown, nor one whose commit another remedy takes back at no cost; one that cures and
    costs is shown as a draft.
    """
    return tuple(
        remedy
        for remedy in remedies(state)
        if remedy.head is not None
        and (verdict := state.verdict("stability", remedy.id)) is not None
        and verdict.value in ("proven", "trade_off", "unproven")
        and not is_superseded(state, remedy)
        and not state.is_over(f"pull_request/{remedy.branch}")
        and not push_problem(state, remedy)
    )


def push_problem(state: State, remedy: Remedy) -> str:
    """Why the remedy's branch is not where a person could merge it from; empty when it is, or was not pushed yet."""
    key = f"push/{remedy.branch}"
    failed = state.failed(key)
    if failed is not None:
        return failed.error
    receipt = state.settled(key, PushReceipt)
    return receipt.problem if receipt is not None and not receipt.local_only else ""


def under_repair(state: State) -> tuple[Remedy, ...]:
    """Remedies that exist and have no stability verdict yet."""
    return tuple(
        remedy
        for remedy in remedies(state)
        if remedy.head is not None and state.verdict("stability", remedy.id) is None
    )


def unaudited(state: State) -> tuple[Remedy, ...]:
    """Remedies under repair that nobody tried to audit yet; one whose audit failed is not tried again."""
    return tuple(
        remedy
        for remedy in under_repair(state)
        if state.verdict("audit", remedy.id) is None and state.failed(audit_key(remedy)) is None
    )


def audited_clean(state: State) -> tuple[Remedy, ...]:
    """Remedies under repair that the audit let through."""
    return tuple(
        remedy
        for remedy in under_repair(state)
        if (verdict := state.verdict("audit", remedy.id)) is not None and verdict.value == "clean"
    )
