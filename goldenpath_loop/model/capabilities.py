"""What a server can do, found out by asking it: three tiny questions, and what its answers show."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any, Literal

from goldenpath_loop.model.client import ChatClient
from goldenpath_loop.model.messages import Ask, Fault, FaultKind, Reply, ToolDefinition
from goldenpath_loop.records.base import Record

__all__ = ["Capabilities", "Found", "probe"]

Found = Literal["yes", "no", "refused", "unknown"]
"""`no`: asked for and silently left out; `refused`: the request was turned down; `unknown`: something came between."""

_WANTED = {"colour": "teal"}
# Nothing in the question leads to this answer: who gives it was made to by the schema.
_SCHEMA: MappingProxyType[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {"colour": {"type": "string", "enum": ["teal"]}},
        "required": ["colour"],
        "additionalProperties": False,
    }
)
_TOOL = ToolDefinition(
    "note",
    "Write a word down.",
    {
        "type": "object",
        "properties": {"word": {"type": "string", "description": "The word."}},
        "required": ["word"],
        "additionalProperties": False,
    },
)


class Capabilities(Record):
    """What one model on one server was seen to do."""

    model: str
    offered: tuple[str, ...] = ()
    """Names of the models that the server lists; empty when it lists none."""
    listed: Found = "unknown"
    """Whether this one is among them."""
    fault: FaultKind | None = None
    """Why it did not answer at all; nothing else is known then."""
    message: str = ""
    schemas: Found = "unknown"
    tools: Found = "unknown"
    usage: Found = "unknown"
    """Whether it counts tokens."""


async def probe(client: ChatClient, model: str) -> Capabilities:
    """Ask `model` whether it answers, keeps to a schema, calls a tool, and counts what it uses."""
    names = await client.models()
    offered = () if isinstance(names, Fault) else names
    listed: Found = "unknown" if not offered else "yes" if model in offered else "no"
    reply = await _asked(client, model, _ask("Say hello in one short sentence."))
    if isinstance(reply, Fault):
        return Capabilities(
            model=model, offered=offered, listed=listed, fault=reply.kind, message=reply.message
        )
    return Capabilities(
        model=model,
        offered=offered,
        listed=listed,
        schemas=await _keeps_to_a_schema(client, model),
        tools=await _calls_a_tool(client, model),
        usage="no" if reply.usage.is_estimated else "yes",
    )


async def _keeps_to_a_schema(client: ChatClient, model: str) -> Found:
    reply = await _asked(client, model, _ask("Say hello in one short sentence.", schema=_SCHEMA))
    if not client.takes_schemas:
        return "refused"
    if isinstance(reply, Fault):
        return _found(reply)
    try:
        return "yes" if json.loads(reply.text) == _WANTED else "no"
    except (ValueError, RecursionError):
        return "no"


async def _calls_a_tool(client: ChatClient, model: str) -> Found:
    reply = await _asked(
        client, model, _ask('Call the tool "note" with the word "ping". Say nothing else.', tools=(_TOOL,))
    )
    if isinstance(reply, Reply):
        return "yes" if any(call.name == _TOOL.name for call in reply.calls) else "no"
    return _found(reply)


async def _asked(client: ChatClient, model: str, ask: Ask) -> Reply | Fault:
    reply = await client.call(model, ask)
    if isinstance(reply, Fault) and reply.kind == "connection":
        # A server may close a line at the moment at which the next question is sent on it.
        reply = await client.call(model, ask)
    return reply


def _found(fault: Fault) -> Found:
    return "refused" if fault.kind == "refused_request" else "unknown"


def _ask(text: str, *, schema: MappingProxyType[str, Any] | None = None, tools: Any = ()) -> Ask:
    return Ask(({"role": "user", "content": text},), tools=tools, schema=schema)
