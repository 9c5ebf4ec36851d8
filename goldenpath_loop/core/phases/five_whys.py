"""Why, down to a cause someone can act on?"""

from __future__ import annotations

from goldenpath_loop.core import verdicts
from goldenpath_loop.core.chains import why_chain
from goldenpath_loop.core.comparing import probe_outcome
from goldenpath_loop.core.deployments import cycle_deployment, cycle_revision, cycle_tree, ensure_deployment
from goldenpath_loop.core.hunk_task import trace_key
from goldenpath_loop.core.narrowing import narrow
from goldenpath_loop.core.operator import operator_finding
from goldenpath_loop.core.rate_search import search_rates
from goldenpath_loop.core.readings import failures, histories, sound_runs, unavailable_services
from goldenpath_loop.core.remedies import remedies, remedy_key, remedy_tree, to_show, unaudited
from goldenpath_loop.core.search import search
from goldenpath_loop.core.step import Scene, Step, request
from goldenpath_loop.core.targets import cured_tests, own_signature, representative, result_of, selections_of
from goldenpath_loop.core.teamwork import ask_team, begun_patches
from goldenpath_loop.core.wording import counted
from goldenpath_loop.records.effects import DescribeChange, RevertCommit, RunSuite, TraceTests
from goldenpath_loop.records.events import DecisionMade, PhaseResult, VerdictReached
from goldenpath_loop.records.findings import Cluster
from goldenpath_loop.records.receipts import ChangeReceipt, RemedyReceipt, SuiteReceipt, TraceReceipt
from goldenpath_loop.science.clusters import cluster as cluster_failures
from goldenpath_loop.science.triage import triage

__all__ = ["decide"]

_MOST_RERUNS = 16
_MOST_UNRESOLVED = 2
_PASSING_TRACED = 10


def decide(scene: Scene) -> Step:
    """Cluster, triage, find the culprit, build the chain, revert: each cluster as far as measurement carries."""
    if scene.state.decided("clusters") is None:
        return _cluster(scene)
    for step in (_operator_actions(scene), _triage(scene)):
        if step is not None:
            return step
    regressions = tuple(
        one
        for one in scene.state.clusters
        if (verdict := scene.state.verdict("triage", one.id)) is not None
        and verdict.value in ("regression", "intermittent")
    )
    for step in (_search(scene, regressions), _explain(scene, regressions), _repair(scene, regressions)):
        if step is not None:
            return step
    step = narrow(scene, tuple(_confirmed(scene, regressions)))
    if step is None:
        # What was made is tried first; the team is asked about what that leaves open.
        step = begun_patches(scene) if unaudited(scene.state) else ask_team(scene)
    return step or _close(scene)


def _search(scene: Scene, clusters: tuple[Cluster, ...]) -> Step | None:
    """Of what always fails first, because one probe serves many of them."""
    triaged = {one.id: scene.state.verdict("triage", one.id) for one in clusters}
    steady = tuple(one for one in clusters if (said := triaged[one.id]) and said.value == "regression")
    step = search(scene, steady)
    return step or search_rates(scene, tuple(one for one in clusters if one not in steady))


def _cluster(scene: Scene) -> Step:
    red = failures(scene.state, scene.cycle)
    earlier = sum(len(decision.clusters) for decision in scene.state.decisions)
    clusters = tuple(
        one.model_copy(update={"id": f"K{number}"})
        for number, one in enumerate(
            sorted(cluster_failures(red), key=lambda one: _urgency(scene, one)), start=earlier + 1
        )
    )
    reason = (
        "; ".join(f"{one.id}: {counted(one.tests, 'test')}, {one.signature.key}" for one in clusters)
        or "no test failed"
    )
    decision = DecisionMade(
        cycle=scene.cycle,
        phase=scene.phase,
        subject="clusters",
        choice=f"{counted(clusters, 'cluster')} of {counted(red, 'failure')}",
        reason=reason,
        clusters=clusters,
        causes=tuple(result.evidence for _, result in red if result.evidence),
    )
    return Step(events=(decision,))


def _urgency(scene: Scene, cluster: Cluster) -> tuple[bool, int]:
    """Where a gate is breached first, then by priority; within that the order stays as it is."""
    levels = [scene.policy.suite(name).priority for name in cluster.suites]
    gates = [scene.state.verdict("priority", f"P{level}") for level in levels]
    is_breached = any(gate is not None and gate.value == "breached" for gate in gates)
    return not is_breached, min(levels, default=6)


