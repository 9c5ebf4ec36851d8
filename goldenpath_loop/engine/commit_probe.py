"""Runs tests on a commit as it would have been: its own tree, its own preview, the protected tests carried along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from goldenpath_loop.engine.bench import Bench
from goldenpath_loop.engine.suite_run import run_tests
from goldenpath_loop.errors import DeployError, RepositoryError
from goldenpath_loop.probes.service import probe_service
from goldenpath_loop.records.base import Revision
from goldenpath_loop.records.effects import ProbeCommit, Selection
from goldenpath_loop.records.receipts import CommitProbeReceipt, DeployReceipt
from goldenpath_loop.records.results import SuiteRun
from goldenpath_loop.records.services import ServiceReport
from goldenpath_loop.repository.worktrees import overlay, prepare_worktree
from goldenpath_loop.session.witness import Witness

__all__ = ["Chosen", "probe_commit", "run_selections", "unusable"]


class Chosen(Protocol):
    """Tests to run on a revision."""

    @property
    def key(self) -> str:
        """Names the run."""
        ...

    @property
    def revision(self) -> Revision:
        """What is run."""
        ...

    @property
    def selections(self) -> tuple[Selection, ...]:
        """Which tests."""
        ...


async def probe_commit(effect: ProbeCommit, bench: Bench, witness: Witness) -> CommitProbeReceipt:
    """Bring the commit up beside everything else, ask it, and take it down again."""
    with bench.slot() as slot:
        try:
            return await _probe_in(slot, effect, bench, witness)
        except (RepositoryError, DeployError) as error:
            problem = f"{effect.revision[:10]} cannot be brought up: {error.message}"
            return CommitProbeReceipt(revision=effect.revision, problem=problem)


async def _probe_in(slot: str, effect: ProbeCommit, bench: Bench, witness: Witness) -> CommitProbeReceipt:
    folder = bench.tree(slot)
    await prepare_worktree(bench.root, folder, name=slot, revision=effect.revision)
    await overlay(folder, revision=effect.protected, prefixes=bench.policy.target.tests)
    if not bench.policy.services:
        return CommitProbeReceipt(
            revision=effect.revision, runs=await run_selections(effect, bench, slot, "", witness)
        )
    try:
        deployed = await bench.deployments.start(
            slot, tree=folder, revision=effect.revision, preview=True, witness=witness
        )
        problem = unusable(effect, bench, deployed)
        if problem:
            return CommitProbeReceipt(revision=effect.revision, problem=problem)
        return CommitProbeReceipt(
            revision=effect.revision,
            runs=await run_selections(effect, bench, slot, slot, witness),
            services=await _services(effect, bench, slot, witness),
        )
    finally:
        await bench.deployments.stop(slot)


def unusable(effect: Chosen, bench: Bench, deployed: DeployReceipt) -> str:
    """Why the preview cannot be tested; a service that no chosen suite needs may be missing."""
    if deployed.problem:
        return deployed.problem
    needed = {name for chosen in effect.selections for name in bench.policy.suite(chosen.suite).needs}
    lost = [start for start in deployed.starts if not start.started and start.service in needed]
    return "; ".join(f"{start.service} {start.summary}" for start in lost)


async def run_selections(
    effect: Chosen,
    bench: Bench,
    tree: str,
    deployment: str,
    witness: Witness,
    extra: Mapping[str, str] | None = None,
) -> tuple[SuiteRun, ...]:
    """Run every selection of `effect`, one after the other, with `extra` variables around the tests."""
    return tuple(
        [
            await run_tests(
                bench,
                witness,
                suite=chosen.suite,
                key=f"{effect.key}/{chosen.suite}",
                tree=tree,
                deployment=deployment,
                tests=chosen.tests,
                revision=effect.revision,
                extra=extra,
            )
            for chosen in effect.selections
        ]
    )


async def _services(
    effect: ProbeCommit, bench: Bench, deployment: str, witness: Witness
) -> tuple[ServiceReport, ...]:
    urls = bench.urls(deployment)
    return tuple(
        [
            await probe_service(
                bench.policy.service(name), urls=urls, settings=bench.environment, witness=witness
            )
            for name in effect.services
        ]
    )
