"""A model that never comes to an end: it calls tools for ever, the same call or always another one."""

from __future__ import annotations

from typing import Any, Literal

from tests.model_server.conversation import Conversation
from tests.model_server.reply import Calls, Reply, Text

__all__ = ["Endless"]

_WANTED = ("search_evidence", "search_source", "read_evidence", "read_source", "read_history", "try_patch")


class Endless:
    """Calls one of the offered tools on every turn.

    Args:
        mode: `identical` repeats one call to the letter, `varied` never asks twice for the same.
        calls: Calls on each turn.
    """

    def __init__(self, mode: Literal["identical", "varied"] = "identical", calls: int = 1) -> None:
        self._mode = mode
        self._calls = calls

    def reply(self, conversation: Conversation) -> Reply:
        """The next calls."""
        offered = [name for name in _WANTED if name in conversation.tools] or list(conversation.tools)
        if not offered:
            return Text("I would like to read more.")
        if self._mode == "identical":
            return Calls([(offered[0], _arguments(conversation.tools[offered[0]], 0))] * self._calls)
        first = conversation.turn * self._calls + 1
        return Calls(
            [
                (
                    offered[number % len(offered)],
                    _arguments(conversation.tools[offered[number % len(offered)]], number),
                )
                for number in range(first, first + self._calls)
            ],
            content="Let me look once more.",
        )


def _arguments(schema: dict[str, Any], number: int) -> dict[str, Any]:
    """Arguments for the required parameters (one optional if none is), made of `number`."""
    known = schema.get("properties", {})
    names = schema.get("required") or list(known)[:1]
    return {name: _value(name, known.get(name, {}), number) for name in names}


def _value(name: str, schema: dict[str, Any], number: int) -> Any:
    match schema.get("type"):
        case "integer" | "number":
            return number
        case "boolean":
            return number % 2 == 0
        case "array":
            return []
    if name == "id":
        return f"E{number + 1}"
    return f"src/part_{number}.py" if name == "path" else f"step {number}"
