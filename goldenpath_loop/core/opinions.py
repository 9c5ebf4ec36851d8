"""Second opinions: what each phase asks its agent when its own measurements leave something to look at.

Each function returns the questions, none when there is nothing to ask. No answer changes a verdict: claims become
findings or not, an order only permutes what is planned anyway, and words are words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from goldenpath_loop.core.consultation import answered
from goldenpath_loop.core.remedies import Remedy
from goldenpath_loop.core.step import Scene
from goldenpath_loop.core.wording import counted
from goldenpath_loop.records.agents import ProposedOrder, PullRequestText
from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.effects import DispatchAgent
from goldenpath_loop.records.findings import Finding, PlannedSuite, Verdict
from goldenpath_loop.records.history import TestHistory
from goldenpath_loop.records.receipts import AuditReceipt
from goldenpath_loop.records.results import SuiteRun, TestResult
from goldenpath_loop.records.services import ServiceReport

__all__ = [
    "about_deployment",
    "about_hits",
    "about_order",
    "about_slower_tests",
    "about_words",
    "ordered",
    "words_of",
]

_SLOWER, _SLOWER_S = 2.0, 0.5
"""How many times slower a test has to be, and by how many seconds, to be worth a question."""
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NO_WORDS = re.compile(r"https?://|!\[|<[a-z!/]|@[A-Za-z]", re.IGNORECASE)


def about_deployment(
    scene: Scene, revision: Revision, reports: Mapping[str, ServiceReport], verdicts: Sequence[Verdict]
) -> list[DispatchAgent]:
    """Whether services behave as they say, when one of them does not answer as configured."""
    if all(one.value == "healthy" for one in verdicts):
        return []
    rows = [f"{one.subject}: {one.value}: {one.statement}" for one in verdicts]
    evidence: list[str] = []
    for name, report in reports.items():
        for probe in report.reports:
            rows.append(f"- {name}.{probe.probe}: {probe.summary} ({probe.evidence or 'no evidence'})")
            evidence += [probe.evidence] if probe.evidence else []
    settings = [
        f"{service.name} needs {name}"
        for service in scene.policy.services
        for name in service.required_settings
    ]
    return [
        DispatchAgent(
            key=scene.key("agent"),
            agent="deploy_checker",
            subject="deployment",
            inputs={"services": "\n".join(rows), "settings": "\n".join(settings) or "none is required"},
            opening=tuple(dict.fromkeys(evidence)),
            revision=revision,
        )
    ]


def about_order(
    scene: Scene,
    revision: Revision,
    planned: Sequence[PlannedSuite],
    histories: Mapping[str, TestHistory],
) -> list[DispatchAgent]:
    """In which order to run suites, when the rule gives two of them the same reason for their place."""
    reasons = [one.reason for one in planned]
    if len(set(reasons)) == len(reasons):
        return []
    rows = [f"{at}. {one.suite}: {one.reason}" for at, one in enumerate(planned, start=1)]
    known = [
        f"{one.suite}: {counted(one.tests, 'test')}, "
        f"{sum(histories[test].reds for test in one.tests if test in histories)} reds in earlier runs, "
        f"{sum(histories[test].mean_duration_s for test in one.tests if test in histories):.1f} s"
        for one in planned
    ]
    return [
        DispatchAgent(
            key=scene.key("agent"),
            agent="test_selector",
            subject="plan",
            inputs={"plan": "\n".join(rows), "history": "\n".join(known)},
            revision=revision,
        )
    ]


def ordered(
    scene: Scene, planned: Sequence[PlannedSuite], asked: Sequence[DispatchAgent]
) -> tuple[PlannedSuite, ...]:
    """The planned suites in the proposed order, when that keeps every suite, adds none, and moves ties only."""
    for one in asked:
        receipt = answered(scene, one.key)
        order = receipt.answer.suites if receipt and isinstance(receipt.answer, ProposedOrder) else ()
        by_name = {suite.suite: suite for suite in planned}
        if sorted(order) != sorted(by_name) or len(order) != len(planned):
            continue
        found = tuple(by_name[name] for name in order)
        if [suite.reason for suite in found] == [suite.reason for suite in planned]:
            return found
    return tuple(planned)


def about_hits(scene: Scene, remedy: Remedy, receipt: AuditReceipt | None) -> list[DispatchAgent]:
    """Which hits of the audit are a second source of truth."""
    if receipt is None or not receipt.issues or remedy.head is None:
        return []
    hits = "\n".join(f"{one.rule} {one.path}:{one.line}: {one.message} {one.quote}" for one in receipt.issues)
    shown = tuple(
        id for id in (remedy.receipt.diff if remedy.receipt else None, receipt.evidence) if id is not None
    )
    return [
        DispatchAgent(
            key=f"audit/{remedy.id}/agent",
            agent="ssot_auditor",
            subject=remedy.id,
            inputs={"diff": _named(shown[:1]), "hits": hits},
            opening=shown,
            revision=remedy.head,
        )
    ]


def about_slower_tests(
    scene: Scene, remedy: Remedy, before: Sequence[SuiteRun], after: Sequence[SuiteRun]
) -> list[DispatchAgent]:
    """What the numbers of a proof leave open, when a test takes much longer with the remedy."""
    was = {(run.suite, one.id): one for run in before for one in run.results}
    pairs = ((was.get((run.suite, one.id)), one) for run in after for one in run.results)
    slower = [(old, new) for old, new in pairs if old is not None and _is_slower(old, new)]
    if not slower or remedy.head is None:
        return []
    evidence = [one.evidence for pair in slower for one in pair if one.evidence]
    return [
        DispatchAgent(
            key=f"stability/{remedy.id}/agent",
            agent="stability_prover",
            subject=remedy.id,
            inputs={
                "before": "\n".join(
                    f"{one.id}: {one.outcome} in {one.duration_s:.2f} s" for one, _ in slower
                ),
                "after": "\n".join(f"{one.id}: {one.outcome} in {one.duration_s:.2f} s" for _, one in slower),
                "repeats": "each cured test again, three times or more",
            },
            opening=tuple(dict.fromkeys(evidence))[:12],
            revision=remedy.head,
        )
    ]


def _is_slower(old: TestResult, new: TestResult) -> bool:
    return new.duration_s > max(_SLOWER * old.duration_s, old.duration_s + _SLOWER_S)


def about_words(
    scene: Scene, remedy: Remedy, findings: Sequence[Finding], verdicts: Sequence[Verdict]
) -> list[DispatchAgent]:
    """Words for a pull request."""
    if remedy.head is None:
        return []
    shown = (remedy.receipt.diff,) if remedy.receipt and remedy.receipt.diff else ()
    return [
        DispatchAgent(
            key=f"pull_request/{remedy.branch}/agent",
            agent="pr_author",
            subject=remedy.id,
            inputs={
                "findings": "\n".join(f"{one.id}: {one.title}. {one.statement}" for one in findings)
                or "none",
                "verdicts": "\n".join(f"{one.id}: {one.value}. {one.statement}" for one in verdicts)
                or "none",
                "diff": _named(shown),
                "base": scene.policy.target.branch,
            },
            opening=shown,
            revision=remedy.head,
        )
    ]


def words_of(
    scene: Scene, asked: Sequence[DispatchAgent], findings: Sequence[Finding], verdicts: Sequence[Verdict]
) -> PullRequestText | None:
    """The words, when every record they name exists, and every number in them stands in those records."""
    known = {*(one.id for one in findings), *(one.id for one in verdicts)}
    said = " ".join(
        (*(f"{one.title} {one.statement}" for one in findings), *(one.statement for one in verdicts))
    )
    numbers = set(_NUMBER.findall(said))
    for one in asked:
        receipt = answered(scene, one.key)
        words = receipt.answer if receipt else None
        if not isinstance(words, PullRequestText) or words.not_enough_evidence:
            continue
        text = " ".join((words.title, words.summary, *words.review_hints))
        is_bounded = bool(words.because) and set(words.because) <= known
        if is_bounded and set(_NUMBER.findall(text)) <= numbers and not _NO_WORDS.search(text):
            return words
    return None


def _named(ids: Sequence[str]) -> str:
    return f"{ids[0]}, below" if ids else "none"
