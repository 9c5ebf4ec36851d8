"""One event of every type, one effect and one receipt of every kind, every field filled in."""

from __future__ import annotations

from datetime import UTC, datetime

from goldenpath_loop.records import effects, receipts
from goldenpath_loop.records.agents import (
    Edit,
    Objection,
    Objections,
    ProposedFinding,
    ProposedFindings,
    ProposedOrder,
    ProposedPatch,
    PullRequestText,
)
from goldenpath_loop.records.effects import AnyEffect
from goldenpath_loop.records.events import (
    AnyEvent,
    ApprovalDecided,
    ApprovalRequested,
    ClockJumped,
    ControlRequested,
    CycleFinished,
    CycleStarted,
    DecisionMade,
    EffectFailed,
    EffectPutOff,
    EffectRequested,
    EffectSettled,
    EvidenceCaptured,
    FindingAppended,
    FindingRejected,
    LimitReached,
    LimitsChanged,
    PhaseFinished,
    PhaseStarted,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    UsageRecorded,
    UsageReserved,
    VerdictReached,
)
from goldenpath_loop.records.evidence import Citation, Evidence, Obtained
from goldenpath_loop.records.findings import (
    Cluster,
    Finding,
    LeftOut,
    Measurement,
    OperatorAction,
    Plan,
    PlannedSuite,
    Refuter,
    Verdict,
    WhyLink,
)
from goldenpath_loop.records.hand_off import ClusterStand, HandOff, LimitUse, RemedyStand
from goldenpath_loop.records.history import Commit, Hunk, TestHistory
from goldenpath_loop.records.policy import Limits, Settings
from goldenpath_loop.records.receipts import AnyReceipt
from goldenpath_loop.records.results import Failure, Signature, SuiteRun, TestResult
from goldenpath_loop.records.services import DependencyReport, ProbeReport, ServiceReport, StartReport
from goldenpath_loop.records.target import LoginSpec, ProbeSpec, ServiceSpec, TargetSpec
from goldenpath_loop.records.usage import Usage
from goldenpath_loop.testing import paper_policy

__all__ = ["EFFECTS", "EVENTS", "RECEIPTS"]

_REVISION, _OTHER = "a" * 40, "b" * 64
_AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
_TEST = 'tests/test_cart.py::test_total[ü-"quoted"-\\-\u2028]'
_OBTAINED = Obtained(how="git show", started_at=_AT, duration_s=0.5, exit_code=0, served_revision=_REVISION)
_FAILURE = Failure(
    exception="AssertionError",
    message="assert 1 == 2\n+ where ...\r\n\ttab \x1b[31m 🦊",
    path="tests/test_cart.py",
    line=7,
    function="test_total",
    frames=("cart.py:3:total", "tests/test_cart.py:7:test_total"),
)
_SIGNATURE = Signature(exception="AssertionError", place="cart.py::total", message="assert <n> == <n>")
_RESULTS = (
    TestResult(
        id=_TEST, outcome="red", duration_s=0.1, failure=_FAILURE, signature=_SIGNATURE, evidence="E1"
    ),
    TestResult(id="t::skipped", outcome="unresolved", stage="setup", not_run="skipped", reason="no docker"),
    TestResult(id="t::cut", outcome="timeout", stage="call"),
    TestResult(id="t::green", outcome="green"),
)
_RUN = SuiteRun(
    suite="unit",
    ended="hung",
    collected=(_TEST, "t::skipped"),
    results=_RESULTS,
    exit_code=-9,
    duration_s=12.25,
    revision_before=_REVISION,
    revision_after=_OTHER,
    hanging_test=_TEST,
    foreign_modules=("cart -> /elsewhere/cart.py",),
    problem="it hung",
    console="E2",
)
_REPORT = ServiceReport(
    service="edge",
    reports=(
        ProbeReport(
            probe="chat",
            kind="websocket",
            answered=False,
            summary="handshake refused: HTTP 200",
            status=200,
            latency_ms=1.5,
            dependencies=(DependencyReport(name="auth", status="up", response_time_ms=0.25),),
            quote="HTTP/1.1 200 OK",
            answers=("<html>",),
            evidence="E3",
        ),
    ),
    served_revision=_REVISION,
)
_COMMIT = Commit(
    revision=_REVISION,
    parents=(_OTHER,),
    subject="Say “hi”",
    author="Ada",
    committed_at=_AT,
    files=("cart.py",),
)
_HUNK = Hunk(path="cart.py", header="@@ -1 +1 @@", removed=("a\tb",), added=("c",), old_start=1, new_start=1)
_CITATION = Citation(evidence="E1", quote="assert 1 == 2", start=4, end=17)

