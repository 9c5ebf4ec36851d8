"""What really happens when the planned tests run?"""

from __future__ import annotations

from goldenpath_loop.core import verdicts
from goldenpath_loop.core.comparing import tally
from goldenpath_loop.core.deployments import (
    cycle_deployment,
    cycle_revision,
    cycle_tree,
    ensure_deployment,
)
from goldenpath_loop.core.readings import histories, sound_runs, suite_key
from goldenpath_loop.core.state import State
from goldenpath_loop.core.step import Scene, Step, request
from goldenpath_loop.core.wording import counted
from goldenpath_loop.records.effects import RunSuite
from goldenpath_loop.records.events import VerdictReached
from goldenpath_loop.records.results import TestResult

__all__ = ["decide"]


def decide(scene: Scene) -> Step:
    """Suite after suite in the plan's order, then the gates of every priority."""
    plan = scene.state.plan
    revision = cycle_revision(scene)
    assert plan is not None
    assert revision is not None
    for planned in plan.suites:
        key = suite_key(scene.cycle, planned.suite)
        if scene.state.is_over(key):
            continue
        step = ensure_deployment(scene)
        if step is not None:
            return step
        run = RunSuite(
            key=key,
            suite=planned.suite,
            tests=planned.asked,
            tree=cycle_tree(scene),
            deployment=cycle_deployment(scene),
            revision=revision,
        )
        return request(scene.state, [run]) or Step()
    return _judge(scene)


def _judge(scene: Scene) -> Step:
    plan = scene.state.plan
    assert plan is not None
    runs = sound_runs(scene.state, scene.cycle)
    by_level: dict[int, list[TestResult]] = {}
    for planned in plan.suites:
        results = runs[planned.suite].results if planned.suite in runs else ()
        by_level.setdefault(scene.policy.suite(planned.suite).priority, []).extend(results)
    gates = verdicts.numbered(
        (
            verdicts.priority(level, results, scene.policy.gates.get(f"P{level}", 0.0))
            for level, results in sorted(by_level.items())
        ),
        after=len(scene.state.verdicts),
    )
    everything = [result for results in by_level.values() for result in results]
    seen = tally(everything)
    suites = [
        scene.state.verdict("suite", f"cycle {scene.cycle}: {planned.suite}") for planned in plan.suites
    ]
    green = all(verdict is not None and verdict.value == "green" for verdict in suites)
    shrunk = _lost_tests(scene)
    summary = f"{seen.green} of {seen.total} tests passed"
    if seen.bad:
        summary += f", {seen.bad} failed"
    if seen.unresolved:
        summary += f", {seen.unresolved} not run"
    if plan.left_out:
        summary += f"; {counted(plan.left_out, 'suite')} could not run"
    if shrunk:
        summary += f"; {counted(shrunk, 'test')} that ran before did not run now, first {shrunk[0]}"
    unsaid = [verdict for verdict in suites if verdict is not None and verdict.value == "incomplete"]
    summary += "".join(
        f"; {verdict.subject.split(': ', 1)[1]}: {verdict.statement}" for verdict in unsaid[:3]
    )
    all_well = green and not plan.left_out and not shrunk
    events = tuple(VerdictReached(verdict=gate, causes=gate.because) for gate in gates)
    finished = scene.finish(
        "nothing_to_do" if all_well else "done", summary, *(verdict.id for verdict in suites if verdict)
    )
    return Step(events=(*events, finished))


def _lost_tests(scene: Scene) -> list[str]:
    """Tests that gave a verdict before and give none now: a set that shrinks is neither a pass nor a repair.

    Before is the first cycle; for the first cycle it is earlier runs, and then a test counts only while it is
    still there, because what is gone from the tree may have been taken away on purpose.
    """
    now = _with_verdict(scene.state, scene.cycle)
    if scene.cycle > 1:
        return sorted(test for _, test in _with_verdict(scene.state, 1) - now)
    there = {(name, result.id) for name, run in sound_runs(scene.state, 1).items() for result in run.results}
    ran_before = {name for name, history in histories(scene).items() if history.runs}
    return sorted({test for _, test in there - now} & ran_before - {test for _, test in now})


def _with_verdict(state: State, cycle: int) -> set[tuple[str, str]]:
    """Suite and test of every result that says something."""
    return {
        (name, result.id)
        for name, run in sound_runs(state, cycle).items()
        for result in run.results
        if result.outcome != "unresolved"
    }
