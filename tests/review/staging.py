"""A chat platform on paper with three services; the real engine works through it and writes real logs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from goldenpath_loop.engine.loop import Engine
from goldenpath_loop.engine.units import LocalWorkers
from goldenpath_loop.engine.witness import SessionWitness
from goldenpath_loop.records import effects as asked
from goldenpath_loop.records import receipts
from goldenpath_loop.records.effects import AnyEffect
from goldenpath_loop.records.events import RunStarted
from goldenpath_loop.records.evidence import EvidenceKind
from goldenpath_loop.records.history import Commit, TestHistory
from goldenpath_loop.records.line import Line
from goldenpath_loop.records.policy import Limits, Policy
from goldenpath_loop.records.receipts import AnyReceipt
from goldenpath_loop.records.results import Failure, SuiteRun, TestResult
from goldenpath_loop.records.services import DependencyReport, ProbeReport, ServiceReport, StartReport
from goldenpath_loop.records.target import (
    DeploySpec,
    FocusSpec,
    ProbeSpec,
    ServiceSpec,
    SuiteSpec,
    TargetSpec,
)
from goldenpath_loop.science.signature import signature_of
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.session import Session
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.testing import PaperTarget

__all__ = ["RUN", "Staging", "staging_policy", "write_run"]

RUN = "20260102-030405-goldenpath"

SUITES = {
    "critical-path": (
        "tests/e2e/test_critical_path.py::test_health",
        "tests/e2e/test_critical_path.py::test_page",
    ),
    "websocket-events": (
        "tests/e2e/test_websocket_events.py::test_five_events",
        "tests/e2e/test_websocket_events.py::test_order[en]",
        "tests/e2e/test_websocket_events.py::test_close",
        "tests/e2e/test_websocket_events.py::test_skipped",
    ),
    "auth-routes": ("tests/e2e/test_auth_routes.py::test_login",),
}
_SOCKET_TESTS = SUITES["websocket-events"][:3]


def staging_policy(*, limits: Limits | None = None) -> Policy:
    """Three services, three suites of two priorities; auth may be missing."""
    health = ProbeSpec(name="health", kind="http", path="/health")
    chat = ProbeSpec(name="chat", kind="websocket", path="/ws/chat", subprotocols=("chat.v1",))
    start = ("{python}", "-m")
    return Policy(
        target=TargetSpec(name="chat"),
        deploy=DeploySpec(adapter="process", env_file="../staging.env"),
        services=(
            ServiceSpec(name="auth", start=(*start, "auth"), critical=False, probes=(health,)),
            ServiceSpec(name="backend", start=(*start, "backend"), probes=(health,)),
            ServiceSpec(name="edge", start=(*start, "edge"), probes=(health, chat)),
        ),
        suites=(
            SuiteSpec(name="critical-path", path="t", priority=1, needs=("edge",), value_at_risk_usd=90_000),
            SuiteSpec(
                name="websocket-events",
                path="t",
                priority=1,
                needs=("edge",),
                value_at_risk_usd=120_000,
                may_skip=("*::test_skipped",),
            ),
            SuiteSpec(name="auth-routes", path="t", priority=3, needs=("auth",), value_at_risk_usd=40_000),
        ),
        focus=FocusSpec(name="goldenpath"),
        gates={"P1": 0.0, "P2": 0.05, "P3": 0.1},
        limits=limits or Limits(),
        jobs=2,
    )


@dataclass(slots=True)
class Staging(PaperTarget):
    """The platform. Since the tenth commit the edge answers a chat handshake with a JSON body.

    Args:
        auth_starts: Whether the auth service has the setting it needs.
        said: What the failing tests say; may be as nasty as text from outside can be.
        subject: Subject of the culprit commit.
        known: Whether earlier runs have seen the tests green.
        address: Where its pull requests are.
        opened_by: Which other run opened them; empty when this one does.
        unasked: Why other runs could not be asked.
        renamed: Gives tests other ids.
    """

    auth_starts: bool = True
    said: str = "InvalidStatus: server rejected WebSocket connection: HTTP 200"
    subject: str = "Consolidate paths and route registration"
    known: bool = True
    address: str = "pull_request.md"
    opened_by: str = ""
    unasked: str = ""
    renamed: Callable[[str], str] = str
    deployed: dict[str, str] = field(default_factory=dict)

    def is_red(self, revision: str, test: str) -> bool:
        if revision == self.repaired or self.culprit is None:
            return False
        return self._number(revision) >= self.culprit and test in map(self.renamed, _SOCKET_TESTS)

    async def perform(self, effect: AnyEffect, witness: Witness) -> AnyReceipt:
        match effect:
            case asked.ReadHistory():
                return self._history()
            case asked.CollectTests():
                tests = self._tests(effect.suite)
                run = SuiteRun(suite=effect.suite, ended="completed", collected=tests)
                return receipts.CollectionReceipt(tests=tests, run=run)
            case asked.RunSuite():
                tests = effect.tests or self._tests(effect.suite)
                run = await self._run(effect.suite, effect.revision, tests, witness)
                return receipts.SuiteReceipt(run=run)
            case asked.Deploy():
                return await self._deploy(effect, witness)
            case asked.StopDeployment():
                return receipts.StopReceipt(deployment=effect.deployment)
            case asked.ProbeService():
                report = await self._probe_service(effect.service, self.deployed[effect.deployment], witness)
                return receipts.ProbeReceipt(report=report)
            case asked.ProbeCommit():
                receipt = await PaperTarget.perform(self, effect, witness)
                assert isinstance(receipt, receipts.CommitProbeReceipt)
                asking = [
                    await self._probe_service(name, effect.revision, witness) for name in effect.services
                ]
                return receipt.model_copy(update={"services": tuple(asking)})
            case asked.OpenPullRequest(branch=branch, draft=draft):
                return receipts.PullRequestReceipt(
                    branch=branch,
                    address=self.address,
                    draft=draft,
                    opened_by=self.opened_by,
                    problem=self.unasked,
                )
            case asked.ListCommits() | asked.DescribeChange():
                receipt = await PaperTarget.perform(self, effect, witness)
                return self._with_subject(receipt)
            case _:
                return await PaperTarget.perform(self, effect, witness)

    def _tests(self, suite: str) -> tuple[str, ...]:
        return tuple(map(self.renamed, SUITES[suite]))

    def _history(self) -> receipts.HistoryReceipt:
        if not self.known:
            return receipts.HistoryReceipt()
        # A test that has always skipped itself never gave a verdict, so history does not know it.
        tests = [test for suite in SUITES for test in self._tests(suite) if "test_skipped" not in test]
        return receipts.HistoryReceipt(
            runs=3, tests=tuple(TestHistory(id=test, runs=3, reds=0, last_outcome="green") for test in tests)
        )

    def _with_subject(self, receipt: AnyReceipt) -> AnyReceipt:
        def named(commit: Commit) -> Commit:
            if self.culprit is None or commit.revision != self.revision(self.culprit):
                return commit
            return commit.model_copy(update={"subject": self.subject})

        if isinstance(receipt, receipts.CommitsReceipt):
            return receipt.model_copy(update={"commits": tuple(map(named, receipt.commits))})
        assert isinstance(receipt, receipts.ChangeReceipt)
        return receipt.model_copy(update={"commit": named(receipt.commit)})

    async def _deploy(self, effect: asked.Deploy, witness: Witness) -> receipts.DeployReceipt:
        self.deployed[effect.deployment] = effect.revision
        starts = [
            StartReport(
                service=name, started=True, url=f"http://127.0.0.1:80/{name}", summary="ready in 0.4 s"
            )
            for name in ("auth", "backend", "edge")
        ]
        if not self.auth_starts:
            quote = "auth: SERVICE_SECRET is not set"
            log = await self._keep(witness, "service_log", quote + "\n", "log of auth")
            starts[0] = StartReport(
                service="auth",
                started=False,
                summary="exited with 78 before it was ready",
                exit_code=78,
                quote=quote,
                log=log,
            )
        return receipts.DeployReceipt(
            deployment=effect.deployment, revision=effect.revision, starts=tuple(starts)
        )

    async def _probe_service(self, name: str, revision: str, witness: Witness) -> ServiceReport:
        if name == "auth" and not self.auth_starts:
            health = "no answer: connection refused"
            evidence = await self._keep(witness, "http_exchange", health + "\n", "probe auth.health")
            setting = "setting SERVICE_SECRET: not set"
            missing = await self._keep(witness, "setting", setting + "\n", "settings of auth")
            return ServiceReport(
                service=name,
                reports=(
                    ProbeReport(
                        probe="health",
                        kind="http",
                        answered=False,
                        summary=health,
                        quote=health,
                        evidence=evidence,
                    ),
                    ProbeReport(
                        probe="SERVICE_SECRET",
                        kind="setting",
                        answered=False,
                        summary="not set",
                        quote=setting,
                        evidence=missing,
                    ),
                ),
            )
        text = f"GET /health\nHTTP/1.1 200 OK\nrevision: {revision}\n"
        healthy = ProbeReport(
            probe="health",
            kind="http",
            answered=True,
            summary="200 in 12 ms",
            status=200,
            latency_ms=12.0,
            dependencies=(DependencyReport(name="store", status="healthy", response_time_ms=2.0),),
            quote="HTTP/1.1 200 OK",
            answers=("HTTP/1.1 200 OK",),
            evidence=await self._keep(witness, "http_exchange", text, f"probe {name}.health"),
        )
        reports = (healthy, await self._handshake(revision, witness)) if name == "edge" else (healthy,)
        return ServiceReport(service=name, reports=reports, served_revision=revision)

    async def _handshake(self, revision: str, witness: Witness) -> ProbeReport:
        red = self.is_red(revision, self.renamed(_SOCKET_TESTS[0]))
        line = (
            "handshake: refused with HTTP 200 application/json"
            if red
            else "handshake: accepted, subprotocol chat.v1"
        )
        text = f"GET /ws/chat\nupgrade: websocket\n\n{line}\n"
        return ProbeReport(
            probe="chat",
            kind="websocket",
            answered=not red,
            summary="handshake refused: HTTP 200 application/json" if red else "open after 9 ms, chat.v1",
            status=200 if red else 101,
            latency_ms=9.0,
            quote=line,
            answers=(line,),
            evidence=await self._keep(witness, "websocket_handshake", text, "probe edge.chat"),
        )

    async def _keep(self, witness: Witness, kind: EvidenceKind, text: str, subject: str) -> str:
        return await witness.capture(kind, text.encode(), subject=subject, obtained=self._obtained("probe"))

    async def _result(self, revision: str, test: str, witness: Witness) -> TestResult:
        if test == self.renamed(SUITES["websocket-events"][3]):
            return TestResult(id=test, outcome="unresolved", not_run="skipped", reason="needs | a browser")
        path, _, function = test.partition("::")
        failure = Failure(
            exception="InvalidStatus",
            message=self.said,
            path=path,
            line=7,
            function=function,
            frames=(f"{path}:7:{function}",),
        )
        red = self.is_red(revision, test)
        witness.progress(f"{'red' if red else 'green'} {test} 0.01 s")
        text = f"test: {test}\noutcome: {'red' if red else 'green'}\n" + (f"{self.said}\n" if red else "")
        evidence = await witness.capture(
            "test_result", text.encode(), subject=test, obtained=self._obtained("python -m pytest")
        )
        return TestResult(
            id=test,
            outcome="red" if red else "green",
            duration_s=0.01,
            failure=failure if red else None,
            signature=signature_of(failure) if red else None,
            evidence=evidence,
        )


async def write_run(
    folder: RunFolder,
    target: Staging,
    *,
    policy: Policy | None = None,
    listener: Callable[[Line], None] | None = None,
    on_progress: Callable[[str, str], None] | None = None,
) -> Path:
    """Let the real engine work on `target` from start to outcome, and return the log."""
    policy = policy or staging_policy()
    folder.path.mkdir(parents=True, exist_ok=True)
    with Session(folder) as session:
        if listener is not None:
            session.listen(listener)
        session.append(
            RunStarted(
                run=folder.id,
                version="0.1.0",
                root="checkout",
                config_file="checkout/goldenpath.toml",
                focus="goldenpath",
                policy=policy,
                platform="Linux x86_64, Python 3.11",
            )
        )

        async def perform(effect: AnyEffect) -> AnyReceipt:
            return await target.perform(effect, SessionWitness(session, effect.key, on_progress))

        async with LocalWorkers(perform, jobs=policy.jobs) as workers:
            await Engine(session, policy, workers).run()
    return folder.log
