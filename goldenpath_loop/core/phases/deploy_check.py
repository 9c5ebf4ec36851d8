"""What is deployed, and does it answer?"""

from __future__ import annotations

from goldenpath_loop.core.consultation import consult
from goldenpath_loop.core.deployments import (
    cycle_deployment,
    cycle_revision,
    deploy_key,
    ensure_deployment,
    ensure_tree,
    service_reports,
    tree_key,
)
from goldenpath_loop.core.opinions import about_deployment
from goldenpath_loop.core.readings import next_finding_id, unavailable_services
from goldenpath_loop.core.step import Scene, Step, request
from goldenpath_loop.core.wording import counted
from goldenpath_loop.records.effects import ProbeService
from goldenpath_loop.records.events import DecisionMade
from goldenpath_loop.records.evidence import Citation
from goldenpath_loop.records.findings import Finding, Verdict
from goldenpath_loop.records.receipts import DeployReceipt, ProbeReceipt, WorktreeReceipt
from goldenpath_loop.records.services import ProbeReport

__all__ = ["decide"]


def decide(scene: Scene) -> Step:
    """Tree, deployment, probes of all services at once; then go on, go on degraded, or stop."""
    step = ensure_tree(scene)
    if step is not None:
        return step
    if scene.state.failed(tree_key(scene)) or cycle_revision(scene) is None:
        return _stop(scene, _tree_problem(scene))
    step = ensure_deployment(scene)
    if step is not None:
        return step
    problem = _deploy_problem(scene)
    if problem:
        return _stop(scene, problem)
    if not scene.policy.services:
        summary = "the target has no services; its tests run in a worktree of their own"
        return _close(scene, "go on", summary)
    step = request(scene.state, _probes(scene))
    if step is not None:
        return step
    contradiction = _contradiction(scene)
    if contradiction is not None:
        return Step(proposals=(contradiction,))
    revision = cycle_revision(scene)
    assert revision is not None
    reports = service_reports(scene, cycle_deployment(scene))
    step = consult(scene, about_deployment(scene, revision, reports, _verdicts(scene)))
    return step or _judge(scene)


def _probes(scene: Scene) -> list[ProbeService]:
    return [
        ProbeService(
            key=scene.live_key("probe", service.name),
            deployment=cycle_deployment(scene),
            service=service.name,
        )
        for service in scene.policy.services
    ]


def _tree_problem(scene: Scene) -> str:
    made = scene.state.settled(tree_key(scene), WorktreeReceipt)
    failed = scene.state.failed(tree_key(scene))
    detail = made.problem if made else failed.error if failed else "unknown"
    if scene.cycle > 1:
        return f"base and remedies could not be put together: {detail}"
    return f"no worktree could be made: {detail}"


def _deploy_problem(scene: Scene) -> str:
    key = deploy_key(scene)
    failed = scene.state.failed(key)
    if failed:
        return f"the deployment failed: {failed.error}"
    receipt = scene.state.settled(key, DeployReceipt)
    return f"the deployment failed: {receipt.problem}" if receipt and receipt.problem else ""


def _judge(scene: Scene) -> Step:
    unavailable = unavailable_services(scene)
    critical = [name for name in unavailable if scene.policy.service(name).critical]
    stale = _wrong_revision(scene)
    if stale:
        return _stop(scene, stale)
    if critical:
        return _stop(scene, "; ".join(f"{name}: {unavailable[name]}" for name in critical))
    verdicts = _verdicts(scene)
    impaired = [verdict.statement for verdict in verdicts if verdict.value == "impaired"]
    if unavailable:
        lost = "; ".join(f"{name}: {reason}" for name, reason in unavailable.items())
        return _close(scene, "go on degraded", f"without {lost}", degraded=True)
    if impaired:
        return _close(scene, "go on", "; ".join(impaired))
    return _close(scene, "go on", f"{counted(verdicts, 'service')} asked, each answers as configured")


def _verdicts(scene: Scene) -> list[Verdict]:
    deployment = cycle_deployment(scene)
    found = (
        scene.state.verdict("service", f"{deployment}/{service.name}") for service in scene.policy.services
    )
    return [verdict for verdict in found if verdict is not None]


def _wrong_revision(scene: Scene) -> str:
    expected = cycle_revision(scene)
    for verdict in _verdicts(scene):
        if verdict.revision and verdict.revision != expected:
            name = verdict.subject.split("/", 1)[1]
            return (
                f"{name} serves {verdict.revision[:10]}, but {str(expected)[:10]} is what should be tested; "
                "deploy that revision first"
            )
    return ""


def _contradiction(scene: Scene) -> Finding | None:
    """Every health answer is green and yet a handshake or setting probe is not: that is worth a finding."""
    healthy: list[tuple[str, ProbeReport]] = []
    silent: list[tuple[str, ProbeReport]] = []
    for effect in _probes(scene):
        receipt = scene.state.settled(effect.key, ProbeReceipt)
        for report in receipt.report.reports if receipt else ():
            (healthy if report.answered else silent).append((effect.service, report))
    health = [(name, report) for name, report in healthy if report.kind == "http"]
    sockets = [(name, report) for name, report in silent if report.kind == "websocket"]
    down = [report for _, report in silent if report.kind not in ("websocket", "setting")]
    if not health or not sockets or down:
        return None
    if scene.state.was_proposed("contradiction", ""):
        return None
    title = f"cycle {scene.cycle}: every service reports healthy, yet {sockets[0][0]} refuses its handshake"
    citations = [_citation(report) for _, report in (*health[:3], *sockets[:2])]
    return Finding(
        id=next_finding_id(scene.state),
        kind="contradiction",
        title=title,
        statement=f"{sockets[0][0]}.{sockets[0][1].probe}: {sockets[0][1].summary}; health answers are "
        + ", ".join(f"{name} {report.summary}" for name, report in health),
        citations=tuple(citation for citation in citations if citation is not None),
    )


def _citation(report: ProbeReport) -> Citation | None:
    if not report.quote or report.evidence is None:
        return None
    return Citation(evidence=report.evidence, quote=report.quote)


def _close(scene: Scene, choice: str, reason: str, *, degraded: bool = False) -> Step:
    causes = tuple(verdict.id for verdict in _verdicts(scene))
    decision = DecisionMade(
        cycle=scene.cycle,
        phase=scene.phase,
        subject="deployment",
        choice=choice,
        reason=reason,
        causes=causes,
    )
    return Step(events=(decision, scene.finish("degraded" if degraded else "done", reason, *causes)))


def _stop(scene: Scene, reason: str) -> Step:
    decision = DecisionMade(
        cycle=scene.cycle, phase=scene.phase, subject="deployment", choice="stop", reason=reason
    )
    return Step(events=(decision, scene.finish("stopped", reason)))