def _operator_actions(scene: Scene) -> Step | None:
    """A service that does not run and says why is nobody's code: name what a person has to do."""
    for service in unavailable_services(scene):
        if not scene.state.was_proposed("operator_action", service):
            finding = operator_finding(scene, service)
            if finding is not None:
                return Step(proposals=(finding,))
    return None


def _triage(scene: Scene) -> Step | None:
    """Run each cluster's representative alone, again and again, before anything is searched for."""
    revision = cycle_revision(scene)
    assert revision is not None
    for cluster in scene.state.clusters:
        if scene.state.verdict("triage", cluster.id) is not None:
            continue
        test = representative(cluster)
        found = result_of(scene.state, test)
        if found is None:
            continue
        history = histories(scene).get(test)
        past = (history.reds, history.runs) if history else (0, 0)
        reruns: list[RunSuite] = []
        while _needs_another(scene, cluster, reruns, past):
            run = RunSuite(
                key=f"triage/{cluster.id}/{len(reruns) + 1}",
                suite=found[0],
                tests=(test,),
                tree=cycle_tree(scene),
                deployment=cycle_deployment(scene),
                revision=revision,
            )
            if not scene.state.is_over(run.key):
                return ensure_deployment(scene) or request(scene.state, [run])
            reruns.append(run)
        return _triaged(scene, cluster, reruns, past)
    return None


def _needs_another(scene: Scene, cluster: Cluster, reruns: list[RunSuite], past: tuple[int, int]) -> bool:
    shown = [_alone(scene, cluster, run) for run in reruns]
    told = [outcome == "red" for outcome in shown if outcome != "unresolved"]
    if len(shown) - len(told) >= _MOST_UNRESOLVED:
        return False
    return triage(*past, told, most=_MOST_RERUNS) == "again"


def _alone(scene: Scene, cluster: Cluster, run: RunSuite) -> str:
    """What the cluster's representative showed when it was run by itself."""
    receipt = scene.state.settled(run.key, SuiteReceipt)
    test = representative(cluster)
    signature = own_signature(scene.state, cluster, test)
    return probe_outcome(signature, test, (receipt.run,) if receipt else (), expected=run.revision)


def _triaged(scene: Scene, cluster: Cluster, reruns: list[RunSuite], past: tuple[int, int]) -> Step:
    # The first is the run of the whole suite, which the cluster was made from.
    outcomes = ["red", *(_alone(scene, cluster, run) for run in reruns)]
    found = verdicts.triage(cluster.id, outcomes, [run.key for run in reruns], past=past)
    numbered = verdicts.numbered([found], after=len(scene.state.verdicts))
    return Step(events=tuple(VerdictReached(verdict=verdict, causes=verdict.because) for verdict in numbered))


def _confirmed(scene: Scene, clusters: tuple[Cluster, ...]) -> dict[str, list[Cluster]]:
    """Confirmed culprits with the clusters each explains."""
    found: dict[str, list[Cluster]] = {}
    for cluster in clusters:
        verdict = scene.state.verdict("culprit", cluster.id)
        if verdict is not None and verdict.value == "confirmed" and verdict.revision is not None:
            found.setdefault(verdict.revision, []).append(cluster)
    return found


def _change_key(commit: str) -> str:
    return f"change/{commit[:12]}"


def _explain(scene: Scene, regressions: tuple[Cluster, ...]) -> Step | None:
    confirmed = _confirmed(scene, regressions)
    described = [
        DescribeChange(
            key=_change_key(commit),
            revision=commit,
            tests=tuple(test for _, test in cured_tests(scene, commit)),
        )
        for commit in confirmed
    ]
    step = request(scene.state, described)
    if step is not None:
        return step
    traces = (_trace(scene, commit) for commit in confirmed)
    step = request(scene.state, [one for one in traces if one is not None])
    if step is not None:
        return step
    for commit, clusters in confirmed.items():
        change = scene.state.settled(_change_key(commit), ChangeReceipt)
        trace = scene.state.settled(trace_key(commit), TraceReceipt)
        for cluster in clusters:
            if change is None or scene.state.was_proposed("why_chain", cluster.id):
                continue
            chain = why_chain(scene, cluster, change, trace)
            if chain is not None:
                return Step(proposals=(chain,))
    return None


