"""Replies in the words of the chat completions interface: objects, chunks of a stream, counts of tokens."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.model_server.reply import Calls, Text

__all__ = ["CHARS_PER_TOKEN", "complaint", "completion", "error", "message_of", "pieces", "usage"]

CHARS_PER_TOKEN = 4
_ROLES = {"system", "developer", "user", "assistant", "tool"}


def error(message: str, *, kind: str = "invalid_request_error", code: str | None = None) -> dict[str, Any]:
    """An error object."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def complaint(body: Any) -> str:
    """What is wrong with the shape of a request; empty when nothing is."""
    if not isinstance(body, dict) or not isinstance(body.get("model"), str):
        return "you must provide a model parameter"
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "messages: an array with at least one message is needed"
    names = []
    for number, tool in enumerate(body.get("tools") or ()):
        if (
            not isinstance(tool, dict)
            or tool.get("type") != "function"
            or "name" not in tool.get("function", {})
        ):
            return f"tools[{number}]: a function with a name is needed"
        names.append(tool["function"]["name"])
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and choice.get("function", {}).get("name") not in names:
        return "tool_choice: there is no such tool"
    if choice is not None and not names:
        return "tool_choice is only allowed when tools are specified"
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        inner = wanted.get("json_schema") or {}
        if not inner.get("name") or not isinstance(inner.get("schema"), dict):
            return "response_format: json_schema needs a name and a schema"
    return _complaint_about(messages)


def _complaint_about(messages: Sequence[Any]) -> str:
    """Every call of a tool is answered right after it, and nothing else is."""
    open_calls: set[str] = set()
    for number, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            return f"messages[{number}]: unknown role"
        if message["role"] == "tool":
            if message.get("tool_call_id") not in open_calls:
                return f"messages[{number}]: a tool message must follow the call that it answers"
            open_calls.discard(message["tool_call_id"])
            continue
        if open_calls:
            return f"messages[{number}]: tool calls without an answer: {', '.join(sorted(open_calls))}"
        if message["role"] == "assistant":
            open_calls = {call["id"] for call in message.get("tool_calls") or ()}
    return f"tool calls without an answer: {', '.join(sorted(open_calls))}" if open_calls else ""


def usage(body: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]], said: str) -> dict[str, Any]:
    """Token counts of one answer.

    Cached is the longest beginning that the messages share with those of any earlier request, since
    conversations that are held side by side would hide each other's last request.
    """
    outside = len(json.dumps(body.get("tools") or "")) + len(json.dumps(body.get("response_format") or ""))
    chars = sum(len(_text(one)) for one in body["messages"]) + outside
    shared = max((_shared(body["messages"], one["messages"]) for one in earlier), default=0)
    prompt, answer = -(-chars // CHARS_PER_TOKEN), -(-len(said) // CHARS_PER_TOKEN)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": answer,
        "total_tokens": prompt + answer,
        "prompt_tokens_details": {"cached_tokens": shared // CHARS_PER_TOKEN, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def _text(message: Mapping[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False)


def _shared(one: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]]) -> int:
    chars = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            pairs = zip(_text(mine), _text(theirs), strict=False)
            return chars + sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
        chars += len(_text(mine))
    return chars


def message_of(reply: Text | Calls, ids: Iterator[str]) -> tuple[dict[str, Any], str]:
    """The assistant's message, and the reason for which it ends."""
    if isinstance(reply, Text):
        return {"role": "assistant", "content": reply.content, "refusal": None}, reply.finish_reason
    calls = [
        {"id": next(ids), "type": "function", "function": {"name": name, "arguments": _arguments(arguments)}}
        for name, arguments in reply.calls
    ]
    content = reply.content or None
    return {"role": "assistant", "content": content, "refusal": None, "tool_calls": calls}, "tool_calls"


def _arguments(arguments: Mapping[str, Any] | str) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def completion(
    head: Mapping[str, Any], message: Mapping[str, Any], reason: str, used: Mapping[str, Any]
) -> dict[str, Any]:
    """An answer in one piece."""
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
    return {**head, "object": "chat.completion", "choices": [choice], "usage": used}


def pieces(
    head: Mapping[str, Any],
    message: Mapping[str, Any],
    reason: str,
    used: Mapping[str, Any] | None,
    size: int,
) -> Iterator[dict[str, Any]]:
    """The same answer as chunks of a stream; the counts come last, when they are wanted."""
    base = {**head, "object": "chat.completion.chunk", **({"usage": None} if used else {})}

    def chunk(delta: Mapping[str, Any], reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return {**base, "choices": [choice]}

    yield chunk({"role": "assistant", "content": None if message.get("tool_calls") else ""})
    for part in _parts(message.get("content") or "", size):
        yield chunk({"content": part})
    for index, call in enumerate(message.get("tool_calls") or ()):
        opening = {"name": call["function"]["name"], "arguments": ""}
        yield chunk({"tool_calls": [{**call, "index": index, "function": opening}]})
        for part in _parts(call["function"]["arguments"], size):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
    yield chunk({}, reason)
    if used is not None:
        yield {**base, "choices": [], "usage": used}


def _parts(text: str, size: int) -> Iterator[str]:
    return (text[start : start + size] for start in range(0, len(text), size))
