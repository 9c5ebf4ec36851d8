"""Findings that explain: why-chains link by link, each quote looked up once more in the stored bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from goldenpath_loop.core.grounding import resolve
from goldenpath_loop.errors import LogError
from goldenpath_loop.records.base import EvidenceId
from goldenpath_loop.records.evidence import Citation
from goldenpath_loop.records.findings import Finding, WhyLink
from goldenpath_loop.review.reading import Reading
from goldenpath_loop.session.store import EvidenceStore

__all__ = ["ChainView", "Quote", "WhyView", "chains_of", "quote_of"]

KIND_WORDS = {
    "intervention": "intervention: shown by two runs, one red and one green",
    "call_path": "call path: shown in changed source",
    "time_order": "time order",
    "configuration": "configuration",
    "introduced_by": "introduced by a commit",
}


@dataclass(frozen=True, slots=True)
class Quote:
    """One citation, and whether the stored bytes still say it."""

    citation: Citation
    problem: str

    @property
    def evidence(self) -> EvidenceId:
        """The evidence it points at."""
        return self.citation.evidence

    @property
    def span(self) -> str:
        """Byte offsets, the end not included."""
        at = self.citation
        return f"bytes {at.start}-{at.end}" if at.is_located else "not located"


@dataclass(frozen=True, slots=True)
class WhyView:
    """One why and its answer."""

    number: int
    link: WhyLink
    kind: str
    effect: Quote
    cause: Quote
    refuter: Quote | None
    evidence: tuple[EvidenceId, ...]
    """What the runs that establish the link left behind."""


@dataclass(frozen=True, slots=True)
class ChainView:
    """One finding with its chain."""

    finding: Finding
    whys: tuple[WhyView, ...]
    quotes: tuple[Quote, ...]


def chains_of(reading: Reading, cycle: int, store: EvidenceStore) -> tuple[ChainView, ...]:
    """Findings of `cycle` that explain something, in the order of the log."""
    found = reading.findings_of(cycle, "why_chain", "operator_action", "observation")
    return tuple(
        ChainView(
            finding=finding,
            whys=tuple(_whys(reading, finding, store)),
            quotes=tuple(quote_of(reading, citation, store) for citation in finding.citations),
        )
        for finding in found
    )


def quote_of(reading: Reading, citation: Citation, store: EvidenceStore) -> Quote:
    """`citation`, looked up in the stored bytes."""
    evidence = reading.evidence.get(citation.evidence)
    if evidence is None:
        return Quote(citation, "this evidence is not in the log")
    try:
        data = store.get(evidence.digest)
    except LogError as error:
        return Quote(citation, error.message)
    found = resolve(citation, {citation.evidence: data})
    return Quote(citation, found if isinstance(found, str) else "")


def _whys(reading: Reading, finding: Finding, store: EvidenceStore) -> Iterator[WhyView]:
    for number, link in enumerate(finding.chain, start=1):
        refuter = link.refuter.citation
        yield WhyView(
            number=number,
            link=link,
            kind=KIND_WORDS[link.kind],
            effect=quote_of(reading, link.effect_citation, store),
            cause=quote_of(reading, link.cause_citation, store),
            refuter=quote_of(reading, refuter, store) if refuter else None,
            evidence=reading.evidence_behind(link.measured_by),
        )
