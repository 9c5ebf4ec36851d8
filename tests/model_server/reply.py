"""What a scripted model may say: words, calls of tools, or one of the ways in which a provider fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args

from tests.model_server.conversation import Conversation

__all__ = ["FAULT_KINDS", "Behaviour", "Calls", "Fault", "FaultKind", "Reply", "Text"]

FaultKind = Literal[
    "status",
    "drop_before",
    "drop_midway",
    "hang",
    "stall",
    "empty_content",
    "no_choices",
    "html",
    "truncated_json",
    "truncated_content",
    "wrong_body",
    "wrong_schema",
    "refusal",
    "length",
    "stream_error",
    "unknown_tool",
    "bad_arguments",
]
"""`truncated_json` and `wrong_body` spoil the HTTP body, `truncated_content` and `wrong_schema` the answer in it.

`hang` says nothing for a while and then answers; `stall` begins an answer and then says nothing for a while.
`stream_error` is a provider's error object after the first words of a stream. `unknown_tool` calls a tool that
nobody offered, `bad_arguments` an offered one with arguments that are no JSON.
"""

FAULT_KINDS: tuple[FaultKind, ...] = get_args(FaultKind)


@dataclass(frozen=True)
class Text:
    """Words, and why they end."""

    content: str
    finish_reason: str = "stop"


@dataclass(frozen=True)
class Calls:
    """Calls of tools, each a name with its arguments; a string stands for arguments as they are sent."""

    calls: Sequence[tuple[str, Mapping[str, Any] | str]]
    content: str = ""


@dataclass(frozen=True)
class Fault:
    """One way in which an answer does not come as it should.

    Attributes:
        status: Status code of a fault of kind `status`.
        body: Its body; empty for an error object as providers send it.
        headers: Headers that go with it, such as `Retry-After`.
        seconds: How long `hang` and `stall` say nothing.
        content: What is said before or after the fault, where anything is.
    """

    kind: FaultKind
    status: int = 500
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 30.0
    content: str = '{"not_enough_evidence": "nothing was read"}'


Reply = Text | Calls | Fault


class Behaviour(Protocol):
    """A scripted model. It knows the conversation it is given and nothing else."""

    def reply(self, conversation: Conversation) -> Reply:
        """What the model says next."""
