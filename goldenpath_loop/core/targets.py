"""Which clusters a change explains, and which tests stand for them."""

from __future__ import annotations

from collections.abc import Iterable

from goldenpath_loop.core.comparing import probe_outcome
from goldenpath_loop.core.readings import sound_runs
from goldenpath_loop.core.remedies import Remedy
from goldenpath_loop.core.state import State
from goldenpath_loop.core.step import Scene
from goldenpath_loop.records.base import Revision, TestId
from goldenpath_loop.records.effects import Selection
from goldenpath_loop.records.findings import Cluster
from goldenpath_loop.records.receipts import CommitProbeReceipt
from goldenpath_loop.records.results import Signature, TestResult

__all__ = [
    "aimed_at",
    "cured_clusters",
    "cured_tests",
    "own_signature",
    "rates_of",
    "representative",
    "result_of",
    "selections_of",
    "turned_red",
]


def cured_clusters(scene: Scene, commit: Revision) -> tuple[Cluster, ...]:
    """Clusters of this cycle whose confirmed culprit is `commit`."""
    found: list[Cluster] = []
    for cluster in scene.state.clusters:
        verdict = scene.state.verdict("culprit", cluster.id)
        if verdict is not None and verdict.value == "confirmed" and verdict.revision == commit:
            found.append(cluster)
    return tuple(found)


def cured_tests(scene: Scene, commit: Revision) -> tuple[tuple[Cluster, TestId], ...]:
    """Tests that were measured red on `commit` and green before it, with their clusters.

    A cluster gathers failures that look alike; those with another cause are none of this commit's.
    """
    return tuple(
        (cluster, test)
        for cluster in cured_clusters(scene, commit)
        for test in turned_red(scene.state, cluster, commit)
    )


def aimed_at(scene: Scene, remedy: Remedy) -> tuple[tuple[Cluster, TestId], ...]:
    """Tests that a remedy has to cure: those its commit broke, or for a patch all of its cluster."""
    if remedy.commit is not None:
        return cured_tests(scene, remedy.commit)
    return tuple(
        (cluster, test)
        for cluster in scene.state.clusters
        if cluster.id == remedy.cluster
        for test in cluster.tests
    )


def turned_red(state: State, cluster: Cluster, commit: Revision) -> tuple[TestId, ...]:
    """Tests of `cluster` that the confirming runs show red on `commit` and green on its parent."""
    verdict = state.verdict("culprit", cluster.id)
    if verdict is None or verdict.revision != commit:
        return ()
    receipts = [
        receipt for key in verdict.because if (receipt := state.settled(key, CommitProbeReceipt)) is not None
    ]
    shown = {
        (receipt.revision == commit, test): probe_outcome(
            own_signature(state, cluster, test), test, receipt.runs, expected=receipt.revision
        )
        for receipt in receipts
        for test in cluster.tests
    }
    return tuple(
        test
        for test in cluster.tests
        if shown.get((True, test)) == "red" and shown.get((False, test)) == "green"
    )


def rates_of(state: State, cluster: str) -> tuple[float, float] | None:
    """How often the cluster's test fails before and since its culprit; None when it always tells the same."""
    verdict = state.verdict("culprit", cluster)
    known = {one.name: one.value for one in verdict.measurements} if verdict else {}
    before, since = known.get("failure rate before"), known.get("failure rate since")
    if not isinstance(before, int | float) or not isinstance(since, int | float):
        return None
    return float(before), float(since)


def own_signature(state: State, cluster: Cluster, test: TestId) -> Signature:
    """How `test` itself failed in this cycle; its cluster's signature when that is not known."""
    found = result_of(state, test)
    return found[1].signature if found and found[1].signature else cluster.signature


def representative(cluster: Cluster) -> TestId:
    """The test that stands for the cluster in searches."""
    return cluster.tests[0]


def result_of(state: State, test: TestId) -> tuple[str, TestResult] | None:
    """Suite and result of `test` in this cycle's run; of two results the one that failed."""
    found = [
        (name, result)
        for name, run in sound_runs(state, state.cycle).items()
        for result in run.results
        if result.id == test
    ]
    return next((one for one in found if one[1].outcome in ("red", "timeout")), found[0] if found else None)


def selections_of(state: State, tests: Iterable[TestId]) -> tuple[Selection, ...]:
    """`tests` grouped by the suites they failed in, no test twice."""
    by_suite: dict[str, list[TestId]] = {}
    for test in tests:
        found = result_of(state, test)
        if found is not None and test not in by_suite.setdefault(found[0], []):
            by_suite[found[0]].append(test)
    return tuple(Selection(suite=suite, tests=tuple(tests)) for suite, tests in sorted(by_suite.items()))
