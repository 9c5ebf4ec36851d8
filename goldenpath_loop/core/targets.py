"""Which clusters a change explains, and which tests stand for them."""

from __future__ import annotations

from collections.abc import Iterable

from goldenpath_loop.core.readings import cycle_runs
from goldenpath_loop.core.step import Scene
from goldenpath_loop.records.base import Revision, TestId
from goldenpath_loop.records.effects import Selection
from goldenpath_loop.records.findings import Cluster
from goldenpath_loop.records.results import TestResult

__all__ = ["cured_clusters", "representative", "result_of", "selections_of"]


def cured_clusters(scene: Scene, commit: Revision) -> tuple[Cluster, ...]:
    """Clusters of this cycle whose confirmed culprit is `commit`."""
    found: list[Cluster] = []
    for cluster in scene.state.clusters:
        verdict = scene.state.verdict("culprit", cluster.id)
        if verdict is not None and verdict.value == "confirmed" and verdict.revision == commit:
            found.append(cluster)
    return tuple(found)


def representative(cluster: Cluster) -> TestId:
    """The test that stands for the cluster in searches."""
    return cluster.tests[0]


def result_of(scene: Scene, test: TestId) -> tuple[str, TestResult] | None:
    """Suite and result of `test` in this cycle's run."""
    for name, run in cycle_runs(scene.state, scene.cycle).items():
        for result in run.results:
            if result.id == test:
                return name, result
    return None


def selections_of(
    scene: Scene, clusters: Iterable[Cluster], *, only_representatives: bool = False
) -> tuple[Selection, ...]:
    """The tests of `clusters`, grouped by the suite they ran in, no test twice."""
    by_suite: dict[str, list[TestId]] = {}
    for cluster in clusters:
        tests = (representative(cluster),) if only_representatives else cluster.tests
        for test in tests:
            found = result_of(scene, test)
            if found is not None and test not in by_suite.setdefault(found[0], []):
                by_suite[found[0]].append(test)
    return tuple(Selection(suite=suite, tests=tuple(tests)) for suite, tests in sorted(by_suite.items()))
