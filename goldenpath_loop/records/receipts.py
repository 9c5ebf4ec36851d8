"""Raw facts that come back from an effect: what was measured or done, no conclusions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from goldenpath_loop.records.agents import AnyAnswer
from goldenpath_loop.records.base import EvidenceId, Record, Revision, TestId
from goldenpath_loop.records.history import Commit, Hunk, TestHistory
from goldenpath_loop.records.results import SuiteRun
from goldenpath_loop.records.services import ServiceReport, StartReport
from goldenpath_loop.records.usage import Usage

__all__ = [
    "AnyReceipt",
    "AuditIssue",
    "AuditReceipt",
    "BaseReceipt",
    "ChangeReceipt",
    "CollectionReceipt",
    "CommitProbeReceipt",
    "CommitsReceipt",
    "DeployReceipt",
    "DispatchReceipt",
    "ExecutedFile",
    "ExecutedLine",
    "HistoryReceipt",
    "HunkFitReceipt",
    "HunkMisfit",
    "HunkProbeReceipt",
    "ProbeReceipt",
    "PullRequestReceipt",
    "PushReceipt",
    "Refusal",
    "RemedyReceipt",
    "StopReceipt",
    "SuiteReceipt",
    "TestOrigin",
    "TraceReceipt",
    "WorktreeReceipt",
]


class BaseReceipt(Record):
    """State of the user's repository."""

    kind: Literal["base"] = "base"
    revision: Revision | None = None
    """Head of the base branch; None when there is no repository or no such branch."""
    dirty: tuple[str, ...] = ()
    """Tracked files with changes that are not committed."""
    problem: str = ""
    """One sentence when the repository cannot be used; empty otherwise."""


class HistoryReceipt(Record):
    """Earlier results, a summary a test."""

    kind: Literal["history"] = "history"
    tests: tuple[TestHistory, ...] = ()
    runs: int = Field(default=0, ge=0)
    """How many earlier runs were read."""


class WorktreeReceipt(Record):
    """A worktree exists at the revision asked for."""

    kind: Literal["worktree"] = "worktree"
    tree: str
    revision: Revision
    problem: str = ""


class DeployReceipt(Record):
    """How a deployment went, service by service."""

    kind: Literal["deploy"] = "deploy"
    deployment: str
    revision: Revision
    starts: tuple[StartReport, ...] = ()
    problem: str = ""
    """One sentence when the deployment as such failed (script failed, never ready); empty otherwise."""
    output: EvidenceId | None = None


class StopReceipt(Record):
    """A preview is gone."""

    kind: Literal["stop"] = "stop"
    deployment: str


class ProbeReceipt(Record):
    """What one service answered."""

    kind: Literal["probe"] = "probe"
    report: ServiceReport


class CollectionReceipt(Record):
    """Which tests a suite has."""

    kind: Literal["collection"] = "collection"
    tests: tuple[TestId, ...] = ()
    run: SuiteRun
    """The collection as a run without results; names collection errors."""


class SuiteReceipt(Record):
    """One run of a suite."""

    kind: Literal["suite"] = "suite"
    run: SuiteRun


class CommitsReceipt(Record):
    """First-parent history, newest first."""

    kind: Literal["commits"] = "commits"
    commits: tuple[Commit, ...] = ()
    complete: bool = True
    """Whether the history was listed down to its root."""
    evidence: EvidenceId | None = None


class CommitProbeReceipt(Record):
    """What tests and probes showed on one commit."""

    kind: Literal["commit_probe"] = "commit_probe"
    revision: Revision
    runs: tuple[SuiteRun, ...] = ()
    services: tuple[ServiceReport, ...] = ()
    problem: str = ""
    """One sentence when the commit could not be built, started or tested; empty otherwise."""


class HunkProbeReceipt(Record):
    """What tests showed with some hunks of a commit taken back."""

    kind: Literal["hunk_probe"] = "hunk_probe"
    revision: Revision
    runs: tuple[SuiteRun, ...] = ()
    patch: EvidenceId | None = None
    """The difference from the revision, as `git apply` takes it."""
    problem: str = ""
    """One sentence when the hunks could not be taken back there; empty otherwise."""


class HunkMisfit(Record):
    """A hunk that cannot be taken back on top of what came later."""

    number: int = Field(ge=0)
    problem: str


class HunkFitReceipt(Record):
    """Which hunks of a commit can be taken back on a later one."""

    kind: Literal["hunk_fit"] = "hunk_fit"
    misfits: tuple[HunkMisfit, ...] = ()
    bound: tuple[tuple[int, ...], ...] = ()
    """Hunks that can only be taken back together."""


class ExecutedLine(Record):
    """One line that failing tests ran."""

    line: int = Field(ge=1)
    failed: int = Field(ge=0)
    """Failing tests that ran it."""
    passed: int = Field(default=0, ge=0)
    in_function: bool
    """Whether it runs when something is called, not when the module is imported."""


