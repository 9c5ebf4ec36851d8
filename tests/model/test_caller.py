"""Every attempt is reserved before it is made and settled after, once; what can help is tried again."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from goldenpath_loop.model.caller import Caller
from goldenpath_loop.model.messages import Fault, Reply
from tests.model.asking import ASK, Books, Clock, asked, served
from tests.model_server import Behaviour, ModelServer, Text
from tests.model_server import Fault as Broken
from tests.model_server.asking import Says
from tests.model_server.behaviours.broken import Broken as BrokenAtFirst

pytestmark = pytest.mark.anyio
WELL = Says(Text("well"))


@asynccontextmanager
async def calling(
    behaviour: Behaviour,
    *,
    concurrency: int = 4,
    requests_per_minute: int = 0,
    tokens_per_minute: int = 0,
    **options: Any,
) -> AsyncIterator[tuple[ModelServer, Caller, Clock]]:
    """A caller whose waits cost no time."""
    clock = Clock()
    async with served(behaviour, **options) as (server, client):
        caller = Caller(
            client,
            concurrency=concurrency,
            requests_per_minute=requests_per_minute,
            tokens_per_minute=tokens_per_minute,
            now=clock.now,
            sleep=clock.sleep,
        )
        yield server, caller, clock
    assert server.problems == []


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for the server, which lives in a thread of its own."""
    for _ in range(1000):
        if is_so():
            return
        await anyio.sleep(0.005)
    raise AssertionError("it did not come to that")


@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        (Broken("status", status=429, headers={"Retry-After": "7"}), [7, 7, 7]),
        (Broken("status", status=429, headers={"Retry-After": "0"}), []),
        (Broken("status", status=429, headers={"Retry-After": "3600"}), [60, 60, 60]),
        (Broken("status", status=429), [0.25, 0.5, 1]),
        (Broken("status", status=503, headers={"Retry-After": "2"}), [2, 2, 2]),
        (Broken("status", status=500), [0.25, 0.5, 1]),
        (Broken("stream_error"), [0.25, 0.5, 1]),
        (Broken("drop_before"), [0.25, 0.5, 1]),
        (Broken("drop_midway", content="x" * 90), [0.25, 0.5, 1]),
    ],
    ids=lambda one: f"{one.kind} {one.status} {dict(one.headers)}" if isinstance(one, Broken) else "",
)
async def test_three_faults_are_survived(fault: Broken, waits: list[float]) -> None:
    books = Books()
    async with calling(BrokenAtFirst(fault, first=3, then=WELL)) as (server, caller, clock):
        reply = await caller.ask("m", ASK, books)
    assert isinstance(reply, Reply), reply
    assert reply.text == "well"
    assert len(server.requests) == 4
    assert [bool(problem) for problem in books.problems] == [True, True, True, False]
    assert clock.waits == waits


@pytest.mark.parametrize(
    ("fault", "kind", "attempts"),
    [
        (Broken("status", status=429, headers={"Retry-After": "1"}), "rate_limited", 8),
        (Broken("status", status=500), "server_error", 4),
        (Broken("drop_before"), "connection", 4),
        (Broken("html"), "not_an_answer", 2),
        (Broken("no_choices"), "not_an_answer", 2),
        (Broken("wrong_body"), "not_an_answer", 2),
        (Broken("status", status=408), "timeout", 2),
        (Broken("status", status=400), "refused_request", 1),
        (Broken("status", status=404), "refused_request", 1),
        (Broken("status", status=401), "unauthorised", 1),
        (Broken("status", status=403), "unauthorised", 1),
    ],
    ids=lambda one: f"{one.kind} {one.status}" if isinstance(one, Broken) else "",
)
async def test_what_does_not_pass_has_an_end(fault: Broken, kind: str, attempts: int) -> None:
    books = Books()
    async with calling(Says(fault)) as (server, caller, _):
        reply = await caller.ask("m", ASK, books)
    assert isinstance(reply, Fault)
    assert reply.kind == kind
    assert len(server.requests) == attempts
    assert books.problems == [reply.message] * attempts


async def test_a_server_that_hangs_is_asked_twice() -> None:
    books = Books()
    async with calling(Says(Broken("hang")), timeout_s=0.1) as (_, caller, _):
        reply = await caller.ask("m", ASK, books)
    assert isinstance(reply, Fault)
    assert reply.kind == "timeout"
    assert books.problems == [reply.message] * 2
    assert all(usage.is_estimated and usage.prompt_tokens for usage, _ in books.settled.values())


async def test_what_was_heard_of_a_broken_answer_is_charged() -> None:
    books = Books()
    async with calling(
        BrokenAtFirst(Broken("drop_midway", content="x" * 90), first=1, then=WELL), piece_chars=40
    ) as (_, caller, _):
        await caller.ask("m", ASK, books)
    (dropped, problem), (whole, _) = books.settled.values()
    assert problem
    assert dropped.is_estimated and dropped.answer_tokens == 11
    assert not whole.is_estimated


