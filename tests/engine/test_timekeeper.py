"""A machine that sleeps and a clock that is set neither eat a run's limit nor extend it, and the log says so."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldenpath_loop.core.clock_jump import LEAST_S
from goldenpath_loop.core.state import fold
from goldenpath_loop.engine.timekeeper import Timekeeper, behind_s
from goldenpath_loop.records.effects import AnyEffect
from goldenpath_loop.records.events import (
    ClockJumped,
    CycleStarted,
    RunResumed,
)
from goldenpath_loop.records.line import Line
from goldenpath_loop.records.policy import Limits
from goldenpath_loop.records.receipts import AnyReceipt
from goldenpath_loop.review.worklog import render_worklog
from goldenpath_loop.session.chain import read
from goldenpath_loop.session.session import Session
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.system import clock
from goldenpath_loop.testing import PaperTarget, paper_policy

from ..core.worlds import live, start

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
EIGHT_HOURS_S = 8 * 3600.0


@dataclass
class Machine:
    """Two clocks that can be told to go apart."""

    wall: datetime = NOON
    steady_s: float = 0.0

    def wait(self, time_s: float) -> None:
        """Time goes by."""
        self.wall += timedelta(seconds=time_s)
        self.steady_s += time_s

    def jump(self, by_s: float) -> None:
        """The clock is set, or the machine sleeps."""
        self.wall += timedelta(seconds=by_s)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """The machine under the clock of this process."""
    own = Machine()
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: own.wall)
        patch.setattr(clock, "monotonic_s", lambda: own.steady_s)
        yield own


@dataclass(slots=True)
class Jumping(PaperTarget):
    """A world in which every touch takes a second, and the clock jumps during some of them."""

    machine: Machine = field(default_factory=Machine)
    jumps: Iterator[float] = field(default_factory=lambda: itertools.repeat(0.0))

    async def perform(self, effect: AnyEffect, witness: Witness) -> AnyReceipt:
        """Answer as always, a second later."""
        self.machine.wait(1.0)
        self.machine.jump(next(self.jumps, 0.0))
        return await PaperTarget.perform(self, effect, witness)


@pytest.mark.parametrize("by_s", [EIGHT_HOURS_S, -EIGHT_HOURS_S], ids=["slept", "set back"])
def test_a_jump_does_not_change_where_a_run_gets_to(tmp_path: Path, machine: Machine, by_s: float) -> None:
    """The limit is an hour: a night's sleep does not use it up, a clock that is set back gives nothing."""
    policy = paper_policy(limits=Limits(duration_s=3600))
    run = start(tmp_path / "run", policy)
    target = Jumping(commits=4, culprit=2, machine=machine, jumps=iter([0.0, 0.0, by_s, 0.0, -by_s, by_s]))
    life = anyio.run(lambda: live(run, target, policy))
    assert life.outcome == "repaired"
    assert life.state.active_s == pytest.approx(len(target.performed), abs=0.01)
    told = [line.event.by_s for line in life.lines if isinstance(line.event, ClockJumped)]
    assert told == pytest.approx([by_s, -by_s, by_s])
    with Session(run) as session:
        worklog = render_worklog(life.lines, session.store)
    assert worklog.count("limits do not count it") == 3
    assert "-" not in worklog.split("**Duration:**")[1].split("of work")[0]


@pytest.mark.parametrize("by_s", [EIGHT_HOURS_S, -EIGHT_HOURS_S], ids=["slept", "set back"])
def test_a_limit_is_reached_at_its_time_whatever_the_clock_says(
    tmp_path: Path, machine: Machine, by_s: float
) -> None:
    """It ends where it ends on a machine whose clock is right."""
    policy = paper_policy(limits=Limits(duration_s=5))
    performed: list[list[str]] = []
    for name, jumps in (("right", []), ("wrong", [0.0, by_s])):
        run = start(tmp_path / name, policy)
        target = Jumping(commits=40, culprit=20, machine=machine, jumps=iter(jumps))
        life = anyio.run(lambda run=run, target=target: live(run, target, policy))  # type: ignore[misc]
        assert life.outcome == "budget"
        assert life.state.active_s == pytest.approx(len(target.performed), abs=0.01)
        performed.append(target.performed)
    assert performed[0] == performed[1]


_STEPS = st.lists(st.tuples(st.floats(0, 30), st.floats(-1e6, 1e6)), max_size=30)


@settings(max_examples=30)
@given(_STEPS)
def test_jumps_never_change_how_long_it_went_on(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[float, float]]
) -> None:
    """By no more than what is too little to be called a jump."""
    machine = Machine()
    run = start(tmp_path_factory.mktemp("run"))
    with pytest.MonkeyPatch.context() as patch, Session(run) as session:
        patch.setattr(clock, "now", lambda: machine.wall)
        patch.setattr(clock, "monotonic_s", lambda: machine.steady_s)
        lines = list(read(run.log))
        session.listen(lines.append)
        session.append(RunResumed(version="0"))
        before_s = fold(lines).active_until(machine.wall)
        keeper = Timekeeper(session)
        for wait_s, by_s in steps:
            machine.wait(wait_s)
            machine.jump(by_s)
            keeper.look()
        session.append(CycleStarted(cycle=1))
        now = keeper.now()
        active_s = fold(lines).active_until(now) - before_s
    assert active_s == pytest.approx(machine.steady_s, abs=LEAST_S + 0.01)


def test_a_stop_between_two_looks_is_no_jump(tmp_path: Path, machine: Machine) -> None:
    """The process may be stopped after it read one clock and before it reads the other."""
    run = start(tmp_path / "run")
    with Session(run) as session:
        lines: list[Line] = []
        session.listen(lines.append)
        keeper = Timekeeper(session)
        with pytest.MonkeyPatch.context() as patch:

            def late() -> datetime:
                machine.wait(60.0)
                return machine.wall

            patch.setattr(clock, "now", late)
            keeper.look()
        machine.wait(1.0)
        keeper.look()
        assert lines == []


def test_a_clock_that_was_set_back_while_nobody_looked_is_told(machine: Machine) -> None:
    """It stands before the log's last line; never the other way round, for that is what time does."""
    machine.jump(-90.5)
    assert behind_s(NOON) == 90.5
    machine.jump(200.0)
    assert behind_s(NOON) == 0.0