_USAGE = Usage(prompt_tokens=10, cached_tokens=4, answer_tokens=3, cost_usd=0.25, is_estimated=True)
_EDIT = Edit(path="cart.py", search="a", replace="b")

EFFECTS: tuple[AnyEffect, ...] = (
    effects.DispatchAgent(
        key="c1/analyse/K1/1",
        agent="failure_analyst",
        subject="K1",
        inputs={"cluster": "K1"},
        opening=("E1",),
        revision=_REVISION,
        tests=(effects.Selection(suite="unit", tests=(_TEST,)),),
    ),
    effects.ApplyPatch(
        key="remedy/patch/1/K1/1",
        cluster="K1",
        dispatch="c1/fix/K1/1",
        diff="",
        edits=(_EDIT,),
        onto=_REVISION,
        branch="goldenpath/fix-x",
        tree="remedy-fix-x",
        message="Fix x",
    ),
    effects.InspectBase(key="base", branch="main", allow_dirty=True),
    effects.ReadHistory(key="history"),
    effects.PrepareWorktree(key="c1/tree", tree="cycle-1", revision=_REVISION),
    effects.Deploy(key="c1/deploy", deployment="staging", tree="cycle-1", revision=_REVISION, preview=True),
    effects.StopDeployment(key="c1/stop", deployment="staging"),
    effects.ProbeService(key="c1/probe/edge", deployment="staging", service="edge"),
    effects.CollectTests(key="c1/collect/unit", suite="unit", tree="cycle-1", deployment="staging"),
    effects.RunSuite(
        key="c1/execute/unit",
        suite="unit",
        tests=(_TEST,),
        tree="cycle-1",
        deployment="x",
        revision=_REVISION,
    ),
    effects.ListCommits(key="commits", bad=_REVISION, limit=10),
    effects.TraceTests(
        key="trace/aaaa",
        revision=_REVISION,
        protected=_OTHER,
        selections=(effects.Selection(suite="unit", tests=(_TEST,)),),
        paths=("shop/cart.py",),
    ),
    effects.FitHunks(key="fit/aaaa/bbbb", revision=_REVISION, commit=_OTHER),
    effects.ProbeHunks(
        key="hunks/aaaa/1+2/1",
        revision=_REVISION,
        commit=_OTHER,
        hunks=(1, 2),
        selections=(effects.Selection(suite="unit", tests=(_TEST,)),),
    ),
    effects.ProbeCommit(
        key="probe/aaaa/K1",
        revision=_REVISION,
        protected=_OTHER,
        selections=(effects.Selection(suite="unit", tests=(_TEST,)),),
        services=("edge",),
    ),
    effects.DescribeChange(key="change/aaaa", revision=_REVISION, tests=(_TEST,)),
    effects.RevertCommit(
        key="remedy/revert/aaaa", commit=_REVISION, onto=_OTHER, branch="b", tree="t", message="Revert\n\nIt."
    ),
    effects.ComposeRemedies(key="c2/tree", base=_REVISION, heads=(_OTHER,), tree="cycle-2"),
    effects.AuditTree(key="audit/R1", base=_REVISION, head=_OTHER, tree="t", intended=("cart.py",)),
    effects.PushBranch(key="push/b", branch="b", head=_REVISION),
    effects.OpenPullRequest(
        key="pull_request/b",
        branch="b",
        head=_REVISION,
        base_branch="main",
        title="T",
        body="B\n",
        draft=True,
    ),
)

_ANSWERS = (
    ProposedFindings(
        findings=(ProposedFinding(kind="observation", title="t", statement="s", citations=(_CITATION,)),)
    ),
    ProposedOrder(suites=("unit",), reasons={"unit": "r"}),
    Objections(
        objections=(Objection(link=1, refuter=Refuter(looked_for="l", found=True), statement="s"),),
        stood=(2,),
    ),
    ProposedPatch(edits=(_EDIT,), intended=("cart.py",), refuted_by="r"),
    PullRequestText(title="t", summary="s", review_hints=("h",)),
)