async def test_without_room_nothing_is_sent() -> None:
    books = Books(room=0)
    async with calling(WELL) as (server, caller, _):
        reply = await caller.ask("m", ASK, books)
    assert reply == Fault("budget", "no room")
    assert server.requests == []
    assert books.settled == {}


async def test_room_that_ends_between_attempts_ends_them() -> None:
    books = Books(room=2)
    async with calling(Says(Broken("status", status=500))) as (server, caller, _):
        reply = await caller.ask("m", ASK, books)
    assert reply == Fault("budget", "no room")
    assert len(server.requests) == len(books.problems) == 2


async def test_a_call_that_is_cancelled_is_charged_as_the_most_it_could_use() -> None:
    books = Books()
    async with calling(Says(Broken("hang"))) as (server, caller, _):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(caller.ask, "m", ASK, books)
            await until(lambda: server.in_flight == 1)
            most = books.open_calls[1]
            tasks.cancel_scope.cancel()
        assert books.problems == ["cancelled"]
        assert books.settled[1][0] == most
        await until(lambda: server.in_flight == 0)


async def test_who_is_cancelled_while_waiting_was_never_charged_and_frees_the_place() -> None:
    books = Books()
    async with calling(Says(Broken("hang")), concurrency=1) as (server, caller, _):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(caller.ask, "m", ASK, books)
            await until(lambda: server.in_flight == 1)
            with anyio.move_on_after(0.05):
                await caller.ask("m", ASK, books)
            assert len(server.requests) == 1
            tasks.cancel_scope.cancel()
        assert books.problems == ["cancelled"]
        server.behaviour = WELL
        with anyio.fail_after(5):
            assert isinstance(await caller.ask("m", ASK, books), Reply)


async def at_once(caller: Caller, books: Books, count: int) -> list[Reply | Fault]:
    """Answers to calls that are made side by side."""
    replies: list[Reply | Fault] = []

    async def call(number: int) -> None:
        replies.append(await caller.ask("m", asked(f"Why {number}?"), books))

    async with anyio.create_task_group() as tasks:
        for number in range(count):
            tasks.start_soon(call, number)
    return replies


async def test_no_more_calls_are_open_than_allowed() -> None:
    books = Books()
    async with calling(WELL, concurrency=3, latency_s=0.05) as (server, caller, _):
        replies = await at_once(caller, books, 9)
    assert all(isinstance(one, Reply) for one in replies)
    assert server.most_in_flight == 3
    assert books.problems == [""] * 9


async def test_all_calls_get_through_a_server_that_allows_fewer() -> None:
    books = Books()
    async with served(WELL, concurrency=4, latency_s=0.03, retry_after="0") as (server, client):
        replies = await at_once(Caller(client, concurrency=16), books, 40)
    assert [type(one) for one in replies] == [Reply] * 40
    assert books.problems.count("") == 40
    assert len(server.requests) == len(books.problems)


async def test_one_refusal_makes_everybody_wait() -> None:
    books = Books()
    busy = Broken("status", status=429, headers={"Retry-After": "9"})
    async with calling(BrokenAtFirst(busy, first=1, then=WELL)) as (_, caller, clock):
        began = clock.at
        await caller.ask("m", ASK, books)
        assert clock.at == began + 9
        before = list(clock.waits)
        await caller.ask("m", ASK, books)
    assert clock.waits == before


async def test_requests_per_minute_are_kept() -> None:
    books = Books()
    async with calling(WELL, requests_per_minute=2) as (_, caller, clock):
        began = clock.at
        moments = []
        for _ in range(5):
            await caller.ask("m", ASK, books)
            moments.append(clock.at - began)
    assert moments == [0, 0, 60, 60, 120]


async def test_an_attempt_that_failed_is_a_request_as_well() -> None:
    books = Books()
    faults = BrokenAtFirst(Broken("status", status=500), first=1, then=WELL)
    async with calling(faults, requests_per_minute=1) as (_, caller, clock):
        began = clock.at
        await caller.ask("m", ASK, books)
    assert clock.at - began == 60


async def test_tokens_per_minute_are_kept() -> None:
    books = Books()
    async with calling(WELL, tokens_per_minute=2700) as (_, caller, clock):
        began = clock.at
        moments = []
        for _ in range(4):
            await caller.ask("m", asked("x" * 4000), books)
            moments.append(clock.at - began)
    assert moments == [0, 0, 60, 60]


async def test_a_call_that_is_too_big_for_any_minute_is_made_alone() -> None:
    books = Books()
    async with calling(WELL, tokens_per_minute=10) as (_, caller, clock):
        began = clock.at
        await caller.ask("m", ASK, books)
        assert clock.at == began
        await caller.ask("m", ASK, books)
    assert math.isclose(clock.at - began, 60)
