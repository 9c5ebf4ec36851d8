"""The conversation with one agent as a pure flow: what to ask next, given what came back.

Driven by the real client or by a script. Every way a model can misbehave has one defined end: an answer that the
gate was shown, or a sentence that says why there is none.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

from goldenpath_loop.model.messages import (
    Ask,
    Fault,
    Message,
    Reply,
    ToolCall,
    ToolDefinition,
    estimated_tokens,
)
from goldenpath_loop.records.receipts import Refusal

__all__ = ["Answer", "End", "Rules", "ToolResult", "UseTools", "converse"]

_MOST_REFUSALS = 2
"""How often an agent is told what the gate did not let through."""
_MOST_REPEATS = 3
"""From this identical call of a tool on, an agent is told that it has the result; two more end the conversation."""
_MOST_REPAIRS = 1
_CALLED_BEFORE = "You called this before with the same arguments; the result stands above."
_LATEST_KEPT = 2
"""Results of tools that are never put aside."""

Answer = Any
"""A validated record; what kind depends on the agent."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a conversation may be."""

    system: str
    brief: str
    tools: tuple[ToolDefinition, ...]
    schema: Mapping[str, Any]
    turns: int
    context_tokens: int
    parse: Callable[[str], Answer | str]
    """From the model's text to an answer, or what is wrong with it."""
    check: Callable[[Answer], Sequence[str]]
    """Why the gate would not let parts of an answer through."""


@dataclass(frozen=True, slots=True)
class UseTools:
    """Tools to call; their results are sent back in order."""

    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool returned, ready to be shown to the model."""

    text: str


@dataclass(frozen=True, slots=True)
class End:
    """What the conversation came to."""

    answer: Answer | None
    problem: str = ""
    refusals: tuple[Refusal, ...] = ()
    turns: int = 0


Flow = Generator[Ask | UseTools, Reply | Fault | Sequence[ToolResult], End]


def converse(rules: Rules) -> Flow:
    """Ask, call tools, ask again, until there is an answer or a reason for none."""
    return _Conversation(rules).flow()


class _Conversation:
    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._messages: list[Message] = [
            {"role": "system", "content": rules.system},
            {"role": "user", "content": rules.brief},
        ]
        self._turns = 0
        self._repairs = 0
        self._refusals: list[Refusal] = []
        self._asked: Counter[tuple[str, str]] = Counter()
        self._answer: Answer | None = None

    def flow(self) -> Flow:
        while self._turns < self._rules.turns:
            is_last = self._turns + 1 >= self._rules.turns
            tools = self._rules.tools
            if is_last and tools:
                self._say("This is the last turn: answer now, with the JSON object alone.")
            # The tools stay in every request, or the server could not use what it has of the prefix.
            put_aside = self._put_aside()
            reply = yield Ask(
                messages=tuple(self._messages),
                tools=tools,
                schema=None if tools else self._rules.schema,
                put_aside=put_aside,
            )
            self._turns += 1
            if isinstance(reply, Fault):
                return self._end(reply.message)
            assert isinstance(reply, Reply)
            if reply.calls and tools and not is_last:
                ended = yield from self._use(reply)
                if ended:
                    return self._end(ended)
                continue
            done = self._read(reply)
            if done is not None:
                return done
        return self._end(f"no answer after {self._turns} turns")

    def _end(self, problem: str) -> End:
        # An answer of which the gate refused a part is one all the same: the gate will look at it again.
        kept = self._answer
        return End(kept, "" if kept is not None else problem, tuple(self._refusals), self._turns)

    def _say(self, text: str) -> None:
        self._messages.append({"role": "user", "content": text})

    def _use(self, reply: Reply) -> Generator[UseTools, Sequence[ToolResult], str]:
        self._messages.append(_with_calls(reply))
        is_fresh: list[bool] = []
        for call in reply.calls:
            self._asked[call.name, call.arguments] += 1
            is_fresh.append(self._asked[call.name, call.arguments] < _MOST_REPEATS)
        if any(count >= _MOST_REPEATS + 2 for count in self._asked.values()):
            return "the agent calls the same tool with the same arguments again and again"
        results = yield UseTools(tuple(compress(reply.calls, is_fresh)))
        # In their order, not by their ids: some servers give the same id to every call.
        texts = iter(results)
        for call, fresh in zip(reply.calls, is_fresh, strict=True):
            text = next(texts).text if fresh else _CALLED_BEFORE
            self._messages.append({"role": "tool", "tool_call_id": call.id, "content": text})
        return ""

    def _read(self, reply: Reply) -> End | None:
        """The end, or None when the agent is asked once more."""
        if reply.finish == "content_filter":
            return self._end("the model refused to answer")
        if not reply.text.strip():
            return self._again(
                reply, "the answer was empty", "Your answer was empty. Answer with the JSON object."
            )
        if reply.finish == "length":
            return self._again(
                reply,
                "the answer was cut off",
                "Your answer was cut off. Answer again, shorter.",
            )
        answer = self._rules.parse(reply.text)
        if isinstance(answer, str):
            return self._again(
                reply,
                f"the answer does not fit: {answer}",
                f"Your answer does not fit: {answer}\nAnswer again.",
            )
        reasons = tuple(self._rules.check(answer))
        self._answer = answer
        if not reasons:
            return self._end("")
        self._refusals.append(Refusal(turn=self._turns, reasons=reasons))
        if len(self._refusals) > _MOST_REFUSALS or self._turns >= self._rules.turns:
            return self._end("")
        told = "\n".join(f"- {reason}" for reason in reasons)
        self._messages.append({"role": "assistant", "content": reply.text})
        self._say(
            f"These claims were refused:\n{told}\n\nCorrect or leave out what cannot be shown, and answer again with "
            "the whole JSON object."
        )
        return None

    def _again(self, reply: Reply, problem: str, told: str) -> End | None:
        self._repairs += 1
        if self._repairs > _MOST_REPAIRS:
            return self._end(problem)
        self._messages.append({"role": "assistant", "content": reply.text or "(nothing)"})
        self._say(told)
        return None

    def _put_aside(self) -> tuple[str, ...]:
        """Replace the oldest results of tools until the conversation fits; what went is said in its place."""
        sizes = [estimated_tokens(json.dumps(message)) for message in self._messages]
        results = [at for at, message in enumerate(self._messages) if message["role"] == "tool"]
        gone: list[str] = []
        for at in results[:-_LATEST_KEPT]:
            if sum(sizes) <= self._rules.context_tokens:
                break
            message = self._messages[at]
            note = f"[put aside to save room: {len(message['content'])} characters; call the tool again to see them]"
            if message["content"].startswith("[put aside") or len(note) >= len(message["content"]):
                continue
            gone.append(message["tool_call_id"])
            self._messages[at] = {**message, "content": note}
            sizes[at] = estimated_tokens(note)
            for name, arguments in self._calls_of(message["tool_call_id"]):
                del self._asked[name, arguments]
        return tuple(gone)

    def _calls_of(self, id: str) -> list[tuple[str, str]]:
        return [
            (call["function"]["name"], call["function"]["arguments"])
            for message in self._messages
            for call in message.get("tool_calls", ())
            if call["id"] == id
        ]


def _with_calls(reply: Reply) -> Message:
    return {
        "role": "assistant",
        "content": reply.text or None,
        "tool_calls": [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in reply.calls
        ],
    }
