"""How each fault looks on the line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.model_server.conversation import Conversation
from tests.model_server.http import Exchange
from tests.model_server.reply import Calls, Fault, Reply, Text
from tests.model_server.wire import error

__all__ = ["commit", "said_instead", "spoil"]

_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><h1>Please sign in</h1></body></html>\n"
)


def said_instead(fault: Fault, conversation: Conversation) -> Reply:
    """The words or calls that a fault consists of; faults of the line itself stay what they are."""
    match fault.kind:
        case "empty_content":
            return Text("")
        case "wrong_schema":
            return Text('{"verdict": "fixed", "confidence": 0.97}')
        case "truncated_content":
            return Text(fault.content[: max(1, len(fault.content) // 2)])
        case "length":
            return Text(fault.content[: max(1, len(fault.content) // 2)], finish_reason="length")
        case "unknown_tool":
            return Calls([("run_shell", {"command": "true"})])
        case "bad_arguments":
            name = next(iter(conversation.tools), "read_evidence")
            return Calls([(name, '{"id": "E1", "start": ')])
        case _:
            return fault


async def commit(fault: Fault, exchange: Exchange, *, stream: bool) -> None:
    """Play a fault that needs no ordinary answer around it."""
    match fault.kind:
        case "status":
            body = fault.body or json.dumps(error(f"scripted {fault.status}", kind="server_error"))
            await exchange.whole(fault.status, body.encode(), fault.headers)
        case "drop_before":
            raise exchange.drop()
        case "html":
            await exchange.whole(200, _PAGE.encode(), kind="text/html; charset=utf-8")
        case "wrong_body":
            await exchange.json(200, {"result": "ok", "answer": 42})
        case "truncated_json" if stream:
            await exchange.open_stream()
            await exchange.event('{"id": "chatcmpl-1", "object": "chat.completion.chu')
            await exchange.close_stream()
        case "truncated_json":
            await exchange.whole(200, b'{"id": "chatcmpl-1", "object": "chat.completion", "choices": [{"ind')


def spoil(fault: Fault, message: dict[str, Any], whole: dict[str, Any]) -> Mapping[str, Any]:
    """An ordinary answer with what a fault changes in it."""
    if fault.kind == "no_choices":
        return {**whole, "choices": []}
    if fault.kind == "refusal":
        refused = {**message, "content": None, "refusal": "I cannot help with that."}
        return {
            **whole,
            "choices": [{**whole["choices"][0], "message": refused, "finish_reason": "content_filter"}],
        }
    return whole
