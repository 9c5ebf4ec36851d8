"""Every fault shows on the line as it was told to, and is over when it is over."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import httpx
import pytest

from tests.model_server import Fault, FaultKind, Text, serve
from tests.model_server.asking import BRIEF, READ, Says, events, request, sdk
from tests.model_server.behaviours.broken import Broken
from tests.model_server.behaviours.lazy import Lazy
from tests.model_server.reply import FAULT_KINDS


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_every_fault_shows_on_the_line(kind: FaultKind, stream: bool) -> None:
    fault = Fault(kind, status=503, headers={"Retry-After": "7"}, seconds=0.2)
    with serve(Broken(fault, first=1, then=Says(Text("well")))) as server:
        shown = outcome(server.base_url, stream)
        assert shown == (STREAMED if stream else WHOLE)[kind]
        answer = request(server.base_url).json()
        assert answer["choices"][0]["message"]["content"] == "well"
    assert server.problems == []
    assert server.in_flight == 0


HALF = '{"not_enough_evidence'
WHOLE = {
    "status": "503 retry 7",
    "drop_before": "no answer",
    "drop_midway": "cut off",
    "hang": "slow stop",
    "stall": "slow stop",
    "empty_content": "stop, nothing",
    "no_choices": "no choices",
    "html": "text/html",
    "truncated_json": "no JSON",
    "truncated_content": "stop, half",
    "wrong_body": "no choices",
    "wrong_schema": "stop, other",
    "refusal": "content_filter, nothing",
    "length": "length, half",
    "stream_error": "503 retry None",
    "unknown_tool": "tool_calls run_shell",
    "bad_arguments": "tool_calls read_evidence no JSON",
}
STREAMED = WHOLE | {"drop_midway": "cut off", "stream_error": "error in the stream"}


def outcome(base: str, stream: bool) -> str:
    """What a client sees, in a few words."""
    started = time.monotonic()
    try:
        answer = request(base, stream=stream, tools=[READ])
    except httpx.RemoteProtocolError as error:
        return "cut off" if "incomplete" in str(error) or "peer closed" in str(error) else "no answer"
    except httpx.ReadError:
        return "no answer" if not stream or time.monotonic() - started < 0.04 else "cut off"
    if answer.status_code != 200:
        return f"{answer.status_code} retry {answer.headers.get('retry-after')}"
    if answer.headers["content-type"].startswith("text/html"):
        return "text/html"
    try:
        body = answer.json() if "json" in answer.headers["content-type"] else joined(events(answer))
    except json.JSONDecodeError:
        return "no JSON"
    if "error" in body:
        return "error in the stream"
    if not body.get("choices"):
        return "no choices"
    shown = described(body["choices"][0])
    return shown if time.monotonic() - started < 0.2 else f"slow {shown.split(',')[0]}"


def described(choice: dict[str, Any]) -> str:
    """Reason and content of a choice."""
    message, reason = choice["message"], choice["finish_reason"]
    if message.get("tool_calls"):
        function = message["tool_calls"][0]["function"]
        try:
            json.loads(function["arguments"])
        except json.JSONDecodeError:
            return f"{reason} {function['name']} no JSON"
        return f"{reason} {function['name']}"
    content = message["content"] or ""
    try:
        kind = "other" if content and json.loads(content) else "nothing"
    except json.JSONDecodeError:
        kind = "half"
    return f"{reason}, {kind}"


def joined(data: list[str]) -> dict[str, Any]:
    """A stream put together by hand."""
    chunks = [json.loads(one) for one in data if one != "[DONE]"]
    if any("error" in one for one in chunks):
        return {"error": True}
    choices = [one["choices"][0] for one in chunks if one.get("choices")]
    if not choices:
        return {}
    parts = [part for one in choices for part in one["delta"].get("tool_calls", ())]
    calls = [
        {
            "function": {
                "name": one["function"]["name"],
                "arguments": "".join(p["function"]["arguments"] for p in parts),
            }
        }
        for one in parts[:1]
    ]
    content = "".join(one["delta"].get("content") or "" for one in choices)
    message = {"content": content, "tool_calls": calls}
    return {"choices": [{"message": message, "finish_reason": choices[-1]["finish_reason"]}]}


def test_whoever_waits_no_longer_is_no_longer_counted() -> None:
    with serve(Broken(Fault("hang", seconds=30))) as server:
        with pytest.raises(httpx.ReadTimeout):
            request(server.base_url, timeout=0.2)
        until = time.monotonic() + 2
        while server.in_flight and time.monotonic() < until:
            time.sleep(0.01)
        assert server.in_flight == 0


def cut_short(base: str) -> None:
    """A request that gets no answer."""
    with pytest.raises(httpx.HTTPError):
        request(base)


def test_the_server_ends_while_a_request_is_open() -> None:
    started = time.monotonic()
    with serve(Broken(Fault("hang", seconds=30))) as server:
        thread = threading.Thread(target=cut_short, args=[server.base_url])
        thread.start()
        while not server.in_flight:
            time.sleep(0.01)
    thread.join()
    assert time.monotonic() - started < 5


def test_a_fault_befalls_the_first_requests_of_each_conversation() -> None:
    with serve(Broken(Fault("status", status=500), first=2, then=Lazy())) as server:
        statuses = [request(server.base_url).status_code for _ in range(3)]
        other = request(server.base_url, messages=[{"role": "user", "content": "another brief"}]).status_code
    assert statuses == [500, 500, 200]
    assert other == 500


def test_the_foreign_client_tries_again_by_itself() -> None:
    fault = Fault("status", status=429, headers={"Retry-After": "0.05"})
    with sdk(Broken(fault, first=2, then=Says(Text("well"))), retries=3) as (server, client):
        assert client.chat.completions.create(model="m", messages=BRIEF).choices[0].message.content == "well"
    assert [one["status"] for one in server.requests] == [429, 429, 200]
