"""What is deployed in one cycle, and what every service answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from goldenpath_loop.core.state import EffectRecord
from goldenpath_loop.records.base import EvidenceId, Revision
from goldenpath_loop.records.effects import Deploy, PrepareWorktree, ProbeService
from goldenpath_loop.records.findings import Finding
from goldenpath_loop.records.receipts import DeployReceipt, ProbeReceipt, WorktreeReceipt
from goldenpath_loop.records.services import ProbeReport, StartReport
from goldenpath_loop.review.reading import Reading
from goldenpath_loop.review.wording import unsettled

__all__ = ["Answer", "Deployment", "Services", "answers_of", "services_of"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One row: one probe of one service."""

    service: str
    state: str
    probe: str
    answer: str
    latency_ms: float | None
    dependencies: str
    served: Revision | None
    evidence: tuple[EvidenceId, ...]
    verdict: str = ""
    """Id of the verdict about the service."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """How one deployment went."""

    name: str
    revision: Revision
    duration_s: float | None
    problem: str
    starts: tuple[StartReport, ...]
    evidence: tuple[EvidenceId, ...]


@dataclass(frozen=True, slots=True)
class Services:
    """The section “What is deployed”."""

    revision: Revision | None
    """What this cycle tests; None while that is not known."""
    problem: str
    deployments: tuple[Deployment, ...]
    answers: tuple[Answer, ...]
    contradictions: tuple[Finding, ...]
    configured: int
    """Services the target has."""


def services_of(reading: Reading, cycle: int) -> Services:
    """What `cycle` ran on."""
    name = "staging" if cycle == 1 else f"cycle-{cycle}"
    revision, problem = _revision(reading, cycle)
    return Services(
        revision=revision,
        problem=problem,
        deployments=tuple(_deployments(reading, cycle, name)),
        answers=tuple(answers_of(reading, cycle, name)),
        contradictions=tuple(reading.findings_of(cycle, "contradiction")),
        configured=len(reading.policy.services) if reading.policy else 0,
    )


def answers_of(reading: Reading, cycle: int, deployment: str) -> Iterator[Answer]:
    """Every probe of every service of `deployment`; of probes that were put again, the latest."""
    latest: dict[str, EffectRecord] = {}
    for _, record in reading.effects_of(cycle):
        if isinstance(record.effect, ProbeService) and record.effect.deployment == deployment:
            latest[record.effect.service] = record
    for service, record in latest.items():
        if not isinstance(record.receipt, ProbeReceipt):
            yield Answer(service, "not measured", "", unsettled(record), None, "", None, ())
            continue
        verdict = reading.state.verdict("service", f"{deployment}/{service}")
        report = record.receipt.report
        for probe in report.reports:
            yield Answer(
                service=service,
                state=verdict.value if verdict else "not judged",
                probe=probe.probe,
                answer=probe.summary,
                latency_ms=probe.latency_ms,
                dependencies=_dependencies(probe),
                served=report.served_revision,
                evidence=(probe.evidence,) if probe.evidence else (),
                verdict=verdict.id if verdict else "",
            )


def _dependencies(probe: ProbeReport) -> str:
    return ", ".join(
        f"{one.name} {one.status}"
        + (f" {one.response_time_ms:g} ms" if one.response_time_ms is not None else "")
        for one in probe.dependencies
    )


def _revision(reading: Reading, cycle: int) -> tuple[Revision | None, str]:
    for _, record in reading.effects_of(cycle):
        receipt = record.receipt
        is_tree = record.effect.kind == "compose_remedies" or isinstance(record.effect, PrepareWorktree)
        if is_tree and isinstance(receipt, WorktreeReceipt):
            return (None if receipt.problem else receipt.revision), receipt.problem
        if is_tree and record.status == "failed":
            return None, record.error
    return None, ""


def _deployments(reading: Reading, cycle: int, name: str) -> Iterator[Deployment]:
    for key, record in reading.effects_of(cycle):
        effect, receipt = record.effect, record.receipt
        if not isinstance(effect, Deploy) or effect.deployment != name:
            continue
        problem = "" if record.status != "requested" else "not over when the log ends"
        if isinstance(receipt, DeployReceipt):
            problem = receipt.problem
        yield Deployment(
            name=name,
            revision=effect.revision,
            duration_s=reading.durations.get(key),
            problem=record.error or problem,
            starts=receipt.starts if isinstance(receipt, DeployReceipt) else (),
            evidence=record.evidence,
        )
