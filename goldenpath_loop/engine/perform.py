"""Carries out one effect: the place where every kind of effect meets the edge that can do it.

Performing a change a second time, after the first was done, half done or not begun, leaves one change in the world.
What an engine that was killed left running is ended before (`engine/control.py`). How the world is asked then:

=================  ====================================================================================================
kind               whether it happened
=================  ====================================================================================================
prepare_worktree   the worktree in the folder is of this repository: it is reset; anything else there is replaced
revert_commit      its worktree is prepared again; the commit is the same to the last bit, so it exists once
apply_patch        likewise
compose_remedies   likewise, for each commit of the row
deploy             processes of ours died with their engine or were ended by their mark; one that runs from the same
                   tree is left alone. A script: every service that can is asked which revision it serves before it
                   runs; when none can, a person has to say (`on_crash`)
stop_deployment    the deployment is not in the list of running ones, or ended by its mark
push_branch        where the branch stands, here and on the remote; moved only from where it was seen
open_pull_request  whose entry stands in the remote, by run; then whether the file beside the run has the branch
=================  ====================================================================================================
"""

from __future__ import annotations

from typing import assert_never

from goldenpath_loop.audit.tree import audit_tree
from goldenpath_loop.deploy.command import deploy_by_command
from goldenpath_loop.deploy.variables import standing_urls
from goldenpath_loop.engine.bench import Bench
from goldenpath_loop.engine.commit_probe import probe_commit
from goldenpath_loop.engine.dispatch import dispatch
from goldenpath_loop.engine.hunk_probe import probe_hunks
from goldenpath_loop.engine.patching import apply_patch
from goldenpath_loop.engine.pull_requests import open_pull_request
from goldenpath_loop.engine.suite_run import collect, run
from goldenpath_loop.engine.trace import trace_tests
from goldenpath_loop.probes.service import probe_service
from goldenpath_loop.records import effects as asked
from goldenpath_loop.records import receipts
from goldenpath_loop.repository.base import inspect_base
from goldenpath_loop.repository.changes import describe_change
from goldenpath_loop.repository.history import list_commits
from goldenpath_loop.repository.hunks import fit_hunks
from goldenpath_loop.repository.push import push_branch
from goldenpath_loop.repository.remedies import compose, revert_commit
from goldenpath_loop.repository.worktrees import prepare_worktree, remove_worktrees
from goldenpath_loop.session.past import read_past
from goldenpath_loop.session.witness import Witness

__all__ = ["perform", "tidy"]


async def perform(effect: asked.AnyEffect, bench: Bench, witness: Witness) -> receipts.AnyReceipt:
    """Do what `effect` says and return the raw facts.

    What can be expected to go wrong is in the receipt.

    Raises:
        LoopError: The effect could not be carried out at all.
    """
    match effect:
        case asked.InspectBase():
            return await inspect_base(bench.root, effect.branch)
        case asked.ReadHistory():
            target = bench.policy.target.name
            return read_past(bench.runs, target=target, root=str(bench.root), without=bench.folder.id)
        case asked.PrepareWorktree():
            return await prepare_worktree(
                bench.root, bench.tree(effect.tree), name=effect.tree, revision=effect.revision
            )
        case asked.Deploy():
            return await _deploy(effect, bench, witness)
        case asked.StopDeployment():
            await bench.deployments.stop(effect.deployment)
            return receipts.StopReceipt(deployment=effect.deployment)
        case asked.ProbeService():
            report = await probe_service(
                bench.policy.service(effect.service),
                urls=bench.urls(effect.deployment),
                settings=bench.environment,
                witness=witness,
            )
            return receipts.ProbeReceipt(report=report)
        case asked.CollectTests():
            return await collect(effect, bench, witness)
        case asked.RunSuite():
            return await run(effect, bench, witness)
        case asked.ListCommits(bad=bad, limit=limit, without=without):
            return await list_commits(bench.root, bad=bad, limit=limit, without=without, witness=witness)
        case asked.ProbeCommit():
            return await probe_commit(effect, bench, witness)
        case asked.ProbeHunks():
            return await probe_hunks(effect, bench, witness)
        case asked.TraceTests():
            return await trace_tests(effect, bench, witness)
        case asked.FitHunks():
            return await fit_hunks(bench.root, commit=effect.commit, onto=effect.revision)
        case asked.DescribeChange():
            return await describe_change(
                bench.root, revision=effect.revision, tests=effect.tests, witness=witness
            )
        case asked.RevertCommit():
            return await _revert(effect, bench, witness)
        case asked.ApplyPatch():
            return await apply_patch(effect, bench, witness)
        case asked.DispatchAgent():
            return await dispatch(effect, bench, bench.desk, witness)
        case asked.ComposeRemedies():
            return await compose(
                bench.root, bench.tree(effect.tree), base=effect.base, heads=effect.heads, tree=effect.tree
            )
        case asked.AuditTree():
            return await audit_tree(
                bench.root,
                base=effect.base,
                head=effect.head,
                intended=effect.intended,
                protected=bench.policy.target.tests,
                witness=witness,
            )
        case asked.PushBranch():
            remote = bench.policy.target.remote
            return await push_branch(bench.root, remote=remote, branch=effect.branch, head=effect.head)
        case asked.OpenPullRequest():
            return await open_pull_request(effect, bench)
        case _:
            assert_never(effect)


async def _revert(effect: asked.RevertCommit, bench: Bench, witness: Witness) -> receipts.RemedyReceipt:
    return await revert_commit(
        bench.root,
        bench.tree(effect.tree),
        commit=effect.commit,
        onto=effect.onto,
        branch=effect.branch,
        tree=effect.tree,
        message=effect.message,
        protected=bench.policy.target.tests,
        witness=witness,
        hunks=effect.hunks,
    )


async def _deploy(effect: asked.Deploy, bench: Bench, witness: Witness) -> receipts.DeployReceipt:
    tree = bench.tree(effect.tree)
    if effect.preview or bench.policy.deploy.adapter == "process":
        return await bench.deployments.start(
            effect.deployment, tree=tree, revision=effect.revision, preview=effect.preview, witness=witness
        )
    return await deploy_by_command(
        bench.policy.deploy,
        name=effect.deployment,
        revision=effect.revision,
        branch=bench.policy.target.branch,
        services=bench.policy.services,
        urls=standing_urls(bench.policy.services, bench.environment),
        settings=bench.operator_settings,
        python=bench.python,
        tree=tree,
        witness=witness,
    )


async def tidy(bench: Bench) -> None:
    """Take away the worktrees of a run that is over."""
    await remove_worktrees(bench.root, bench.trees)
