"""A pass is a test that ran: whole runs in which something only looks green."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from goldenpath_loop.core.remedies import is_proven, remedies
from goldenpath_loop.records import effects as asked
from goldenpath_loop.records import receipts
from goldenpath_loop.records.effects import AnyEffect
from goldenpath_loop.records.history import TestHistory
from goldenpath_loop.records.receipts import AnyReceipt
from goldenpath_loop.records.results import SuiteRun, TestResult
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.testing import paper_policy

from .worlds import Life, World, live, start

TOTAL, EMPTY = "tests/test_cart.py::test_total", "tests/test_cart.py::test_empty"


@dataclass
class Fake(World):
    """A world whose runs of `on` are not what they look like.

    Args:
        on: Prefix of the keys of the suite runs that are spoiled.
        skipped: Tests that skip themselves there.
        gone: Tests that are not there at all.
        fields: What else is different about those runs.
        known: Tests that earlier runs of the loop saw.
    """

    on: str = "c1/execute/"
    skipped: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)
    known: tuple[str, ...] = ()
    may_skip: tuple[str, ...] = ()
    """What the configuration lets skip itself."""

    async def perform(self, effect: AnyEffect, witness: Witness) -> AnyReceipt:
        """Spoil what is to be spoiled."""
        receipt = await World.perform(self, effect, witness)
        if isinstance(receipt, receipts.HistoryReceipt) and self.known:
            tests = tuple(TestHistory(id=name, runs=5, reds=0) for name in self.known)
            return receipt.model_copy(update={"tests": tests, "runs": 5})
        if isinstance(effect, asked.RunSuite) and effect.key.startswith(self.on):
            assert isinstance(receipt, receipts.SuiteReceipt)
            return receipts.SuiteReceipt(run=self._spoiled(receipt.run))
        return receipt

    def _spoiled(self, run: SuiteRun) -> SuiteRun:
        results = tuple(
            TestResult(id=one.id, outcome="unresolved", not_run="skipped", reason="no docker")
            if one.id in self.skipped
            else one
            for one in run.results
            if one.id not in self.gone
        )
        return run.model_copy(update={"results": results, **self.fields})


@pytest.fixture
def lived(tmp_path: Path) -> Any:
    """The whole run of one world."""

    def run(world: Fake) -> Life:
        plain = paper_policy()
        suites = tuple(one.model_copy(update={"may_skip": world.may_skip}) for one in plain.suites)
        policy = plain.model_copy(update={"suites": suites})
        return anyio.run(lambda: live(start(tmp_path / "run", policy), world, policy))

    return run


@pytest.mark.parametrize(
    ("world", "said"),
    [
        (Fake(skipped=(TOTAL, EMPTY)), "0 of 2 passed; 2 tests skipped or marked to fail"),
        (Fake(gone=(EMPTY,)), "1 of 1 tests passed"),
        (Fake(gone=(TOTAL, EMPTY)), "0 of 0 tests passed"),
        (Fake(fields={"ended": "hung"}), "2 of 2 tests passed"),
        (Fake(fields={"ended": "crashed"}), "2 of 2 tests passed"),
        (Fake(fields={"foreign_modules": ("cart -> /x/cart.py",)}), "imported from another tree"),
        (
            Fake(fields={"revision_before": "a" * 40, "revision_after": "b" * 40}),
            "the system served aaaaaaaaaa",
        ),
        (
            Fake(skipped=(EMPTY,), known=(EMPTY,)),
            "1 test that ran before did not run now, first tests/test_cart",
        ),
        (Fake(skipped=(EMPTY,), may_skip=(EMPTY,), known=(EMPTY,)), "1 test that ran before did not run now"),
        (Fake(skipped=(EMPTY,), known=(TOTAL,)), "1 test skipped or marked to fail without being named"),
        (Fake(fields={"exit_code": 1, "problem": "coverage is too low"}), "but coverage is too low"),
    ],
    ids=[
        "all skipped",
        "shrunk",
        "empty",
        "hung",
        "crashed",
        "other tree",
        "moving revision",
        "new skip",
        "named but it ran before",
        "not named",
        "ended with an error",
    ],
)
def test_what_only_looks_green_does_not_pass(lived: Any, world: Fake, said: str) -> None:
    """The run ends without a claim, and its reason says what was seen."""
    life = lived(replace(world, culprit=None))
    assert life.outcome == "inconclusive"
    assert life.state.finished.reason.startswith("no test failed, and yet not everything is green")
    assert said in life.state.finished.reason


@pytest.mark.parametrize(
    "world",
    [
        Fake(),
        Fake(known=(TOTAL, EMPTY)),
        Fake(skipped=(EMPTY,), may_skip=(EMPTY,)),
        Fake(skipped=(EMPTY,), may_skip=("*",), known=(TOTAL,)),
    ],
)
def test_what_is_green_passes(lived: Any, world: Fake) -> None:
    """A test that may skip itself, and always did, does not stand in the way."""
    assert lived(replace(world, culprit=None)).outcome == "passed"


@pytest.mark.parametrize(
    "world",
    [Fake(skipped=(EMPTY,)), Fake(gone=(EMPTY,)), Fake(skipped=(TOTAL,)), Fake(gone=(TOTAL,))],
    ids=["another skipped", "another gone", "the cured one skipped", "the cured one gone"],
)
@pytest.mark.parametrize("on", ["stability/R1/all/", "c2/execute/"])
def test_a_repair_that_loses_a_test_is_none(lived: Any, world: Fake, on: str) -> None:
    """Neither in the proof nor in the second look: skipped and vanished tests are no repair."""
    life = lived(replace(world, on=on, commits=8, culprit=5))
    assert life.outcome == "inconclusive"
    if on.startswith("stability"):
        assert not any(is_proven(life.state, remedy) for remedy in remedies(life.state))


@pytest.mark.parametrize("stage", ["again-1", "again-3", "without"])
def test_a_proof_with_a_run_that_does_not_count_is_incomplete(lived: Any, stage: str) -> None:
    """One repeat or the counter-check in the wrong tree, and nothing is proven."""
    spoiled = {"foreign_modules": ("cart -> /x/cart.py",)}
    life = lived(Fake(on=f"stability/R1/{stage}/", fields=spoiled, commits=8, culprit=5))
    verdict = life.state.verdict("stability", "R1")
    assert verdict.value == "unproven"
