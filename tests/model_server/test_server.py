"""The scripted model server speaks the interface that a foreign client library expects, and breaks as told."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import httpx
import pytest

from tests.model_server import Calls, Conversation, Reply, Text, serve
from tests.model_server.asking import BRIEF, READ, Says, events, request, sdk
from tests.model_server.behaviours.endless import Endless
from tests.model_server.behaviours.lazy import Lazy

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"not_enough_evidence": {"type": "string"}, "findings": {"type": "array", "items": {}}},
    "required": ["not_enough_evidence"],
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "findings", "schema": SCHEMA, "strict": True}}


class ReadsOnce:
    """One call, then an answer that repeats what the tool said."""

    def reply(self, conversation: Conversation) -> Reply:
        """By the number of results."""
        if not conversation.results:
            return Calls(
                [("read_evidence", {"id": "E1", "start": 40}), ("read_evidence", {"id": "E2 ü"})], "Let me."
            )
        return Text(json.dumps([one.arguments["id"] + one.text for one in conversation.results]))


def test_words_in_one_piece() -> None:
    with sdk(Says(Text("hello"))) as (server, client):
        answer = client.chat.completions.create(model="m", messages=BRIEF)
        assert answer.choices[0].message.content == "hello"
        assert answer.choices[0].finish_reason == "stop"
        assert [one.id for one in client.models.list()] == ["scripted"]
    assert [one["status"] for one in server.requests] == [200]
    assert server.requests[0]["body"]["messages"] == BRIEF
    assert server.requests[0]["headers"]["authorization"] == "Bearer key"
    assert abs(server.requests[0]["at"] - time.time()) < 60
    assert server.in_flight == 0


def test_a_stream_gives_the_same_words_and_counts_at_the_end() -> None:
    words = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. " * 3
    with sdk(Says(Text(words)), piece_chars=7) as (_, client):
        stream = client.chat.completions.create(
            model="m", messages=BRIEF, stream=True, stream_options={"include_usage": True}
        )
        chunks = list(stream)
    assert "".join(one.choices[0].delta.content or "" for one in chunks if one.choices) == words
    assert len(chunks) > 20
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens > 40
    assert all(one.usage is None for one in chunks[:-1])
    assert [one.choices[0].finish_reason for one in chunks[:-1]][-1] == "stop"


def test_without_being_asked_a_stream_gives_no_counts() -> None:
    with serve(Says(Text("hello"))) as server:
        data = events(request(server.base_url, stream=True))
    assert data[-1] == "[DONE]"
    assert all("usage" not in json.loads(one) for one in data[:-1])


@pytest.mark.parametrize("stream", [False, True])
def test_tools_are_called_and_their_results_come_back(stream: bool) -> None:
    with sdk(ReadsOnce(), piece_chars=5) as (server, client):
        messages: list[Any] = list(BRIEF)
        if stream:
            with client.chat.completions.stream(model="m", messages=messages, tools=[READ]) as running:
                answer = running.get_final_completion()
        else:
            answer = client.chat.completions.create(model="m", messages=messages, tools=[READ])
        calls = answer.choices[0].message.tool_calls
        assert answer.choices[0].finish_reason == "tool_calls"
        assert answer.choices[0].message.content == "Let me."
        assert [json.loads(one.function.arguments) for one in calls] == [
            {"id": "E1", "start": 40},
            {"id": "E2 ü"},
        ]
        assert len({one.id for one in calls}) == 2
        messages.append(answer.choices[0].message.model_dump(exclude_none=True, exclude={"parsed"}))
        messages += [{"role": "tool", "tool_call_id": one.id, "content": f" says {one.id}"} for one in calls]
        answer = client.chat.completions.create(model="m", messages=messages, tools=[READ])
    assert json.loads(answer.choices[0].message.content) == ["E1 says call_0_1", "E2 ü says call_0_2"]
    assert server.problems == []


def test_no_tool_is_called_when_none_may_be() -> None:
    with serve(Endless()) as server:
        answer = request(server.base_url, tools=[READ], tool_choice="none").json()
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert "tool_calls" not in answer["choices"][0]["message"]


def test_counts_grow_with_the_conversation_and_its_beginning_is_cached() -> None:
    first = [*BRIEF, {"role": "user", "content": "x" * 4000}]
    with serve(Says(Text("y" * 400))) as server:
        one, two, other = (
            request(server.base_url, messages=messages).json()["usage"]
            for messages in (
                first,
                [*first, {"role": "user", "content": "more"}],
                [{"role": "user", "content": "z" * 4000}],
            )
        )
    assert one["prompt_tokens_details"]["cached_tokens"] == 0
    assert 1000 < one["prompt_tokens"] < 1150
    assert 100 <= one["completion_tokens"] < 110
    assert one["total_tokens"] == one["prompt_tokens"] + one["completion_tokens"]
    assert one["prompt_tokens"] - 2 <= two["prompt_tokens_details"]["cached_tokens"] <= one["prompt_tokens"]
    assert other["prompt_tokens_details"]["cached_tokens"] < 10


def test_the_answer_follows_the_schema_of_the_request() -> None:
    with serve(Lazy()) as server:
        answer = request(server.base_url, response_format=FORMAT).json()
    claim = json.loads(answer["choices"][0]["message"]["content"])
    assert set(claim) == {"findings", "not_enough_evidence"}
    assert claim["findings"][0]["citations"][0]["evidence"] == "E1"


@pytest.mark.parametrize(
    "wrong",
    [
        {"messages": []},
        {"messages": [{"role": "tool", "tool_call_id": "call_9", "content": ""}]},
        {
            "messages": [
                {"role": "assistant", "tool_calls": [{"id": "c"}]},
                {"role": "user", "content": "so?"},
            ]
        },
        {"tool_choice": "auto"},
        {"tools": [READ], "tool_choice": {"type": "function", "function": {"name": "shell"}}},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
    ],
)
def test_a_request_of_the_wrong_shape_is_refused(wrong: dict[str, Any]) -> None:
    with serve(Lazy()) as server:
        answer = request(server.base_url, **wrong)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_only_the_right_key_is_let_in() -> None:
    with (
        sdk(Lazy(), api_key="another") as (server, client),
        pytest.raises(Exception, match="Incorrect API key"),
    ):
        client.chat.completions.create(model="m", messages=BRIEF)
    assert server.requests[0]["status"] == 401
    with sdk(Lazy(), api_key="key") as (_, client):
        assert client.chat.completions.create(model="m", messages=BRIEF).choices


def at_once(count: int, base: str) -> list[httpx.Response]:
    """Answers to requests that are sent side by side."""
    answers: list[httpx.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(request(base))) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_one_request_too_many_is_sent_away() -> None:
    with serve(Lazy(), latency_s=0.5, concurrency=2, retry_after="3") as server:
        answers = at_once(5, server.base_url)
        assert sorted(one.status_code for one in answers) == [200, 200, 429, 429, 429]
        assert {one.headers["retry-after"] for one in answers if one.status_code == 429} == {"3"}
        assert request(server.base_url).status_code == 200
    assert 3 <= server.most_in_flight <= 5
    assert server.in_flight == 0


def test_requests_are_answered_side_by_side() -> None:
    with serve(Lazy(), latency_s=0.4) as server:
        started = time.monotonic()
        assert {one.status_code for one in at_once(4, server.base_url)} == {200}
        assert time.monotonic() - started < 1.4
    assert server.most_in_flight == 4


@pytest.mark.parametrize("mode", ["identical", "varied"])
def test_endless_calls_for_ever(mode: Any) -> None:
    messages: list[Any] = list(BRIEF)
    seen = []
    with serve(Endless(mode)) as server:
        for _ in range(12):
            choice = request(server.base_url, messages=messages, tools=[READ]).json()["choices"][0]
            call = choice["message"]["tool_calls"][0]
            seen.append(call["function"]["arguments"])
            messages += [
                choice["message"],
                {"role": "tool", "tool_call_id": call["id"], "content": "nothing"},
            ]
    assert len(set(seen)) == (1 if mode == "identical" else 12)


def test_a_script_that_raises_is_noticed() -> None:
    class Wrong:
        def reply(self, conversation: Conversation) -> Reply:
            raise LookupError("the script is wrong")

    with serve(Wrong()) as server:
        assert request(server.base_url).status_code == 500
    assert "the script is wrong" in server.problems[0]