class ExecutedFile(Record):
    """What failing tests ran of one file."""

    path: str
    lines: tuple[ExecutedLine, ...]


class TraceReceipt(Record):
    """Which lines of a change the failing tests run."""

    kind: Literal["trace"] = "trace"
    revision: Revision
    files: tuple[ExecutedFile, ...] = ()
    failing: int = Field(default=0, ge=0)
    """Failing tests that were traced."""
    evidence: EvidenceId | None = None
    problem: str = ""


class TestOrigin(Record):
    """Whether a test was there when a change was made."""

    __test__ = False  # the name is the field's word; keeps pytest from collecting it

    id: TestId
    existed: bool
    """Whether the test's file existed in the change's parent."""
    first_commit: Revision | None = None
    """Commit that added the file."""
    first_committed_at: AwareDatetime | None = None
    changed_along: bool = False
    """Whether the change itself touches the file."""


class ChangeReceipt(Record):
    """What a commit changed."""

    kind: Literal["change"] = "change"
    commit: Commit
    hunks: tuple[Hunk, ...] = ()
    origins: tuple[TestOrigin, ...] = ()
    diff: EvidenceId
    """The commit with its whole diff."""
    origins_evidence: EvidenceId | None = None


class RemedyReceipt(Record):
    """A remedy on its branch, or why it could not be made."""

    kind: Literal["remedy"] = "remedy"
    branch: str
    head: Revision | None = None
    """Commit that holds the remedy; None when it could not be made."""
    conflicts: tuple[str, ...] = ()
    """Files the remedy leaves as they are, because later changes stand in its way."""
    files: tuple[str, ...] = ()
    diff: EvidenceId | None = None
    problem: str = ""


class AuditIssue(Record):
    """One thing a reviewer would object to."""

    rule: str
    path: str
    line: int = Field(default=0, ge=0)
    message: str
    quote: str = ""


class AuditReceipt(Record):
    """What the audit looked at and what it found."""

    kind: Literal["audit"] = "audit"
    changed: tuple[str, ...] = ()
    unintended: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    """Changed paths that no remedy may touch."""
    issues: tuple[AuditIssue, ...] = ()
    scanned: int = Field(default=0, ge=0)
    """Files read."""
    unread: tuple[str, ...] = ()
    """Files that could not be read or parsed."""
    blind: tuple[str, ...] = ()
    """Changed Python files whose new text could not be read, so that no rule saw them."""
    evidence: EvidenceId | None = None


class Refusal(Record):
    """Claims of one answer that the gate did not let through, as the agent was told."""

    turn: int = Field(ge=1)
    reasons: tuple[str, ...]


class DispatchReceipt(Record):
    """What came of asking an agent."""

    kind: Literal["dispatch"] = "dispatch"
    agent: str
    answer: AnyAnswer | None = None
    """None when the dispatch is inconclusive."""
    problem: str = ""
    """Why there is no answer, in one sentence."""
    read: tuple[EvidenceId, ...] = ()
    """Evidence that was put before the agent, in the brief or by a tool."""
    refusals: tuple[Refusal, ...] = ()
    turns: int = Field(default=0, ge=0)
    usage: Usage = Usage()
    transcript: str = ""
    """File below the run folder."""
    digest: str = ""
    """SHA-256 of the transcript."""


class PushReceipt(Record):
    """Where the remote's branch stands now."""

    kind: Literal["push"] = "push"
    branch: str
    local_only: bool = False
    """Whether there is no remote to push to; the branch then stands in this repository alone."""
    remote_head: Revision | None = None
    problem: str = ""


class PullRequestReceipt(Record):
    """The pull request of a branch."""

    kind: Literal["pull_request"] = "pull_request"
    branch: str
    address: str
    """URL, or the file's path in the run folder for the local forge."""
    number: int | None = None
    draft: bool
    found: bool = False
    """Whether it was there already."""
    opened_by: str = ""
    """`run RUN on HOST` when another run opened it, whose file `address` is; empty when this one did."""
    problem: str = ""
    """Why other runs could not be asked whether they opened it already; empty when they could."""


AnyReceipt = Annotated[
    BaseReceipt
    | HistoryReceipt
    | WorktreeReceipt
    | DeployReceipt
    | StopReceipt
    | ProbeReceipt
    | CollectionReceipt
    | SuiteReceipt
    | CommitsReceipt
    | CommitProbeReceipt
    | HunkProbeReceipt
    | HunkFitReceipt
    | TraceReceipt
    | ChangeReceipt
    | RemedyReceipt
    | AuditReceipt
    | DispatchReceipt
    | PushReceipt
    | PullRequestReceipt,
    Field(discriminator="kind"),
]
