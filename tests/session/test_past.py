"""What earlier runs of a target knew of its tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from goldenpath_loop.records.effects import AnyEffect, ProbeCommit, ReadHistory
from goldenpath_loop.records.events import RunStarted
from goldenpath_loop.records.receipts import AnyReceipt
from goldenpath_loop.session.folder import RunFolder
from goldenpath_loop.session.past import read_past
from goldenpath_loop.session.session import Session
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.testing import PaperTarget, paper_policy

from ..core.worlds import World, live


@dataclass
class Remembering(World):
    """A world whose earlier runs lie in `runs`."""

    runs: Path = Path()

    async def perform(self, effect: AnyEffect, witness: Witness) -> AnyReceipt:
        """Answer from what is on disk when the past is asked for."""
        if isinstance(effect, ReadHistory):
            return read_past(self.runs, target="paper", root="", without="20260102-000000-b")
        return await World.perform(self, effect, witness)


TOTAL, EMPTY = "tests/test_cart.py::test_total", "tests/test_cart.py::test_empty"


def record(runs: Path, name: str, target: PaperTarget, *, root: str = "", to: str = "paper") -> RunFolder:
    """A whole run in a folder called `name`."""
    folder = RunFolder(runs / name)
    folder.path.mkdir()
    policy = paper_policy()
    policy = policy.model_copy(update={"target": policy.target.model_copy(update={"name": to})})
    with Session(folder) as session:
        session.append(
            RunStarted(run=name, version="0", root=root, config_file="", focus="goldenpath", policy=policy)
        )
    anyio.run(lambda: live(folder, target, policy))
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Three runs: green, then broken, then broken on a longer history."""
    record(tmp_path, "20260101-000000-a", PaperTarget(commits=4, culprit=None))
    record(tmp_path, "20260102-000000-b", PaperTarget(commits=6, culprit=4))
    record(tmp_path, "20260103-000000-c", PaperTarget(commits=7, culprit=4))
    return tmp_path


def test_each_test_has_one_summary_over_all_runs(runs: Path) -> None:
    """Only what base itself showed counts: not reruns, not older commits, not the repaired system."""
    past = read_past(runs, target="paper", root="", without="")
    assert past.runs == 3
    tests = {one.id: one for one in past.tests}
    assert list(tests) == [EMPTY, TOTAL]
    total = tests[TOTAL]
    assert (total.runs, total.reds, total.last_outcome) == (3, 2, "red")
    assert total.last_green_revision == PaperTarget(commits=4).head
    assert total.mean_duration_s == pytest.approx(0.01)
    empty = tests[EMPTY]
    assert (empty.runs, empty.reds, empty.last_outcome) == (3, 0, "green")
    assert empty.last_green_revision == PaperTarget(commits=7).head


def test_the_run_that_asks_is_left_out(runs: Path) -> None:
    """It is not its own past."""
    past = read_past(runs, target="paper", root="", without="20260103-000000-c")
    assert past.runs == 2
    assert {one.id: one.reds for one in past.tests} == {EMPTY: 0, TOTAL: 1}


def test_other_targets_and_other_checkouts_are_left_out(runs: Path) -> None:
    """Tests of the same name may be other tests."""
    record(runs, "20260104-000000-d", PaperTarget(commits=3, culprit=1), to="other")
    record(runs, "20260105-000000-e", PaperTarget(commits=3, culprit=1), root="/elsewhere")
    assert read_past(runs, target="paper", root="", without="").runs == 3


def test_only_the_newest_runs_are_read(runs: Path) -> None:
    """As many as asked for."""
    past = read_past(runs, target="paper", root="", without="", limit=1)
    assert past.runs == 1
    assert {one.id: one.runs for one in past.tests} == {EMPTY: 1, TOTAL: 1}


@pytest.mark.parametrize("damage", [b"", b"{}\n{}\n", b"[1]\n[2]\n", b"\x00\n\n", b"not a log"])
def test_a_damaged_run_is_passed_over(runs: Path, damage: bytes) -> None:
    """It costs its own memory and no more."""
    broken = runs / "20260109-000000-broken"
    broken.mkdir()
    (broken / "session.jsonl").write_bytes(damage)
    assert read_past(runs, target="paper", root="", without="").runs == 3


def test_a_run_that_never_had_a_configuration_is_passed_over(runs: Path) -> None:
    """There is nothing to learn from it."""
    folder = RunFolder(runs / "20260109-000000-refused")
    folder.path.mkdir()
    with Session(folder) as session:
        session.append(RunStarted(run="r", version="0", root="", config_file="", focus=""))
    assert read_past(runs, target="paper", root="", without="").runs == 3


def test_no_runs_are_no_past(tmp_path: Path) -> None:
    """And no error."""
    past = read_past(tmp_path / "nowhere", target="paper", root="", without="")
    assert past.runs == 0
    assert past.tests == ()


def test_a_revision_that_was_green_before_is_tried_first(tmp_path: Path) -> None:
    """The search takes the hint and is done at once when the culprit came right after it."""
    record(tmp_path, "20260101-000000-a", PaperTarget(commits=90, culprit=None))
    world = Remembering(commits=100, culprit=90, runs=tmp_path)
    record(tmp_path, "20260102-000000-b", world)
    probes = [effect.revision for effect in world.asked if isinstance(effect, ProbeCommit)]
    assert probes[0] == world.revision(89)
    assert len(probes) <= 8
