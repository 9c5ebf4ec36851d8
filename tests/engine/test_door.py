"""A pause falls before a turn or after it, never between."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from goldenpath_loop.engine.door import Door
from goldenpath_loop.errors import PutOffError
from goldenpath_loop.system.admission import only_in_turn
from goldenpath_loop.system.environment import own_environment
from goldenpath_loop.system.process import Command, run

from ..audited import audited

pytestmark = pytest.mark.anyio
LIMIT_S = 30.0


async def test_who_closes_waits_for_the_turn_that_is_on() -> None:
    """What had its turn is written down when the door is closed, and who comes later is told so."""
    door, told = Door(), []

    async def begin(name: str) -> None:
        async with door.turn() as may_begin:
            if may_begin:
                await anyio.sleep(0.01)
            told.append((name, may_begin))

    async def close() -> None:
        await door.close()
        told.append(("closed", True))

    async with anyio.create_task_group() as group:
        for task in (lambda: begin("early"), close, lambda: begin("late")):
            group.start_soon(task)
            await anyio.lowlevel.checkpoint()
    assert told == [("late", False), ("early", True), ("closed", True)]


async def test_turns_do_not_wait_for_each_other() -> None:
    """A hundred reservations are brought to the disk together; closing waits for all of them."""
    door, inside = Door(), []
    go_on = anyio.Event()

    async def reserve(number: int) -> None:
        async with door.turn() as may_begin:
            assert may_begin
            inside.append(number)
            await go_on.wait()
            inside.remove(number)

    async with anyio.create_task_group() as group:
        for number in range(100):
            group.start_soon(reserve, number)
        await anyio.wait_all_tasks_blocked()
        assert len(inside) == 100

        async def release() -> None:
            await anyio.wait_all_tasks_blocked()
            go_on.set()

        group.start_soon(release)
        group.start_soon(door.close)
        await door.close()
        assert inside == []


async def test_nobody_waits_for_a_turn_that_will_not_come() -> None:
    """A wait before something begins ends with the door; one that is over by itself is only a wait."""
    door, told = Door(), []
    await door.sleep(0.0)

    async def wait() -> None:
        try:
            await door.sleep(3600)
        except PutOffError:
            told.append("put off")

    with anyio.fail_after(LIMIT_S):
        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            await door.close()
    assert told == ["put off"]


@pytest.mark.parametrize("steps", range(8))
async def test_a_program_is_started_before_the_door_is_closed_or_not_at_all(
    tmp_path: Path, steps: int
) -> None:
    """However close together they come: also between its admission and its first breath."""
    door, happened = Door(), []

    async def program() -> None:
        command = Command((sys.executable, "-c", ""), cwd=tmp_path, env=own_environment())
        try:
            await run(command)
        except PutOffError:
            happened.append("put off")

    def note(event: str, _: tuple[object, ...]) -> None:
        if event == "subprocess.Popen":
            happened.append("started")

    with audited(note), only_in_turn(door.turn):
        async with anyio.create_task_group() as group:
            group.start_soon(program)
            for _ in range(steps):
                await anyio.lowlevel.checkpoint()
            await door.close()
            happened.append("closed")
    assert happened in (["started", "closed"], ["closed", "put off"])


async def test_bookkeeping_is_done_behind_a_closed_door(tmp_path: Path) -> None:
    """It brings to an end what was begun."""
    door = Door()
    await door.close()
    command = Command((sys.executable, "-c", ""), cwd=tmp_path, env=own_environment())
    with only_in_turn(door.turn):
        with pytest.raises(PutOffError):
            await run(command)
        assert (await run(replace(command, is_bookkeeping=True))).exit_code == 0
