"""The local way of carrying out units: what is promised to the engine."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest

from goldenpath_loop.core.state import fold
from goldenpath_loop.engine.door import Door
from goldenpath_loop.engine.loop import Engine
from goldenpath_loop.engine.units import LocalWorkers, Outcome
from goldenpath_loop.errors import DiskError, InternalError, LogError, PutOffError, RepositoryError
from goldenpath_loop.records.effects import AnyEffect, CollectTests, InspectBase, ReadHistory, RunSuite
from goldenpath_loop.records.events import (
    EffectFailed,
    EffectPutOff,
    EffectRequested,
    EffectSettled,
    LimitsChanged,
)
from goldenpath_loop.records.policy import Limits
from goldenpath_loop.records.receipts import AnyReceipt, BaseReceipt, HistoryReceipt
from goldenpath_loop.session.session import Session
from goldenpath_loop.testing import paper_policy

from ..core.worlds import start

pytestmark = pytest.mark.anyio

HISTORY = ReadHistory(key="history")
DONE = HistoryReceipt(runs=3)


def heavy(number: int) -> CollectTests:
    """A unit that waits for a free job."""
    return CollectTests(key=f"collect/{number}", suite="unit", tree="t")


async def at_once(effect: AnyEffect) -> AnyReceipt:
    """A performer that has nothing to do."""
    return DONE


async def never(effect: AnyEffect) -> AnyReceipt:
    """A performer that hangs."""
    await anyio.sleep_forever()
    raise AssertionError


def raising(error: Exception) -> Callable[[AnyEffect], Awaitable[AnyReceipt]]:
    """A performer that fails."""

    async def perform(effect: AnyEffect) -> AnyReceipt:
        raise error

    return perform


async def test_a_unit_comes_back_with_its_receipt_and_its_time() -> None:
    """Submitting returns at once; the outcome is waited for."""
    async with LocalWorkers(at_once, jobs=1) as workers:
        await workers.submit(HISTORY)
        with anyio.fail_after(5):
            outcome = await workers.next_outcome()
    assert (outcome.effect, outcome.receipt, outcome.error) == (HISTORY, DONE, "")
    assert outcome.duration_s >= 0


async def test_an_error_of_the_world_is_an_outcome() -> None:
    """With where it was, what it was and what can be done."""
    error = RepositoryError("git refused", where="/repo", advice="Try again.")
    async with LocalWorkers(raising(error), jobs=1) as workers:
        await workers.submit(HISTORY)
        with anyio.fail_after(5):
            outcome = await workers.next_outcome()
    assert outcome.receipt is None
    assert (outcome.error, outcome.advice) == ("/repo: git refused", "Try again.")


@pytest.mark.parametrize(
    "error",
    [InternalError("ours"), LogError("full"), DiskError("full"), KeyError("bug"), OSError(errno.EMFILE, "m")],
)
async def test_an_error_of_ours_ends_everything(error: Exception) -> None:
    """It is not mistaken for something the world did; whoever waits for an outcome is told."""
    with pytest.raises(BaseExceptionGroup) as caught:
        async with LocalWorkers(raising(error), jobs=1) as workers:
            await workers.submit(HISTORY)
            with anyio.fail_after(5):
                await workers.next_outcome()
    assert caught.value.subgroup(type(error)) is not None


async def test_a_disk_that_refuses_ends_everything_with_its_place() -> None:
    """It is no outcome of the unit that met it first."""
    with pytest.raises(BaseExceptionGroup) as caught:
        async with LocalWorkers(raising(OSError(errno.ENOSPC, "full", "/scratch/x")), jobs=1) as workers:
            await workers.submit(HISTORY)
            with anyio.fail_after(5):
                await workers.next_outcome()
    (error,) = caught.value.exceptions
    assert isinstance(error, DiskError)
    assert (error.message, error.where) == ("full", "/scratch/x")


async def test_heavy_units_wait_for_a_free_job_and_light_ones_do_not() -> None:
    """Never more at once than there are jobs."""
    running: set[str] = set()
    most = 0
    full, release = anyio.Event(), anyio.Event()

    async def perform(effect: AnyEffect) -> AnyReceipt:
        nonlocal most
        if effect.kind == "collect_tests":
            running.add(effect.key)
            most = max(most, len(running))
            if len(running) == 2:
                full.set()
            await release.wait()
            running.remove(effect.key)
        return DONE

    async with LocalWorkers(perform, jobs=2) as workers:
        for number in range(5):
            await workers.submit(heavy(number))
        with anyio.fail_after(5):
            await full.wait()
            await workers.submit(HISTORY)
            assert (await workers.next_outcome()).effect == HISTORY
            release.set()
            others = {(await workers.next_outcome()).effect.key for _ in range(5)}
    assert others == {f"collect/{number}" for number in range(5)}
    assert most == 2


async def test_a_unit_that_is_under_way_can_be_adopted() -> None:
    """From the moment it was submitted until it is over; one that nobody submitted cannot."""
    async with LocalWorkers(never, jobs=1) as workers:
        assert not await workers.adopt(HISTORY)
        await workers.submit(HISTORY)
        assert await workers.adopt(HISTORY)
        await workers.cancel(HISTORY.key)
        with anyio.fail_after(5):
            await workers.next_outcome()
        assert not await workers.adopt(HISTORY)


@pytest.mark.parametrize("begun", [True, False])
async def test_a_cancelled_unit_comes_back_as_cancelled(begun: bool) -> None:
    """Also when it was cancelled before it began."""
    entered = anyio.Event()

    async def perform(effect: AnyEffect) -> AnyReceipt:
        entered.set()
        return await never(effect)

    async with LocalWorkers(perform, jobs=1) as workers:
        await workers.submit(HISTORY)
        with anyio.fail_after(5):
            if begun:
                await entered.wait()
            await workers.cancel(HISTORY.key)
            outcome = await workers.next_outcome()
    assert outcome == Outcome(HISTORY, None, error="cancelled")


async def test_a_unit_that_waits_for_a_job_can_be_cancelled() -> None:
    """The one that has the job goes on."""
    release = anyio.Event()

    async def perform(effect: AnyEffect) -> AnyReceipt:
        await release.wait()
        return DONE

    async with LocalWorkers(perform, jobs=1) as workers:
        await workers.submit(heavy(1))
        await workers.submit(heavy(2))
        with anyio.fail_after(5):
            await workers.cancel("collect/2")
            assert (await workers.next_outcome()).error == "cancelled"
            release.set()
            assert (await workers.next_outcome()).receipt == DONE


async def test_an_outcome_that_is_there_counts_although_its_unit_is_cancelled() -> None:
    """What was measured was measured."""

    async def perform(effect: AnyEffect) -> AnyReceipt:
        await workers.cancel(effect.key)
        return DONE

    async with LocalWorkers(perform, jobs=1) as workers:
        await workers.submit(HISTORY)
        with anyio.fail_after(5):
            assert (await workers.next_outcome()).receipt == DONE


async def test_cancelling_what_is_not_there_is_nothing() -> None:
    """It may have come back a moment ago."""
    async with LocalWorkers(at_once, jobs=1) as workers:
        await workers.cancel("nobody")


async def test_leaving_the_block_ends_every_unit() -> None:
    """Running ones are cancelled and cleaned up after, waiting ones never begin."""
    ended: list[str] = []
    begun = anyio.Event()

    async def perform(effect: AnyEffect) -> AnyReceipt:
        begun.set()
        try:
            return await never(effect)
        finally:
            ended.append(effect.key)

    with anyio.fail_after(5):
        async with LocalWorkers(perform, jobs=1) as workers:
            for number in range(3):
                await workers.submit(heavy(number))
            await begun.wait()
    assert len(ended) == 1


class Repeating:
    """Workers that deliver every outcome twice, as happens when a unit runs here and elsewhere."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.submitted: list[str] = []

    async def submit(self, effect: AnyEffect) -> None:
        """First one answer, then another for the same key."""
        self.submitted.append(effect.key)
        first = BaseReceipt(problem="first") if isinstance(effect, InspectBase) else DONE
        self.outcomes += [Outcome(effect, first), Outcome(effect, None, error="second")]

    async def adopt(self, effect: AnyEffect) -> bool:
        """Nothing is under way elsewhere."""
        return False

    async def cancel(self, key: str) -> None:
        """Nothing to end."""

    async def next_outcome(self) -> Outcome:
        """Oldest first."""
        return self.outcomes.pop(0)

    @property
    def is_busy(self) -> bool:
        """Whether something is to be fetched."""
        return bool(self.outcomes)


