"""Red to green, and nothing else broken?

The proof of one remedy has four parts, each a run that anybody can repeat: every planned test on base plus the
remedy; the cured tests again and again; the same tests red once more on base without the remedy; services and
collection as before. A remedy that cures its tests and costs others is a trade-off, never proven.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from goldenpath_loop.core import verdicts
from goldenpath_loop.core.deployments import (
    cycle_deployment,
    cycle_tree,
    ensure_deployment,
    service_reports,
)
from goldenpath_loop.core.readings import cycle_runs
from goldenpath_loop.core.remedies import Remedy, audited_clean, remedies
from goldenpath_loop.core.step import Scene, Step, request
from goldenpath_loop.core.targets import cured_clusters, selections_of
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
from goldenpath_loop.records.findings import Cluster, Measurement
from goldenpath_loop.records.receipts import DeployReceipt, ProbeReceipt, SuiteReceipt
from goldenpath_loop.records.results import TestResult

__all__ = ["REPEATS", "decide"]

REPEATS = 3
"""Extra runs of the cured tests on base plus the remedy."""


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
    return _judge(scene, remedy)


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
    for run in _repeats(scene, remedy):
        yield [run]
    for run in _red_again(scene, remedy):
        yield [run]
    if deployment:
        yield [StopDeployment(key=scene.live_key("stop", remedy.id), deployment=deployment)]


def _full_runs(scene: Scene, remedy: Remedy) -> list[RunSuite]:
    plan = scene.state.plan
    assert plan is not None
    return [
        _run(scene, remedy, Selection(suite=planned.suite, tests=planned.asked), "all")
        for planned in plan.suites
    ]


def _repeats(scene: Scene, remedy: Remedy) -> list[RunSuite]:
    return [
        _run(scene, remedy, selection, f"again-{number}")
        for number in range(1, REPEATS + 1)
        for selection in _cured(scene, remedy)
    ]


def _run(scene: Scene, remedy: Remedy, selection: Selection, stage: str) -> RunSuite:
    assert remedy.head is not None
    return RunSuite(
        key=f"stability/{remedy.id}/{stage}/{selection.suite}",
        suite=selection.suite,
        tests=selection.tests,
        tree=remedy.tree,
        deployment=remedy.tree if scene.policy.services else "",
        revision=remedy.head,
    )


def _red_again(scene: Scene, remedy: Remedy) -> list[RunSuite]:
    revision = scene.base.revision
    assert revision is not None
    return [
        RunSuite(
            key=f"stability/{remedy.id}/without/{selection.suite}",
            suite=selection.suite,
            tests=selection.tests,
            tree=cycle_tree(scene),
            deployment=cycle_deployment(scene),
            revision=revision,
        )
        for selection in _cured(scene, remedy)
    ]


def _cured(scene: Scene, remedy: Remedy) -> tuple[Selection, ...]:
    return selections_of(scene, cured_clusters(scene, remedy.commit))


def _results(scene: Scene, runs: Iterable[RunSuite]) -> list[TestResult]:
    found: list[TestResult] = []
    for run in runs:
        receipt = scene.state.settled(run.key, SuiteReceipt)
        if receipt and not verdicts.run_problem(receipt.run, expected=run.revision):
            found.extend(receipt.run.results)
    return found


def _judge(scene: Scene, remedy: Remedy) -> Step:
    clusters = cured_clusters(scene, remedy.commit)
    targets = {test for cluster in clusters for test in cluster.tests}
    full = _results(scene, _full_runs(scene, remedy))
    by_test = {result.id: result for result in full}
    again = [result for result in _results(scene, _repeats(scene, remedy)) if result.id in targets]
    without = [result for result in _results(scene, _red_again(scene, remedy)) if result.id in targets]
    uncured = sorted(test for test in targets if test not in by_test or by_test[test].outcome != "green")
    lost = _lost(scene, by_test)
    shaky = sorted({result.id for result in again if result.outcome != "green"})
    few = len(again) < REPEATS * len(targets)
    not_red = _not_red(clusters, without)
    services = _services_worse(scene, remedy)
    stable = f"{sum(result.outcome == 'green' for result in full)} of {len(full)} focus tests passed with the remedy"
    if uncured:
        return _verdict(
            scene, remedy, "not_cured", f"{len(uncured)} of {len(targets)} tests stay red: {uncured[0]}"
        )
    if lost or services:
        what = [*(f"{test} passed before and does not now" for test in lost), *services]
        return _verdict(
            scene, remedy, "trade_off", f"it cures {len(targets)} tests and costs others: {what[0]}"
        )
    if shaky or few:
        return _verdict(
            scene, remedy, "unproven", f"not green every time: {(shaky or ['a repeat is missing'])[0]}"
        )
    if not_red:
        return _verdict(scene, remedy, "unproven", f"without the remedy it is not red any more: {not_red[0]}")
    statement = (
        f"red on base, green with the remedy, red again without it: {len(targets)} tests; {stable}; "
        f"each cured test: {verdicts.repeat_bound(REPEATS + 1)}"
    )
    measurements = (
        Measurement(name="cured", value=len(targets), unit="tests"),
        Measurement(name="focus tests green", value=sum(result.outcome == "green" for result in full)),
        Measurement(name="focus tests run", value=len(full)),
        Measurement(name="green runs of each cured test", value=REPEATS + 1),
    )
    return _verdict(scene, remedy, "proven", statement, measurements)


def _lost(scene: Scene, after: dict[str, TestResult]) -> list[str]:
    """Tests that were green in this cycle and are not with the remedy: failed, skipped and vanished ones alike."""
    return sorted(
        result.id
        for run in cycle_runs(scene.state, scene.cycle).values()
        for result in run.results
        if result.outcome == "green" and (result.id not in after or after[result.id].outcome != "green")
    )


def _not_red(clusters: Sequence[Cluster], without: Sequence[TestResult]) -> list[str]:
    red = {
        result.id
        for result in without
        for cluster in clusters
        if result.outcome in ("red", "timeout")
        and result.signature is not None
        and result.id in cluster.tests
        and result.signature.key == cluster.signature.key
    }
    return [cluster.id for cluster in clusters if not red & set(cluster.tests)]


def _services_worse(scene: Scene, remedy: Remedy) -> list[str]:
    before = service_reports(scene, cycle_deployment(scene))
    worse: list[str] = []
    for service in scene.policy.services:
        key = scene.live_key("stability", remedy.id, "probe", service.name)
        receipt = scene.state.settled(key, ProbeReceipt)
        was = {probe.probe: probe for probe in before[service.name].reports} if service.name in before else {}
        now = {probe.probe: probe for probe in receipt.report.reports} if receipt else {}
        for name, probe in was.items():
            if probe.answered and not (name in now and now[name].answered):
                answer = now[name].summary if name in now else "no answer"
                worse.append(f"{service.name}.{name} answered before and does not now: {answer}")
    return worse


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
    shown = any(verdict.value in ("proven", "trade_off", "unproven") for _, verdict in judged)
    result: PhaseResult = "done" if shown else "sent_back"
    return Step(
        events=(scene.finish(result, summary or "nothing to prove", *(verdict.id for _, verdict in judged)),)
    )
