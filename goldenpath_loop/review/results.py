"""What really happened when the planned tests of one cycle ran."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from goldenpath_loop.core.comparing import tally
from goldenpath_loop.core.readings import cycle_runs, suite_key
from goldenpath_loop.records.base import EvidenceId
from goldenpath_loop.records.findings import PlannedSuite, Verdict
from goldenpath_loop.records.results import TestResult
from goldenpath_loop.review.baseline import Baseline, baseline_of, shift_of
from goldenpath_loop.review.plan import PlanView, plan_of
from goldenpath_loop.review.reading import Reading
from goldenpath_loop.review.wording import unsettled

__all__ = ["Results", "ResultsRow", "TestRow", "results_of"]

_BAD = ("red", "timeout")
_ALL = "all"


@dataclass(frozen=True, slots=True)
class ResultsRow:
    """One suite, one priority, or everything together."""

    name: str
    priority: int | None
    passed: int
    failed: int
    not_run: int
    verdict: str
    gate: str
    change: str
    duration_s: float | None
    evidence: tuple[EvidenceId, ...]

    @property
    def ran(self) -> int:
        """Tests that ran to a verdict."""
        return self.passed + self.failed

    @property
    def rate(self) -> str:
        """Share of tests that passed among those that ran."""
        return f"{self.passed / self.ran:.1%}" if self.ran else "not measured"


@dataclass(frozen=True, slots=True)
class TestRow:
    """One test that did not pass."""

    __test__ = False  # the name is the field's word; keeps pytest from collecting it

    suite: str
    result: TestResult

    @property
    def words(self) -> str:
        """The failure in the test's own words."""
        failure = self.result.failure
        if failure is None:
            return ""
        says_it = failure.exception in failure.message
        return failure.message if says_it else f"{failure.exception}: {failure.message}"


@dataclass(frozen=True, slots=True)
class Results:
    """The sections “Results” and “Failing tests”."""

    baseline: str
    shift: str
    """Whether the difference from it is more than chance; empty when that cannot be said."""
    suites: tuple[ResultsRow, ...]
    priorities: tuple[ResultsRow, ...]
    total: ResultsRow
    problems: tuple[tuple[str, str], ...]
    """Suites whose run as such went wrong, with the sentence that says how."""
    failing: tuple[TestRow, ...]
    not_run: tuple[TestRow, ...]


def results_of(reading: Reading, cycle: int) -> Results | None:
    """Everything `execute` measured in `cycle` so far; None before the first suite was asked for."""
    plan = plan_of(reading, cycle)
    if plan is None or not any(suite_key(cycle, row.suite) in reading.effects for row in plan.rows):
        return None
    baseline = baseline_of(reading, cycle)
    runs = cycle_runs(reading.state, cycle)
    everything = [result for run in runs.values() for result in run.results]
    gates = {verdict.subject: verdict for verdict in reading.verdicts_of(cycle, "priority")}
    suites = tuple(_suites(reading, cycle, plan, baseline))
    missing = sum(row.not_run for row in suites) - tally(everything).unresolved
    rows = [TestRow(name, result) for name, run in runs.items() for result in run.results]
    return Results(
        baseline=baseline.name,
        shift=shift_of(reading, cycle),
        suites=suites,
        priorities=tuple(_priorities(suites, gates)),
        total=_row(_ALL, None, everything, baseline, missing=missing),
        problems=tuple((name, run.problem) for name, run in runs.items() if run.problem),
        failing=tuple(row for row in rows if row.result.outcome in _BAD),
        not_run=tuple(row for row in rows if row.result.outcome == "unresolved"),
    )


def _suites(reading: Reading, cycle: int, plan: PlanView, baseline: Baseline) -> Iterator[ResultsRow]:
    runs = cycle_runs(reading.state, cycle)
    planned = {one.suite: one.tests for one in _planned(reading, cycle)}
    for row in plan.rows:
        key = suite_key(cycle, row.suite)
        record = reading.effects.get(key)
        run = runs.get(row.suite)
        if run is None:
            words = unsettled(record) if record else "not asked for when the log ends"
            yield ResultsRow(row.suite, row.priority, 0, 0, row.tests, words, "", "", None, ())
            continue
        verdict = reading.state.verdict("suite", f"cycle {cycle}: {row.suite}")
        seen = {result.id for result in run.results}
        yield _row(
            row.suite,
            row.priority,
            run.results,
            baseline,
            missing=len(set(planned.get(row.suite, ())) - seen),
            verdict=f"{verdict.value}: {verdict.statement}" if verdict else "not judged yet",
            duration_s=run.duration_s or reading.durations.get(key),
            evidence=(run.console,) if run.console else record.evidence if record else (),
        )


def _planned(reading: Reading, cycle: int) -> Sequence[PlannedSuite]:
    for decision in reversed(reading.state.decisions):
        if decision.plan is not None and decision.cycle == cycle:
            return decision.plan.suites
    return ()


def _row(
    name: str,
    priority: int | None,
    results: Sequence[TestResult],
    baseline: Baseline,
    *,
    missing: int = 0,
    verdict: str = "",
    duration_s: float | None = None,
    evidence: tuple[EvidenceId, ...] = (),
) -> ResultsRow:
    seen = tally(results)
    return ResultsRow(
        name=name,
        priority=priority,
        passed=seen.green,
        failed=seen.bad,
        not_run=seen.unresolved + missing,
        verdict=verdict,
        gate="",
        change=baseline.change(results, is_all=name == _ALL),
        duration_s=duration_s,
        evidence=evidence,
    )


def _priorities(suites: Sequence[ResultsRow], gates: dict[str, Verdict]) -> Iterator[ResultsRow]:
    """The suites added up by priority, with the gate's verdict once there is one."""
    for level in sorted({row.priority for row in suites if row.priority is not None}):
        rows = [row for row in suites if row.priority == level]
        gate = gates.get(f"P{level}")
        yield ResultsRow(
            name=f"P{level}",
            priority=level,
            passed=sum(row.passed for row in rows),
            failed=sum(row.failed for row in rows),
            not_run=sum(row.not_run for row in rows),
            verdict="",
            gate=f"{gate.value}: {gate.statement} ({gate.id})" if gate else "not judged yet",
            change="",
            duration_s=None,
            evidence=(),
        )
