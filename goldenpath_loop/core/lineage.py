"""From any record back to what it rests on, down to a test's own words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from goldenpath_loop.core.wording import counted, pull_request_words
from goldenpath_loop.records.effects import (
    ApplyPatch,
    AuditTree,
    DispatchAgent,
    OpenPullRequest,
    PushBranch,
    RevertCommit,
)
from goldenpath_loop.records.events import (
    AnyEvent,
    DecisionMade,
    EffectFailed,
    EffectRequested,
    EffectSettled,
    EvidenceCaptured,
    FindingAppended,
    FindingRejected,
    VerdictReached,
)
from goldenpath_loop.records.findings import Cluster, Finding, Verdict
from goldenpath_loop.records.line import Line, UnknownEvent
from goldenpath_loop.records.receipts import AnyReceipt, CommitProbeReceipt, PullRequestReceipt, SuiteReceipt
from goldenpath_loop.records.results import TestResult

__all__ = ["Ancestor", "lineage"]


@dataclass(frozen=True, slots=True)
class Ancestor:
    """One record on the way down."""

    depth: int
    reference: str
    seq: int
    text: str


def lineage(lines: Iterable[Line], reference: str) -> tuple[Ancestor, ...]:
    """Everything `reference` rests on, depth first, each record once.

    Args:
        lines: The session log.
        reference: An evidence, cluster, finding or verdict id, or the key of an effect.
    """
    index = _Index()
    for line in lines:
        _enter(index, line)
    return tuple(_walk(index, reference))


@dataclass(slots=True)
class _Index:
    """Where each record stands, and what is needed to follow what only names imply."""

    lines: dict[str, Line] = field(default_factory=dict)
    clusters: dict[str, Cluster] = field(default_factory=dict)
    results: dict[str, TestResult] = field(default_factory=dict)
    """Test results by the evidence that holds them."""
    red_evidence: dict[str, str] = field(default_factory=dict)
    """Evidence of each test's latest bad result in a cycle's own run, which is what clusters are made of."""
    cluster_evidence: dict[str, tuple[str, ...]] = field(default_factory=dict)
    remedies: dict[str, RevertCommit | ApplyPatch] = field(default_factory=dict)
    """Remedies by their number: `R1`."""
    requests: dict[str, EffectRequested] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def _enter(index: _Index, line: Line) -> None:
    match line.event:
        case EvidenceCaptured(evidence=evidence):
            index.lines[evidence.id] = line
        case EffectRequested(effect=effect) as event:
            index.lines[effect.key] = line
            index.requests[effect.key] = event
            known = {one.key for one in index.remedies.values()}
            if isinstance(effect, RevertCommit | ApplyPatch) and effect.key not in known:
                index.remedies[f"R{len(index.remedies) + 1}"] = effect
        case EffectSettled(key=key, receipt=receipt):
            index.lines[key] = line
            _enter_results(index, key, receipt)
        case EffectFailed(key=key):
            index.lines[key] = line
        case VerdictReached(verdict=verdict):
            index.lines[verdict.id] = line
            index.verdicts.append(verdict)
        case FindingAppended(finding=finding):
            index.lines[finding.id] = line
            index.findings.append(finding)
        case FindingRejected(proposed=proposed):
            index.lines[proposed.id] = line
        case DecisionMade(clusters=clusters) if clusters:
            for cluster in clusters:
                index.lines[cluster.id] = line
                index.clusters[cluster.id] = cluster
                found = (index.red_evidence.get(test) for test in cluster.tests)
                index.cluster_evidence[cluster.id] = tuple(one for one in found if one)
        case _:
            pass


def _enter_results(index: _Index, key: str, receipt: AnyReceipt) -> None:
    runs = receipt.runs if isinstance(receipt, CommitProbeReceipt) else ()
    runs = (receipt.run,) if isinstance(receipt, SuiteReceipt) else runs
    for run in runs:
        for result in run.results:
            if result.evidence:
                index.results[result.evidence] = result
                if "/execute/" in key and result.outcome in ("red", "timeout"):
                    index.red_evidence[result.id] = result.evidence


def _walk(index: _Index, reference: str) -> Iterator[Ancestor]:
    waiting, seen = [(0, reference)], set[str]()
    while waiting:
        depth, name = waiting.pop()
        line = index.lines.get(name)
        if line is None or isinstance(line.event, UnknownEvent) or name in seen:
            continue
        seen.add(name)
        yield Ancestor(depth, name, line.seq, _text(index, name, line.event))
        waiting += [(depth + 1, cause) for cause in reversed(_causes(index, name, line.event))]


def _causes(index: _Index, name: str, event: AnyEvent) -> tuple[str, ...]:
    match event:
        case EffectSettled():
            found = (*_implied(index, name), *event.causes, *event.evidence)
        case EffectRequested() | EffectFailed():
            found = (*_implied(index, name), *event.causes)
        case VerdictReached(verdict=verdict):
            found = (*_about(verdict), *event.causes, *verdict.because)
        case FindingAppended(finding=finding) | FindingRejected(proposed=finding):
            found = (*_cited(index, finding), *event.causes)
        case DecisionMade() if name in index.clusters:
            found = index.cluster_evidence[name]
        case _:
            found = event.causes
    return tuple(dict.fromkeys(found))


def _about(verdict: Verdict) -> tuple[str, ...]:
    """A verdict about a cluster rests on the cluster's own failures."""
    return (verdict.subject.split(" ", 1)[0],) if verdict.kind in ("triage", "culprit", "probe") else ()


