"""Which tests one cycle chose, in which order, and which could not run."""

from __future__ import annotations

from dataclasses import dataclass

from goldenpath_loop.records.receipts import HistoryReceipt
from goldenpath_loop.review.reading import Reading

__all__ = ["LeftOutRow", "PlanView", "PlannedRow", "plan_of"]


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """One suite in its place."""

    order: int
    suite: str
    priority: int | None
    tests: int
    value_at_risk_usd: float
    reason: str


@dataclass(frozen=True, slots=True)
class LeftOutRow:
    """One suite of the focus that could not run."""

    suite: str
    priority: int | None
    value_at_risk_usd: float
    reason: str


@dataclass(frozen=True, slots=True)
class PlanView:
    """The section “Test selection”."""

    choice: str
    reason: str
    rows: tuple[PlannedRow, ...]
    left_out: tuple[LeftOutRow, ...]
    earlier_runs: int | None
    """Earlier runs that were read for the order; None when history was not read."""


def plan_of(reading: Reading, cycle: int) -> PlanView | None:
    """The plan of `cycle`; None while there is none."""
    decision = reading.state.decided("plan", cycle=cycle)
    if decision is None:
        return None
    plan = decision.plan
    suites = reading.suites
    history = reading.state.settled("history", HistoryReceipt)
    return PlanView(
        choice=decision.choice,
        reason=decision.reason,
        rows=tuple(
            PlannedRow(
                order=order,
                suite=one.suite,
                priority=suites[one.suite].priority if one.suite in suites else None,
                tests=len(one.tests),
                value_at_risk_usd=suites[one.suite].value_at_risk_usd if one.suite in suites else 0.0,
                reason=one.reason,
            )
            for order, one in enumerate(plan.suites if plan else (), start=1)
        ),
        left_out=tuple(
            LeftOutRow(
                suite=one.suite,
                priority=suites[one.suite].priority if one.suite in suites else None,
                value_at_risk_usd=suites[one.suite].value_at_risk_usd if one.suite in suites else 0.0,
                reason=one.reason,
            )
            for one in (plan.left_out if plan else ())
        ),
        earlier_runs=history.runs if history else None,
    )
