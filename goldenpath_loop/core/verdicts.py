"""Every verdict, each a plain function from measurements to a conclusion.

No model text reaches this module. A function returns what it concluded, in one word, with the sentence a
person reads and the numbers it rests on; `numbered` gives it its place in the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from goldenpath_loop.core.comparing import run_problem, tally
from goldenpath_loop.core.wording import counted
from goldenpath_loop.records.base import Reference, Revision, TestId
from goldenpath_loop.records.findings import Measurement, Verdict, VerdictKind
from goldenpath_loop.records.receipts import AuditReceipt
from goldenpath_loop.records.results import SuiteRun, TestResult
from goldenpath_loop.records.services import ServiceReport, StartReport
from goldenpath_loop.science import triage as science
from goldenpath_loop.science.statistics import rate_bound

__all__ = [
    "Conclusion",
    "audit",
    "numbered",
    "priority",
    "repeat_bound",
    "service",
    "suite",
    "triage",
]


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A verdict before it has its number."""

    kind: VerdictKind
    subject: str
    value: str
    statement: str
    measurements: tuple[Measurement, ...] = ()
    because: tuple[Reference, ...] = ()
    revision: Revision | None = None


def numbered(conclusions: Iterable[Conclusion], *, after: int) -> tuple[Verdict, ...]:
    """Verdicts with ids that follow the `after` verdicts the log has already."""
    return tuple(
        Verdict(
            id=f"V{number}",
            kind=found.kind,
            subject=found.subject,
            value=found.value,
            statement=found.statement,
            measurements=found.measurements,
            because=found.because,
            revision=found.revision,
        )
        for number, found in enumerate(conclusions, start=after + 1)
    )


_REACHABILITY = {"http", "tcp", "tls", "dns"}


def service(
    deployment: str,
    report: ServiceReport,
    because: Sequence[Reference] = (),
    *,
    start: StartReport | None = None,
) -> Conclusion:
    """`healthy`: every probe answered. `down`: it cannot be reached. `impaired`: reachable, but not all right.

    A service that we could not start is down whatever answers in its place.
    """
    silent = [probe for probe in report.reports if not probe.answered]
    unreachable = [probe for probe in silent if probe.kind in _REACHABILITY]
    if unreachable:
        value, shown = "down", unreachable
    elif silent:
        value, shown = "impaired", silent
    else:
        value, shown = "healthy", list(report.reports)
    detail = "; ".join(f"{probe.probe}: {probe.summary}" for probe in shown) or "no probe configured"
    if start is not None and not start.started:
        value, detail = "down", start.summary
    return Conclusion(
        kind="service",
        subject=f"{deployment}/{report.service}",
        value=value,
        statement=f"{report.service} is {value} ({detail})",
        measurements=tuple(
            Measurement(name=f"{probe.probe} latency", value=round(probe.latency_ms, 2), unit="ms")
            for probe in report.reports
            if probe.latency_ms is not None
        ),
        because=(*because, *(probe.evidence for probe in report.reports if probe.evidence)),
        revision=report.served_revision,
    )


def suite(
    run: SuiteRun,
    planned: Sequence[TestId],
    *,
    subject: str = "",
    expected: Revision | None = None,
    may_skip: Sequence[str] = (),
    because: Sequence[Reference] = (),
) -> Conclusion:
    """`green` only by rule 5: every planned test ran and passed, against the revision that was meant.

    A test that skips itself or is marked to fail has not run; only what `may_skip` names may do so, and one test
    at least must have passed all the same. `red`: at least one test failed or was cut off. `incomplete`: no test
    failed, but not everything that was planned gave a verdict, it was given by another revision, or the run as
    such went wrong.
    """
    seen = tally(run.results)
    skipped = sorted(result.id for result in run.results if _skips_itself(result, may_skip))
    missing = sorted({*_without_verdict(run, planned), *set(planned) - {result.id for result in run.results}})
    problem = run_problem(run, expected=expected)
    if problem:
        # Whatever such a run printed says nothing about the code that was meant to be tested.
        value, statement = "incomplete", problem
    elif seen.bad:
        value, statement = "red", f"{seen.green} of {seen.total} passed, {seen.bad} failed"
        if run.ended != "completed":
            statement += f"; the run {_ENDS[run.ended]}"
    elif missing:
        said = f"{counted(missing, 'planned test')} gave no result, first {missing[0]}"
        value, statement = "incomplete", said
    elif run.ended != "completed":
        value, statement = "incomplete", f"the run {_ENDS[run.ended]}"
    elif run.problem:
        value, statement = "incomplete", f"{seen.green} of {seen.total} passed, but {run.problem}"
    elif skipped:
        value = "incomplete"
        statement = (
            f"{seen.green} of {seen.total} passed; {counted(skipped, 'test')} skipped or marked to fail without "
            f"being named in may_skip, first {skipped[0]}"
        )
    elif not seen.green:
        value, statement = "incomplete", "no test ran and passed"
    else:
        value, statement = "green", f"{seen.green} of {seen.total} passed"
        if seen.unresolved:
            statement += f", {seen.unresolved} not run, as they may"
    return Conclusion(
        kind="suite",
        subject=subject or run.suite,
        value=value,
        statement=statement,
        measurements=(
            Measurement(name="passed", value=seen.green),
            Measurement(name="failed", value=seen.bad),
            Measurement(
                name="not run", value=seen.unresolved + len(set(planned) - {one.id for one in run.results})
            ),
            Measurement(name="duration", value=round(run.duration_s, 3), unit="s"),
        ),
        because=tuple(because),
        revision=run.revision_after,
    )


