"""One call: what the server counted is charged, what it did not is guessed and said to be; a fault is a value."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from goldenpath_loop.model.client import open_client
from goldenpath_loop.model.messages import Ask, Fault, Reply, ToolCall, estimated_tokens
from goldenpath_loop.model.prices import Prices
from goldenpath_loop.records.usage import Usage
from tests.model.asking import ASK, NOTE, PRICES, SCHEMA, RefusesSchemas, asked, chunk, events, served
from tests.model_server import Calls, Text, serve
from tests.model_server import Fault as Broken
from tests.model_server import Reply as Said
from tests.model_server.asking import Says
from tests.model_server.behaviours.broken import Broken as BrokenAtFirst

pytestmark = pytest.mark.anyio
DONE = chunk({}, "stop")


async def called(said: Said, ask: Ask = ASK, *, timeout_s: float = 5.0) -> Reply | Fault:
    """What one call to a model of one sentence gives."""
    async with served(Says(said), timeout_s=timeout_s, piece_chars=3) as (server, client):
        reply = await client.call("m", ask)
    assert server.problems == []
    return reply


async def replied(*chunks: dict[str, Any], ask: Ask = ASK) -> Reply:
    """What a stream of these chunks is read as."""
    reply = await called(events(*[json.dumps(one) for one in chunks], "[DONE]"), ask)
    assert isinstance(reply, Reply), reply
    return reply


async def test_the_words_of_a_stream_come_together() -> None:
    words = "Zwölf Boxkämpfer jagen Viktor"
    reply = await called(Text(words))
    assert isinstance(reply, Reply)
    assert (reply.text, reply.finish, reply.calls) == (words, "stop", ())


async def test_calls_of_tools_come_together() -> None:
    reply = await called(Calls([("note", {"word": "ping"}), ("note", {})], "Let me."), asked(tools=(NOTE,)))
    assert isinstance(reply, Reply)
    assert [(one.name, one.arguments) for one in reply.calls] == [
        ("note", '{"word": "ping"}'),
        ("note", "{}"),
    ]
    assert len({one.id for one in reply.calls}) == 2
    assert (reply.text, reply.finish) == ("Let me.", "tool_calls")


async def test_a_request_says_what_is_wanted_and_who_asks() -> None:
    async with served(Says(Text("{}"))) as (server, client):
        await client.call("m", asked("Why?", schema=SCHEMA, tools=(NOTE,)))
    body = server.requests[0]["body"]
    assert (body["model"], body["max_tokens"], body["stream"]) == ("m", 200, True)
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA
    assert body["tools"][0]["function"] == {
        "name": "note",
        "description": "Note.",
        "parameters": dict(NOTE.parameters),
    }
    assert server.requests[0]["headers"]["authorization"] == "Bearer key"


async def test_what_the_server_counted_is_charged() -> None:
    async with served(Says(Text("y" * 400))) as (server, client):
        first = await client.call("m", asked("x" * 4000))
        second = await client.call("m", asked("x" * 4000))
    counted = server.requests[0]["usage"]
    assert isinstance(first, Reply) and isinstance(second, Reply)
    assert first.usage == PRICES.priced(
        Usage(prompt_tokens=counted["prompt_tokens"], answer_tokens=counted["completion_tokens"])
    )
    assert not first.usage.is_estimated
    assert second.usage.cached_tokens > 1000
    assert 0 < second.usage.cost_usd < first.usage.cost_usd


async def test_what_nobody_counted_is_guessed_and_said_to_be() -> None:
    reply = await replied(chunk({"content": "y" * 400}), DONE, ask=asked("x" * 4000))
    assert reply.usage.is_estimated
    assert 1000 <= reply.usage.prompt_tokens <= 1020
    assert reply.usage.answer_tokens == 101
    assert reply.usage.cost_usd > 0


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        ({"prompt_tokens": 7, "completion_tokens": 3}, (7, 0, 3)),
        ({"prompt_tokens": 7, "completion_tokens": None}, (7, 0, 0)),
        ({"prompt_tokens": 7, "completion_tokens": 3, "prompt_tokens_details": None}, (7, 0, 3)),
        (
            {"prompt_tokens": 7, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 5}},
            (7, 5, 3),
        ),
        (
            {"prompt_tokens": 7, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 9}},
            (7, 7, 3),
        ),
        (
            {"prompt_tokens": 7, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": -1}},
            (7, 0, 3),
        ),
        ({"prompt_tokens": -7, "completion_tokens": -3}, (0, 0, 0)),
        ({"prompt_tokens": 7, "completion_tokens": "many"}, (7, 0, 0)),
    ],
)
async def test_odd_counts_are_read_as_far_as_they_go(
    counted: dict[str, Any], expected: tuple[int, int, int]
) -> None:
    usage = (await replied(chunk({"content": "hello"}), DONE | {"usage": counted})).usage
    assert (usage.prompt_tokens, usage.cached_tokens, usage.answer_tokens) == expected
    assert not usage.is_estimated


def test_an_unknown_price_counts_as_the_ceiling() -> None:
    used = Usage(prompt_tokens=1_000_000, cached_tokens=400_000, answer_tokens=1_000_000)
    assert Prices(ceiling=75.0).priced(used).cost_usd == 150.0
    assert Prices(prompt=1.0, ceiling=75.0).priced(used).cost_usd == 76.0
    assert Prices(prompt=1.0, cached=0.5, answer=2.0, ceiling=75.0).priced(used).cost_usd == pytest.approx(
        2.8
    )
    assert Prices(prompt=0.0, answer=0.0, ceiling=75.0).priced(used).cost_usd == 0.0


async def test_the_most_a_call_can_use_is_at_least_what_it_uses() -> None:
    async with served(Says(Text("y" * 40))) as (_, client):
        ask = asked("x" * 4000, tools=(NOTE,))
        most, reply = client.most(ask), await client.call("m", ask)
    assert isinstance(reply, Reply)
    assert most.is_estimated
    assert most.answer_tokens == 200
    assert most.cost_usd > reply.usage.cost_usd


def test_a_guess_is_never_nothing() -> None:
    assert estimated_tokens("") == 1
    assert estimated_tokens("\ud800") >= 1
    assert estimated_tokens("ü" * 8) == 5


async def test_a_key_that_the_server_repeats_is_not_told() -> None:
    body = json.dumps({"error": {"message": "Incorrect API key provided: tops3cretkey. Get one."}})
    with serve(Says(Broken("status", status=401, body=body))) as server:
        async with open_client(
            base_url=server.base_url, key="tops3cretkey", prices=Prices(), timeout_s=3, answer_tokens=9
        ) as client:
            reply = await client.call("m", asked("hello"))
    assert isinstance(reply, Fault)
    assert "tops3cretkey" not in reply.message
    assert "Get one" in reply.message


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (Broken("status", status=429, headers={"Retry-After": "7"}), "rate_limited"),
        (Broken("status", status=500), "server_error"),
        (Broken("status", status=502, body="<html>Bad gateway</html>"), "server_error"),
        (Broken("status", status=400), "refused_request"),
        (Broken("status", status=404), "refused_request"),
        (Broken("status", status=401), "unauthorised"),
        (Broken("status", status=403), "unauthorised"),
        (Broken("status", status=408), "timeout"),
        (Broken("drop_before"), "connection"),
        (Broken("drop_midway", content="x" * 90), "connection"),
        (Broken("stream_error", content="x" * 90), "server_error"),
        (Broken("html"), "not_an_answer"),
        (Broken("wrong_body"), "not_an_answer"),
        (Broken("no_choices"), "not_an_answer"),
        (Broken("truncated_json"), "not_an_answer"),
        (events("[1, 2]"), "not_an_answer"),
        (events('{"choices": 7}'), "not_an_answer"),
        (events('{"choices": [{"delta": 7}]}'), "not_an_answer"),
        (events(json.dumps(chunk({"content": "half"}))), "connection"),
        (Broken("status", status=200, body="{}"), "not_an_answer"),
        (Broken("status", status=200, body=" "), "not_an_answer"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
async def test_what_goes_wrong_is_a_value(said: Said, kind: str) -> None:
    reply = await called(said)
    assert isinstance(reply, Fault), reply
    assert reply.kind == kind
    assert 0 < len(reply.message) <= 300


@pytest.mark.parametrize("kind", ["hang", "stall"])
async def test_a_silence_is_a_time_out_and_the_question_is_charged(kind: Any) -> None:
    reply = await called(Broken(kind, content="x" * 90), asked("x" * 4000), timeout_s=0.15)
    assert isinstance(reply, Fault)
    assert (reply.kind, reply.message) == ("timeout", "the server was silent for 0.15 s")
    assert reply.usage is not None and reply.usage.is_estimated
    assert reply.usage.prompt_tokens > 1000


@pytest.mark.parametrize(
    "said",
    [
        Broken("drop_before"),
        Broken("html"),
        Broken("wrong_body"),
        Broken("no_choices"),
        Broken("truncated_json"),
        Broken("stream_error"),
        Broken("drop_midway", content="x" * 90),
        Broken("empty_content"),
        Broken("wrong_schema"),
        Broken("truncated_content", content="x" * 90),
        Broken("status", status=200, body="{}"),
        events("[1, 2]"),
    ],
    ids=lambda one: f"{one.kind} {one.body}".strip(),
)
async def test_what_the_server_worked_for_is_charged_whatever_came_of_it(said: Said) -> None:
    reply = await called(said, asked("x" * 4000))
    assert reply.usage is not None
    assert reply.usage.prompt_tokens > 900
    assert reply.usage.cost_usd > 0


async def test_a_count_without_an_answer_is_believed() -> None:
    counted = {"prompt_tokens": 70, "completion_tokens": 5}
    reply = await called(events(json.dumps({"choices": [], "usage": counted})))
    assert isinstance(reply, Fault) and reply.usage is not None
    assert (reply.usage.prompt_tokens, reply.usage.answer_tokens) == (70, 5)
    assert not reply.usage.is_estimated


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
async def test_a_request_that_was_refused_costs_nothing(status: int) -> None:
    reply = await called(Broken("status", status=status))
    assert isinstance(reply, Fault)
    assert reply.usage is None


async def test_a_long_answer_is_no_silence() -> None:
    async with served(Says(Text("slowly " * 6)), timeout_s=0.3, pace_s=0.02, piece_chars=2) as (_, client):
        reply = await client.call("m", ASK)
    assert isinstance(reply, Reply)
    assert reply.text == "slowly " * 6


async def test_a_server_that_is_not_there() -> None:
    async with served(Says(Text(""))) as (server, client):
        pass
    async with open_client(
        base_url=server.base_url, key="", prices=PRICES, timeout_s=2, answer_tokens=20
    ) as client:
        reply = await client.call("m", ASK)
        names = await client.models()
    assert isinstance(reply, Fault) and isinstance(names, Fault)
    assert (reply.kind, names.kind) == ("connection", "connection")
    assert reply.usage is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.5", "Retry-After-Ms": "40"}, 0.04),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({}, None),
    ],
)
async def test_how_long_the_server_wants_us_to_wait(headers: dict[str, str], expected: float | None) -> None:
    reply = await called(Broken("status", status=429, headers=headers))
    assert isinstance(reply, Fault)
    assert reply.retry_after_s == expected


async def test_what_the_line_does_after_a_whole_answer_takes_nothing_from_it() -> None:
    lines = [json.dumps(chunk({"content": "whole"})), json.dumps(DONE), '{"id": "chatcmpl-1", "obj']
    reply = await called(events(*lines))
    assert isinstance(reply, Fault), "what cannot be read is not taken for an answer"
    cut = Broken(
        "status",
        status=200,
        body="".join(f"data: {line}\n\n" for line in lines[:2]),
        headers={"Content-Type": "text/event-stream", "Content-Length": "9999", "Connection": "close"},
    )
    async with served(Says(cut), timeout_s=0.3) as (_, client):
        whole = await client.call("m", ASK)
    assert isinstance(whole, Reply)
    assert whole.text == "whole"
    assert whole.usage.is_estimated


async def test_a_refusal_in_words_of_its_own_is_one() -> None:
    reply = await replied(chunk({"refusal": "I cannot"}), chunk({"refusal": " help."}), DONE)
    assert (reply.text, reply.finish) == ("", "content_filter")


def piece(name: str, arguments: str, **more: Any) -> dict[str, Any]:
    """A chunk with a piece of a call."""
    return chunk(
        {"tool_calls": [{"function": {"name": name, "arguments": arguments}, "type": "function"} | more]}
    )


async def test_calls_without_an_index_are_told_apart_by_their_ids() -> None:
    reply = await replied(
        piece("note", '{"a"', id="one"),
        piece("", ": 1}"),
        piece("note", "{}", id="two"),
        chunk({}, "tool_calls"),
    )
    assert reply.calls == (ToolCall("one", "note", '{"a": 1}'), ToolCall("two", "note", "{}"))


async def test_calls_without_an_id_get_one_that_no_earlier_turn_had() -> None:
    pieces = (piece("note", "{}", index=0), piece("note", "{}", index=1), chunk({}, "tool_calls"))
    first = await replied(*pieces)
    later = await replied(*pieces, ask=Ask((*ASK.messages, *ASK.messages)))
    assert len({one.id for one in (*first.calls, *later.calls)}) == 4


@pytest.mark.parametrize("status", [400, 422])
async def test_a_server_that_refuses_schemas_is_asked_without_and_that_is_remembered(status: int) -> None:
    async with served(RefusesSchemas(Says(Text("hello")), status)) as (server, client):
        assert client.takes_schemas
        replies = [await client.call("m", asked(schema=SCHEMA)) for _ in range(3)]
        assert not client.takes_schemas
    assert all(isinstance(one, Reply) and one.text == "hello" for one in replies)
    assert ["response_format" in one["body"] for one in server.requests] == [True, False, False, False]


async def test_calls_at_once_all_go_on_without_the_schema() -> None:
    replies: list[Reply | Fault] = []
    async with served(RefusesSchemas(Says(Text("hello")))) as (_, client), anyio.create_task_group() as tasks:

        async def call() -> None:
            replies.append(await client.call("m", asked(schema=SCHEMA)))

        for _ in range(8):
            tasks.start_soon(call)
    assert [isinstance(one, Reply) for one in replies] == [True] * 8


async def test_a_request_that_is_refused_for_something_else_says_nothing_about_schemas() -> None:
    faults = BrokenAtFirst(
        Broken("status", status=400, body='{"error": {"message": "too long"}}'),
        first=2,
        then=Says(Text("{}")),
    )
    async with served(faults) as (server, client):
        refused = await client.call("m", asked(schema=SCHEMA))
        assert client.takes_schemas
        await client.call("m", asked(schema=SCHEMA))
    assert isinstance(refused, Fault)
    assert (refused.kind, "too long" in refused.message) == ("refused_request", True)
    assert ["response_format" in one["body"] for one in server.requests] == [True, False, True]


async def test_without_a_schema_a_refused_request_is_not_sent_again() -> None:
    async with served(Says(Broken("status", status=400))) as (server, client):
        assert isinstance(await client.call("m", ASK), Fault)
    assert len(server.requests) == 1


async def test_a_server_on_this_machine_is_asked_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert isinstance(await called(Text("hello")), Reply)


async def test_the_models_of_a_server() -> None:
    async with served(Says(Text("")), models=("one", "two")) as (_, client):
        assert await client.models() == ("one", "two")
    async with served(Says(Text("")), api_key="another") as (_, client):
        names = await client.models()
    assert isinstance(names, Fault)
    assert names.kind == "unauthorised"