RECEIPTS: tuple[AnyReceipt, ...] = (
    *(
        receipts.DispatchReceipt(
            agent="a",
            answer=answer,
            read=("E1",),
            refusals=(receipts.Refusal(turn=1, reasons=("r",)),),
            turns=2,
            usage=_USAGE,
            transcript="transcripts/a.jsonl",
            digest="0" * 64,
        )
        for answer in _ANSWERS
    ),
    receipts.DispatchReceipt(agent="a", problem="p"),
    receipts.BaseReceipt(revision=_REVISION, dirty=("a b.py",), problem="p"),
    receipts.HistoryReceipt(
        tests=(
            TestHistory(
                id=_TEST,
                runs=3,
                reds=1,
                last_outcome="red",
                last_green_revision=_OTHER,
                last_run_at=_AT,
                mean_duration_s=0.125,
                evidence="E9",
            ),
        ),
        runs=3,
    ),
    receipts.WorktreeReceipt(tree="cycle-1", revision=_REVISION, problem="p"),
    receipts.DeployReceipt(
        deployment="staging",
        revision=_REVISION,
        starts=(
            StartReport(
                service="edge", started=False, url="http://x", summary="s", exit_code=78, quote="q", log="E4"
            ),
        ),
        problem="p",
        output="E5",
    ),
    receipts.StopReceipt(deployment="staging"),
    receipts.ProbeReceipt(report=_REPORT),
    receipts.CollectionReceipt(tests=(_TEST,), run=_RUN),
    receipts.SuiteReceipt(run=_RUN),
    receipts.CommitsReceipt(commits=(_COMMIT,), complete=False, evidence="E6"),
    receipts.TraceReceipt(
        revision=_REVISION,
        files=(
            receipts.ExecutedFile(
                path="shop/cart.py",
                lines=(receipts.ExecutedLine(line=3, failed=1, passed=2, in_function=True),),
            ),
        ),
        failing=1,
        evidence="E8",
        problem="p",
    ),
    receipts.HunkFitReceipt(misfits=(receipts.HunkMisfit(number=2, problem="p"),), bound=((0, 1),)),
    receipts.HunkProbeReceipt(revision=_REVISION, runs=(_RUN,), patch="E7", problem="p"),
    receipts.CommitProbeReceipt(revision=_REVISION, runs=(_RUN,), services=(_REPORT,), problem="p"),
    receipts.ChangeReceipt(
        commit=_COMMIT,
        hunks=(_HUNK,),
        origins=(
            receipts.TestOrigin(
                id=_TEST, existed=True, first_commit=_OTHER, first_committed_at=_AT, changed_along=True
            ),
        ),
        diff="E7",
        origins_evidence="E8",
    ),
    receipts.RemedyReceipt(
        branch="b", head=_REVISION, conflicts=("c.py",), files=("cart.py",), diff="E9", problem="p"
    ),
    receipts.AuditReceipt(
        changed=("cart.py",),
        unintended=("x.py",),
        protected=("tests/t.py",),
        issues=(receipts.AuditIssue(rule="r", path="cart.py", line=3, message="m", quote="q"),),
        scanned=4,
        unread=("y.py",),
        evidence="E10",
    ),
    receipts.PushReceipt(branch="b", local_only=True, remote_head=_REVISION, problem="p"),
    receipts.PullRequestReceipt(
        branch="b",
        address="https://x/1",
        number=1,
        draft=True,
        found=True,
        opened_by="run r on h",
        problem="p",
    ),
)

_CLUSTER = Cluster(id="K1", signature=_SIGNATURE, suites=("unit",), tests=(_TEST,))
_FINDING = Finding(
    id="F1",
    kind="why_chain",
    title="t",
    statement="s",
    cluster="K1",
    citations=(_CITATION,),
    chain=(
        WhyLink(
            kind="intervention",
            effect="e",
            cause="c",
            effect_citation=_CITATION,
            cause_citation=_CITATION,
            refuter=Refuter(looked_for="l", found=False, citation=_CITATION),
            measured_by=("probe/aaaa/K1",),
        ),
    ),
    hypotheses=("h",),
    action=OperatorAction(instruction="i", service="edge", setting="S"),
)
_SERVICE = ServiceSpec(
    name="edge",
    start=("{python}", "-m", "edge"),
    env={"PORT": "{port}"},
    probes=(
        ProbeSpec(
            name="chat",
            kind="websocket",
            login=LoginSpec.model_validate({"url": "http://x/login", "json": {"user": "u"}}),
        ),
    ),
)

