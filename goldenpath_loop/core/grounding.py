"""The gate: no claim enters the log unless what it cites is there.

A citation resolves when its quoted text stands in the stored bytes at the place it names, as agents are shown it: line
ends are normalised, terminal sequences left out. A why-chain is accepted link by link and cut at the first that does
not hold; what lies below the cut stays as a hypothesis. A finding that proves nothing is rejected with its reasons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from goldenpath_loop.core.claims import Origin, nothing_to_explain, unlinked, unread, unshown_action
from goldenpath_loop.core.links import broken_link
from goldenpath_loop.core.state import State
from goldenpath_loop.core.visible import Seen, legible, seen
from goldenpath_loop.records.evidence import Citation
from goldenpath_loop.records.findings import Finding, Refuter, WhyLink

__all__ = ["Judgement", "cited", "judge", "resolve"]


_LEAST_QUOTE_CHARS = 3
"""Shorter text stands in everything."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gate says: a finding with every citation located, or the reasons it is not one."""

    finding: Finding | None
    reasons: tuple[str, ...] = ()


def cited(finding: Finding) -> frozenset[str]:
    """Ids of all evidence that `finding` points at."""
    citations = list(finding.citations)
    for link in finding.chain:
        citations += [link.effect_citation, link.cause_citation]
        if link.refuter.citation is not None:
            citations.append(link.refuter.citation)
    return frozenset(citation.evidence for citation in citations)


def judge(
    finding: Finding, stored: Mapping[str, bytes], state: State, *, origin: Origin | None = None
) -> Judgement:
    """Check every citation and every link of `finding`.

    Args:
        finding: The claim as proposed; citations may leave their offsets open.
        stored: Bytes of the cited evidence, by id; evidence that does not exist is absent.
        state: The state of the run the claim is about.
        origin: What the agent that made the claim was shown; None for a claim of the loop's own instruments.
    """
    reasons: list[str] = []
    if origin is not None:
        reasons += [
            problem
            for problem in (unshown_action(finding, state), nothing_to_explain(finding, state))
            if problem
        ]
    citations: list[Citation] = []
    for citation in finding.citations:
        located = resolve(citation, stored)
        problem = unread(citation, origin) if origin is not None else ""
        if problem:
            reasons.append(problem)
        elif isinstance(located, str):
            reasons.append(located)
        else:
            citations.append(located)
    if reasons:
        return Judgement(None, tuple(reasons))
    chain, cut = _chain(finding, stored, state, origin)
    if finding.chain and not chain and not citations:
        return Judgement(None, (f"its first link does not hold: {cut}",))
    if not citations and not chain:
        return Judgement(None, ("it cites nothing",))
    below = tuple(link.cause for link in finding.chain[len(chain) :])
    hypotheses = finding.hypotheses
    if below:
        hypotheses = (*hypotheses, *(f"{text} (not shown: {cut})" for text in below))
    accepted = finding.model_copy(
        update={"citations": tuple(citations), "chain": tuple(chain), "hypotheses": hypotheses}
    )
    return Judgement(accepted)


def resolve(citation: Citation, stored: Mapping[str, bytes]) -> Citation | str:
    """The citation with its offsets, or the reason it does not resolve."""
    data = stored.get(citation.evidence)
    if data is None:
        return f"{citation.evidence} is not evidence of this run"
    if len(legible(citation.quote)) < _LEAST_QUOTE_CHARS:
        return f"{citation.quote!r} is too short to say anything"
    wanted = seen(citation.quote)
    if citation.is_located:
        if wanted.fullmatch(Seen(data[citation.start : citation.end]).data) is None:
            return (
                f"{citation.evidence}[{citation.start}:{citation.end}] does not say {citation.quote[:80]!r}"
            )
        return citation
    remains = Seen(data)
    found = wanted.search(remains.data)
    if found is not None:
        start, end = remains.span(*found.span())
        return citation.model_copy(update={"start": start, "end": end})
    return f"{citation.evidence} does not contain {citation.quote[:80]!r}"


def _chain(
    finding: Finding, stored: Mapping[str, bytes], state: State, origin: Origin | None
) -> tuple[list[WhyLink], str]:
    held: list[WhyLink] = []
    for number, link in enumerate(finding.chain, start=1):
        effect = resolve(link.effect_citation, stored)
        cause = resolve(link.cause_citation, stored)
        refuter = _refuter(link.refuter, stored)
        for problem in (effect, cause, refuter):
            if isinstance(problem, str):
                return held, f"link {number}: {problem}"
        located = link.model_copy(
            update={"effect_citation": effect, "cause_citation": cause, "refuter": refuter}
        )
        previous = held[-1] if held else None
        problem = _unshown(located, held, origin) if origin is not None else ""
        problem = problem or broken_link(located, previous, finding, state, is_read=origin is not None)
        if problem:
            return held, f"link {number}: {problem}"
        held.append(located)
    return held, ""


def _unshown(link: WhyLink, held: list[WhyLink], origin: Origin) -> str:
    """Why a link of an agent does not hold; what it cites against itself may be of any revision, but was read too."""
    against = link.refuter.citation
    if against is not None and against.evidence not in origin.read:
        return f"{against.evidence} was never put before the agent that cites it"
    return unlinked(link, held, origin)


def _refuter(refuter: Refuter, stored: Mapping[str, bytes]) -> Refuter | str:
    if refuter.citation is None:
        return refuter
    located = resolve(refuter.citation, stored)
    if isinstance(located, str):
        return located
    return refuter.model_copy(update={"citation": located})