async def test_the_first_outcome_of_a_key_wins(tmp_path: Path) -> None:
    """Whatever comes later for it is left aside and leaves no trace in the log."""
    run = start(tmp_path / "run")
    workers = Repeating()
    with Session(run) as session:
        finished = await Engine(session, paper_policy(), workers).run()
    assert finished is not None
    assert finished.reason == "first"
    assert workers.submitted == ["base"]
    kinds = [type(line.event) for line in list(session.replay())]
    assert kinds.count(EffectSettled) == 1
    assert EffectFailed not in kinds


class Keeping(Repeating):
    """Workers on which a unit of an earlier engine is still running."""

    async def adopt(self, effect: AnyEffect) -> bool:
        """Take it over."""
        self.outcomes.append(Outcome(effect, BaseReceipt(problem="adopted")))
        return True


async def test_a_unit_that_still_runs_is_adopted_and_not_submitted_again(tmp_path: Path) -> None:
    """Its outcome arrives as if it had been asked for now."""
    run = start(tmp_path / "run")
    workers = Keeping()
    with Session(run) as session:
        finished = await Engine(session, paper_policy(), workers).run()
    assert finished is not None
    assert finished.reason == "adopted"
    assert workers.submitted == []


async def test_a_finished_run_stays_finished(tmp_path: Path) -> None:
    """An engine on it appends nothing and asks for nothing."""
    run = start(tmp_path / "run")
    with Session(run) as session:
        first = await Engine(session, paper_policy(), Repeating()).run()
    before = run.log.read_bytes()
    workers = Repeating()
    with Session(run) as session:
        assert await Engine(session, paper_policy(), workers).run() == first
    assert workers.submitted == []
    assert run.log.read_bytes() == before
    assert fold(list(session.replay())).finished == first


