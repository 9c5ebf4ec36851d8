"""Scripted models that can do more, or less, of what a server may be able to do."""

from __future__ import annotations

import json
from typing import Any

from tests.model.asking import chunk, events
from tests.model_server import Calls, Conversation, Fault, Reply, Text

__all__ = ["Capable"]


class Capable:
    """Says hello, keeps to schemas of one word and calls the first tool, as far as it is able to.

    Args:
        schemas: `yes`, `no` for a server that ignores them, `refused` for one that turns such requests down.
        tools: The same.
        usage: Whether tokens are counted.
    """

    def __init__(self, *, schemas: str = "yes", tools: str = "yes", usage: bool = True) -> None:
        self._schemas, self._tools, self._usage = schemas, tools, usage

    def reply(self, conversation: Conversation) -> Reply:
        """By what the request holds."""
        wants_schema = "response_format" in conversation.body
        if (wants_schema and self._schemas == "refused") or (conversation.tools and self._tools == "refused"):
            return Fault("status", status=400)
        if conversation.tools and self._tools == "yes":
            return Calls([(next(iter(conversation.tools)), {"word": "ping"})])
        if not self._usage:
            return events(json.dumps(chunk({"content": "Hello."})), json.dumps(chunk({}, "stop")), "[DONE]")
        return Text(_word(conversation.schema) if wants_schema and self._schemas == "yes" else "Hello.")


def _word(schema: dict[str, Any] | None) -> str:
    properties = (schema or {}).get("properties", {})
    return json.dumps({name: one["enum"][0] for name, one in properties.items()})
