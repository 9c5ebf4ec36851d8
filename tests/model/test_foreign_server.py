"""What is ours holds against a server that is not: llama.cpp's own, with a tiny model."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import anyio
import pytest

from goldenpath_loop.model.answers import parsed, schema_of
from goldenpath_loop.model.caller import Caller
from goldenpath_loop.model.capabilities import probe
from goldenpath_loop.model.client import ChatClient, open_client
from goldenpath_loop.model.dialogue import End, Flow, Rules, ToolResult, UseTools, converse
from goldenpath_loop.model.messages import Ask, Fault, Reply, ToolDefinition
from goldenpath_loop.records.agents import Objections, OutputName, ProposedFindings
from tests.model.asking import ASK, NOTE, PRICES, SCHEMA, Books, asked
from tests.model.foreign_server import CALL, MODEL, NEEDED

_MISSING = [name for name in NEEDED if find_spec(name) is None]

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(
        bool(_MISSING), reason=f'not installed: {", ".join(_MISSING)}; they are in the extra "dev"'
    ),
]

STRICT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "kind": {"const": "objections"},
        "objections": {"type": "array", "items": {"type": "object"}, "maxItems": 0},
        "stood": {
            "type": "array",
            "items": {"type": "integer", "minimum": 3, "maximum": 3},
            "minItems": 2,
            "maxItems": 2,
        },
    },
    "required": ["kind", "objections", "stood"],
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server, in a process of its own."""
    command = (sys.executable, "-m", "tests.model.foreign_server", str(tmp_path_factory.mktemp("model")))
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        # It may have words of its own before.
        address = next((line.strip() for line in process.stdout if line.startswith("http")), "")
        assert address, "it did not start"
        yield address
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


@asynccontextmanager
async def client_of(address: str, *, answer_tokens: int = 200) -> AsyncIterator[ChatClient]:
    """Our client of it."""
    async with open_client(
        base_url=f"{address}/v1", key="", prices=PRICES, timeout_s=20, answer_tokens=answer_tokens
    ) as client:
        yield client


async def held(flow: Flow, client: ChatClient, books: Books) -> tuple[End, list[str]]:
    """A conversation to its end, as the engine holds it, and what its tools were called with."""
    caller, used = Caller(client, concurrency=2), []
    try:
        wanted = next(flow)
        while True:
            if isinstance(wanted, UseTools):
                used += [call.arguments for call in wanted.calls]
                wanted = flow.send([ToolResult("pong") for _ in wanted.calls])
            else:
                wanted = flow.send(await caller.ask(MODEL, wanted, books))
    except StopIteration as stop:
        end: End = stop.value
        return end, used


def rules(output: OutputName, *tools: ToolDefinition) -> Rules:
    """Rules of an agent that is believed whatever it says."""
    return Rules(
        "Rules.",
        "Why?",
        tools,
        schema_of(output),
        4,
        8000,
        lambda text: parsed(text, output),
        lambda answer: (),
    )


async def replied(client: ChatClient, ask: Ask) -> Reply:
    """An answer, tried for again as the engine would when the server closes a line that was kept."""
    reply = await Caller(client, concurrency=1).ask(MODEL, ask, Books())
    assert isinstance(reply, Reply), reply
    return reply


async def test_it_knows_its_model_by_name(address: str) -> None:
    async with client_of(address) as client:
        assert await client.models() == (MODEL,)


async def test_a_stream_comes_together_and_is_counted(address: str) -> None:
    async with client_of(address) as client:
        reply = await replied(client, ASK)
        again = await replied(client, asked("Why? " * 200))
        cached = await replied(client, asked("Why? " * 200))
    assert (reply.text, reply.finish, reply.calls) == (CALL, "stop", ())
    assert not reply.usage.is_estimated
    assert reply.usage.prompt_tokens > 4
    assert reply.usage.answer_tokens == 2
    assert again.usage.prompt_tokens > 900
    assert cached.usage.cached_tokens > 900
    assert cached.usage.cost_usd < again.usage.cost_usd


async def test_an_answer_that_is_too_long_is_said_to_be_cut_off(address: str) -> None:
    async with client_of(address, answer_tokens=5) as client:
        reply = await replied(client, asked(schema=STRICT))
    assert reply.finish == "length"
    assert reply.usage.answer_tokens == 5


async def test_a_schema_is_honoured(address: str) -> None:
    async with client_of(address) as client:
        colour = await replied(client, asked(schema=SCHEMA))
        strict = await replied(client, asked(schema=STRICT))
        assert client.takes_schemas
    assert json.loads(colour.text) == {"colour": "teal"}
    assert parsed(strict.text, "objections") == Objections(stood=(3, 3))


@pytest.mark.parametrize("output", ["findings", "objections", "patch", "order", "pull_request_text"])
async def test_the_schema_of_every_answer_of_ours_is_understood(address: str, output: OutputName) -> None:
    async with client_of(address) as client:
        reply = await replied(client, asked(schema=schema_of(output)))
        assert client.takes_schemas
    assert isinstance(json.loads(reply.text), dict)


async def test_a_tool_that_is_offered_is_called(address: str) -> None:
    async with client_of(address) as client:
        reply = await replied(client, asked(tools=(NOTE,)))
    assert [(one.name, json.loads(one.arguments)) for one in reply.calls] == [("note", {"word": "ping"})]
    assert reply.calls[0].id
    assert (reply.finish, reply.text) == ("tool_calls", "")


async def test_a_conversation_with_tools_ends_with_an_answer(address: str) -> None:
    books = Books()
    async with client_of(address) as client:
        end, used = await held(converse(rules("findings", NOTE)), client, books)
    assert end == End(ProposedFindings(not_enough_evidence="nothing was read"), turns=2)
    assert [json.loads(one) for one in used] == [{"word": "ping"}]
    assert books.problems.count("") == 2
    assert all(not usage.is_estimated for usage, problem in books.settled.values() if not problem)


async def test_a_conversation_without_tools_is_held_to_its_schema(address: str) -> None:
    books = Books()
    async with client_of(address) as client:
        end, _ = await held(converse(rules("objections")), client, books)
    assert end == End(Objections(), turns=1)


async def test_a_schema_that_it_cannot_read_is_left_out(address: str) -> None:
    async with client_of(address) as client:
        reply = await replied(
            client, asked(schema={"type": "object", "properties": {"a": {"$ref": "#/nowhere"}}})
        )
        assert not client.takes_schemas
    assert reply.text == CALL


async def test_what_does_not_fit_into_its_context_is_refused(address: str) -> None:
    async with client_of(address) as client:
        reply = await client.call(MODEL, asked("Why? " * 4000))
        assert client.takes_schemas
    assert isinstance(reply, Fault)
    assert reply.kind == "refused_request"
    assert "context" in reply.message


async def test_what_it_can_do_is_found_out(address: str) -> None:
    async with client_of(address) as client:
        found = await probe(client, MODEL)
    assert (found.listed, found.schemas, found.tools, found.usage) == ("yes",) * 4


async def test_calls_at_once_are_answered_each(address: str) -> None:
    books = Books()
    replies: list[Reply | Fault] = []
    async with client_of(address) as client:
        caller = Caller(client, concurrency=4)

        async def call() -> None:
            replies.append(await caller.ask(MODEL, asked(schema=SCHEMA), books))

        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(call)
    assert [isinstance(one, Reply) and json.loads(one.text) for one in replies] == [{"colour": "teal"}] * 8
    assert books.problems.count("") == 8