def _cited(index: _Index, finding: Finding) -> Iterator[str]:
    if finding.cluster:
        yield finding.cluster
        yield from (
            one.id for one in index.verdicts if one.kind == "culprit" and one.subject == finding.cluster
        )
    yield from (citation.evidence for citation in finding.citations)
    for link in finding.chain:
        yield from (link.effect_citation.evidence, link.cause_citation.evidence)
        if link.refuter.citation:
            yield link.refuter.citation.evidence
        yield from link.measured_by


def _implied(index: _Index, key: str) -> Iterator[str]:
    """What an effect follows from by what it is about: pull request, push, remedy, culprit, finding."""
    request = index.requests.get(key)
    effect = request.effect if request else None
    match effect:
        case OpenPullRequest(branch=branch):
            yield from _findings(index, branch)
            for number, remedy in index.remedies.items():
                if remedy.branch == branch:
                    yield from (
                        one.id
                        for one in index.verdicts
                        if one.kind in ("stability", "audit") and one.subject == number
                    )
                    yield remedy.key
            yield f"push/{branch}"
        case PushBranch(branch=branch):
            yield from (remedy.key for remedy in index.remedies.values() if remedy.branch == branch)
        case AuditTree():
            audited = index.remedies.get(key.rsplit("/", 1)[-1])
            if audited is not None:
                yield audited.key
        case RevertCommit(commit=commit, branch=branch):
            yield from _findings(index, branch)
            yield from (one.id for one in _culprits(index, commit))
            yield f"change/{commit[:12]}"
        case ApplyPatch(dispatch=dispatch, branch=branch):
            yield from _findings(index, branch)
            yield dispatch
        case DispatchAgent(opening=opening):
            yield from opening
        case _:
            pass


def _culprits(index: _Index, commit: str) -> Iterator[Verdict]:
    return (
        one
        for one in index.verdicts
        if one.kind == "culprit" and one.value == "confirmed" and one.revision == commit
    )


def _findings(index: _Index, branch: str) -> Iterator[str]:
    made = [remedy for remedy in index.remedies.values() if remedy.branch == branch]
    commits = {one.commit for one in made if isinstance(one, RevertCommit)}
    clusters = {one.subject for commit in commits for one in _culprits(index, commit)}
    clusters |= {one.cluster for one in made if isinstance(one, ApplyPatch)}
    return (one.id for one in index.findings if one.cluster in clusters)


def _text(index: _Index, name: str, event: AnyEvent) -> str:
    match event:
        case EvidenceCaptured(evidence=evidence):
            return f"{evidence.kind}: {evidence.subject}{_words(index.results.get(evidence.id))}"
        case EffectSettled(receipt=PullRequestReceipt() as receipt):
            return f"pull request {pull_request_words(receipt)}"
        case EffectSettled(receipt=receipt):
            return f"{receipt.kind.replace('_', ' ')} receipt"
        case EffectRequested(effect=effect):
            return f"{effect.kind.replace('_', ' ')}, not over when the log ends"
        case EffectFailed(error=error):
            return f"failed: {error}"
        case VerdictReached(verdict=verdict):
            return f"{verdict.kind} {verdict.subject} {verdict.value}: {verdict.statement}"
        case FindingAppended(finding=finding):
            return finding.title
        case FindingRejected(proposed=proposed, reasons=reasons):
            return f"rejected: {proposed.title} ({'; '.join(reasons)})"
        case DecisionMade() if name in index.clusters:
            cluster = index.clusters[name]
            return f"cluster of {counted(cluster.tests, 'test')}: {cluster.signature.key}"
        case _:
            return event.type


def _words(result: TestResult | None) -> str:
    """What the test itself said."""
    if result is None:
        return ""
    failure = result.failure
    if failure is None:
        return f" is {result.outcome}"
    said = next((line.strip() for line in failure.message.splitlines() if line.strip()), "")
    named = said if failure.exception in said else f"{failure.exception}: {said}"
    return f" is {result.outcome}: {named}"