async def test_a_pausing_engine_lets_what_runs_end_and_starts_nothing(tmp_path: Path) -> None:
    """Also what was asked for and only waited for its turn is left to the resume."""
    begun: list[str] = []
    release = anyio.Event()

    async def perform(effect: AnyEffect) -> AnyReceipt:
        begun.append(effect.key)
        if effect.kind == "run_suite":
            await release.wait()
        return BaseReceipt(problem="x")

    door = Door()
    async with LocalWorkers(perform, jobs=1, door=door) as workers:
        await workers.submit(_suite("one"))
        await workers.submit(_suite("two"))
        while not begun:
            await anyio.lowlevel.checkpoint()
        await door.close()
        assert workers.is_busy
        release.set()
        assert (await workers.next_outcome()).effect.key == "one"
        assert await workers.next_outcome() == Outcome(_suite("two"), None, is_put_off=True)
        await anyio.wait_all_tasks_blocked()
        assert not workers.is_busy
    assert begun == ["one"]


async def test_a_unit_that_finds_the_door_closed_comes_back_put_off() -> None:
    """Whoever waits for it may not know yet that the run is to pause, and would wait for ever."""
    door = Door()
    async with LocalWorkers(never, jobs=1, door=door) as workers:
        await door.close()
        await workers.submit(heavy(1))
        with anyio.fail_after(5):
            assert await workers.next_outcome() == Outcome(heavy(1), None, is_put_off=True)


def _suite(key: str) -> RunSuite:
    return RunSuite(key=key, suite="unit", tree="t", revision="a" * 40)


async def test_a_lowered_limit_does_not_wait_for_what_is_under_way(tmp_path: Path) -> None:
    """A person gives a run less time while a unit hangs: the unit is ended, and the run hands over."""
    run = start(tmp_path / "run")

    async def perform(effect: AnyEffect) -> AnyReceipt:
        await anyio.sleep_forever()
        raise AssertionError("nobody gets here")

    with Session(run) as session:
        async with LocalWorkers(perform, jobs=1) as workers, anyio.create_task_group() as people:
            engine = Engine(session, paper_policy(), workers)

            async def lower() -> None:
                await anyio.wait_all_tasks_blocked()
                session.append(LimitsChanged(limits=Limits(duration_s=0.001), by="ada"))

            people.start_soon(lower)
            finished = await engine.run()
    assert finished is not None
    assert finished.outcome == "budget"


async def test_what_was_asked_for_and_not_begun_is_not_in_flight_any_more(tmp_path: Path) -> None:
    """A resume would otherwise take it for cut off, and of a deploy script that nobody can ask call it failed."""
    run, door = start(tmp_path / "run"), Door()

    async def perform(effect: AnyEffect) -> AnyReceipt:
        await door.close()
        raise PutOffError(where=effect.key)

    with Session(run) as session:
        async with LocalWorkers(perform, jobs=1, door=door) as workers:
            assert await Engine(session, paper_policy(), workers, door=door).run() is None
        lines = list(session.replay())
    asked = [line.event.effect.key for line in lines if isinstance(line.event, EffectRequested)]
    assert [line.event.key for line in lines if isinstance(line.event, EffectPutOff)] == asked != []
    assert fold(lines).in_flight == ()
    assert not set(asked) & {*fold(lines).effects}
