"""What the receipts of a cycle say, for everybody who has to know: results, histories, services."""

from __future__ import annotations

from goldenpath_loop.core.comparing import run_problem
from goldenpath_loop.core.deployments import cycle_deployment, start_reports
from goldenpath_loop.core.state import State
from goldenpath_loop.core.step import Scene
from goldenpath_loop.records.effects import ProbeService, RunSuite
from goldenpath_loop.records.history import TestHistory
from goldenpath_loop.records.receipts import HistoryReceipt, SuiteReceipt
from goldenpath_loop.records.results import SuiteRun, TestResult

__all__ = [
    "HISTORY_KEY",
    "cycle_runs",
    "failures",
    "histories",
    "next_finding_id",
    "sound_runs",
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


def sound_runs(state: State, cycle: int) -> dict[str, SuiteRun]:
    """Those of `cycle_runs` whose results count: the right code, the right revision, before and after."""
    found: dict[str, SuiteRun] = {}
    for key, record in state.effects.items():
        if key.startswith(f"c{cycle}/execute/") and isinstance(record.receipt, SuiteReceipt):
            assert isinstance(record.effect, RunSuite)
            run = record.receipt.run
            if not run_problem(run, expected=record.effect.revision):
                found[run.suite] = run
    return found


def failures(state: State, cycle: int) -> list[tuple[str, TestResult]]:
    """Red and timed-out tests of one cycle, with their suites."""
    return [
        (name, result)
        for name, run in sound_runs(state, cycle).items()
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
        unasked = _unasked(scene.state, deployment, service.name)
        if verdict is None and unasked:
            found.setdefault(service.name, f"it could not be probed: {unasked}")
    return found


def _unasked(state: State, deployment: str, service: str) -> str:
    """Why the service was never asked anything, when its probes could not be carried out."""
    for record in state.effects.values():
        effect = record.effect
        if (
            isinstance(effect, ProbeService)
            and (effect.deployment, effect.service) == (deployment, service)
            and record.status == "failed"
        ):
            return record.error
    return ""


def next_finding_id(state: State) -> str:
    """The id of the next finding put before the gate; rejected ones use up theirs."""
    return f"F{len(state.findings) + len(state.rejected) + 1}"
