"""Runs and collects suites for effects: environment, served revision before and after, scratch."""

from __future__ import annotations

from collections.abc import Mapping

from goldenpath_loop.engine.bench import Bench
from goldenpath_loop.engine.environments import EnvironmentProblem, environment_for
from goldenpath_loop.engine.served import Served, served_revision
from goldenpath_loop.records.base import Revision, TestId
from goldenpath_loop.records.effects import CollectTests, RunSuite
from goldenpath_loop.records.receipts import CollectionReceipt, SuiteReceipt
from goldenpath_loop.records.results import SuiteRun
from goldenpath_loop.records.target import SuiteSpec
from goldenpath_loop.repository.worktrees import head_of
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.suites.request import SuiteRequest
from goldenpath_loop.suites.run import collect_suite, run_suite
from goldenpath_loop.system.environment import with_extra
from goldenpath_loop.system.home import own_home

__all__ = ["collect", "run", "run_tests"]


async def collect(effect: CollectTests, bench: Bench, witness: Witness) -> CollectionReceipt:
    """Ask the suite which tests it has."""
    suite = bench.policy.suite(effect.suite)
    try:
        request = await _request(bench, suite, effect.key, effect.tree, effect.deployment, ())
    except EnvironmentProblem as problem:
        return CollectionReceipt(run=_not_started(suite, problem))
    found = await collect_suite(request, witness)
    return CollectionReceipt(tests=found.collected, run=found)


async def run(effect: RunSuite, bench: Bench, witness: Witness) -> SuiteReceipt:
    """Run the suite's tests against the deployment the effect names."""
    found = await run_tests(
        bench,
        witness,
        suite=effect.suite,
        key=effect.key,
        tree=effect.tree,
        deployment=effect.deployment,
        tests=effect.tests,
        revision=effect.revision,
    )
    is_red = any(result.outcome in ("red", "timeout") for result in found.results)
    # Single tests are run again and again; what services say is kept of the run that everything else is about.
    if is_red and "/execute/" in effect.key and bench.deployments.is_running(effect.deployment):
        await bench.deployments.logs(effect.deployment, witness)
    return SuiteReceipt(run=found)


async def run_tests(
    bench: Bench,
    witness: Witness,
    *,
    suite: str,
    key: str,
    tree: str,
    deployment: str,
    tests: tuple[TestId, ...],
    revision: Revision,
    extra: Mapping[str, str] | None = None,
) -> SuiteRun:
    """Run tests of one suite and read what is tested before and after: the same tree, the same system.

    `extra` are more variables for the tests; a `PYTHONPATH` among them goes behind the suite's own.
    """
    spec = bench.policy.suite(suite)
    try:
        request = await _request(bench, spec, key, tree, deployment, tests, extra)
    except EnvironmentProblem as problem:
        return _not_started(spec, problem)
    before = await _tested(bench, deployment, spec, tree, revision)
    found = await run_suite(request, witness)
    after = await _tested(bench, deployment, spec, tree, revision)
    return found.model_copy(
        update={
            "revision_before": before.revision,
            "revision_after": after.revision,
            "silent_services": tuple(sorted({*before.silent, *after.silent})),
        }
    )


async def _tested(bench: Bench, deployment: str, suite: SuiteSpec, tree: str, revision: Revision) -> Served:
    """What a suite is about: the revision that its services serve or, without services, that its tree is at."""
    if deployment:
        return await served_revision(bench, deployment, suite.needs, revision)
    return Served(await head_of(bench.tree(tree)))


def _not_started(suite: SuiteSpec, problem: EnvironmentProblem) -> SuiteRun:
    return SuiteRun(suite=suite.name, ended="not_started", problem=str(problem))


async def _request(
    bench: Bench,
    suite: SuiteSpec,
    key: str,
    tree: str,
    deployment: str,
    tests: tuple[TestId, ...],
    extra: Mapping[str, str] | None = None,
) -> SuiteRequest:
    folder = bench.tree(tree)
    environment = await environment_for(
        suite, tree=folder, store=bench.trees.parent / "environments", python=bench.python
    )
    scratch = bench.scratch(key)
    around = bench.suite_environment(suite, deployment, folder)
    if bench.settings.loop.own_home:
        around |= own_home(scratch / "home", around)
    return SuiteRequest(
        suite=suite,
        tree=folder,
        tests=tests,
        python=bench.python,
        env=with_extra(around, extra or {}),
        environment=environment,
        foreign_root=bench.root,
        scratch=scratch,
        packages=bench.policy.target.packages,
    )
