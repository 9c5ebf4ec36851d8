"""Is the record of a run still true? Chain, evidence, quotes, reasons and transcripts, each checked again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from goldenpath_loop.core.grounding import resolve
from goldenpath_loop.core.pins import Pin, pins_in
from goldenpath_loop.core.state import State, evolve
from goldenpath_loop.errors import DamagedLogError, LogError
from goldenpath_loop.records.events import EvidenceCaptured
from goldenpath_loop.records.evidence import Citation, Evidence
from goldenpath_loop.records.findings import Finding, Verdict
from goldenpath_loop.records.receipts import DispatchReceipt
from goldenpath_loop.session.chain import Chain
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.store import EvidenceStore
from goldenpath_loop.session.transcripts import transcript_digest

__all__ = ["Problem", "Verification", "verify"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as the log says."""

    what: Literal["log", "evidence", "citation", "reason", "transcript", "pin"]
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked and what was found."""

    run: str
    events: int = 0
    evidence: int = 0
    citations: int = 0
    reasons: int = 0
    transcripts: int = 0
    pins: int = 0
    """Pull requests that name a line of the log by its hash."""
    problems: tuple[Problem, ...] = ()
    torn_bytes: int = 0
    """Bytes of a last line that was never written whole: the trace of a crash, nothing was promised by it."""
    unnamed: tuple[str, ...] = ()
    """Files among the evidence that the log does not name: stored a moment before a crash, or put there later."""

    @property
    def is_true(self) -> bool:
        """Whether everything is as the log says."""
        return not self.problems


def verify(folder: RunFolder) -> Verification:
    """Check the run in `folder`, whoever writes it at the moment.

    Raises:
        LogError: There is no log.
    """
    pins = list(_pins(folder))
    try:
        told = _read(folder, {pin.seq for _, pin in pins})
    except DamagedLogError as error:
        return Verification(folder.id, problems=(Problem("log", str(folder.log), error.message),))
    citations = [(finding, citation) for finding in told.state.findings for citation in _citations(finding)]
    cited = {citation.evidence for _, citation in citations}
    store = EvidenceStore(folder.evidence)
    stored: dict[str, bytes] = {}
    problems: list[Problem] = []
    for evidence in told.evidence.values():
        data, problem = _stored(evidence, store)
        if problem:
            problems.append(Problem("evidence", evidence.id, problem))
        elif evidence.id in cited:
            stored[evidence.id] = data
    problems += _unresolved(citations, stored)
    reasons = [(verdict, reference) for verdict in told.state.verdicts for reference in verdict.because]
    problems += _baseless(reasons, told.state, told.evidence)
    receipts = ((key, one.receipt) for key, one in told.state.effects.items())
    talks = {key: receipt for key, receipt in receipts if isinstance(receipt, DispatchReceipt)}
    problems += _changed_talks(folder, talks)
    problems += _unread(told.state.findings, talks)
    problems += _unpinned(told.state, pins, told.digests)
    known = {one.digest for one in told.evidence.values()}
    there = (path.name for path in folder.evidence.iterdir()) if folder.evidence.is_dir() else iter(())
    return Verification(
        run=folder.id,
        events=told.state.last_seq,
        evidence=len(told.evidence),
        citations=len(citations),
        reasons=len(reasons),
        transcripts=len(talks),
        pins=len(pins),
        problems=tuple(problems),
        torn_bytes=told.torn_bytes,
        unnamed=tuple(sorted(name for name in there if name not in known)),
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """What a log that checks says."""

    state: State
    evidence: dict[str, Evidence]
    digests: dict[int, str]
    """Hashes of the lines that were asked about."""
    torn_bytes: int


def _read(folder: RunFolder, wanted: set[int]) -> _Told:
    chain = Chain(folder.log)
    state = State()
    evidence: dict[str, Evidence] = {}
    digests: dict[int, str] = {}
    for line in chain:
        state = evolve(state, line)
        if line.seq in wanted:
            digests[line.seq] = chain.digest
        if isinstance(line.event, EvidenceCaptured):
            evidence[line.event.evidence.id] = line.event.evidence
    return _Told(state, evidence, digests, max(0, folder.log.stat().st_size - chain.end))


def _stored(evidence: Evidence, store: EvidenceStore) -> tuple[bytes, str]:
    """The bytes of one piece of evidence, or why they are not what they were."""
    try:
        data = store.get(evidence.digest)
    except LogError as error:
        return b"", f"{error.message} ({evidence.subject})"
    if len(data) != evidence.size_bytes:
        return b"", f"it has {len(data)} bytes, the log says {evidence.size_bytes}"
    return data, ""


def _pins(folder: RunFolder) -> Iterator[tuple[str, Pin]]:
    """Lines of the log that pull requests beside the run name."""
    for path in sorted(folder.path.glob("pull_request*.md")):
        yield from ((path.name, pin) for pin in pins_in(path.read_text("utf-8", "replace")))


def _unpinned(state: State, pins: Iterable[tuple[str, Pin]], digests: Mapping[int, str]) -> Iterator[Problem]:
    """Pull requests that were made from another log, or from more of this one than there is."""
    run = state.started.run if state.started else ""
    for name, pin in pins:
        if pin.run != run:
            yield Problem("pin", name, f"it was made from the log of {pin.run}")
        elif pin.seq > state.last_seq:
            yield Problem(
                "pin", name, f"it was made when the log had {pin.seq} lines; now it ends at {state.last_seq}"
            )
        elif digests.get(pin.seq) != pin.digest:
            yield Problem("pin", name, f"it was made from another line {pin.seq} than the log has")


def _changed_talks(folder: RunFolder, talks: Mapping[str, DispatchReceipt]) -> Iterator[Problem]:
    """Conversations with agents that are gone, or not what they were when their receipts were written."""
    for key, receipt in talks.items():
        if not receipt.transcript:
            yield Problem("transcript", key, "its receipt names none")
            continue
        try:
            digest = transcript_digest(folder, receipt.transcript)
        except LogError as error:
            yield Problem("transcript", receipt.transcript, f"{error.message} ({key})")
            continue
        if digest != receipt.digest:
            yield Problem("transcript", receipt.transcript, f"its SHA-256 is not the one in the log ({key})")


def _unread(findings: Sequence[Finding], talks: Mapping[str, DispatchReceipt]) -> Iterator[Problem]:
    """What an agent cited although nobody put it before that agent."""
    for finding in findings:
        if not finding.dispatch:
            continue
        receipt = talks.get(finding.dispatch)
        if receipt is None:
            yield Problem("citation", finding.id, f"the log has no answer of {finding.dispatch}")
            continue
        for evidence in dict.fromkeys(one.evidence for one in _citations(finding)):
            if evidence not in receipt.read:
                yield Problem("citation", finding.id, f"{evidence} was never put before {finding.dispatch}")


def _citations(finding: Finding) -> Iterator[Citation]:
    yield from finding.citations
    for link in finding.chain:
        yield from (link.effect_citation, link.cause_citation)
        if link.refuter.citation is not None:
            yield link.refuter.citation


def _unresolved(citations: Sequence[tuple[Finding, Citation]], stored: dict[str, bytes]) -> Iterator[Problem]:
    for finding, citation in citations:
        if not citation.is_located:
            yield Problem("citation", finding.id, f"its quote of {citation.evidence} names no place")
            continue
        found = resolve(citation, stored)
        if isinstance(found, str):
            yield Problem("citation", finding.id, found)


def _baseless(
    reasons: Iterable[tuple[Verdict, str]], state: State, evidence: Iterable[str]
) -> Iterator[Problem]:
    """Reasons of verdicts that the log does not hold."""
    known = {*state.effects, *evidence, *(one.id for one in state.verdicts)}
    known |= {one.id for one in state.findings}
    for verdict, reference in reasons:
        if reference not in known:
            yield Problem("reason", verdict.id, f"it rests on {reference}, which the log does not hold")
