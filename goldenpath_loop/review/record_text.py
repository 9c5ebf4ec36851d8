"""One record of a run in full, as lines of plain text."""

from __future__ import annotations

from collections.abc import Iterator

from goldenpath_loop.core.lineage import Ancestor
from goldenpath_loop.core.remedies import remedies
from goldenpath_loop.core.state import EffectRecord, State
from goldenpath_loop.core.wording import counted
from goldenpath_loop.records.evidence import Citation, Evidence
from goldenpath_loop.records.findings import Cluster, Finding, Verdict
from goldenpath_loop.review.reading import Reading
from goldenpath_loop.review.whys import KIND_WORDS
from goldenpath_loop.review.wording import effect_words, receipt_words, seconds, unsettled
from goldenpath_loop.system.plain import plain, plain_line

__all__ = ["evidence_text", "lineage_text", "record_text", "resolved", "similar"]

_MAX_CHARS = 2000


def resolved(state: State, reference: str) -> str:
    """`reference`, with a remedy's number replaced by the key of the effect that made it."""
    return next((one.key for one in remedies(state) if one.id == reference), reference)


def similar(reading: Reading, reference: str, *, most: int = 5) -> tuple[str, ...]:
    """References of the run that begin like `reference` or hold it."""
    known = (*reading.cycle_of, *reading.evidence)
    return tuple(name for name in known if reference.lower() in name.lower())[:most]


def record_text(reading: Reading, reference: str) -> tuple[str, ...]:
    """What stands in the log under `reference`; empty when there is nothing."""
    state = reading.state
    for finding in state.findings:
        if finding.id == reference:
            return tuple(map(_plain, _finding(finding, ())))
    for rejection in reading.rejections:
        if rejection.proposed.id == reference:
            return tuple(map(_plain, _finding(rejection.proposed, rejection.reasons)))
    for verdict in state.verdicts:
        if verdict.id == reference:
            return tuple(map(_plain, _verdict(verdict)))
    for decision in state.decisions:
        for cluster in decision.clusters:
            if cluster.id == reference:
                return tuple(map(_plain, _cluster(cluster, state)))
    if reference in reading.effects:
        return tuple(map(_plain, _effect(reading, reference, reading.effects[reference])))
    if reference in reading.evidence:
        return tuple(map(_plain, _evidence(reading.evidence[reference])))
    return ()


def evidence_text(evidence: Evidence, data: bytes) -> str:
    """What an instrument saw, first how, then the bytes with nothing in them that acts on a terminal."""
    head = "\n".join(map(_plain, _evidence(evidence)))
    body = plain(data.decode("utf-8", "backslashreplace"), max_chars=len(data) + 1)
    return f"{head}\n\n{body}".rstrip("\n")


def lineage_text(ancestors: tuple[Ancestor, ...]) -> Iterator[str]:
    """What a record rests on, indented by how far down it lies."""
    for one in ancestors:
        yield "  " * one.depth + _plain(f"{one.reference}  {one.text}")


def _plain(text: str) -> str:
    indent = len(text) - len(text.lstrip(" "))
    return " " * indent + plain_line(text, max_chars=_MAX_CHARS)


def _verdict(verdict: Verdict) -> Iterator[str]:
    yield f"{verdict.id}  verdict about {verdict.kind}: {verdict.subject} is {verdict.value}"
    yield f"  {verdict.statement}"
    if verdict.revision:
        yield f"  revision: {verdict.revision}"
    for one in verdict.measurements:
        yield f"  {one.name}: {one.value} {one.unit}".rstrip()
    if verdict.because:
        yield f"  because: {', '.join(verdict.because)}"


def _finding(finding: Finding, reasons: tuple[str, ...]) -> Iterator[str]:
    rejected = "rejected " if reasons else ""
    yield f"{finding.id}  {rejected}{finding.kind.replace('_', ' ')}: {finding.title}"
    yield f"  {finding.statement}"
    if finding.dispatch:
        yield f"  proposed in dispatch {finding.dispatch}{'' if reasons else ', checked by the gate'}"
    for reason in reasons:
        yield f"  rejected because {reason}"
    for citation in finding.citations:
        yield f"  cites {_citation(citation)}"
    for number, link in enumerate(finding.chain, start=1):
        yield f"  {number}. why: {link.effect}"
        yield f"     because: {link.cause}"
        yield f"     kind of link: {KIND_WORDS[link.kind]}"
        yield f"     effect: {_citation(link.effect_citation)}"
        yield f"     cause: {_citation(link.cause_citation)}"
        found = "found" if link.refuter.found else "not found"
        where = f" ({_citation(link.refuter.citation)})" if link.refuter.citation else ""
        yield f"     looked for as a refuter: {link.refuter.looked_for}; {found}{where}"
        if link.measured_by:
            yield f"     measured by: {', '.join(link.measured_by)}"
    for text in finding.hypotheses:
        yield f"  hypothesis, not shown: {text}"
    if finding.action:
        yield f"  only a person can do this: {finding.action.instruction}"


def _citation(citation: Citation) -> str:
    span = f"[{citation.start}:{citation.end}]" if citation.is_located else ""
    return f"{citation.evidence}{span} “{citation.quote}”"


def _cluster(cluster: Cluster, state: State) -> Iterator[str]:
    yield f"{cluster.id}  cluster of {counted(cluster.tests, 'test')} in {', '.join(cluster.suites)}"
    yield f"  signature: {cluster.signature.key}"
    yield f"  message: {cluster.signature.message}"
    for test in cluster.tests:
        yield f"  test: {test}"
    for kind in ("triage", "culprit"):
        verdict = state.verdict(kind, cluster.id)
        if verdict is not None:
            yield f"  {kind}: {verdict.value}, {verdict.statement} ({verdict.id})"


def _effect(reading: Reading, key: str, record: EffectRecord) -> Iterator[str]:
    yield f"{key}  effect: {effect_words(record.effect)}"
    for name, value in record.effect.model_dump(mode="json").items():
        if name != "key" and value not in ("", [], None):
            yield f"  {name}: {value}"
    yield f"  came back: {receipt_words(record.receipt) if record.receipt else unsettled(record)}"
    if record.advice:
        yield f"  advice: {record.advice}"
    if key in reading.durations:
        yield f"  duration: {seconds(reading.durations[key])}"
    if record.evidence:
        yield f"  evidence: {', '.join(record.evidence)}"


def _evidence(evidence: Evidence) -> Iterator[str]:
    obtained = evidence.obtained
    yield f"{evidence.id}  {evidence.kind.replace('_', ' ')}: {evidence.subject}"
    yield f"  sha256: {evidence.digest}"
    yield f"  size: {evidence.size_bytes} bytes, {evidence.redactions} redactions"
    yield f"  how: {obtained.how}"
    yield f"  started: {obtained.started_at:%Y-%m-%d %H:%M:%S.%f} UTC, took {seconds(obtained.duration_s)}"
    if obtained.exit_code is not None:
        yield f"  exit code: {obtained.exit_code}"
    if obtained.served_revision:
        yield f"  served revision: {obtained.served_revision}"
