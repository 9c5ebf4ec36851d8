"""A pause falls before a turn or after it, never between."""

from __future__ import annotations

import anyio
import pytest

from goldenpath_loop.engine.door import Door

pytestmark = pytest.mark.anyio


async def test_who_closes_waits_for_the_turn_that_is_on() -> None:
    """What had its turn is written down when the door is closed, and who comes later is told so."""
    door, told = Door(), []

    async def begin(name: str) -> None:
        async with door.turn() as may_begin:
            await anyio.sleep(0.01)
            told.append((name, may_begin))

    async def close() -> None:
        await door.close()
        told.append(("closed", True))

    async with anyio.create_task_group() as group:
        for task in (lambda: begin("early"), close, lambda: begin("late")):
            group.start_soon(task)
            await anyio.lowlevel.checkpoint()
    assert told == [("early", True), ("closed", True), ("late", False)]