EVENTS: tuple[AnyEvent, ...] = (
    RunStarted(
        run="r",
        version="0",
        root="/r",
        config_file="/r/goldenpath.toml",
        focus="goldenpath",
        settings=Settings(target=TargetSpec(name="paper"), services=(_SERVICE,)),
        policy=paper_policy(),
        agents={"a.toml": "0"},
        allow_dirty=True,
        platform="p",
    ),
    RunPaused(reason="SIGINT", causes=("V1",)),
    RunResumed(version="1", torn_bytes=3, behind_s=12.5),
    RunFinished(
        outcome="blocked",
        reason="r",
        exit_code=10,
        next_actions=("a",),
        hand_off=HandOff(
            reached=("attempts/K1", "duration_s"),
            ended_by="duration_s",
            spent=(LimitUse(limit="duration_s", allowed=60.5, used=61.0),),
            cycle=1,
            phase="five_whys",
            unfinished=("k",),
            clusters=(
                ClusterStand(
                    cluster="K1",
                    test=_TEST,
                    tests=2,
                    stage="triaged",
                    statement="s",
                    left=3,
                    newest=_REVISION,
                    oldest=_REVISION,
                    culprit=_REVISION,
                ),
            ),
            remedies=(RemedyStand(remedy="R1", branch="b", head=_REVISION, clusters=("K1",)),),
            while_it_ran="loop limits r --set duration=2m",
            next_run="GOLDENPATH_LIMITS__DURATION_S=120 loop start",
        ),
    ),
    CycleStarted(cycle=2, remedies=("R1",)),
    CycleFinished(cycle=2, summary="s"),
    PhaseStarted(cycle=1, phase="execute", attempt=2),
    PhaseFinished(cycle=1, phase="execute", attempt=2, result="nothing_to_do", summary="s"),
    DecisionMade(
        cycle=1,
        phase="test_select",
        subject="plan",
        choice="run",
        reason="r",
        plan=Plan(
            suites=(PlannedSuite(suite="unit", tests=(_TEST,), reason="r", whole=True),),
            left_out=(LeftOut(suite="e2e", reason="r", services=("edge",)),),
        ),
        clusters=(_CLUSTER,),
    ),
    *(EffectRequested(effect=effect) for effect in EFFECTS),
    *(EffectSettled(key="k", receipt=one, evidence=("E1",), duration_s=0.5) for one in RECEIPTS),
    EffectPutOff(key="k"),
    EffectFailed(key="k", error="e", advice="a", duration_s=1.0),
    EvidenceCaptured(
        evidence=Evidence(
            id="E1",
            kind="diff",
            digest="0" * 64,
            size_bytes=3,
            subject="s",
            obtained=_OBTAINED,
            redactions=1,
        ),
        effect="k",
    ),
    FindingAppended(finding=_FINDING, causes=("E1",)),
    FindingRejected(proposed=_FINDING, reasons=("r",)),
    VerdictReached(
        verdict=Verdict(
            id="V1",
            kind="triage",
            subject="K1",
            value="flaky",
            statement="s",
            measurements=(
                Measurement(name="n", value=1, unit="s"),
                Measurement(name="n", value=0.5),
                Measurement(name="n", value="w"),
                Measurement(name="n", value=True),
            ),
            because=("k",),
            revision=_REVISION,
        )
    ),
    UsageReserved(dispatch="c1/analyse/K1/1", call=1, model="m", most=_USAGE),
    UsageRecorded(dispatch="c1/analyse/K1/1", call=1, usage=_USAGE, duration_s=0.5, problem="cut off"),
    LimitsChanged(limits=Limits(cost_usd=5.5), by="ada@host"),
    ApprovalRequested(effect=EFFECTS[0]),
    ApprovalDecided(key="push/x", approved=True, by="ada@host", reason="r"),
    LimitReached(limit="duration_s", allowed=1.0, used=2.5),
    ClockJumped(by_s=-28800.25),
    ControlRequested(request="pause_now", by="ada"),
)
