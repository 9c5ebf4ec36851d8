"""Remedies, what the audit said of them, how they were proven, and their pull requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from goldenpath_loop.core.comparing import tally
from goldenpath_loop.core.remedies import Remedy, remedies
from goldenpath_loop.core.state import EffectRecord
from goldenpath_loop.records.base import EvidenceId
from goldenpath_loop.records.effects import Deploy, OpenPullRequest, RunSuite
from goldenpath_loop.records.findings import Verdict
from goldenpath_loop.records.receipts import (
    AuditIssue,
    AuditReceipt,
    DeployReceipt,
    PullRequestReceipt,
    PushReceipt,
    SuiteReceipt,
)
from goldenpath_loop.review.reading import Reading
from goldenpath_loop.review.services import Answer, answers_of
from goldenpath_loop.review.wording import tally_words, unsettled

__all__ = ["ProofPart", "PullRequestView", "RemedyView", "pull_request_rows", "remedies_of"]

_STAGES = {"all": "whole plan, with the remedy", "without": "cured tests, without the remedy"}


@dataclass(frozen=True, slots=True)
class ProofPart:
    """One run of the stability proof."""

    part: str
    suite: str
    words: str
    duration_s: float | None
    evidence: tuple[EvidenceId, ...]


@dataclass(frozen=True, slots=True)
class RemedyView:
    """One remedy from its branch to its proof."""

    remedy: Remedy
    subject: str
    """Subject of the commit it takes back; empty when the log does not say."""
    state: str
    files: tuple[str, ...]
    conflicts: tuple[str, ...]
    evidence: tuple[EvidenceId, ...]
    audit: Verdict | None
    issues: tuple[AuditIssue, ...]
    unread: tuple[str, ...]
    audit_evidence: tuple[EvidenceId, ...]
    preview: str
    parts: tuple[ProofPart, ...]
    answers: tuple[Answer, ...]
    stability: Verdict | None


@dataclass(frozen=True, slots=True)
class PullRequestView:
    """One pull request, or the attempt at one."""

    remedy: str
    branch: str
    title: str
    address: str
    state: str
    pushed: str


def remedies_of(reading: Reading, cycle: int) -> tuple[RemedyView, ...]:
    """Remedies that were asked for in `cycle`."""
    return tuple(
        _remedy(reading, cycle, one)
        for one in remedies(reading.state)
        if reading.cycle_of.get(one.key) == cycle
    )


def _remedy(reading: Reading, cycle: int, remedy: Remedy) -> RemedyView:
    record = reading.effects[remedy.key]
    commit = reading.commits.get(remedy.commit) if remedy.commit else None
    audit_key = f"audit/{remedy.id}"
    audited = reading.effects.get(audit_key)
    receipt = audited.receipt if audited and isinstance(audited.receipt, AuditReceipt) else None
    return RemedyView(
        remedy=remedy,
        subject=commit.subject if commit else "",
        state=_state(remedy, record),
        files=remedy.receipt.files if remedy.receipt else (),
        conflicts=remedy.receipt.conflicts if remedy.receipt else (),
        evidence=record.evidence,
        audit=reading.state.verdict("audit", remedy.id),
        issues=receipt.issues if receipt else (),
        unread=receipt.unread if receipt else (),
        audit_evidence=audited.evidence if audited else (),
        preview=_preview(reading, remedy),
        parts=tuple(_parts(reading, remedy)),
        answers=tuple(answers_of(reading, cycle, remedy.tree)),
        stability=reading.state.verdict("stability", remedy.id),
    )


def _state(remedy: Remedy, record: EffectRecord) -> str:
    if record.status == "failed":
        return f"could not be made: {record.error}"
    if remedy.receipt is None:
        return "not made yet when the log ends"
    return "made" if remedy.head else f"could not be made: {remedy.receipt.problem}"


def _preview(reading: Reading, remedy: Remedy) -> str:
    for record in reversed(reading.effects.values()):
        effect, receipt = record.effect, record.receipt
        if not isinstance(effect, Deploy) or effect.deployment != remedy.tree:
            continue
        if isinstance(receipt, DeployReceipt):
            started = sum(start.started for start in receipt.starts)
            return receipt.problem or f"{started} of {len(receipt.starts)} services started"
        return f"failed: {record.error}" if record.status == "failed" else "not over when the log ends"
    return ""


def _parts(reading: Reading, remedy: Remedy) -> Iterator[ProofPart]:
    prefix = f"stability/{remedy.id}/"
    for key, record in reading.effects.items():
        effect = record.effect
        if not key.startswith(prefix) or not isinstance(effect, RunSuite):
            continue
        stage = key.removeprefix(prefix).split("/", 1)[0]
        part = _STAGES.get(stage, f"cured tests, with the remedy, run {stage.removeprefix('again-')} more")
        if isinstance(record.receipt, SuiteReceipt):
            run = record.receipt.run
            words = tally_words(tally(run.results)) + (f"; {run.problem}" if run.problem else "")
        else:
            words = unsettled(record)
        yield ProofPart(part, effect.suite, words, reading.durations.get(key), record.evidence)


def pull_request_rows(reading: Reading) -> tuple[PullRequestView, ...]:
    """Every pull request the run asked for."""
    by_branch = {one.branch: one.id for one in remedies(reading.state)}
    found: list[PullRequestView] = []
    for record in reading.effects.values():
        effect, receipt = record.effect, record.receipt
        if not isinstance(effect, OpenPullRequest):
            continue
        if isinstance(receipt, PullRequestReceipt):
            state = _standing(receipt)
            address = receipt.address if receipt.opened_by else _relative(receipt.address, reading)
        else:
            address = ""
            state = "asked for; the log ends before the answer"
            if record.status == "failed":
                state = f"could not be opened: {record.error}"
        found.append(
            PullRequestView(
                remedy=by_branch.get(effect.branch, ""),
                branch=effect.branch,
                title=effect.title,
                address=address,
                state=state,
                pushed=_pushed(reading, effect.branch),
            )
        )
    return tuple(found)


def _standing(receipt: PullRequestReceipt) -> str:
    if receipt.opened_by:
        return f"already opened by {receipt.opened_by}{', a draft' if receipt.draft else ''}"
    state = "draft" if receipt.draft else "open, ready for review"
    return f"{state}; other runs could not be asked: {receipt.problem}" if receipt.problem else state


def _relative(address: str, reading: Reading) -> str:
    """An address within the run's folder as the worklog in that folder sees it."""
    started = reading.state.started
    folder = f"/{started.run}/" if started else ""
    is_file = folder and "://" not in address and folder in address
    return address.rsplit(folder, 1)[1] if is_file else address


def _pushed(reading: Reading, branch: str) -> str:
    record = reading.effects.get(f"push/{branch}")
    if record is None:
        return "not pushed"
    if isinstance(record.receipt, PushReceipt):
        head = record.receipt.remote_head
        return record.receipt.problem or (f"remote is at {head[:12]}" if head else "not on the remote")
    return f"push failed: {record.error}" if record.status == "failed" else "push was asked for"
