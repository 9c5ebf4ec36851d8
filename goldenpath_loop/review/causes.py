"""From failures to a commit: clusters, triage and the search for a culprit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from goldenpath_loop.core.comparing import tally
from goldenpath_loop.core.state import EffectRecord
from goldenpath_loop.records.base import EvidenceId, Revision
from goldenpath_loop.records.effects import ProbeCommit, RunSuite
from goldenpath_loop.records.findings import Cluster, Verdict
from goldenpath_loop.records.receipts import CommitProbeReceipt, SuiteReceipt
from goldenpath_loop.review.reading import Reading
from goldenpath_loop.review.wording import receipt_words, tally_words, unsettled

__all__ = ["ClusterView", "Rerun", "SearchStep", "clusters_of", "search_of"]


@dataclass(frozen=True, slots=True)
class Rerun:
    """One more run of a cluster's representative on the same revision."""

    number: str
    words: str
    duration_s: float | None
    evidence: tuple[EvidenceId, ...]


@dataclass(frozen=True, slots=True)
class ClusterView:
    """One cluster and what became of it."""

    cluster: Cluster
    triage: Verdict | None
    reruns: tuple[Rerun, ...]
    culprit: Verdict | None
    evidence: tuple[EvidenceId, ...]
    """Results of its tests in this cycle."""


@dataclass(frozen=True, slots=True)
class SearchStep:
    """One commit that was run."""

    number: int
    purpose: str
    revision: Revision
    subject: str
    committed_at: datetime | None
    outcomes: tuple[tuple[str, str], ...]
    """Cluster and what the commit says about it."""
    detail: str
    duration_s: float | None
    evidence: tuple[EvidenceId, ...]


def clusters_of(reading: Reading, cycle: int) -> tuple[ClusterView, ...]:
    """Clusters of `cycle`, in the order of their ids."""
    decision = reading.state.decided("clusters", cycle=cycle)
    if decision is None:
        return ()
    evidence = _result_evidence(reading, cycle)
    return tuple(
        ClusterView(
            cluster=cluster,
            triage=reading.state.verdict("triage", cluster.id),
            reruns=tuple(_reruns(reading, cluster.id)),
            culprit=reading.state.verdict("culprit", cluster.id),
            evidence=tuple(evidence[test] for test in cluster.tests if test in evidence),
        )
        for cluster in decision.clusters
    )


def search_of(reading: Reading, cycle: int) -> tuple[SearchStep, ...]:
    """Every commit that was run in `cycle`, in the order of asking."""
    commits = reading.commits
    said: dict[str, list[tuple[str, str]]] = {}
    for verdict in reading.verdicts_of(cycle, "probe"):
        for key in verdict.because:
            said.setdefault(key, []).append((verdict.subject.split(" ", 1)[0], verdict.value))
    steps: list[SearchStep] = []
    for key, record in reading.effects_of(cycle):
        effect = record.effect
        if not isinstance(effect, ProbeCommit):
            continue
        commit = commits.get(effect.revision)
        steps.append(
            SearchStep(
                number=len(steps) + 1,
                purpose="confirmation" if key.startswith("confirm/") else "search",
                revision=effect.revision,
                subject=commit.subject if commit else "",
                committed_at=commit.committed_at if commit else None,
                outcomes=tuple(said.get(key, ())),
                detail=_detail(record),
                duration_s=reading.durations.get(key),
                evidence=record.evidence,
            )
        )
    return tuple(steps)


def _detail(record: EffectRecord) -> str:
    receipt = record.receipt
    if isinstance(receipt, CommitProbeReceipt):
        results = [result for run in receipt.runs for result in run.results]
        return receipt.problem or tally_words(tally(results))
    return unsettled(record)


def _reruns(reading: Reading, cluster: str) -> Iterator[Rerun]:
    for key, record in reading.effects.items():
        if not isinstance(record.effect, RunSuite) or not key.startswith(f"triage/{cluster}/"):
            continue
        words = receipt_words(record.receipt) if record.receipt else unsettled(record)
        yield Rerun(key.rsplit("/", 1)[-1], words, reading.durations.get(key), record.evidence)


def _result_evidence(reading: Reading, cycle: int) -> dict[str, EvidenceId]:
    found: dict[str, EvidenceId] = {}
    for key, record in reading.effects_of(cycle):
        if key.startswith(f"c{cycle}/execute/") and isinstance(record.receipt, SuiteReceipt):
            found.update((one.id, one.evidence) for one in record.receipt.run.results if one.evidence)
    return found
