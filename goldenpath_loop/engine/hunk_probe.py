"""Runs tests on a revision with some hunks of an older commit taken back."""

from __future__ import annotations

from goldenpath_loop.engine.bench import Bench
from goldenpath_loop.engine.commit_probe import run_selections, unusable
from goldenpath_loop.errors import DeployError, RepositoryError
from goldenpath_loop.records.effects import ProbeHunks
from goldenpath_loop.records.evidence import Obtained
from goldenpath_loop.records.receipts import HunkProbeReceipt
from goldenpath_loop.repository.hunks import take_back
from goldenpath_loop.repository.worktrees import overlay, prepare_worktree
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.system import clock

__all__ = ["probe_hunks"]


async def probe_hunks(effect: ProbeHunks, bench: Bench, witness: Witness) -> HunkProbeReceipt:
    """Set a worktree up, take the hunks back, run, and keep the patch as evidence."""
    with bench.slot() as slot:
        folder = bench.tree(slot)
        started_at, began = clock.now(), clock.monotonic_s()
        try:
            await prepare_worktree(bench.root, folder, name=slot, revision=effect.revision)
            composed = await take_back(folder, commit=effect.commit, chosen=effect.hunks)
            await overlay(folder, revision=effect.revision, prefixes=bench.policy.target.tests)
        except RepositoryError as error:
            return HunkProbeReceipt(revision=effect.revision, problem=error.message)
        if composed.problem:
            return HunkProbeReceipt(revision=effect.revision, problem=composed.problem)
        patch = await witness.capture(
            "diff",
            composed.patch.encode("utf-8", "surrogateescape"),
            subject=f"{len(effect.hunks)} hunks of {effect.commit[:10]} taken back on {effect.revision[:10]}",
            obtained=Obtained(
                how=f"hunks {', '.join(map(str, effect.hunks))} of {effect.commit} reversed; git diff",
                started_at=started_at,
                duration_s=clock.monotonic_s() - began,
            ),
        )
        return await _run_on(slot, effect, bench, witness, patch)


async def _run_on(
    slot: str, effect: ProbeHunks, bench: Bench, witness: Witness, patch: str
) -> HunkProbeReceipt:
    """Run the tests in the tree of `slot`, on a preview of it where the target has services."""
    if not bench.policy.services:
        runs = await run_selections(effect, bench, slot, "", witness)
        return HunkProbeReceipt(revision=effect.revision, runs=runs, patch=patch)
    try:
        deployed = await bench.deployments.start(
            slot, tree=bench.tree(slot), revision=effect.revision, preview=True, witness=witness
        )
        problem = unusable(effect, bench, deployed)
        if problem:
            return HunkProbeReceipt(revision=effect.revision, problem=problem, patch=patch)
        runs = await run_selections(effect, bench, slot, slot, witness)
        return HunkProbeReceipt(revision=effect.revision, runs=runs, patch=patch)
    except DeployError as error:
        return HunkProbeReceipt(revision=effect.revision, problem=error.message, patch=patch)
    finally:
        await bench.deployments.stop(slot)
