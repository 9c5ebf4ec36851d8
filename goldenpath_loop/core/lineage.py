"""From any record back to what it rests on, down to a test's own words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from goldenpath_loop.records.events import (
    AnyEvent,
    EffectSettled,
    EvidenceCaptured,
    FindingAppended,
    Line,
    VerdictReached,
)

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
        reference: An evidence, finding or verdict id, or the key of an effect.
    """
    index: dict[str, Line] = {}
    for line in lines:
        for name in _names(line.event):
            index[name] = line
    return tuple(_walk(index, reference, 0, set()))


def _walk(index: dict[str, Line], reference: str, depth: int, seen: set[str]) -> Iterator[Ancestor]:
    line = index.get(reference)
    if line is None or reference in seen:
        return
    seen.add(reference)
    yield Ancestor(depth, reference, line.seq, _text(line.event))
    for cause in _causes(line.event):
        yield from _walk(index, cause, depth + 1, seen)


def _names(event: AnyEvent) -> tuple[str, ...]:
    match event:
        case EvidenceCaptured():
            return (event.evidence.id,)
        case EffectSettled():
            return (event.key,)
        case VerdictReached():
            return (event.verdict.id,)
        case FindingAppended():
            return (event.finding.id,)
        case _:
            return ()


def _causes(event: AnyEvent) -> tuple[str, ...]:
    match event:
        case EffectSettled():
            return (*event.causes, *event.evidence)
        case VerdictReached():
            return tuple(dict.fromkeys((*event.causes, *event.verdict.because)))
        case FindingAppended():
            finding = event.finding
            found = [citation.evidence for citation in finding.citations]
            for link in finding.chain:
                found += [link.effect_citation.evidence, link.cause_citation.evidence, *link.measured_by]
            return tuple(dict.fromkeys((*event.causes, *found)))
        case _:
            return event.causes


def _text(event: AnyEvent) -> str:
    match event:
        case EvidenceCaptured(evidence=evidence):
            return f"{evidence.kind}: {evidence.subject}"
        case EffectSettled(receipt=receipt):
            return f"{receipt.kind} receipt"
        case VerdictReached(verdict=verdict):
            return f"{verdict.kind} {verdict.subject} {verdict.value}: {verdict.statement}"
        case FindingAppended(finding=finding):
            return finding.title
        case _:
            return event.type
