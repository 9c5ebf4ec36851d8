"""The head of the worklog: what the run is, how it stands, and what it measured in a few sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from goldenpath_loop.core.remedies import has_pull_request, remedies
from goldenpath_loop.records.base import EvidenceId, Revision
from goldenpath_loop.review.plan import plan_of
from goldenpath_loop.review.reading import Reading
from goldenpath_loop.review.results import Results, results_of
from goldenpath_loop.review.services import Services, services_of
from goldenpath_loop.review.wording import amount, counted, short, usd

__all__ = ["Overview", "Statement", "overview_of", "value_at_risk_usd"]


@dataclass(frozen=True, slots=True)
class Statement:
    """One measured sentence and what it rests on."""

    text: str
    evidence: tuple[EvidenceId, ...] = ()
    records: tuple[str, ...] = ()
    """Verdicts and findings, by id."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Header and executive summary."""

    run: str
    target: str
    focus: str
    version: str
    platform: str
    created: datetime | None
    base: Revision | None
    base_branch: str
    status: str
    active_s: float
    wall_s: float
    statements: tuple[Statement, ...]


def overview_of(reading: Reading) -> Overview:
    """What stands at the top."""
    started, policy = reading.state.started, reading.policy
    spanned = (reading.last - reading.began).total_seconds() if reading.last and reading.began else 0.0
    return Overview(
        run=started.run if started else "",
        target=policy.target.name if policy else "not known",
        focus=started.focus if started else "",
        version=started.version if started else "",
        platform=started.platform if started else "",
        created=reading.state.started_at,
        base=reading.state.base.revision if reading.state.base else None,
        base_branch=policy.target.branch if policy else "",
        status=_status(reading),
        active_s=reading.active_s,
        wall_s=max(0.0, spanned),
        statements=tuple(_statements(reading)),
    )


def value_at_risk_usd(reading: Reading, cycle: int) -> tuple[float, tuple[str, ...]]:
    """Configured value of the suites of `cycle` that failed, were left out or are incomplete, each once."""
    plan, results = plan_of(reading, cycle), results_of(reading, cycle)
    names = {row.suite for row in plan.left_out} if plan else set[str]()
    if results:
        names |= {row.name for row in results.suites if row.failed or row.verdict.startswith("incomplete")}
    suites = reading.suites
    concerned = tuple(name for name in suites if name in names)
    return sum(suites[name].value_at_risk_usd for name in concerned), concerned


def _status(reading: Reading) -> str:
    state = reading.state
    if state.finished is not None:
        return f"finished: {state.finished.outcome}"
    if state.paused:
        return "paused; `loop resume` goes on with it"
    where = f", in cycle {state.cycle}" if state.cycle else ""
    if state.phase:
        where += f", phase {state.phase.phase}"
    return f"no outcome yet: the log ends{where}. Either the run is going on or it was cut off"


def _statements(reading: Reading) -> Iterator[Statement]:
    state = reading.state
    if state.finished is not None:
        yield Statement(f"Outcome {state.finished.outcome}: {state.finished.reason}")
    for begun in reading.cycles:
        cycle = begun.cycle
        services, results = services_of(reading, cycle), results_of(reading, cycle)
        if services.answers:
            yield _answered(reading, cycle, services)
        for finding in services.contradictions:
            evidence = tuple(dict.fromkeys(citation.evidence for citation in finding.citations))
            yield Statement(f"Contradiction: {finding.statement}", evidence, (finding.id,))
        if results:
            yield _measured(cycle, services.revision, results)
        value, concerned = value_at_risk_usd(reading, cycle)
        if concerned and results:
            suites = amount(len(concerned), "suite")
            yield Statement(
                f"Value at risk in cycle {cycle}: {usd(value)} a month, configured for {suites} with failed "
                f"or left-out tests ({counted(concerned)}). The number comes from the configuration; "
                "nothing measured it."
            )
        for verdict in reading.verdicts_of(cycle, "culprit"):
            evidence = reading.evidence_behind(verdict.because)
            words = f"{verdict.subject}, culprit {verdict.value}: {verdict.statement}"
            yield Statement(words, evidence, (verdict.id,))
    yield from _repaired(reading)


def _answered(reading: Reading, cycle: int, services: Services) -> Statement:
    silent = [one for one in services.answers if one.state != "healthy"]
    names = tuple(dict.fromkeys(one.service for one in services.answers))
    bad = tuple(dict.fromkeys(one.service for one in silent))
    text = f"Cycle {cycle}: {len(names) - len(bad)} of {amount(len(names), 'service')} answered as configured"
    if bad:
        text += f"; not so: {', '.join(bad)}"
    verdicts = tuple(dict.fromkeys(one.verdict for one in services.answers if one.verdict))
    evidence = tuple(id for one in services.answers for id in one.evidence)
    return Statement(f"{text}.", evidence, verdicts)


def _measured(cycle: int, revision: Revision | None, results: Results) -> Statement:
    total = results.total
    ran = amount(total.ran, "test")
    text = f"Cycle {cycle}, on {short(revision)}: {total.passed} of {ran} that ran passed"
    text += f", {total.failed} failed" if total.failed else ""
    text += f", {total.not_run} did not run" if total.not_run else ""
    return Statement(f"{text}.", tuple(id for row in results.suites for id in row.evidence))


def _repaired(reading: Reading) -> Iterator[Statement]:
    for remedy in remedies(reading.state):
        stability = reading.state.verdict("stability", remedy.id)
        if stability is not None:
            what = f"a revert of {short(remedy.commit)}" if remedy.commit else f"a patch for {remedy.cluster}"
            made = f"{remedy.id}, {what}"
            text = f"{made}, is {stability.value}: {stability.statement}"
            yield Statement(text, reading.evidence_behind(stability.because), (stability.id,))
        opened = has_pull_request(reading.state, remedy)
        if opened is not None:
            draft = " as a draft" if opened.draft else ""
            what = f"has a pull request{draft}"
            if opened.opened_by:
                what = f"is shown{draft} by a pull request that {opened.opened_by} opened already"
            yield Statement(f"{remedy.id} {what}: {opened.address} (branch {opened.branch}).")
