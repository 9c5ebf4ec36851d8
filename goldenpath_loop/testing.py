"""A target on paper: answers every effect from a few facts, for tests that are about decisions.

It speaks the real receipts and stores real evidence through the real session, so everything from `decide` to
the gate runs as it does in life; only the world is made up. Real edges have tests of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from goldenpath_loop.errors import WorldError
from goldenpath_loop.records import effects as asked
from goldenpath_loop.records import receipts
from goldenpath_loop.records.events import RunStarted
from goldenpath_loop.records.evidence import Obtained
from goldenpath_loop.records.history import Commit, Hunk
from goldenpath_loop.records.policy import Limits, Policy
from goldenpath_loop.records.results import Failure, SuiteRun, TestResult
from goldenpath_loop.records.target import DeploySpec, FocusSpec, SuiteSpec, TargetSpec
from goldenpath_loop.science.signature import signature_of
from goldenpath_loop.session.witness import Witness

__all__ = ["PaperTarget", "paper_policy", "paper_run"]

_DAY_ONE = datetime(2026, 1, 1, tzinfo=UTC)


def paper_policy(*, limits: Limits | None = None, jobs: int = 1) -> Policy:
    """A policy for a target without services: one P1 suite called `unit`, one focus called `goldenpath`."""
    return Policy(
        target=TargetSpec(name="paper"),
        deploy=DeploySpec(),
        services=(),
        suites=(SuiteSpec(name="unit", path="tests", priority=1, value_at_risk_usd=1000),),
        focus=FocusSpec(name="goldenpath"),
        gates={f"P{level}": 0.0 for level in range(1, 7)},
        limits=limits or Limits(),
        jobs=jobs,
    )


def paper_run(policy: Policy) -> RunStarted:
    """The first event of a run on paper."""
    return RunStarted(
        run="paper", version="0", root="", config_file="", focus=policy.focus.name, policy=policy
    )


@dataclass(slots=True)
class PaperTarget:
    """A repository of `commits` commits whose tests turn red at `culprit`.

    Args:
        commits: How many commits there are, root included.
        culprit: Which commit broke the tests, counted from the root; None when nothing is broken.
        tests: Test ids of the one suite.
        broken: Which of them fail.
        dead: Commits, counted from the root, that cannot be tested at all.
        side_effect: A test that only fails once the culprit is reverted; the repair costs it.
        conflict: Whether reverting the culprit conflicts.
    """

    commits: int = 16
    culprit: int | None = 9
    tests: Sequence[str] = ("tests/test_cart.py::test_total", "tests/test_cart.py::test_empty")
    broken: Sequence[str] = ("tests/test_cart.py::test_total",)
    dead: frozenset[int] = frozenset()
    side_effect: str = ""
    conflict: bool = False
    hunks: int = 1
    """How many hunks the culprit's change has; none of them can be taken back alone."""
    performed: list[str] = field(default_factory=list)
    """Keys of everything that was asked, in order."""
    trees: dict[str, str] = field(default_factory=dict)

    def revision(self, number: int) -> str:
        """Commit id of the commit that is `number` from the root."""
        return f"{number:012x}".ljust(40, "0")

    def _number(self, revision: str) -> int:
        return int(revision[:12], 16)

    @property
    def head(self) -> str:
        """Commit id of base."""
        return self.revision(self.commits - 1)

    @property
    def repaired(self) -> str:
        """Commit id of base with the culprit reverted."""
        return self.revision(0xF00D)

    def is_red(self, revision: str, test: str) -> bool:
        """Whether `test` fails on `revision`."""
        if revision == self.repaired:
            return test == self.side_effect
        return self.culprit is not None and self._number(revision) >= self.culprit and test in self.broken

    async def perform(self, effect: asked.AnyEffect, witness: Witness) -> receipts.AnyReceipt:
        """Answer one effect as a real target of this kind would."""
        self.performed.append(effect.key)
        match effect:
            case asked.InspectBase():
                return receipts.BaseReceipt(revision=self.head)
            case asked.ReadHistory():
                return receipts.HistoryReceipt()
            case asked.PrepareWorktree():
                self.trees[effect.tree] = effect.revision
                return receipts.WorktreeReceipt(tree=effect.tree, revision=effect.revision)
            case asked.ComposeRemedies():
                self.trees[effect.tree] = effect.heads[-1]
                return receipts.WorktreeReceipt(tree=effect.tree, revision=effect.heads[-1])
            case asked.CollectTests():
                run = SuiteRun(suite=effect.suite, ended="completed", collected=tuple(self.tests))
                return receipts.CollectionReceipt(tests=tuple(self.tests), run=run)
            case asked.RunSuite():
                tests = effect.tests or tuple(self.tests)
                return receipts.SuiteReceipt(
                    run=await self._run(effect.suite, effect.revision, tests, witness)
                )
            case asked.ListCommits():
                listed = tuple(self._commit(number) for number in reversed(range(self.commits)))
                return receipts.CommitsReceipt(commits=listed)
            case asked.ProbeCommit():
                return await self._probe(effect, witness)
            case asked.DescribeChange():
                return await self._describe(effect, witness)
            case asked.RevertCommit():
                return self._revert(effect)
            case asked.AuditTree():
                return receipts.AuditReceipt(changed=effect.intended, scanned=1)
            case asked.PushBranch():
                return receipts.PushReceipt(branch=effect.branch, remote_head=effect.head)
            case asked.OpenPullRequest():
                return receipts.PullRequestReceipt(
                    branch=effect.branch, address="pull_request.md", draft=effect.draft
                )
            case asked.Deploy() | asked.StopDeployment() | asked.ProbeService():
                raise WorldError("a target on paper has no services", where=effect.key)
            case asked.TraceTests():
                return receipts.TraceReceipt(revision=effect.revision, problem="paper has no lines")
            case asked.ProbeHunks() | asked.FitHunks() | asked.ApplyPatch() | asked.DispatchAgent():
                raise WorldError("a target on paper has no files", where=effect.key)

    async def _run(self, suite: str, revision: str, tests: Sequence[str], witness: Witness) -> SuiteRun:
        results = [await self._result(revision, test, witness) for test in tests]
        return SuiteRun(suite=suite, ended="completed", collected=tuple(tests), results=tuple(results))

    async def _result(self, revision: str, test: str, witness: Witness) -> TestResult:
        if not self.is_red(revision, test):
            return TestResult(id=test, outcome="green", duration_s=0.01)
        path, _, function = test.partition("::")
        failure = Failure(
            exception="AssertionError",
            message="assert total == 3",
            path=path,
            line=7,
            function=function,
            frames=(f"{path}:7:{function}",),
        )
        evidence = await witness.capture(
            "test_result",
            f"test: {test}\noutcome: red\n--- failure ---\n{failure.exception}: {failure.message}\n".encode(),
            subject=test,
            obtained=self._obtained("pytest"),
        )
        return TestResult(
            id=test,
            outcome="red",
            duration_s=0.01,
            failure=failure,
            signature=signature_of(failure),
            evidence=evidence,
        )

    async def _probe(self, effect: asked.ProbeCommit, witness: Witness) -> receipts.CommitProbeReceipt:
        if self._number(effect.revision) in self.dead:
            return receipts.CommitProbeReceipt(revision=effect.revision, problem="it does not import")
        runs = [
            await self._run(chosen.suite, effect.revision, chosen.tests, witness)
            for chosen in effect.selections
        ]
        return receipts.CommitProbeReceipt(revision=effect.revision, runs=tuple(runs))

    async def _describe(self, effect: asked.DescribeChange, witness: Witness) -> receipts.ChangeReceipt:
        diff = await witness.capture(
            "diff",
            f"commit {effect.revision}\n@@ -1 +1 @@\n-total = sum(prices)\n+total = len(prices)\n".encode(),
            subject=effect.revision,
            obtained=self._obtained("git show"),
        )
        history = "".join(f"{test.split('::')[0]}: existed before the change\n" for test in effect.tests)
        origins = await witness.capture(
            "history", history.encode(), subject=effect.revision, obtained=self._obtained("git log")
        )
        return receipts.ChangeReceipt(
            commit=self._commit(self._number(effect.revision)),
            hunks=tuple(
                Hunk(
                    path="cart.py",
                    header=f"@@ -{line} +{line} @@",
                    removed=("total = sum(prices)",),
                    added=("total = len(prices)",),
                    old_start=line,
                    new_start=line,
                )
                for line in range(1, self.hunks + 1)
            ),
            origins=tuple(receipts.TestOrigin(id=test, existed=True) for test in effect.tests),
            diff=diff,
            origins_evidence=origins,
        )

    def _revert(self, effect: asked.RevertCommit) -> receipts.RemedyReceipt:
        if self.conflict:
            return receipts.RemedyReceipt(
                branch=effect.branch, conflicts=("cart.py",), problem="the revert conflicts"
            )
        self.trees[effect.tree] = self.repaired
        return receipts.RemedyReceipt(branch=effect.branch, head=self.repaired, files=("cart.py",))

    def _commit(self, number: int) -> Commit:
        return Commit(
            revision=self.revision(number),
            parents=(self.revision(number - 1),) if number else (),
            subject=f"Change {number}",
            author="Ada",
            committed_at=_DAY_ONE + timedelta(days=number),
            files=("cart.py",),
        )

    def _obtained(self, how: str) -> Obtained:
        return Obtained(how=how, started_at=_DAY_ONE, duration_s=0.01)
