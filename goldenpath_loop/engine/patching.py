"""Puts an agent's patch into a worktree behind the guard, runs tests on it, or makes a remedy of it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from goldenpath_loop.core.patch_guard import imported_names, patch_problems
from goldenpath_loop.engine.bench import Bench
from goldenpath_loop.engine.commit_probe import run_selections, unusable
from goldenpath_loop.errors import DeployError, RepositoryError
from goldenpath_loop.records.agents import Edit
from goldenpath_loop.records.base import EffectKey, Revision
from goldenpath_loop.records.effects import ApplyPatch, Selection
from goldenpath_loop.records.receipts import RemedyReceipt
from goldenpath_loop.records.results import SuiteRun
from goldenpath_loop.repository.patches import Applied
from goldenpath_loop.repository.patches import apply_patch as apply_to
from goldenpath_loop.repository.remedies import commit_patch
from goldenpath_loop.repository.source import file_at, search_at
from goldenpath_loop.repository.worktrees import overlay, prepare_worktree
from goldenpath_loop.session.witness import Witness

__all__ = ["Candidate", "Tried", "apply_patch", "try_patch"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A patch to try, and the tests that have to pass with it."""

    key: EffectKey
    revision: Revision
    selections: tuple[Selection, ...]
    diff: str = ""
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it."""

    problem: str = ""
    runs: tuple[SuiteRun, ...] = ()


async def apply_patch(effect: ApplyPatch, bench: Bench, witness: Witness) -> RemedyReceipt:
    """Make the remedy.

    Raises:
        RepositoryError: Git refused in a way that says nothing about the patch.
    """
    folder = bench.tree(effect.tree)
    await prepare_worktree(bench.root, folder, name=effect.tree, revision=effect.onto)
    problem = await _put(folder, bench, revision=effect.onto, diff=effect.diff, edits=effect.edits)
    if problem:
        await prepare_worktree(bench.root, folder, name=effect.tree, revision=effect.onto)
        return RemedyReceipt(branch=effect.branch, problem=problem)
    return await commit_patch(
        folder,
        onto=effect.onto,
        branch=effect.branch,
        message=effect.message,
        dispatch=effect.dispatch,
        witness=witness,
    )


async def try_patch(candidate: Candidate, bench: Bench, witness: Witness) -> Tried:
    """Run the tests with the patch, in a worktree and on a preview that nobody else uses."""
    with bench.slot() as slot:
        folder = bench.tree(slot)
        try:
            await prepare_worktree(bench.root, folder, name=slot, revision=candidate.revision)
            problem = await _put(
                folder, bench, revision=candidate.revision, diff=candidate.diff, edits=candidate.edits
            )
            if problem:
                return Tried(problem)
            await overlay(folder, revision=candidate.revision, prefixes=bench.policy.target.tests)
            if not bench.policy.services:
                return Tried(runs=await run_selections(candidate, bench, slot, "", witness))
            deployed = await bench.deployments.start(
                slot, tree=folder, revision=candidate.revision, preview=True, witness=witness
            )
            problem = unusable(candidate, bench, deployed)
            if problem:
                return Tried(f"the system does not start with it: {problem}")
            return Tried(runs=await run_selections(candidate, bench, slot, slot, witness))
        except (RepositoryError, DeployError) as error:
            return Tried(error.message)
        finally:
            if bench.policy.services:
                await bench.deployments.stop(slot)


async def _put(folder: Path, bench: Bench, *, revision: Revision, diff: str, edits: tuple[Edit, ...]) -> str:
    """Apply and guard; the reason when the patch may not be tried."""
    applied = await apply_to(folder, diff=diff, edits=edits)
    if applied.problem:
        return applied.problem
    problems = patch_problems(applied.hunks, bench.policy.target, changed=applied.changed)
    if problems:
        return "; ".join(problems)
    return _secrets(applied, bench) or await _strangers(applied, bench, revision)


def _secrets(applied: Applied, bench: Bench) -> str:
    for hunk in applied.hunks:
        if bench.redactor.text("\n".join(hunk.added))[1]:
            return f"{hunk.path} would hold a secret"
    return ""


async def _strangers(applied: Applied, bench: Bench, revision: Revision) -> str:
    """Packages that neither Python nor the tree knows yet."""
    own = {path.split("/")[0].removesuffix(".py") for path in applied.changed}
    for name in sorted(imported_names(applied.hunks) - sys.stdlib_module_names - own):
        is_there = (
            await file_at(bench.root, revision, f"{name}.py") is not None
            or await search_at(bench.root, revision, f"import {name}")
            or await search_at(bench.root, revision, f"from {name}")
        )
        if not is_there:
            return f"it needs a package that the code does not use yet: {name}"
    return ""
