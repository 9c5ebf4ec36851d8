"""A pause and the calls of a model: what waits is put off, what is sent is answered, and every request was reserved."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import pytest

from goldenpath_loop.engine.door import Door
from goldenpath_loop.errors import PutOffError
from goldenpath_loop.model.caller import Caller
from goldenpath_loop.model.messages import Fault, Reply
from goldenpath_loop.records.usage import Usage
from tests.model.asking import ASK, Books, asked, served
from tests.model_server import Behaviour, Conversation, ModelServer, Text
from tests.model_server import Fault as Broken
from tests.model_server import Reply as Said
from tests.model_server.asking import Says

pytestmark = pytest.mark.anyio
LIMIT_S = 30.0
SCHEMA = {"type": "object", "properties": {}}


@dataclass
class Guarded(Books):
    """Books behind a door, as the run's are."""

    door: Door = field(default_factory=Door)

    async def reserve(self, model: str, most: Usage) -> int | str:
        """The next number, in turn."""
        async with self.door.turn() as may_begin:
            if not may_begin:
                raise PutOffError(where=model)
            return await super().reserve(model, most)


@dataclass
class Desk:
    """Calls that are made beside each other, and what came of each."""

    caller: Caller
    books: Guarded
    ended: list[Reply | Fault | PutOffError] = field(default_factory=list)

    async def ask(self, *, schema: bool = False) -> None:
        """One call."""
        try:
            one = asked(schema=SCHEMA) if schema else ASK
            self.ended.append(await self.caller.ask("m", one, self.books))
        except PutOffError as error:
            self.ended.append(error)


@asynccontextmanager
async def desk(
    behaviour: Behaviour, concurrency: int = 4, latency_s: float = 0.0
) -> AsyncIterator[tuple[ModelServer, Desk]]:
    """A desk that is wired as the run's own is."""
    books = Guarded()
    async with served(behaviour, latency_s=latency_s) as (server, client):
        with anyio.fail_after(LIMIT_S):
            yield server, Desk(Caller(client, concurrency=concurrency, sleep=books.door.sleep), books)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for the server, which lives in a thread of its own."""
    for _ in range(1000):
        if is_so():
            return
        await anyio.sleep(0.005)
    raise AssertionError("it did not come to that")


@pytest.mark.parametrize(
    "fault",
    [
        Broken("status", status=429, headers={"Retry-After": "3600"}),
        Broken("status", status=503, headers={"Retry-After": "3600"}),
    ],
    ids=["rate limit", "server error"],
)
async def test_a_call_that_waits_to_be_tried_again_is_put_off(fault: Broken) -> None:
    """Nothing of it is in flight, so a pause does not wait for it; what was sent is charged."""
    async with desk(Says(fault)) as (server, made), anyio.create_task_group() as tasks:
        tasks.start_soon(made.ask)
        await until(lambda: "status" in server.requests[0] if server.requests else False)
        await anyio.wait_all_tasks_blocked()
        await made.books.door.close()
    assert isinstance(made.ended[0], PutOffError)
    assert len(server.requests) == 1
    assert len(made.books.problems) == 1


async def test_of_calls_that_share_a_place_the_one_that_was_sent_is_answered() -> None:
    """Those that waited for its place find the door closed."""
    async with (
        desk(Says(Text("well")), concurrency=1, latency_s=0.3) as (server, made),
        anyio.create_task_group() as tasks,
    ):
        for _ in range(3):
            tasks.start_soon(made.ask)
        await until(lambda: bool(server.requests))
        await made.books.door.close()
    assert [type(one) for one in made.ended] == [Reply, PutOffError, PutOffError]
    assert len(server.requests) == 1
    assert made.books.problems == [""]


class Refusing:
    """Takes no schema, and is slow to say so."""

    def reply(self, conversation: Conversation) -> Said:
        """A refusal as long as there is one."""
        return Broken("status", status=400) if conversation.schema else Text("well")


async def test_what_is_asked_again_without_a_schema_is_a_call_of_its_own() -> None:
    """Reserved before and settled after, like every other request."""
    async with desk(Refusing()) as (server, made):
        await made.ask(schema=True)
        await made.ask(schema=True)
    assert [type(one) for one in made.ended] == [Reply, Reply]
    assert len(server.requests) == 3
    assert [bool(problem) for problem in made.books.problems] == [True, False, False]


async def test_after_the_door_was_closed_nothing_is_asked_again_without_a_schema() -> None:
    """The refused request was the last one."""
    async with desk(Refusing()) as (server, made):
        reserve = made.books.reserve

        async def reserve_and_close(model: str, most: Usage) -> int | str:
            number = await reserve(model, most)
            await made.books.door.close()
            return number

        made.books.reserve = reserve_and_close  # type: ignore[method-assign]
        await made.ask(schema=True)
    assert isinstance(made.ended[0], PutOffError)
    assert len(server.requests) == 1