def _trace(scene: Scene, commit: str) -> TraceTests | None:
    """The run that shows which lines of the change its failing tests go through, beside some that pass."""
    base = scene.base.revision
    change = scene.state.settled(_change_key(commit), ChangeReceipt)
    failing = [test for _, test in cured_tests(scene, commit)]
    if change is None or base is None or not failing:
        return None
    paths = {hunk.path for hunk in change.hunks if not scene.policy.target.protects(hunk.path)}
    files = {test.partition("::")[0] for test in failing}
    passing = [
        result.id
        for run in sound_runs(scene.state, scene.cycle).values()
        for result in run.results
        if result.outcome == "green" and result.id.partition("::")[0] in files
    ]
    return TraceTests(
        key=trace_key(commit),
        revision=commit,
        protected=base,
        selections=selections_of(scene.state, (*failing, *passing[:_PASSING_TRACED])),
        paths=tuple(sorted(paths)),
    )


def _repair(scene: Scene, regressions: tuple[Cluster, ...]) -> Step | None:
    onto = cycle_revision(scene)
    assert onto is not None
    reverts: list[RevertCommit] = []
    for commit in _confirmed(scene, regressions):
        change = scene.state.settled(_change_key(commit), ChangeReceipt)
        subject = change.commit.subject if change else commit[:10]
        tests = [test for _, test in cured_tests(scene, commit)]
        reverts.append(
            RevertCommit(
                key=remedy_key(commit),
                commit=commit,
                onto=onto,
                branch=f"goldenpath/revert-{commit[:12]}",
                tree=remedy_tree(commit),
                message=_message(commit, subject, tests),
            )
        )
    return request(scene.state, reverts)


def _message(commit: str, subject: str, tests: list[str]) -> str:
    shown = "\n".join(f"- {test}" for test in tests[:20])
    more = f"\n- and {len(tests) - 20} more" if len(tests) > 20 else ""
    return (
        f'Revert "{subject}"\n\n'
        f"Takes back what {commit} changed outside the protected tests.\n\n"
        f"These tests fail on that commit and pass on its parent:\n\n{shown}{more}\n"
    )


def _close(scene: Scene) -> Step:
    fresh = unaudited(scene.state)
    lines = _fates(scene)
    lines += [finding.action.instruction for finding in scene.state.findings if finding.action]
    lines += [one.statement for one in scene.state.verdicts if one.subject.startswith("hunks of ")]
    for remedy in remedies(scene.state):
        receipt = scene.state.settled(remedy.key, RemedyReceipt)
        judged = scene.state.verdict("stability", remedy.id) or scene.state.verdict("audit", remedy.id)
        conflicts = f" ({', '.join(receipt.conflicts[:3])})" if receipt and receipt.conflicts else ""
        if receipt and receipt.head is None:
            lines.append(f"{remedy.id} could not be made: {receipt.problem}{conflicts}")
        elif judged is not None and judged.value not in ("proven", "clean"):
            lines.append(f"{remedy.id} {judged.value}: {judged.statement}")
    summary = "; ".join(lines) or f"no test failed, and yet not everything is green: {_executed(scene)}"
    result: PhaseResult = "done" if fresh or to_show(scene.state) else "stopped"
    return Step(events=(scene.finish(result, summary),))


def _executed(scene: Scene) -> str:
    """What the suites of this cycle came to."""
    done = [one for one in scene.state.closed if one.cycle == scene.cycle and one.phase == "execute"]
    return done[-1].summary if done else "nothing ran"


def _fates(scene: Scene) -> list[str]:
    """What became of each cluster, those with one culprit together."""
    lines: list[str] = []
    for commit, clusters in _confirmed(scene, scene.state.clusters).items():
        change = scene.state.settled(_change_key(commit), ChangeReceipt)
        subject = f" “{change.commit.subject}”" if change else ""
        names = ", ".join(cluster.id for cluster in clusters)
        tests = counted(cured_tests(scene, commit), "test")
        lines.append(f"{commit[:12]}{subject} broke {tests} ({names})")
    explained = {
        cluster.id for clusters in _confirmed(scene, scene.state.clusters).values() for cluster in clusters
    }
    for cluster in scene.state.clusters:
        if cluster.id not in explained:
            verdict = scene.state.verdict("culprit", cluster.id) or scene.state.verdict("triage", cluster.id)
            fate = f"{verdict.value}, {verdict.statement}" if verdict else "not looked at"
            lines.append(f"{cluster.id}: {fate}")
    return lines
