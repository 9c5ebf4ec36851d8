"""What the receipts of a cycle say, for everybody who has to know: results, histories, services."""

from __future__ import annotations

from goldenpath_loop.core.deployments import cycle_deployment, start_reports
from goldenpath_loop.core.state import State
from goldenpath_loop.core.step import Scene
from goldenpath_loop.records.history import TestHistory
from goldenpath_loop.records.receipts import HistoryReceipt, SuiteReceipt
from goldenpath_loop.records.results import SuiteRun, TestResult

__all__ = [
    "HISTORY_KEY",
    "cycle_runs",
    "failures",
    "histories",
    "next_finding_id",
    "suite_key",
    "unavailable_services",
]

HISTORY_KEY = "history"


def suite_key(cycle: int, suite: str) -> str:
    """Key of the run of one whole suite in one cycle."""
    return f"c{cycle}/execute/{suite}"


def cycle_runs(state: State, cycle: int) -> dict[str, SuiteRun]:
    """The suite runs of one cycle's `execute`, by suite; those that could not be run are absent."""
    found: dict[str, SuiteRun] = {}
    for key, record in state.effects.items():
        if key.startswith(f"c{cycle}/execute/") and isinstance(record.receipt, SuiteReceipt):
            found[record.receipt.run.suite] = record.receipt.run
    return found


def failures(state: State, cycle: int) -> list[tuple[str, TestResult]]:
    """Red and timed-out tests of one cycle, with their suites."""
    return [
        (name, result)
        for name, run in cycle_runs(state, cycle).items()
        for result in run.results
        if result.outcome in ("red", "timeout")
    ]


def histories(scene: Scene) -> dict[str, TestHistory]:
    """What earlier runs knew of each test, by test id."""
    receipt = scene.state.settled(HISTORY_KEY, HistoryReceipt)
    return {test.id: test for test in receipt.tests} if receipt else {}


def unavailable_services(scene: Scene) -> dict[str, str]:
    """Services of this cycle's deployment that cannot be reached, with the reason."""
    deployment = cycle_deployment(scene)
    found = {start.service: start.summary for start in start_reports(scene) if not start.started}
    for service in scene.policy.services:
        verdict = scene.state.verdict("service", f"{deployment}/{service.name}")
        if verdict is not None and verdict.value == "down":
            found.setdefault(service.name, verdict.statement)
    return found


def next_finding_id(state: State) -> str:
    """The id of the next finding put before the gate; rejected ones use up theirs."""
    return f"F{len(state.findings) + len(state.rejected) + 1}"
