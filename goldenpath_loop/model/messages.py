"""What goes to a model and what comes back, apart from any SDK."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from goldenpath_loop.records.usage import Usage

__all__ = ["Ask", "Fault", "FaultKind", "Message", "Reply", "ToolCall", "ToolDefinition", "estimated_tokens"]

Message = dict[str, Any]
"""One message as the chat completions API takes it."""

FaultKind = Literal[
    "rate_limited",
    "server_error",
    "timeout",
    "connection",
    "not_an_answer",
    "refused_request",
    "unauthorised",
    "budget",
]
"""Why a call gave nothing: the first five may be tried again, the others are what they are."""

_CHARS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """A function the model may call."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON schema of its arguments."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request."""

    messages: tuple[Message, ...]
    tools: tuple[ToolDefinition, ...] = ()
    schema: Mapping[str, Any] | None = None
    """JSON schema of the answer, where the server is to enforce it."""
    put_aside: tuple[str, ...] = ()
    """What the conversation no longer holds since the request before."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model wants a function called."""

    id: str
    name: str
    arguments: str
    """JSON, as the model wrote it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model said."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    finish: str = "stop"
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Fault:
    """Nothing came back that could be used."""

    kind: FaultKind
    message: str
    retry_after_s: float | None = None
    usage: Usage | None = None
    """What the server counted all the same."""
    may_be_schema: bool = False
    """Whether the request was refused and had a schema, without which the server may take it."""


def estimated_tokens(text: str) -> int:
    """About how many tokens `text` is."""
    return len(text.encode("utf-8", "surrogatepass")) // _CHARS_PER_TOKEN + 1
