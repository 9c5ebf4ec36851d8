"""What the tests of asking share: a client of a scripted server, an account that keeps its books, a small question."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio

from goldenpath_loop.model.client import ChatClient, open_client
from goldenpath_loop.model.messages import Ask, ToolDefinition
from goldenpath_loop.model.prices import Prices
from goldenpath_loop.records.usage import Usage
from tests.model_server import Behaviour, Conversation, Fault, ModelServer, Reply, serve

__all__ = [
    "ASK",
    "NOTE",
    "PRICES",
    "SCHEMA",
    "Books",
    "Clock",
    "RefusesSchemas",
    "asked",
    "chunk",
    "events",
    "served",
]

PRICES = Prices(prompt=1.0, cached=0.1, answer=4.0)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"colour": {"enum": ["teal"]}},
    "required": ["colour"],
    "additionalProperties": False,
}
NOTE = ToolDefinition("note", "Note.", {"type": "object", "properties": {"word": {"type": "string"}}})


def asked(text: str = "Why?", *, schema: Any = None, tools: tuple[ToolDefinition, ...] = ()) -> Ask:
    """A request of one sentence."""
    return Ask(({"role": "user", "content": text},), tools=tools, schema=schema)


ASK = asked()


@dataclass
class Books:
    """An account with room for some calls.

    Attributes:
        room: Calls that may be made.
        open_calls: Reserved and not yet settled.
        settled: What each call used, and what was wrong with it.
    """

    room: int = 100
    open_calls: dict[int, Usage] = field(default_factory=dict)
    settled: dict[int, tuple[Usage, str]] = field(default_factory=dict)

    async def reserve(self, model: str, most: Usage) -> int | str:
        """The next number."""
        number = len(self.open_calls) + len(self.settled) + 1
        if number > self.room:
            return "no room"
        self.open_calls[number] = most
        return number

    def settle(self, call: int, usage: Usage, *, duration_s: float, problem: str = "") -> None:
        """Each call once, and none that was not reserved."""
        most = self.open_calls.pop(call)
        assert call not in self.settled
        assert duration_s >= 0
        assert usage.answer_tokens <= most.answer_tokens
        self.settled[call] = (usage, problem)

    @property
    def problems(self) -> list[str]:
        """What was wrong with each call, in order, once nothing is open any more."""
        assert self.open_calls == {}
        return [problem for _, (_, problem) in sorted(self.settled.items())]


@dataclass
class Clock:
    """Time that passes only when somebody waits for it."""

    at: float = 1000.0
    waits: list[float] = field(default_factory=list)

    def now(self) -> float:
        """Seconds since some moment."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        self.waits.append(round(seconds, 3))
        self.at = max(self.at, self.at + seconds)
        await anyio.lowlevel.checkpoint()


class RefusesSchemas:
    """Refuses every request that wants its answer in a form.

    Args:
        then: Who answers the others.
        status: With which status.
    """

    def __init__(self, then: Behaviour, status: int = 400) -> None:
        self._then = then
        self._status = status

    def reply(self, conversation: Conversation) -> Reply:
        """A refusal, or what the other model says."""
        if "response_format" in conversation.body:
            return Fault("status", status=self._status)
        return self._then.reply(conversation)


@asynccontextmanager
async def served(
    behaviour: Behaviour, *, timeout_s: float = 5.0, prices: Prices = PRICES, key: str = "key", **options: Any
) -> AsyncIterator[tuple[ModelServer, ChatClient]]:
    """A scripted server, and the client that speaks to it."""
    with serve(behaviour, **options) as server:
        async with open_client(
            base_url=server.base_url, key=key, prices=prices, timeout_s=timeout_s, answer_tokens=200
        ) as client:
            yield server, client


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    """One chunk of a stream, as a server might send it."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "id": "x",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [choice],
    } | more


def events(*lines: str) -> Fault:
    """A stream of exactly these data lines."""
    body = "".join(f"data: {line}\n\n" for line in lines)
    return Fault("status", status=200, body=body, headers={"Content-Type": "text/event-stream"})
