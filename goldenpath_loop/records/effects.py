"""Every touch of the world the loop can ask for, as data.

An effect says what it is to be done, never how. `on_crash` says what a resume does with one that was
requested and never settled: `repeat` it (measurements), `reconcile` it (changes: the performer first asks
the world whether it happened), or `ask` a person.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from goldenpath_loop.records.agents import Edit
from goldenpath_loop.records.base import (
    EffectKey,
    EvidenceId,
    Record,
    Revision,
    ServiceName,
    SuiteName,
    TestId,
)

__all__ = [
    "AnyEffect",
    "ApplyPatch",
    "AuditTree",
    "Change",
    "CollectTests",
    "ComposeRemedies",
    "Deploy",
    "DescribeChange",
    "DispatchAgent",
    "Effect",
    "FitHunks",
    "InspectBase",
    "ListCommits",
    "OnCrash",
    "OpenPullRequest",
    "PrepareWorktree",
    "ProbeCommit",
    "ProbeHunks",
    "ProbeService",
    "PushBranch",
    "ReadHistory",
    "RevertCommit",
    "RunSuite",
    "Selection",
    "StopDeployment",
    "TraceTests",
    "effect_adapter",
]

OnCrash = Literal["repeat", "reconcile", "ask"]


class Effect(Record):
    """What all effects share."""

    key: EffectKey

    @property
    def on_crash(self) -> OnCrash:
        """What a resume does when this was requested and nobody knows how it ended."""
        return "repeat"


class Change(Effect):
    """An effect after which something is different: its performer looks at the world first."""

    @property
    def on_crash(self) -> OnCrash:
        """Ask the world, then do what is left to do."""
        return "reconcile"


class Selection(Record):
    """Some tests of one suite."""

    suite: SuiteName
    tests: tuple[TestId, ...]


class InspectBase(Effect):
    """Read the repository: is it one, is the checkout clean, which commit is the base."""

    kind: Literal["inspect_base"] = "inspect_base"
    branch: str
    allow_dirty: bool = False


class ReadHistory(Effect):
    """Read what earlier runs of this target measured."""

    kind: Literal["read_history"] = "read_history"


class PrepareWorktree(Change):
    """A worktree of the run's own at `revision`."""

    kind: Literal["prepare_worktree"] = "prepare_worktree"
    tree: str
    revision: Revision


class Deploy(Effect):
    """Bring `revision` to where tests and probes can reach it.

    A preview runs beside everything else on free ports; what is not a preview is the deployed system itself.
    """

    kind: Literal["deploy"] = "deploy"
    deployment: str
    tree: str
    revision: Revision
    preview: bool
    can_be_asked: bool = True
    """Whether the system itself tells which revision it serves, or dies with the engine anyway."""

    @property
    def on_crash(self) -> OnCrash:
        """A system that cannot be asked what it serves may have been deployed or not: a person has to look."""
        return "reconcile" if self.can_be_asked else "ask"


class StopDeployment(Change):
    """End a preview and everything it started."""

    kind: Literal["stop_deployment"] = "stop_deployment"
    deployment: str


class ProbeService(Effect):
    """Put all probes of one service at once."""

    kind: Literal["probe_service"] = "probe_service"
    deployment: str
    service: ServiceName


class CollectTests(Effect):
    """Ask a suite which tests it has, without running them."""

    kind: Literal["collect_tests"] = "collect_tests"
    suite: SuiteName
    tree: str
    deployment: str = ""


class RunSuite(Effect):
    """Run tests of one suite against a deployment, from a tree."""

    kind: Literal["run_suite"] = "run_suite"
    suite: SuiteName
    tests: tuple[TestId, ...] = ()
    """Tests to run, in order; empty means all of the suite."""
    tree: str
    deployment: str = ""
    revision: Revision


class ListCommits(Effect):
    """First-parent history that leads to `bad`, newest first."""

    kind: Literal["list_commits"] = "list_commits"
    bad: Revision
    limit: int = Field(default=2000, ge=1)
    without: Revision | None = None
    """Leave out what leads to this one: of a merge's second parent and its first, that is the merged branch."""


class ProbeCommit(Effect):
    """Run tests on a commit as it would have been: own tree, own preview, tests of `protected` carried along."""

    kind: Literal["probe_commit"] = "probe_commit"
    revision: Revision
    protected: Revision
    selections: tuple[Selection, ...]
    services: tuple[ServiceName, ...] = ()
    """Services whose probes are put as well, so that answers can be compared between commits."""


