"""Red to green, and nothing else broken?

The proof of one remedy has four parts, each a run that anybody can repeat: every planned test with the remedy;
the cured tests again and again; the same tests red once more without the remedy; services and collection as
before. A remedy that cures its tests and costs others is a trade-off, never proven.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from goldenpath_loop.core import verdicts
from goldenpath_loop.core.consultation import consult
from goldenpath_loop.core.deployments import (
    cycle_deployment,
    cycle_tree,
    ensure_deployment,
    service_reports,
)
from goldenpath_loop.core.narrowing import can_be_narrowed
from goldenpath_loop.core.opinions import about_slower_tests
from goldenpath_loop.core.proof_runs import (
    cured_selections,
    not_red,
    red_again,
    repeat_words,
    repeats,
    shaky_tests,
    sound,
    uncured_tests,
    with_remedy,
)
from goldenpath_loop.core.readings import sound_runs
from goldenpath_loop.core.remedies import Remedy, audited_clean, remedies, to_show
from goldenpath_loop.core.step import Scene, Step, request
from goldenpath_loop.core.targets import aimed_at
from goldenpath_loop.core.wording import counted
from goldenpath_loop.records.effects import (
    AnyEffect,
    Deploy,
    PrepareWorktree,
    ProbeService,
    RunSuite,
    Selection,
    StopDeployment,
)
from goldenpath_loop.records.events import PhaseResult, VerdictReached
from goldenpath_loop.records.findings import Measurement
from goldenpath_loop.records.receipts import DeployReceipt, ProbeReceipt, WorktreeReceipt
from goldenpath_loop.records.results import SuiteRun

__all__ = ["decide"]


def decide(scene: Scene) -> Step:
    """Prove each audited remedy in turn."""
    for remedy in audited_clean(scene.state):
        return _prove(scene, remedy)
    return _close(scene)


def _prove(scene: Scene, remedy: Remedy) -> Step:
    assert remedy.head is not None
    tree = PrepareWorktree(key=scene.live_key("tree", remedy.id), tree=remedy.tree, revision=remedy.head)
    step = request(scene.state, [tree])
    if step is not None:
        return step
    made = scene.state.settled(tree.key, WorktreeReceipt)
    if made is None or made.problem:
        failed = scene.state.failed(tree.key)
        detail = made.problem if made else failed.error if failed else "unknown"
        return _verdict(scene, remedy, "unproven", f"its worktree could not be made: {detail}")
    deployment = remedy.tree if scene.policy.services else ""
    if deployment:
        if not scene.policy.can_preview:
            return _verdict(
                scene, remedy, "unproven", "no service can be previewed; deploy its branch to test it"
            )
        deploy = Deploy(
            key=scene.live_key("deploy", remedy.id),
            deployment=deployment,
            tree=remedy.tree,
            revision=remedy.head,
            preview=True,
        )
        step = request(scene.state, [deploy])
        if step is not None:
            return step
        receipt = scene.state.settled(deploy.key, DeployReceipt)
        if receipt is None or receipt.problem:
            detail = receipt.problem if receipt else "the deployment failed"
            return _verdict(scene, remedy, "unproven", f"its preview could not be started: {detail}")
    for effects in _stages(scene, remedy, deployment):
        needs_base = any(
            isinstance(effect, RunSuite) and effect.tree == cycle_tree(scene) for effect in effects
        )
        if needs_base and any(not scene.state.is_over(effect.key) for effect in effects):
            step = ensure_deployment(scene)
            if step is not None:
                return step
        step = request(scene.state, effects)
        if step is not None:
            return step
    before = list(sound_runs(scene.state, scene.cycle).values())
    after = sound(scene, _full_runs(scene, remedy))
    return consult(scene, about_slower_tests(scene, remedy, before, after)) or _judge(scene, remedy)


def _stages(scene: Scene, remedy: Remedy, deployment: str) -> Iterable[Sequence[AnyEffect]]:
    """What has to be measured, stage by stage; the effects of one stage may run at once."""
    if deployment:
        yield [
            ProbeService(
                key=scene.live_key("stability", remedy.id, "probe", service.name),
                deployment=deployment,
                service=service.name,
            )
            for service in scene.policy.services
        ]
    for run in _full_runs(scene, remedy):
        yield [run]
    for run in repeats(scene, remedy):
        yield [run]
    for run in red_again(scene, remedy):
        yield [run]
    if deployment:
        yield [StopDeployment(key=scene.live_key("stop", remedy.id), deployment=deployment)]


def _full_runs(scene: Scene, remedy: Remedy) -> list[RunSuite]:
    plan = scene.state.plan
    assert plan is not None
    return [
        with_remedy(scene, remedy, Selection(suite=planned.suite, tests=planned.asked), "all")
        for planned in plan.suites
    ]


def _judge(scene: Scene, remedy: Remedy) -> Step:
    targets = {test: cluster for cluster, test in aimed_at(scene, remedy)}
    full = sound(scene, _full_runs(scene, remedy))
    results = [result for run in full for result in run.results]
    uncured = uncured_tests(scene, remedy, results)
    if not targets:
        return _verdict(
            scene, remedy, "unproven", "no test was measured red on the commit and green before it"
        )
    if uncured:
        return _verdict(
            scene, remedy, "not_cured", f"{len(uncured)} of {counted(targets, 'test')} stay red: {uncured[0]}"
        )
    lost = [f"{test} passed before and does not now" for test in _lost(scene, full)]
    worse, unseen = _services_worse(scene, remedy)
    if lost or worse:
        cost = (*lost, *worse)[0]
        return _verdict(
            scene, remedy, "trade_off", f"it cures {counted(targets, 'test')} and costs others: {cost}"
        )
    doubts = (
        *shaky_tests(scene, remedy),
        *_incomplete(scene, full),
        *unseen,
        *not_red(scene, remedy),
    )
    if doubts:
        return _verdict(scene, remedy, "unproven", doubts[0])
    passed = sum(result.outcome == "green" for result in results)
    times = len(list(repeats(scene, remedy))) // max(1, len(cured_selections(scene, remedy))) + 1
    statement = (
        f"red without it, green with it, red again without it: {counted(targets, 'test')}; "
        f"{passed} of {counted(results, 'focus test')} passed with the remedy; "
        f"each cured test: {repeat_words(scene, remedy, times)}"
    )
    measurements = (
        Measurement(name="cured", value=len(targets), unit="tests"),
        Measurement(name="focus tests green", value=passed),
        Measurement(name="focus tests run", value=len(results)),
        Measurement(name="runs of each cured test", value=times),
    )
    return _verdict(scene, remedy, "proven", statement, measurements)


def _lost(scene: Scene, after: Iterable[SuiteRun]) -> list[str]:
    """Tests that were green in this cycle and are not with the remedy: failed, skipped and vanished ones alike."""
    green = {(run.suite, one.id) for run in after for one in run.results if one.outcome == "green"}
    return sorted(
        result.id
        for suite, run in sound_runs(scene.state, scene.cycle).items()
        for result in run.results
        if result.outcome == "green" and (suite, result.id) not in green
    )


def _incomplete(scene: Scene, full: Sequence[SuiteRun]) -> Iterable[str]:
    """Suites whose run with the remedy is worth less than their run before."""
    plan = scene.state.plan
    assert plan is not None
    planned = {one.suite: one.tests for one in plan.suites}
    for name in planned.keys() - {run.suite for run in full}:
        yield f"suite {name} could not be run with the remedy"
    for run in full:
        before = scene.state.verdict("suite", f"cycle {scene.cycle}: {run.suite}")
        now = verdicts.suite(run, planned[run.suite], may_skip=scene.policy.suite(run.suite).may_skip)
        if now.value == "incomplete" and not (before and before.value == "incomplete"):
            yield f"suite {run.suite} with the remedy: {now.statement}"


def _services_worse(scene: Scene, remedy: Remedy) -> tuple[list[str], list[str]]:
    """Probes that answered before and do not with the remedy, and what could not be compared."""
    before = service_reports(scene, cycle_deployment(scene))
    worse: list[str] = []
    unseen: list[str] = []
    for service in scene.policy.services:
        key = scene.live_key("stability", remedy.id, "probe", service.name)
        receipt = scene.state.settled(key, ProbeReceipt)
        if service.name not in before or receipt is None:
            when = "with the remedy" if receipt is None else "before"
            unseen.append(f"{service.name} could not be probed {when}")
            continue
        now = {probe.probe: probe for probe in receipt.report.reports}
        for probe in before[service.name].reports:
            if probe.answered and not (probe.probe in now and now[probe.probe].answered):
                answer = now[probe.probe].summary if probe.probe in now else "no answer"
                worse.append(f"{service.name}.{probe.probe} answered before and does not now: {answer}")
    return worse, unseen


def _verdict(
    scene: Scene, remedy: Remedy, value: str, statement: str, measurements: tuple[Measurement, ...] = ()
) -> Step:
    because = tuple(key for key in scene.state.effects if key.startswith(f"stability/{remedy.id}/"))
    found = verdicts.Conclusion(
        kind="stability",
        subject=remedy.id,
        value=value,
        statement=statement,
        measurements=measurements,
        because=because,
        revision=remedy.head,
    )
    numbered = verdicts.numbered([found], after=len(scene.state.verdicts))
    return Step(events=tuple(VerdictReached(verdict=verdict, causes=because) for verdict in numbered))


def _close(scene: Scene) -> Step:
    judged = [
        (remedy, verdict)
        for remedy in remedies(scene.state)
        if (verdict := scene.state.verdict("stability", remedy.id)) is not None
    ]
    summary = "; ".join(f"{remedy.id} {verdict.value}: {verdict.statement}" for remedy, verdict in judged)
    # What costs something goes back first, as long as a part of it may be enough.
    shown = any(not can_be_narrowed(scene.state, remedy) for remedy in to_show(scene.state))
    result: PhaseResult = "done" if shown else "sent_back"
    return Step(
        events=(scene.finish(result, summary or "nothing to prove", *(verdict.id for _, verdict in judged)),)
    )
