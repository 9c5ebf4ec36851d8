"""Runs tests on a commit and notes which lines of its change the failing ones run."""

from __future__ import annotations

from goldenpath_loop.engine.bench import Bench
from goldenpath_loop.engine.commit_probe import run_selections, unusable
from goldenpath_loop.errors import DeployError, RepositoryError
from goldenpath_loop.records.effects import TraceTests
from goldenpath_loop.records.evidence import Obtained
from goldenpath_loop.records.receipts import ExecutedFile, TraceReceipt
from goldenpath_loop.records.results import SuiteRun
from goldenpath_loop.repository.worktrees import overlay, prepare_worktree
from goldenpath_loop.science.localisation import line_words
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.suites.tracing import Tracing
from goldenpath_loop.system import clock

__all__ = ["trace_tests"]


async def trace_tests(effect: TraceTests, bench: Bench, witness: Witness) -> TraceReceipt:
    """Bring the commit up with every Python process of it traced, run the tests, and read what they ran."""
    with bench.slot() as slot:
        folder = bench.tree(slot)
        started_at, began = clock.now(), clock.monotonic_s()
        try:
            await prepare_worktree(bench.root, folder, name=slot, revision=effect.revision)
            await overlay(folder, revision=effect.protected, prefixes=bench.policy.target.tests)
            tracing = Tracing(folder, bench.scratch(f"{effect.key}/lines"))
            runs, problem = await _run(slot, effect, bench, witness, tracing)
        except (RepositoryError, DeployError) as error:
            runs, problem = (), error.message
        if problem:
            return TraceReceipt(revision=effect.revision, problem=problem)
        results = [result for run in runs for result in run.results]
        failing = [one.id for one in results if one.outcome in ("red", "timeout")]
        passing = [one.id for one in results if one.outcome == "green"]
        files = tracing.read(effect.paths, failing=failing, passing=passing)
    if not failing or not files:
        why = "no test failed" if not failing else "no line of the change was seen to run"
        return TraceReceipt(revision=effect.revision, failing=len(failing), problem=why)
    evidence = await witness.capture(
        "coverage",
        _text(files, failing).encode(),
        subject=f"lines that failing tests run on {effect.revision[:10]}",
        obtained=Obtained(
            how=f"coverage of {', '.join(failing[:3])} on {effect.revision}",
            started_at=started_at,
            duration_s=clock.monotonic_s() - began,
        ),
    )
    return TraceReceipt(revision=effect.revision, files=files, failing=len(failing), evidence=evidence)


async def _run(
    slot: str, effect: TraceTests, bench: Bench, witness: Witness, tracing: Tracing
) -> tuple[tuple[SuiteRun, ...], str]:
    extra = tracing.environment()
    if not bench.policy.services:
        return await run_selections(effect, bench, slot, "", witness, extra), ""
    try:
        deployed = await bench.deployments.start(
            slot, tree=tracing.tree, revision=effect.revision, preview=True, witness=witness, extra=extra
        )
        problem = unusable(effect, bench, deployed)
        if problem:
            return (), problem
        return await run_selections(effect, bench, slot, slot, witness, extra), ""
    finally:
        # Services write what they saw when they end.
        await bench.deployments.stop(slot)


def _text(files: tuple[ExecutedFile, ...], failing: list[str]) -> str:
    rows = [f"failing: {test}" for test in failing]
    rows += [line_words(file.path, line) for file in files for line in file.lines]
    return "\n".join(rows) + "\n"
