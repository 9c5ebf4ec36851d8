"""Which tests, in which order, and which cannot run?"""

from __future__ import annotations

from goldenpath_loop.core.consultation import consult
from goldenpath_loop.core.deployments import cycle_deployment, cycle_revision, cycle_tree, ensure_deployment
from goldenpath_loop.core.opinions import about_order, ordered
from goldenpath_loop.core.readings import HISTORY_KEY, histories, unavailable_services
from goldenpath_loop.core.step import Scene, Step, request
from goldenpath_loop.core.wording import counted
from goldenpath_loop.records.effects import CollectTests, ReadHistory
from goldenpath_loop.records.events import DecisionMade, PhaseResult
from goldenpath_loop.records.findings import LeftOut, Plan, PlannedSuite
from goldenpath_loop.records.receipts import CollectionReceipt
from goldenpath_loop.records.target import SuiteSpec
from goldenpath_loop.science.ranking import rank_suites

__all__ = ["decide"]


def decide(scene: Scene) -> Step:
    """Read history, collect every suite that can run, and write the plan."""
    step = request(scene.state, [ReadHistory(key=HISTORY_KEY)])
    if step is not None:
        return step
    if not scene.policy.focus_suites:
        return _stop(scene, f"focus {scene.policy.focus.name} selects no suite")
    left_out = _left_out(scene)
    names = {lost.suite for lost in left_out}
    runnable = [suite for suite in scene.policy.focus_suites if suite.name not in names]
    collections = [_collection(scene, suite) for suite in runnable]
    if not all(scene.state.is_over(one.key) for one in collections):
        # After a resume, what tests are collected from has to be there again.
        step = ensure_deployment(scene)
        if step is not None:
            return step
    step = request(scene.state, collections)
    if step is not None:
        return step
    return _plan(scene, runnable, left_out)


def _collection(scene: Scene, suite: SuiteSpec) -> CollectTests:
    return CollectTests(
        key=scene.key("collect", suite.name),
        suite=suite.name,
        tree=cycle_tree(scene),
        deployment=cycle_deployment(scene),
    )


def _left_out(scene: Scene) -> tuple[LeftOut, ...]:
    unavailable = unavailable_services(scene)
    found: list[LeftOut] = []
    for suite in scene.policy.focus_suites:
        lost = [name for name in suite.needs if name in unavailable]
        if lost:
            reason = "; ".join(f"needs {name}: {unavailable[name]}" for name in lost)
            found.append(LeftOut(suite=suite.name, reason=reason, services=tuple(lost)))
    return tuple(found)


def _plan(scene: Scene, runnable: list[SuiteSpec], left_out: tuple[LeftOut, ...]) -> Step:
    collected: dict[str, tuple[str, ...]] = {}
    problems: list[str] = []
    for suite in runnable:
        key = scene.key("collect", suite.name)
        receipt = scene.state.settled(key, CollectionReceipt)
        failed = scene.state.failed(key)
        collected[suite.name] = receipt.tests if receipt else ()
        problem = failed.error if failed else receipt.run.problem if receipt else ""
        if problem:
            problems.append(f"{suite.name}: {problem}")
    # A suite with nothing collected stays in the plan when its files cannot be read as tests: running it shows
    # the error as a red result. One that is simply empty is left out and named.
    empty = [
        suite.name
        for suite in runnable
        if suite.is_pytest and not collected[suite.name] and not _has_errors(scene, suite)
    ]
    ranked = rank_suites(
        [suite for suite in runnable if suite.name not in empty], collected, histories(scene)
    )
    revision = cycle_revision(scene)
    asked = about_order(scene, revision, ranked, histories(scene)) if revision else []
    step = consult(scene, asked)
    if step is not None:
        return step
    planned = tuple(_with_errors(scene, one) for one in ordered(scene, ranked, asked))
    plan = Plan(
        suites=planned,
        left_out=(*left_out, *(LeftOut(suite=name, reason="it collected no test") for name in empty)),
    )
    tests = sum(len(one.tests) for one in planned)
    if not planned:
        why = "; ".join((*(lost.reason for lost in plan.left_out), *problems)) or "no suite can run"
        return _stop(scene, f"no test of focus {scene.policy.focus.name} can run: {why}")
    summary = f"{counted(tests, 'test')} in {counted(planned, 'suite')}"
    if plan.left_out:
        summary += ", without " + ", ".join(lost.suite for lost in plan.left_out)
    if problems:
        summary += "; " + "; ".join(problems)
    decision = DecisionMade(
        cycle=scene.cycle, phase=scene.phase, subject="plan", choice="run", reason=summary, plan=plan
    )
    result: PhaseResult = "degraded" if plan.left_out else "done"
    return Step(events=(decision, scene.finish(result, summary)))


def _has_errors(scene: Scene, suite: SuiteSpec) -> bool:
    return bool(_collection_errors(scene, suite.name))


def _collection_errors(scene: Scene, suite: str) -> tuple[str, ...]:
    """What of the suite cannot be read as tests; it is planned like a test, and red when it runs."""
    receipt = scene.state.settled(scene.key("collect", suite), CollectionReceipt)
    return tuple(result.id for result in receipt.run.results) if receipt else ()


def _with_errors(scene: Scene, planned: PlannedSuite) -> PlannedSuite:
    errors = _collection_errors(scene, planned.suite)
    if not errors:
        return planned
    tests = (*planned.tests, *(name for name in errors if name not in planned.tests))
    reason = f"{planned.reason}; {counted(errors, 'file')} cannot be collected"
    return planned.model_copy(update={"tests": tests, "reason": reason, "whole": True})


def _stop(scene: Scene, reason: str) -> Step:
    decision = DecisionMade(
        cycle=scene.cycle, phase=scene.phase, subject="plan", choice="stop", reason=reason
    )
    return Step(events=(decision, scene.finish("stopped", reason)))