def _without_verdict(run: SuiteRun, planned: Sequence[TestId]) -> set[TestId]:
    """Tests that were to run and did not, though nobody who wrote them said so."""
    return {
        result.id
        for result in run.results
        if result.outcome == "unresolved"
        and result.not_run not in ("skipped", "xfailed")
        and (result.id in planned or result.not_run != "deselected")
    }


def _skips_itself(result: TestResult, allowed: Sequence[str]) -> bool:
    return result.not_run in ("skipped", "xfailed") and not any(
        re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), result.id, re.DOTALL)
        for pattern in allowed
    )


_ENDS = {
    "completed": "completed",
    "hung": "hung and was ended",
    "timed_out": "ran out of time and was ended",
    "crashed": "crashed",
    "not_started": "did not start",
    "nothing_collected": "collected no test",
}


def priority(level: int, results: Sequence[TestResult], limit: float) -> Conclusion:
    """`held` while the share of failed tests among those that ran stays within `limit`."""
    seen = tally(results)
    ran = seen.green + seen.bad
    share = seen.bad / ran if ran else 0.0
    held = share == 0.0 if limit == 0 else share < limit
    value = "held" if held and ran else "breached" if ran else "not measured"
    allowed = "nothing" if limit == 0 else f"less than {limit:.0%}"
    return Conclusion(
        kind="priority",
        subject=f"P{level}",
        value=value,
        statement=f"{seen.bad} of {ran} failed ({share:.0%}); the gate tolerates {allowed}",
        measurements=(
            Measurement(name="failed", value=seen.bad),
            Measurement(name="ran", value=ran),
            Measurement(name="share", value=round(share, 4)),
            Measurement(name="limit", value=limit),
        ),
    )


def triage(
    cluster: str, outcomes: Sequence[str], because: Sequence[Reference], *, past: tuple[int, int] = (0, 0)
) -> Conclusion:
    """`regression` when the failure came back every time, `flaky` when it did not, `unresolved` else.

    `intermittent` when it came back more often than the test used to fail.

    Args:
        cluster: Whose representative was run again.
        outcomes: Its outcome in the suite, then those when it was run alone.
        because: The runs.
        past: Failures and runs of the test before.
    """
    reds = sum(outcome in ("red", "timeout") for outcome in outcomes)
    greens = sum(outcome == "green" for outcome in outcomes)
    others = len(outcomes) - reds - greens
    if greens and reds and _is_risen(outcomes[1:], past):
        value = "intermittent"
        statement = (
            f"{reds} of {len(outcomes)} runs failed on the same revision, {past[0]} of {past[1]} did before: it "
            "fails more often than it used to"
        )
    elif greens and reds:
        value = "flaky"
        statement = f"{reds} of {len(outcomes)} runs failed; it passes and fails on the same revision"
    elif greens:
        value = "flaky"
        statement = f"passed {greens} of {greens} times when run again alone: order, load or chance"
    elif reds == len(outcomes) > 0:
        value = "regression"
        statement = f"failed in {reds} of {reds} runs in a row with the same signature"
    else:
        value = "unresolved"
        statement = (
            f"failed in {reds} of {len(outcomes)} runs with the same signature; {others} could not be compared: "
            "they failed in another way or gave no result"
        )
    return Conclusion(
        kind="triage",
        subject=cluster,
        value=value,
        statement=statement,
        measurements=(
            Measurement(name="runs", value=len(outcomes)),
            Measurement(name="failed", value=reds),
            Measurement(name="passed", value=greens),
        ),
        because=tuple(because),
    )


def _is_risen(alone: Sequence[str], past: tuple[int, int]) -> bool:
    seen = [outcome != "green" for outcome in alone if outcome in ("red", "timeout", "green")]
    return science.triage(*past, seen, most=len(seen)) == "intermittent"


def audit(
    remedy: str, receipt: AuditReceipt, because: Sequence[Reference], *, files: Sequence[str]
) -> Conclusion:
    """`clean`, or `violations`: something the change touches, removes or doubles that it must not.

    `incomplete` when the audit has not looked at the remedy's `files`, all of them and no others.
    """
    objections = [f"touches {path}, which is protected" for path in receipt.protected]
    objections += [f"touches {path}, which it does not mean to" for path in receipt.unintended]
    objections += [f"{issue.path}:{issue.line} {issue.message}" for issue in receipt.issues]
    statement = (
        "; ".join(objections[:3]) + (f"; and {len(objections) - 3} more" if len(objections) > 3 else "")
        if objections
        else f"{len(receipt.changed)} changed files, all intended; no new issue in {receipt.scanned} files read"
    )
    blind = receipt.blind
    if receipt.unread:
        statement += f"; {counted(receipt.unread, 'file')} could not be read, first {receipt.unread[0]}"
    value = "violations" if objections else "clean"
    if not objections and (not receipt.changed or set(receipt.changed) != set(files) or blind):
        value = "incomplete"
        statement = (
            f"changed files could not be read, first {blind[0]}"
            if blind
            else f"it looked at {counted(receipt.changed, 'changed file')}, the remedy has {len(files)}"
        )
    return Conclusion(
        kind="audit",
        subject=remedy,
        value=value,
        statement=statement,
        measurements=(
            Measurement(name="changed", value=len(receipt.changed), unit="files"),
            Measurement(name="objections", value=len(objections)),
            Measurement(name="scanned", value=receipt.scanned, unit="files"),
        ),
        because=tuple(because),
    )


def repeat_bound(runs: int) -> str:
    """What `runs` green runs without a failure say about the failure rate, for people."""
    return f"0 failures in {runs} runs: the failure rate is below {rate_bound(runs):.0%} with 95 % confidence"