class ProbeHunks(Effect):
    """Run tests on `revision` with some hunks of `commit` taken back, merged with what came later."""

    kind: Literal["probe_hunks"] = "probe_hunks"
    revision: Revision
    commit: Revision
    hunks: tuple[int, ...]
    """Numbers of the parts of the commit's hunks, in the order of its change."""
    cut: int = 1
    """The way of cutting hunks into parts that the numbers speak of."""
    selections: tuple[Selection, ...]


class FitHunks(Effect):
    """Find out which hunks of `commit` can be taken back on `revision`, without running anything."""

    kind: Literal["fit_hunks"] = "fit_hunks"
    revision: Revision
    commit: Revision


class TraceTests(Effect):
    """Run tests on a commit once more and note which lines of `paths` the failing ones run."""

    kind: Literal["trace_tests"] = "trace_tests"
    revision: Revision
    protected: Revision
    selections: tuple[Selection, ...]
    paths: tuple[str, ...]


class DescribeChange(Effect):
    """Read what one commit changed, and whether the named tests were there already."""

    kind: Literal["describe_change"] = "describe_change"
    revision: Revision
    tests: tuple[TestId, ...] = ()


class RevertCommit(Change):
    """Make the remedy: `commit` or part of it reverted on top of `onto`, in a worktree of its own, for a branch."""

    kind: Literal["revert_commit"] = "revert_commit"
    commit: Revision
    onto: Revision
    branch: str
    tree: str
    message: str
    hunks: tuple[int, ...] = ()
    """Only these parts of the commit's hunks; empty for all of it."""


class ComposeRemedies(Change):
    """Base plus every remedy so far, as one revision to test."""

    kind: Literal["compose_remedies"] = "compose_remedies"
    base: Revision
    heads: tuple[Revision, ...]
    tree: str


class ApplyPatch(Change):
    """Make the remedy: a patch that an agent proposed, on top of `onto`, in a worktree of its own, for a branch."""

    kind: Literal["apply_patch"] = "apply_patch"
    cluster: str
    """What it is to cure."""
    dispatch: EffectKey
    """Where it was proposed."""
    diff: str = ""
    edits: tuple[Edit, ...] = ()
    onto: Revision
    branch: str
    tree: str
    message: str


class DispatchAgent(Effect):
    """Ask one agent of the team about one subject."""

    kind: Literal["dispatch_agent"] = "dispatch_agent"
    agent: str
    subject: str
    """Cluster, remedy or phase it is about."""
    inputs: dict[str, str]
    """What fills its prompt, beside the list of evidence and the schema of the answer."""
    opening: tuple[EvidenceId, ...] = ()
    """Evidence that opens the brief."""
    revision: Revision
    """What the subject was measured on; the source that the agent reads."""
    tests: tuple[Selection, ...] = ()
    """What a candidate patch has to make pass."""


class AuditTree(Effect):
    """Look at what changed between two revisions with the eyes of a reviewer."""

    kind: Literal["audit_tree"] = "audit_tree"
    base: Revision
    head: Revision
    tree: str
    intended: tuple[str, ...]
    """Paths the remedy means to touch."""


class PushBranch(Change):
    """Push one branch of ours to the remote."""

    kind: Literal["push_branch"] = "push_branch"
    branch: str
    head: Revision


class OpenPullRequest(Change):
    """Open or find the pull request of one branch."""

    kind: Literal["open_pull_request"] = "open_pull_request"
    branch: str
    head: Revision
    base_branch: str
    title: str
    body: str
    draft: bool
    is_pushed: bool = True
    """Whether the branch stands on the remote; without one it stands in this repository alone."""


AnyEffect = Annotated[
    InspectBase
    | ReadHistory
    | PrepareWorktree
    | Deploy
    | StopDeployment
    | ProbeService
    | CollectTests
    | RunSuite
    | ListCommits
    | ProbeCommit
    | ProbeHunks
    | FitHunks
    | TraceTests
    | DescribeChange
    | RevertCommit
    | ComposeRemedies
    | AuditTree
    | ApplyPatch
    | DispatchAgent
    | PushBranch
    | OpenPullRequest,
    Field(discriminator="kind"),
]

effect_adapter: TypeAdapter[AnyEffect] = TypeAdapter(AnyEffect)
