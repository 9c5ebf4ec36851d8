"""One whole run in forty lines: read this first to see how the parts play together."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldenpath_loop.core.remedies import remedies
from goldenpath_loop.engine.loop import Engine
from goldenpath_loop.engine.units import LocalWorkers
from goldenpath_loop.engine.witness import SessionWitness
from goldenpath_loop.records.effects import AnyEffect
from goldenpath_loop.records.receipts import AnyReceipt
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.session import Session
from goldenpath_loop.testing import PaperTarget, paper_policy, paper_run


@pytest.mark.anyio
async def test_a_red_test_becomes_a_proven_pull_request(tmp_path: Path) -> None:
    """From a red suite to a repaired run: decide, request, perform, interpret, append."""
    target = PaperTarget(commits=16, culprit=9)  # the world: sixteen commits, the tenth broke a test
    policy = paper_policy()

    with Session(RunFolder(tmp_path)) as session:  # the log, and the evidence beside it
        session.append(paper_run(policy))

        async def perform(effect: AnyEffect) -> AnyReceipt:  # an edge: carries out one effect
            return await target.perform(effect, SessionWitness(session, effect.key, None))

        async with LocalWorkers(perform, jobs=1) as workers:  # where effects are carried out
            engine = Engine(session, policy, workers)
            finished = await engine.run()  # the loop, until there is an outcome

        state = engine.state  # a pure fold of the log
        culprit = state.verdict("culprit", "K1")
        assert culprit is not None
        assert culprit.revision == target.revision(9)  # named by running commits, not by guessing
        assert [finding.kind for finding in state.findings] == ["why_chain"]  # every quote was checked
        assert [remedy.branch for remedy in remedies(state)] == [
            f"goldenpath/revert-{target.revision(9)[:12]}"
        ]
        assert finished is not None
        assert finished.outcome == "repaired"  # green on base plus the remedy, red again without it
